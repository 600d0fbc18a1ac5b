#include "harness/list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/engines/engine.h"
#include "harness/plan/job.h"
#include "harness/keys/keys.h"
#include "harness/base/names.h"
#include "harness/plan/registry.h"
#include "harness/retention/retain.h"
#include "harness/run/run.h"
#include "harness/shapes/shape.h"
#include "harness/plan/workload.h"
#include "harness/unit/build.h"
#include "harness/unit/load.h"

static json_t *text_or_null(const char *text) {
    return text ? json_string(text) : json_null();
}

static void add_entry(json_t *list, const char *name, const char *summary, const char *reason) {
    json_array_append_new(list,
                          json_pack("{s:s, s:o, s:b, s:o}", "name", name, "summary", text_or_null(summary),
                                    "available", reason == NULL, "reason", text_or_null(reason)));
}

/* Adds a word to an array that does not have it yet. */
static void add_once(json_t *array, const char *word) {
    size_t i;
    json_t *known;
    json_array_foreach(array, i, known) if (strcmp(json_string_value(known), word) == 0) return;
    json_array_append_new(array, json_string(word));
}

/* The reason in *text of the first unit of a map that did not compile when it was last tried, for a map none
 * of whose units is there; else NULL. */
static const char *build_failure(const char *map, char *text, size_t size) {
    char name[UNIT_NAME_MAX];
    bool failed = false;
    for (size_t i = 0; i < registry_compiled_count(); i++) {
        const struct map_unit *unit = registry_compiled_at(i);
        if (strcmp(unit->map, map) != 0) continue;
        if (unit_is_current(unit_name(unit, name))) return NULL;
        char why[200];
        if (!failed && unit_build_failure(name, why, sizeof why)) {
            snprintf(text, size, "does not compile: %s", why);
            failed = true;
        }
    }
    return failed ? text : NULL;
}

/* NULL, or why a map cannot be measured here. An engine is started to find out. */
static const char *map_reason(const struct map_unit *unit, char *text, size_t size) {
    struct engine_program program;
    if (unit->unavailable) return unit->unavailable;
    if (!unit->engine) return build_failure(unit->map, text, size);
    for (size_t i = 0; i < engine_program_count(); i++) {
        engine_program_describe(i, &program);
        if (strcmp(program.name, engine_name(unit->engine)) == 0) return program.reason;
    }
    return NULL;
}

static json_t *list_maps(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < registry_map_count(); i++) {
        const struct map_unit *first = registry_map_unit(i);
        json_t *shapes = json_array(), *heaps = json_array(), *hashes = json_array();
        for (size_t u = 0; u < registry_count(); u++) {
            const struct map_unit *unit = registry_at(u);
            if (strcmp(unit->map, first->map) != 0) continue;
            add_once(shapes, unit->shape), add_once(heaps, unit->heap), add_once(hashes, unit->hash);
        }
        const struct map_facts *f = first->facts;
        char text[256];
        const char *reason = map_reason(first, text, sizeof text);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:b, s:o, s:o}", "name",
                                        first->map, "summary", f->summary, "source", f->source, "adapter",
                                        (f->traits & TRAIT_ADAPTER) != 0, "engine",
                                        first->engine ? engine_name(first->engine) : "c", "shapes", shapes,
                                        "heaps", heaps, "hashes", hashes, "available", reason == NULL,
                                        "reason", text_or_null(reason), "package", text_or_null(f->package)));
    }
    return list;
}

static json_t *list_shapes(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < shape_count(); i++) add_entry(list, shape_at(i)->name, shape_summary(i), NULL);
    return list;
}

static json_t *list_workloads(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < workload_count(); i++)
        add_entry(list, workload_at(i)->name, workload_at(i)->summary, NULL);
    return list;
}

static json_t *list_keys(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < keys_stream_count(); i++) {
        const struct keys_stream *stream = keys_stream_at(i);
        char why[256] = "", summary[256];
        bool needs_argument = strcmp(stream->name, "file") == 0;
        bool available =
            needs_argument || keys_available(stream->name, shape_find("str_u64"), why, sizeof why) > 0;
        snprintf(summary, sizeof summary, stream->parameters[0] ? "%s; %s%s" : "%s", stream->summary,
                 stream->name, stream->parameters);
        add_entry(list, stream->name, summary, available ? NULL : why);
    }
    return list;
}

static json_t *list_heaps(void) {
    json_t *list = json_array();
#define HEAP(name, shapes, summary) add_entry(list, #name, summary, NULL);
#include "harness/heaps/heaps.def"
#undef HEAP
    return list;
}

static json_t *list_engines(void) {
    json_t *list = json_array();
#define ENGINE(name, summary) add_entry(list, #name, summary, NULL);
#include "harness/engines/engines.def"
#undef ENGINE
    for (size_t i = 0; i < engine_program_count(); i++) {
        struct engine_program program;
        engine_program_describe(i, &program);
        add_entry(list, program.name, program.summary, program.reason);
        json_object_set_new(json_array_get(list, i + 1), "version",
                            text_or_null(program.reason ? NULL : program.version));
    }
    return list;
}

static json_t *list_profiles(void) {
    json_t *list = json_array();
    size_t count;
    char **names = profile_names(&count), why[512];
    for (size_t i = 0; i < count; i++) {
        struct profile *profile = profile_load(names[i], why, sizeof why);
        add_entry(list, names[i], profile && profile->question ? profile->question : "",
                  profile ? NULL : why);
        if (profile)
            json_object_set_new(json_array_get(list, i), "duration", text_or_null(profile->duration));
        profile_free(profile);
    }
    profile_names_free(names);
    return list;
}

static const struct {
    const char *name;
    json_t *(*make)(void);
} lists[] = {
    {"maps", list_maps},         {"shapes", list_shapes},   {"workloads", list_workloads},
    {"keys", list_keys},         {"heaps", list_heaps},     {"scenarios", retain_list},
    {"profiles", list_profiles}, {"engines", list_engines},
};

static void print_list(const json_t *list) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        const char *reason = json_string_value(json_object_get(entry, "reason"));
        printf("  %-19s %s\n", json_string_value(json_object_get(entry, "name")),
               json_string_value(json_object_get(entry, "summary")));
        if (reason) printf("  %-19s unavailable: %s\n", "", reason);
    }
}

int list_command(const char *what, bool json) {
    const char *names[sizeof lists / sizeof *lists];
    bool found = false;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        names[i] = lists[i].name;
        if (what && strcmp(what, lists[i].name) != 0) continue;
        if (!what && json) continue; /* one array of objects: of one kind */
        json_t *list = lists[i].make();
        found = true;
        if (json) {
            json_dumpf(list, stdout, JSON_INDENT(1));
            putchar('\n');
        } else {
            if (!what) printf("%s\n", lists[i].name);
            print_list(list);
        }
        json_decref(list);
    }
    if (found) return EXIT_OK;
    char why[160];
    if (what)
        unknown_name("list", what, names, sizeof lists / sizeof *lists, why, sizeof why);
    else
        snprintf(why, sizeof why,
                 "list --json needs to know what: maps, shapes, workloads, keys, heaps, scenarios, profiles "
                 "or engines");
    fprintf(stderr, "mapbench: %s\n", why);
    return EXIT_USAGE;
}

static const struct {
    enum map_trait trait;
    const char *text;
} trait_texts[] = {
    {TRAIT_BASELINE, "baseline: not a map"},
    {TRAIT_ADAPTER, "third-party library"},
    {TRAIT_ABORTS_ON_OOM, "ends the process when memory runs out"},
    {TRAIT_IGNORES_HINT, "cannot be presized"},
    {TRAIT_HINT_INEXACT, "may grow although presized"},
    {TRAIT_STABLE_SLOTS, "a value's address survives growth"},
    {TRAIT_KEY_ORDER, "iterates in key order"},
    {TRAIT_INSERTION_ORDER, "iterates in insertion order while nothing is deleted"},
    {TRAIT_TOMBSTONES, "a delete may leave a tombstone"},
    {TRAIT_SHRINKS, "gives memory back as entries are deleted"},
};

static void explain_map(const struct map_unit *unit) {
    const struct map_facts *f = unit->facts;
    printf("%s: %s\n", unit->map, f->summary);
    if (unit->unavailable) printf("  unavailable  %s\n", unit->unavailable);
    printf("  source       %s\n  invariants   %s\n  cost         %s\n  options      %s\n  fairness     %s\n",
           f->source, f->invariants, f->cost, f->options, f->fairness);
    if (f->package) printf("  package      %s\n", f->package);
    for (size_t i = 0; i < sizeof trait_texts / sizeof *trait_texts; i++)
        if (f->traits & (unsigned)trait_texts[i].trait) printf("  trait        %s\n", trait_texts[i].text);
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *u = registry_at(i);
        if (strcmp(u->map, unit->map) == 0)
            printf("  unit         %s, %s hash, %s heap\n", u->shape, u->hash, u->heap);
    }
}

static void explain_profile(const struct profile *p) {
    printf("%s (profile)\n  question     %s\n  expect       %s\n  duration     %s\n\n%s", p->name,
           p->question ? p->question : "-", p->expect ? p->expect : "-", p->duration ? p->duration : "-",
           p->text);
}

/* Every name that can be explained, for the nearest one. */
static int explain_unknown(const char *name) {
    const char *known[256];
    size_t count = 0;
    for (size_t i = 0; i < registry_map_count(); i++) known[count++] = registry_map_name(i);
    for (size_t i = 0; i < shape_count(); i++) known[count++] = shape_at(i)->name;
    for (size_t i = 0; i < workload_count(); i++) known[count++] = workload_at(i)->name;
    for (size_t i = 0; i < keys_stream_count(); i++) known[count++] = keys_stream_at(i)->name;
    char why[160];
    unknown_name("name", name, known, count, why, sizeof why);
    fprintf(stderr, "mapbench: %s\n", why);
    return EXIT_USAGE;
}

int explain_command(const char *name) {
    char why[512];
    for (size_t i = 0; i < registry_map_count(); i++)
        if (strcmp(name, registry_map_name(i)) == 0) return explain_map(registry_map_unit(i)), EXIT_OK;
    for (size_t i = 0; i < shape_count(); i++)
        if (strcmp(name, shape_at(i)->name) == 0)
            return printf("%s (shape): %s\n  key          %zu bytes\n  value        %zu bytes\n", name,
                          shape_summary(i), shape_at(i)->key_size, shape_at(i)->val_size),
                   EXIT_OK;
    const struct workload *workload = workload_find(name);
    if (workload)
        return printf("%s (workload): %s\n  latency      %s\n", name, workload->summary,
                      workload_has_latency(workload) ? "can be recorded per operation" : "no"),
               EXIT_OK;
    for (size_t i = 0; i < keys_stream_count(); i++)
        if (strcmp(name, keys_stream_at(i)->name) == 0)
            return printf("%s%s (keys): %s; see docs/keys.md\n", name, keys_stream_at(i)->parameters,
                          keys_stream_at(i)->summary),
                   EXIT_OK;
    if (retain_explain(name)) return EXIT_OK;
#define HEAP(heap, shapes, summary)                                                                          \
    if (strcmp(name, #heap) == 0) return printf("%s (heap): %s\n", name, summary), EXIT_OK;
#include "harness/heaps/heaps.def"
#undef HEAP
    struct profile *profile = profile_load(name, why, sizeof why);
    if (!profile && strchr(name, '/')) return fprintf(stderr, "mapbench: %s\n", why), EXIT_USAGE;
    if (!profile) return explain_unknown(name);
    explain_profile(profile);
    profile_free(profile);
    return EXIT_OK;
}
