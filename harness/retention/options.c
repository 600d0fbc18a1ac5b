#include "harness/retention/options.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/engines/engine.h"
#include "harness/plan/options.h"
#include "harness/retention/case_plan.h"
#include "harness/retention/retention.h"
#include "harness/retention/retain.h"
#include "harness/retention/units.h"
#include "harness/run/run.h"
#include "harness/base/names.h"
#include "harness/base/sizes.h"

static const struct {
    const char *name, *argument, *help;
} options[] = {
    {"maps", "LIST", "maps of the map scenarios [all]"},
    {"heap", "LIST", "gosim, boehm, malloc [all that a scenario is about]"},
    {"variant", "WORD", "leaky, fixed, no_fix, reference, or a variant's name [all]"},
    {"engine", "LIST", "c, and engines of `list engines` such as go1.24 [c]"},
    {"n", "SIZE", "instead of every scenario's own"},
    {"seed", "S", "of the random choices [1]"},
    {"limit", "SECONDS", "gives up on a case that takes longer [120]"},
    {"out", "DIR", "the run folder [results/<time>-<hash>-retain]"},
    {"snapshot", "DIR", "writes the object graphs: .pb.gz, .heapsnapshot, .jsonl, .dot"},
    {"snapshot-at", "LIST", "checkpoint labels, verdict, or all: where to write them [verdict]"},
    {"snapshot-diff", "A,B", "two labels: what came and went between them, into --snapshot too"},
    {"junit", "FILE", "writes JUnit XML"},
    {"figures", "yes|no", "draws the figures and the report [yes]"},
    {"assert", NULL, "exit 1 where a fixed variant keeps more than its bound"},
    {"check", NULL, "red zones and a heap verifier: finds maps that corrupt the heap"},
};
enum {
    OPTIONS = sizeof options / sizeof *options,
    LABELS_MAX = 128, /* different ones, of all scenarios */
    LABEL_BYTES = 48,
};

void retain_help(void) {
    puts("Options of retain (defaults in brackets):");
    for (size_t i = 0; i < OPTIONS; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].argument ? " " : "",
                 options[i].argument ? options[i].argument : "");
        printf("  %-22s %s\n", left, options[i].help);
    }
}

bool retain_scenario_selected(const struct retain_options *o, const struct scenario *s) {
    for (size_t i = 0; i < o->scenarios; i++)
        if (names_select(o->scenario[i], s->name)) return true;
    return o->scenarios == 0;
}

/* Every item of a list must be one of the known words. */
static bool check_list(const char *kind, const char *list, const char *const *known, size_t count, char *why,
                       size_t why_size) {
    for (const char *at = list; at && *at;) {
        size_t item = strcspn(at, ",");
        char word[64];
        bool found = item == 3 && strncmp(at, "all", 3) == 0;
        snprintf(word, sizeof word, "%.*s", (int)item, at);
        for (size_t i = 0; i < count; i++) found |= strcmp(word, known[i]) == 0;
        if (!found) return unknown_name(kind, word, known, count, why, why_size), false;
        at += item + (at[item] == ',');
    }
    return true;
}

static bool check_names(const struct retain_options *o, char *why, size_t why_size) {
    const char *heaps[CASE_HEAPS], *maps[64], *engines[16], *scenarios[RETAIN_SCENARIOS_MAX], *variants[256];
    size_t map_count = retention_map_count(), engine_count = engine_program_count(), variant_count = 0;
    for (enum case_heap heap = 0; heap < CASE_HEAPS; heap++) heaps[heap] = case_heap_name(heap);
    for (size_t i = 0; i < map_count; i++) maps[i] = retention_map_name(i);
    engines[0] = "c";
    for (size_t i = 0; i < engine_count; i++) engines[i + 1] = engine_program_name(i);
    for (enum variant_role role = VARIANT_LEAKY; role <= VARIANT_REFERENCE; role++)
        variants[variant_count++] = role_name(role);
    for (size_t i = 0; i < scenario_count(); i++) {
        scenarios[i] = scenario_at(i)->name;
        for (const struct variant *v = scenario_at(i)->variant; v->name && variant_count < 256; v++)
            variants[variant_count++] = v->name;
    }
    for (size_t i = 0; i < o->scenarios; i++)
        if (!check_list("scenario", o->scenario[i], scenarios, scenario_count(), why, why_size)) return false;
    return check_list("map", o->maps, maps, map_count, why, why_size) &&
           check_list("heap", o->heaps, heaps, CASE_HEAPS, why, why_size) &&
           check_list("engine", o->engines, engines, engine_count + 1, why, why_size) &&
           check_list("variant", o->variant, variants, variant_count, why, why_size);
}

/* Labels of the selected scenarios that have a heap to look into. */
static size_t known_labels(const struct retain_options *o, char store[][LABEL_BYTES], const char **known) {
    size_t count = 0;
    for (size_t i = 0; i < scenario_count(); i++) {
        const struct scenario *s = scenario_at(i);
        if (!(s->heaps & ON_GOSIM) || !retain_scenario_selected(o, s)) continue;
        for (const char *at = s->labels; at && *at && count < LABELS_MAX;) {
            size_t item = strcspn(at, " "), k = 0;
            snprintf(store[count], LABEL_BYTES, "%.*s", (int)item, at);
            while (k < count && strcmp(store[k], store[count]) != 0) k++;
            if (k == count) known[count] = store[count], count++;
            at += item + (at[item] == ' ');
        }
    }
    return count;
}

/* After the names of scenarios are known to be right. */
static bool check_snapshots(const struct retain_options *o, char *why, size_t why_size) {
    char store[LABELS_MAX][LABEL_BYTES];
    const char *known[LABELS_MAX + 2], *with = o->diff_from ? "snapshot-diff" : "snapshot-at";
    if (!o->snapshot && (o->snapshot_at || o->diff_from))
        return snprintf(why, why_size, "--%s needs --snapshot DIR", with), false;
    size_t count = known_labels(o, store, known);
    for (const char *label = o->diff_from; label; label = label == o->diff_from ? o->diff_to : NULL) {
        size_t k = 0;
        while (k < count && strcmp(known[k], label) != 0) k++;
        if (k == count) return unknown_name("checkpoint", label, known, count, why, why_size), false;
    }
    known[count] = "verdict", known[count + 1] = "all";
    return check_list("checkpoint", o->snapshot_at, known, count + 2, why, why_size);
}

static bool take_labels(struct retain_options *o, const char *text, char *why, size_t why_size) {
    size_t first = strcspn(text, ",");
    const char *second = text[first] ? text + first + 1 : "";
    bool two = first > 0 && *second && !strchr(second, ',') && strlen(text) < sizeof o->diff_labels;
    if (!two || (strlen(second) == first && strncmp(text, second, first) == 0))
        return snprintf(why, why_size,
                        "--snapshot-diff takes two different labels such as fill,after, not '%s'", text),
               false;
    strcpy(o->diff_labels, text);
    o->diff_labels[first] = '\0';
    o->diff_from = o->diff_labels;
    o->diff_to = o->diff_labels + first + 1;
    return true;
}

static bool take_number(const char *name, const char *text, uint64_t *out, char *why, size_t why_size) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    if (*text != '-' && end != text && *end == '\0' && errno == 0 && *out > 0) return true;
    snprintf(why, why_size, "--%s '%s' is not a whole number above 0", name, text);
    return false;
}

static bool take_size(const char *text, size_t *out, char *why, size_t why_size) {
    struct sizes sizes;
    if (!sizes_parse(text, &sizes, why, why_size)) return false;
    if (sizes.count != 1) return snprintf(why, why_size, "--n takes one size, not '%s'", text), false;
    *out = sizes.n[0];
    return true;
}

static bool take(struct retain_options *o, const char *name, const char *value, char *why, size_t why_size) {
    const struct {
        const char *name;
        const char **to;
    } words[] = {{"maps", &o->maps},         {"heap", &o->heaps},
                 {"variant", &o->variant},   {"engine", &o->engines},
                 {"out", &o->out},           {"junit", &o->junit},
                 {"snapshot", &o->snapshot}, {"snapshot-at", &o->snapshot_at}};
    uint64_t number;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(name, words[i].name) == 0) return *words[i].to = value, true;
    if (strcmp(name, "n") == 0) return take_size(value, &o->n, why, why_size);
    if (strcmp(name, "snapshot-diff") == 0) return take_labels(o, value, why, why_size);
    if (strcmp(name, "seed") == 0) return take_number(name, value, &o->seed, why, why_size);
    if (strcmp(name, "limit") == 0)
        return take_number(name, value, &number, why, why_size) &&
               (o->limit_s = number < UINT_MAX ? (unsigned)number : UINT_MAX, true);
    if (strcmp(name, "figures") == 0 && (strcmp(value, "yes") == 0 || strcmp(value, "no") == 0))
        return o->figures = value[0] == 'y', true;
    snprintf(why, why_size, "--figures takes yes or no, not '%s'", value);
    return false;
}

bool retain_options_parse(struct retain_options *o, char **argv, char *why, size_t why_size) {
    const char *names[OPTIONS];
    *o = (struct retain_options){.seed = 1, .limit_s = 120, .figures = true};
    for (size_t i = 0; i < OPTIONS; i++) names[i] = options[i].name;
    for (; *argv; argv++) {
        const char *text = *argv, *equals;
        char name[32];
        size_t known = 0;
        if (strncmp(text, "--", 2) != 0) {
            if (o->scenarios == RETAIN_SCENARIOS_MAX)
                return snprintf(why, why_size, "more than %d scenarios", RETAIN_SCENARIOS_MAX), false;
            o->scenario[o->scenarios++] = text;
            continue;
        }
        equals = strchr(text, '=');
        snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - text - 2) : (int)strlen(text + 2),
                 text + 2);
        while (known < OPTIONS && strcmp(options[known].name, name) != 0) known++;
        if (known == OPTIONS)
            return unknown_name("option of retain", name, names, OPTIONS, why, why_size), false;
        if (!options[known].argument) {
            if (equals) return snprintf(why, why_size, "--%s takes no value", name), false;
            if (strcmp(name, "assert") == 0) o->assert_bounds = true;
            if (strcmp(name, "check") == 0) o->check = true;
            continue;
        }
        const char *value = equals ? equals + 1 : argv[1];
        if (!value)
            return snprintf(why, why_size, "--%s needs a value: %s", name, options[known].argument), false;
        if (!equals) argv++;
        if (!take(o, name, value, why, why_size)) return false;
    }
    return check_names(o, why, why_size) && check_snapshots(o, why, why_size);
}

/* --- where the results go --- */

static bool holds_something(const char *path) {
    DIR *folder = opendir(path);
    struct stat status;
    size_t entries = 0;
    if (!folder) return stat(path, &status) == 0;
    while (entries < 3 && readdir(folder)) entries++;
    closedir(folder);
    return entries > 2; /* besides . and .. */
}

static bool out_is_free(const char *out, char *why, size_t why_size) {
    char partial[PATH_MAX];
    size_t length = strlen(out);
    while (length > 1 && out[length - 1] == '/') length--;
    if (holds_something(out))
        return snprintf(why, why_size, "%s exists and is not an empty folder: choose another --out", out),
               false;
    snprintf(partial, sizeof partial, "%.*s.partial", (int)length, out);
    if (access(partial, F_OK) != 0) return true;
    snprintf(why, why_size, "%s is left of an interrupted run: remove it, or choose another --out", partial);
    return false;
}

/* False: errno says why. */
static bool snapshot_folder_ready(const char *path) {
    struct stat status;
    if (mkdir(path, 0777) != 0 && errno != EEXIST) return false;
    if (stat(path, &status) != 0) return false;
    if (!S_ISDIR(status.st_mode)) return errno = ENOTDIR, false;
    return access(path, W_OK | X_OK) == 0;
}

int retain_targets_check(const struct retain_options *o, char *why, size_t why_size) {
    if (o->out && !out_is_free(o->out, why, why_size)) return EXIT_USAGE;
    if (o->snapshot && !snapshot_folder_ready(o->snapshot)) {
        snprintf(why, why_size, "cannot write snapshots to %s: %s", o->snapshot, strerror(errno));
        return EXIT_CANNOT;
    }
    FILE *junit = o->junit ? fopen(o->junit, "a") : NULL;
    if (o->junit && !junit) {
        snprintf(why, why_size, "cannot write %s: %s", o->junit, strerror(errno));
        return EXIT_CANNOT;
    }
    if (junit) fclose(junit);
    return EXIT_OK;
}
