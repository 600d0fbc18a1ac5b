/* The maps of engines as units, and the programs they come from. */
#include "harness/engines/units.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/clock.h"

/* --- loops: one static function each, since the tables of a unit hold plain functions --- */

#define LOOP(loop, keys, maps, storing, timed)                                                               \
    static const struct engine_loop loop_##loop = {#loop, keys, maps, storing, timed};
LOOP(put, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_ALL, false)
LOOP(get, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, false)
LOOP(get_chain, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, false)
LOOP(get_call, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, false)
LOOP(del, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, false)
LOOP(churn, LOOP_KEYS_PAIRS, LOOP_ONE_MAP, WIRE_STORES_ODD, false)
LOOP(scan, LOOP_KEYS_NONE, LOOP_ONE_MAP, WIRE_STORES_NONE, false)
LOOP(clear, LOOP_KEYS_NONE, LOOP_CHOSEN_MAPS, WIRE_STORES_NONE, false)
LOOP(copy, LOOP_KEYS_NONE, LOOP_NEW_MAPS, WIRE_STORES_NONE, false)
LOOP(small_put, LOOP_KEYS_SUM, LOOP_NEW_MAPS, WIRE_STORES_ALL, false)
LOOP(small_get, LOOP_KEYS_EACH, LOOP_MAP_OF_KEY, WIRE_STORES_NONE, false)
LOOP(put_timed, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_ALL, true)
LOOP(get_timed, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, true)
LOOP(del_timed, LOOP_KEYS_EACH, LOOP_ONE_MAP, WIRE_STORES_NONE, true)
LOOP(churn_timed, LOOP_KEYS_PAIRS, LOOP_ONE_MAP, WIRE_STORES_ODD, true)
#undef LOOP

/* The engine is that of the loop's map; of the first of its maps; or, where maps are made from nothing, the
 * heap they are made from. */
static uint64_t run(void *first, const struct engine_loop *loop, const struct run_args *args) {
    if (loop->maps == LOOP_NEW_MAPS && loop->keys == LOOP_KEYS_SUM)
        return engine_run((struct engine *)first, NULL, loop, args);
    struct engine_map *map = loop->maps == LOOP_CHOSEN_MAPS || loop->maps == LOOP_MAP_OF_KEY
                                 ? (struct engine_map *)args->maps[0]
                                 : (struct engine_map *)first;
    return engine_run(map->engine, map, loop, args);
}

#define X(loop)                                                                                              \
    static uint64_t run_##loop(void *first, const struct run_args *args) {                                   \
        return run(first, &loop_##loop, args);                                                               \
    }
MAP_SHARED_LOOPS(X)
#undef X
#define X(loop)                                                                                              \
    static uint64_t run_##loop##_timed(void *first, const struct run_args *args) {                           \
        return run(first, &loop_##loop##_timed, args);                                                       \
    }
MAP_SHARED_TIMED_LOOPS(X)
#undef X

/* --- single operations --- */

static void *op_create(struct heap *heap, size_t hint) {
    return engine_create((struct engine *)heap, hint);
}
static void op_destroy(void *map) {
    if (map) engine_destroy(map);
}
static bool op_get(void *map, const void *key, void *val) {
    return engine_get(map, key, val);
}
static bool op_put(void *map, const void *key, const void *val) {
    return engine_put(map, key, val);
}
static bool op_del(void *map, const void *key) {
    return run_del(map, &(struct run_args){.keys = key, .n = 1}) == 1;
}
static size_t op_len(const void *map) {
    return engine_number(map, "len");
}
static size_t op_capacity(const void *map) {
    return engine_number(map, "capacity");
}
static void op_clear(void *map) {
    run_clear(NULL, &(struct run_args){.n = 1, .maps = &map});
}
static void *op_copy(void *map) {
    void *copy = NULL;
    run_copy(map, &(struct run_args){.n = 1, .maps = &copy});
    return copy;
}
static void op_each(void *map, map_visit_fn *visit, void *context) {
    engine_each(map, visit, context);
}

static bool count_entry(void *count, const void *key, const void *val) {
    (void)key, (void)val;
    ++*(size_t *)count;
    return true;
}
static const char *op_check(void *map) {
    size_t met = 0;
    engine_each(map, count_entry, &met);
    return met == op_len(map) ? NULL : "a scan does not meet as many entries as the map has";
}
static void op_structure(void *map, struct map_structure *out) {
    memset(out, 0, sizeof *out);
    out->capacity = op_capacity(map);
}

/* --- facts --- */

#define SOURCE_NOTE "the Go runtime itself, run by harness/engines/go"
#define FAIRNESS_NOTE                                                                                        \
    "loops compiled by Go's compiler, in a process of its own, on copies of the same keys; its own hash "    \
    "(AES), "                                                                                                \
    "seeded at random by every process; "
#define FAIRNESS_off FAIRNESS_NOTE "the collector is off inside measured loops and runs between them"
#define FAIRNESS_on                                                                                          \
    FAIRNESS_NOTE "the collector runs as usual (GOGC=100), and the CPU time of the whole process is counted"
#define INVARIANTS "the runtime's own; checksums, lengths and contents as for every map"

#define FACTS(stem, what, how)                                                                               \
    static const struct map_facts stem##_off = {what ", real Go, collector off",                             \
                                                SOURCE_NOTE,                                                 \
                                                INVARIANTS,                                                  \
                                                how,                                                         \
                                                "as compiled by Go",                                         \
                                                FAIRNESS_off,                                                \
                                                NULL,                                                        \
                                                TRAIT_HINT_INEXACT},                                         \
                                  stem##_on = {what ", real Go, collector on",                               \
                                               SOURCE_NOTE,                                                  \
                                               INVARIANTS,                                                   \
                                               how,                                                          \
                                               "as compiled by Go",                                          \
                                               FAIRNESS_on,                                                  \
                                               NULL,                                                         \
                                               TRAIT_HINT_INEXACT};
FACTS(hmap, "Go's classic map", "see go_hmap")
FACTS(swiss, "Go's Swiss map", "see go_swiss")
FACTS(swiss126, "Go 1.26's Swiss map", "see go_swiss@1.26")
FACTS(swiss125, "Go 1.25's Swiss map", "see go_swiss@1.25")
FACTS(swiss124, "Go 1.24's Swiss map", "see go_swiss@1.24")
FACTS(hashtrie124, "Go 1.24's sync.Map", "see go_hashtrie; keys and values boxed into interfaces")
FACTS(syncmap, "sync.Map with a read and a dirty map",
      "see go_syncmap; keys and values boxed into interfaces")
FACTS(hmap123, "Go 1.23's classic map", "see go_hmap")
FACTS(syncmap123, "Go 1.23's sync.Map", "see go_syncmap; keys and values boxed into interfaces")
FACTS(hashtrie, "sync.Map over a hash trie", "see go_hashtrie; keys and values boxed into interfaces")
#undef FACTS

/* --- the programs and their maps --- */

enum { NEWER_MAX = 4, NEWER_MAPS = 2, NAME_SIZE = 32, TEXT_SIZE = 128 };

struct program {
    const char *name, *map_design, *sync_design, *package, *summary;
    bool unchecked; /* newer than the ports */
};
static const struct program known_programs[] = {
#define ENGINE_PROGRAM(name, map_design, sync_design, package, summary)                                      \
    {name, map_design, sync_design, package, summary, false},
#include "harness/engines/engines.def"
#undef ENGINE_PROGRAM
};

struct engine_row {
    const char *map, *program, *kind, *collector;
    const struct map_facts *off, *on;
};
static const struct engine_row known_rows[] = {
#define ENGINE_MAP(map, program, kind, collector, stem)                                                      \
    {#map, program, kind, collector, &stem##_off, &stem##_on},
#include "harness/engines/engines.def"
#undef ENGINE_MAP
};
static const char *const shapes[] = {
#define ENGINE_SHAPE(name) #name,
#include "harness/engines/engines.def"
#undef ENGINE_SHAPE
};

enum {
    PROGRAMS_MAX = COUNT_OF(known_programs) + NEWER_MAX,
    ROWS_MAX = COUNT_OF(known_rows) + NEWER_MAX * NEWER_MAPS
};
static struct program programs[PROGRAMS_MAX];
static struct engine_row rows[ROWS_MAX];
static size_t program_count, row_count;

/* The release of a program "go1.24-classic": 24. */
static int minor_of(const char *name) {
    int minor = 0;
    return sscanf(name, "go1.%d", &minor) == 1 ? minor : 0;
}

static void add_newer_map(const char *program, int minor, const char *stem, const char *kind,
                          const struct map_facts *like) {
    static char names[NEWER_MAX * NEWER_MAPS][NAME_SIZE], summaries[NEWER_MAX * NEWER_MAPS][TEXT_SIZE];
    static struct map_facts facts[NEWER_MAX * NEWER_MAPS];
    size_t i = row_count - COUNT_OF(known_rows);
    snprintf(names[i], NAME_SIZE, "real_go1%d_%s", minor, stem);
    snprintf(summaries[i], TEXT_SIZE, "%s, real Go 1.%d, collector off (%s)",
             strcmp(kind, "map") == 0 ? "the map" : "sync.Map", minor, ENGINE_UNCHECKED);
    facts[i] = *like;
    facts[i].summary = summaries[i];
    rows[row_count++] = (struct engine_row){names[i], program, kind, "off", &facts[i], &facts[i]};
}

/* A program of a release after the newest known one, if it was built. */
static void add_newer(int minor) {
    static char names[NEWER_MAX][NAME_SIZE], packages[NEWER_MAX][NAME_SIZE], summaries[NEWER_MAX][TEXT_SIZE];
    char path[4096];
    size_t i = program_count - COUNT_OF(known_programs);
    snprintf(names[i], NAME_SIZE, "go1.%d", minor);
    if (!engine_program_path(names[i], path, sizeof path)) return;
    snprintf(packages[i], NAME_SIZE, "golang-1.%d-go", minor);
    snprintf(summaries[i], TEXT_SIZE, "real Go 1.%d: Swiss map, sync.Map over a hash trie (%s)", minor,
             ENGINE_UNCHECKED);
    programs[program_count++] =
        (struct program){names[i], "swiss", "hashtrie", packages[i], summaries[i], true};
    add_newer_map(names[i], minor, "swiss", "map", &swiss_off);
    add_newer_map(names[i], minor, "hashtrie", "sync", &hashtrie_off);
}

/* Fills both tables when they are first asked for. */
static void find_programs(void) {
    int newest = 0;
    if (program_count) return;
    for (; program_count < COUNT_OF(known_programs); program_count++) {
        programs[program_count] = known_programs[program_count];
        if (minor_of(programs[program_count].name) > newest) newest = minor_of(programs[program_count].name);
    }
    for (; row_count < COUNT_OF(known_rows); row_count++) rows[row_count] = known_rows[row_count];
    for (int i = 1; i <= NEWER_MAX; i++) add_newer(newest + i);
}

static const struct program *program_of(const char *name) {
    find_programs();
    for (size_t i = 0; i < program_count; i++)
        if (strcmp(programs[i].name, name) == 0) return &programs[i];
    return NULL;
}

bool engine_version_of(const char *program, const char *says, char *version, size_t size, struct why *why) {
    const struct program *known = program_of(program);
    size_t length = strcspn(program, "-");
    if (strncmp(says, program, length) != 0 || (says[length] >= '0' && says[length] <= '9'))
        return why_say(why, "it was built with %s, not with %.*s: build it again with make engines", says,
                       (int)length, program);
    bool unchecked = known && known->unchecked;
    snprintf(version, size, "%s%s%s%s", says, unchecked ? " (" : "", unchecked ? ENGINE_UNCHECKED : "",
             unchecked ? ")" : "");
    return true;
}

/* Why a program cannot run, as `list` and `run` say it. Static storage, one text a program. */
static const char *absence(const struct program *program) {
    static char text[PROGRAMS_MAX][160];
    char path[4096];
    if (engine_program_path(program->name, path, sizeof path)) return NULL;
    snprintf(text[program - programs], sizeof text[0],
             "not built: make engines (gets %s where it can, and builds it)", program->package);
    return text[program - programs];
}

/* --- the units --- */

static struct engine engines[ROWS_MAX * COUNT_OF(shapes)];

static void make_unit(struct engine *e, const struct engine_row *row, const struct shape *shape) {
    const struct program *program = program_of(row->program);
    bool on = strcmp(row->collector, "on") == 0;
    e->program = row->program, e->kind = row->kind, e->collector = row->collector;
    e->map_design = program->map_design, e->sync_design = program->sync_design;
    e->shape = shape;
    e->unit = (struct map_unit){
        .map = row->map,
        .shape = shape->name,
        .hash = "native",
        .heap = on ? "go_gc" : "go",
        .facts = on ? row->on : row->off,
        .unavailable = absence(program),
        .engine = e,
        .own_heap = (struct heap *)e,
        .key_size = shape->key_size,
        .val_size = shape->val_size,
        .op = {op_create, op_destroy, op_get, op_put, op_del, op_len, op_capacity, op_clear, op_copy, op_each,
               op_check, op_structure, NULL, NULL, NULL, NULL},
        .run =
            {
#define X(loop) .loop = run_##loop,
                MAP_SHARED_LOOPS(X)
#undef X
#define X(loop) .loop##_timed = run_##loop##_timed,
                    MAP_SHARED_TIMED_LOOPS(X)
#undef X
            },
    };
}

size_t engine_map_count(void) {
    find_programs();
    return row_count;
}

const char *engine_map_name(size_t i) {
    return rows[i].map;
}

/* All units, made when first asked for. */
size_t engine_unit_count(void) {
    static size_t count;
    find_programs();
    for (size_t r = 0; count < row_count * COUNT_OF(shapes) && r < row_count; r++)
        for (size_t s = 0; s < COUNT_OF(shapes); s++)
            make_unit(&engines[count++], &rows[r], shape_find(shapes[s]));
    return count;
}

const struct map_unit *engine_unit_at(size_t i) {
    return &engines[i].unit;
}

void engines_close(void) {
    for (size_t i = 0; i < engine_unit_count(); i++) {
        if (engines[i].running) engine_process_end(&engines[i].process);
        engines[i].running = false;
        engines[i].fault[0] = '\0';
    }
}

/* --- for `list engines` --- */

size_t engine_program_count(void) {
    find_programs();
    return program_count;
}

const char *engine_program_name(size_t i) {
    return programs[i].name;
}

void engine_program_describe(size_t i, struct engine_program *out) {
    static char faults[PROGRAMS_MAX][320];
    const struct program *program = &programs[i];
    char path[4096];
    struct why why;
    static char versions[PROGRAMS_MAX][96];
    struct engine_process process;
    if (versions[i][0]) { /* it was started once and ran */
        *out = (struct engine_program){program->name, program->summary, NULL, ""};
        snprintf(out->version, sizeof out->version, "%s", versions[i]);
        return;
    }
    *out = (struct engine_program){program->name, program->summary, absence(program), ""};
    if (out->reason) return;
    engine_program_path(program->name, path, sizeof path);
    enum { PATIENCE_S = 10 };
    bool ok = engine_process_start(&process, path, "map", shape_at(0)->name, "off",
                                   deadline_in(PATIENCE_S, 0), &why);
    if (ok) {
        ok = engine_greeting(process.line, program->name, program->map_design, program->sync_design,
                             out->version, sizeof out->version, &why);
        engine_process_end(&process);
    }
    if (ok) {
        snprintf(versions[i], sizeof versions[i], "%s", out->version);
        return;
    }
    snprintf(faults[i], sizeof faults[i], "%s: %s", path, why.text);
    out->reason = faults[i];
}
