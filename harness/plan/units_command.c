#include "harness/plan/units_command.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plan/job.h"
#include "harness/plan/plan.h"
#include "harness/plan/registry.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/unit/load.h"

struct selection {
    const struct map_unit **unit;
    size_t count;
};

static void add(struct selection *s, const struct map_unit *unit) {
    if (unit->engine) return;
    for (size_t i = 0; i < s->count; i++)
        if (s->unit[i] == unit) return;
    s->unit[s->count++] = unit;
}

static bool is_profile(const char *word) {
    size_t count;
    char **names = profile_names(&count);
    bool found = strchr(word, '/') != NULL;
    for (size_t i = 0; i < count; i++) found |= strcmp(names[i], word) == 0;
    profile_names_free(names);
    return found;
}

/* EXIT_OK or EXIT_USAGE. */
static int add_profile(struct selection *s, const char *name) {
    struct why why;
    struct profile *profile = profile_load(name, &why);
    struct plan *plan = profile ? plan_make(profile, &why) : NULL;
    for (size_t i = 0; plan && i < plan->cells; i++)
        for (size_t u = 0; u < plan->cell[i].units; u++) add(s, plan->cell[i].unit[u]);
    int code = plan ? EXIT_OK : complain(EXIT_USAGE, why.text);
    plan_free(plan);
    profile_free(profile);
    return code;
}

/* EXIT_OK, EXIT_USAGE or EXIT_NOTHING. */
static int add_matching(struct selection *s, const char *expression) {
    char *whole = NULL, name[UNIT_NAME_MAX];
    size_t before = s->count;
    regex_t regex;
    if (asprintf(&whole, "^(%s)$", expression) < 0) abort();
    int error = regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB);
    free(whole);
    if (error) {
        fprintf(stderr, "mapbench: units: \"%s\" is neither a profile nor a regular expression\n",
                expression);
        return EXIT_USAGE;
    }
    for (size_t i = 0; i < registry_compiled_count(); i++)
        if (regexec(&regex, unit_name(registry_compiled_at(i), name), 0, NULL, 0) == 0)
            add(s, registry_compiled_at(i));
    regfree(&regex);
    if (s->count > before) return EXIT_OK;
    fprintf(stderr, "mapbench: units: \"%s\" is no profile and matches no unit MAP-SHAPE-HASH-HEAP\n",
            expression);
    return EXIT_NOTHING;
}

int units_command(const char *const words[], size_t count) {
    struct selection s = {.unit = calloc(registry_compiled_count(), sizeof *s.unit)};
    int code = s.unit ? EXIT_OK : EXIT_CANNOT;
    char name[UNIT_NAME_MAX];
    size_t missing = 0;
    if (count == 0 && code == EXIT_OK) code = add_matching(&s, ".*");
    for (size_t i = 0; i < count && code == EXIT_OK; i++)
        code = is_profile(words[i]) ? add_profile(&s, words[i]) : add_matching(&s, words[i]);
    if (code == EXIT_OK && registry_prepare(s.unit, s.count) > 0)
        for (size_t i = 0; i < s.count; i++) {
            if (!s.unit[i]->unavailable) continue;
            fprintf(stderr, "mapbench: not built: %s: %s\n", unit_name(s.unit[i], name),
                    s.unit[i]->unavailable);
            /* A library that is absent is as it should be. */
            missing += !registry_expected_absent(s.unit[i]);
        }
    if (missing) code = EXIT_CANNOT;
    if (code == EXIT_OK) printf("%zu unit%s\n", s.count, s.count == 1 ? "" : "s");
    free(s.unit);
    return code;
}
