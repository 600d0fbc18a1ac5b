/* What `mapbench gate count` counts: the selection, expanded as that of `run`. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "build_info.h"
#include "harness/count.h"
#include "harness/plan.h"
#include "harness/run.h"

#if __has_include(<valgrind/callgrind.h>)
static const bool has_callgrind = true;
#else
static const bool has_callgrind = false;
#endif

#ifdef MAPBENCH_SANITIZED
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

/* The gate's own selection, where the command line leaves it open. The size: arrays of a power of two of
 * slots are 73 % full, so that a change in probing shows, and maps exceed the simulated last-level cache. */
static const struct {
    enum option_id id;
    const char *text;
} defaults[] = {
    {OPTION_MAPS, "ours"},
    {OPTION_SHAPES, "u64_u64,str_u64"},
    {OPTION_WORKLOADS, "put_grow,put,get,get_miss,overwrite,del,churn,scan"},
    {OPTION_N, "48000"},
};

static bool is_option_of_gate(enum option_id id) {
    switch (id) {
    case OPTION_MAPS:
    case OPTION_SHAPES:
    case OPTION_WORKLOADS:
    case OPTION_KEYS:
    case OPTION_N:
    case OPTION_HEAP:
    case OPTION_HASH:
    case OPTION_SEED:
    case OPTION_FILTER:
        return true;
    default:
        return false;
    }
}

static bool parse(char *const *args, struct option_values *values, char *why, size_t why_size) {
    for (; *args; args++) {
        enum option_id id;
        char name[64];
        const char *text = strncmp(*args, "--", 2) == 0 ? *args + 2 : "", *equals = strchr(text, '=');
        snprintf(name, sizeof name, "%.*s", (int)(equals ? (size_t)(equals - text) : strlen(text)), text);
        if (!option_find(name, &id) || !is_option_of_gate(id)) {
            const char *names[OPTION_COUNT];
            size_t count = 0;
            for (size_t i = 0; i < OPTION_COUNT; i++)
                if (is_option_of_gate((enum option_id)i))
                    names[count++] = option_facts((enum option_id)i)->name;
            unknown_name("option of gate count", name[0] ? name : *args, names, count, why, why_size);
            return false;
        }
        const char *value = equals ? equals + 1 : args[1];
        if (!value) return snprintf(why, why_size, "--%s needs a value", name), false;
        if (!option_set(values, id, value, why, why_size)) return false;
        args += !equals;
    }
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!values->text[defaults[i].id] &&
            !option_set(values, defaults[i].id, defaults[i].text, why, why_size))
            return false;
    return true;
}

/* The cells that can be counted here; `maps`: how many of them are of a map, not of the baseline. */
static json_t *plan_cells(const struct plan *plan, json_t *skips, size_t *maps) {
    json_t *cells = json_array();
    *maps = 0;
    for (size_t c = 0; c < plan->cells; c++) {
        const struct cell *cell = &plan->cell[c];
        for (size_t u = 0; u < cell->units; u++) {
            const struct map_unit *unit = cell->unit[u];
            if (unit->engine) {
                json_array_append_new(skips, json_pack("{s:s, s:s}", "what", unit->map, "why",
                                                       "its loops run in a process of their own"));
                continue;
            }
            for (size_t w = 0; w < cell->workloads; w++) {
                if (!cell->wanted[u][w]) continue;
                *maps += !(unit->facts->traits & TRAIT_BASELINE);
                json_array_append_new(
                    cells, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "map", unit->map, "shape",
                                     cell->shape->name, "hash", unit->hash, "heap", unit->heap, "workload",
                                     cell->workload[w]->name, "keys", cell->keys, "n", (json_int_t)cell->n,
                                     "seed", (json_int_t)option_number(&cell->job->options, OPTION_SEED)));
            }
        }
    }
    return cells;
}

static int print_plan(const struct plan *plan) {
    size_t maps;
    json_t *skips = json_array();
    for (size_t i = 0; i < plan->skips; i++)
        json_array_append_new(skips,
                              json_pack("{s:s, s:s}", "what", plan->skip[i].what, "why", plan->skip[i].why));
    json_t *cells = plan_cells(plan, skips, &maps);
    json_t *out = json_pack("{s:o, s:o, s:{s:s, s:s, s:s}, s:b, s:b}", "cells", cells, "skips", skips,
                            "built", "cc", BUILD_CC, "cxx", BUILD_CXX, "unit_flags", BUILD_UNIT_FLAGS,
                            "callgrind", has_callgrind, "sanitized", is_sanitized);
    if (maps == 0) {
        json_decref(out);
        fprintf(stderr, "mapbench: nothing matches the selection: there is nothing to count%s%s%s%s\n",
                plan->skips ? "; " : "", plan->skips ? plan->skip[0].what : "", plan->skips ? ": " : "",
                plan->skips ? plan->skip[0].why : "");
        return EXIT_NOTHING;
    }
    bool written =
        json_dumpf(out, stdout, JSON_INDENT(0)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(out);
    return written ? EXIT_OK : EXIT_CANNOT;
}

int count_plan(char *const *args) {
    struct option_values values = {0};
    char why[512];
    int code = EXIT_USAGE;
    struct profile *profile = profile_empty();
    struct plan *plan = NULL;
    if (parse(args, &values, why, sizeof why)) {
        profile_override(profile, &values);
        plan = plan_make(profile, why, sizeof why);
    }
    if (plan)
        code = print_plan(plan);
    else
        fprintf(stderr, "mapbench: %s\n", why);
    plan_free(plan);
    profile_free(profile);
    option_values_free(&values);
    return code;
}
