#include "harness/list.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/exit.h"
#include "harness/base/names.h"
#include "harness/base/why.h"
#include "harness/engines/engine.h"
#include "harness/plan/job.h"
#include "harness/keys/keys.h"
#include "harness/plan/registry.h"
#include "harness/plan/releases.h"
#include "harness/retention/retain.h"
#include "harness/retention/retention.h"
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
    const char *broken = registry_map_broken(map);
    bool failed = broken != NULL;
    if (broken) snprintf(text, size, "does not compile: %s", broken);
    for (size_t i = 0; i < registry_compiled_count(); i++) {
        const struct map_unit *unit = registry_compiled_at(i);
        if (strcmp(unit->map, map) != 0) continue;
        if (unit_is_current(unit_name(unit, name))) return NULL;
        struct why why;
        if (!failed && unit_build_failure(name, &why)) {
            snprintf(text, size, "does not compile: %s", why.text);
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
        json_t *shapes = json_array(), *heaps = json_array(), *hashes = json_array(), *aliases = json_array();
        for (size_t a = 0; a < registry_alias_count(); a++)
            if (strcmp(registry_alias(a)->map, first->map) == 0)
                json_array_append_new(aliases, json_string(registry_alias(a)->name));
        for (size_t u = 0; u < registry_count(); u++) {
            const struct map_unit *unit = registry_at(u);
            if (strcmp(unit->map, first->map) != 0) continue;
            add_once(shapes, unit->shape), add_once(heaps, unit->heap), add_once(hashes, unit->hash);
        }
        const struct map_facts *f = first->facts;
        char text[256];
        const char *reason = map_reason(first, text, sizeof text);
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:o}",
                                        "name", first->map, "aliases", aliases, "summary", f->summary,
                                        "source", f->source, "adapter", (f->traits & TRAIT_ADAPTER) != 0,
                                        "engine", first->engine ? engine_name(first->engine) : "c", "shapes",
                                        shapes, "heaps", heaps, "hashes", hashes, "available", reason == NULL,
                                        "reason", text_or_null(reason), "package", text_or_null(f->package),
                                        "library", text_or_null(registry_map_library(first->map))));
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
        char summary[256];
        struct why why = {""};
        bool needs_argument = strcmp(stream->parameters, ":PATH") == 0;
        bool available = needs_argument || keys_available(stream->name, shape_find("str_u64"), &why) > 0;
        snprintf(summary, sizeof summary, stream->parameters[0] ? "%s; %s%s" : "%s", stream->summary,
                 stream->name, stream->parameters);
        add_entry(list, stream->name, summary, available ? NULL : why.text);
    }
    return list;
}

static const struct {
    const char *name, *summary;
} heaps[] = {
#define HEAP(name, shapes, summary) {#name, summary},
#include "harness/heaps/heaps.def"
#undef HEAP
};

static json_t *list_heaps(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT_OF(heaps); i++) add_entry(list, heaps[i].name, heaps[i].summary, NULL);
    return list;
}

/* The engines that are this program itself; the others are programs. */
static const struct {
    const char *name, *summary;
} own_engines[] = {
#define ENGINE(name, summary) {#name, summary},
#include "harness/engines/engines.def"
#undef ENGINE
};

static json_t *list_engines(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < COUNT_OF(own_engines); i++)
        add_entry(list, own_engines[i].name, own_engines[i].summary, NULL);
    for (size_t i = 0; i < engine_program_count(); i++) {
        struct engine_program program;
        engine_program_describe(i, &program);
        add_entry(list, program.name, program.summary, program.reason);
        json_object_set_new(json_array_get(list, COUNT_OF(own_engines) + i), "version",
                            text_or_null(program.reason ? NULL : program.version));
    }
    return list;
}

static json_t *list_profiles(void) {
    json_t *list = json_array();
    size_t count;
    char **names = profile_names(&count);
    struct why why;
    for (size_t i = 0; i < count; i++) {
        struct profile *profile = profile_load(names[i], &why);
        add_entry(list, names[i], profile && profile->question ? profile->question : "",
                  profile ? NULL : why.text);
        if (profile)
            json_object_set_new(json_array_get(list, i), "duration", text_or_null(profile->duration));
        profile_free(profile);
    }
    profile_names_free(names);
    return list;
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
    char text[256];
    const char *reason =
        unit->unavailable || unit->engine ? unit->unavailable : build_failure(unit->map, text, sizeof text);
    if (reason) printf("  unavailable  %s\n", reason);
    printf("  source       %s\n  invariants   %s\n  cost         %s\n  options      %s\n  fairness     %s\n",
           f->source, f->invariants, f->cost, f->options, f->fairness);
    if (f->package) printf("  package      %s\n", f->package);
    if (registry_map_library(unit->map)) printf("  library      %s\n", registry_map_library(unit->map));
    for (size_t i = 0; i < COUNT_OF(trait_texts); i++)
        if (f->traits & (unsigned)trait_texts[i].trait) printf("  trait        %s\n", trait_texts[i].text);
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *u = registry_at(i);
        if (strcmp(u->map, unit->map) == 0)
            printf("  unit         %s, %s hash, %s heap\n", u->shape, u->hash, u->heap);
    }
}

static const char *shape_name(size_t i) {
    return shape_at(i)->name;
}

static const char *workload_name(size_t i) {
    return workload_at(i)->name;
}

static const char *stream_name(size_t i) {
    return keys_stream_at(i)->name;
}

static const char *scenario_name(size_t i) {
    return scenario_at(i)->name;
}

static size_t heap_count(void) {
    return COUNT_OF(heaps);
}

static const char *heap_name(size_t i) {
    return heaps[i].name;
}

static size_t engine_count(void) {
    return COUNT_OF(own_engines) + engine_program_count();
}

static const char *engine_name_at(size_t i) {
    return i < COUNT_OF(own_engines) ? own_engines[i].name : engine_program_name(i - COUNT_OF(own_engines));
}

static void explain_map_at(size_t i) {
    explain_map(registry_map_unit(i));
}

static void explain_shape(size_t i) {
    const struct shape *shape = shape_at(i);
    printf("%s (shape): %s\n  key          %zu bytes\n  value        %zu bytes\n", shape->name,
           shape_summary(i), shape->key_size, shape->val_size);
}

static void explain_workload(size_t i) {
    const struct workload *workload = workload_at(i);
    printf("%s (workload): %s\n  latency      %s\n", workload->name, workload->summary,
           workload_has_latency(workload) ? "can be recorded per operation" : "no");
}

static void explain_keys(size_t i) {
    const struct keys_stream *stream = keys_stream_at(i);
    printf("%s%s (keys): %s; see docs/keys.md\n", stream->name, stream->parameters, stream->summary);
}

static void explain_heap(size_t i) {
    printf("%s (heap): %s\n", heaps[i].name, heaps[i].summary);
}

static void explain_scenario(size_t i) {
    retain_explain(scenario_name(i));
}

static void explain_engine(size_t i) {
    json_t *list = list_engines(), *engine = json_array_get(list, i);
    const char *reason = json_string_value(json_object_get(engine, "reason"));
    const char *version = json_string_value(json_object_get(engine, "version"));
    printf("%s (engine): %s\n", engine_name_at(i), json_string_value(json_object_get(engine, "summary")));
    if (version) printf("  version      %s\n", version);
    if (reason) printf("  unavailable  %s\n", reason);
    json_decref(list);
}

/* Profiles are files, which explain finds by name or path when nothing else has the name. */
static size_t no_names(void) {
    return 0;
}

/* The kinds of things that have a name. */
static const struct kind {
    const char *plural;
    json_t *(*list)(void);
    size_t (*count)(void);
    const char *(*name)(size_t i);
    void (*explain)(size_t i);
} kinds[] = {
    {"maps", list_maps, registry_map_count, registry_map_name, explain_map_at},
    {"shapes", list_shapes, shape_count, shape_name, explain_shape},
    {"workloads", list_workloads, workload_count, workload_name, explain_workload},
    {"keys", list_keys, keys_stream_count, stream_name, explain_keys},
    {"heaps", list_heaps, heap_count, heap_name, explain_heap},
    {"scenarios", retain_list, scenario_count, scenario_name, explain_scenario},
    {"profiles", list_profiles, no_names, NULL, NULL},
    {"engines", list_engines, engine_count, engine_name_at, explain_engine},
};

/* --- the commands --- */

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
    const char *names[COUNT_OF(kinds)];
    bool found = false;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        names[i] = kinds[i].plural;
        if (what && strcmp(what, kinds[i].plural) != 0) continue;
        if (!what && json) continue; /* one array of objects: of one kind */
        json_t *list = kinds[i].list();
        found = true;
        if (json) {
            json_dumpf(list, stdout, JSON_INDENT(1));
            putchar('\n');
        } else {
            if (!what) printf("%s\n", kinds[i].plural);
            print_list(list);
        }
        json_decref(list);
    }
    if (found) return EXIT_OK;
    struct why why;
    if (what)
        unknown_name("list", what, names, COUNT_OF(kinds), &why);
    else
        why_say(&why,
                "list --json needs to know what: maps, shapes, workloads, keys, heaps, scenarios, profiles "
                "or engines");
    return complain(EXIT_USAGE, why.text);
}

static int explain_profile(const char *name) {
    struct why why;
    struct profile *p = profile_load(name, &why);
    if (!p) return complain(EXIT_USAGE, why.text);
    printf("%s (profile)\n  question     %s\n  expect       %s\n  duration     %s\n\n%s", p->name,
           p->question ? p->question : "-", p->expect ? p->expect : "-", p->duration ? p->duration : "-",
           p->text);
    profile_free(p);
    return EXIT_OK;
}

/* A profile by name or path; otherwise the nearest of the known names and the profiles' is offered. */
static int explain_other(const char *name, const char **known, size_t names, size_t room) {
    size_t count;
    char **profiles = profile_names(&count);
    struct why why;
    bool is_profile = strchr(name, '/') != NULL;
    for (size_t i = 0; i < count; i++) {
        is_profile |= strcmp(profiles[i], name) == 0;
        if (names < room) known[names++] = profiles[i];
    }
    unknown_name("name", name, known, names, &why);
    profile_names_free(profiles);
    return is_profile ? explain_profile(name) : complain(EXIT_USAGE, why.text);
}

int explain_command(const char *name) {
    const char *known[512];
    size_t names = 0;
    struct why why;
    if (!release_of_map_check(name, &why)) return complain(EXIT_USAGE, why.text);
    name = registry_name_resolved(name);
    for (const struct kind *kind = kinds; kind < kinds + COUNT_OF(kinds); kind++)
        for (size_t i = 0; i < kind->count(); i++) {
            if (strcmp(name, kind->name(i)) == 0) return kind->explain(i), EXIT_OK;
            if (names < COUNT_OF(known)) known[names++] = kind->name(i);
        }
    return explain_other(name, known, names, COUNT_OF(known));
}
