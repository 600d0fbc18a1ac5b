/* 27, 28: maps inside of others. 27: deleting the entries of inner maps instead of the inner maps; 28:
 * holding maps by a pointer to a variable, where a map is a pointer already.
 *
 * Recordings: mapofmaps, map_vs_ptrmap. */
#include <string.h>

#include "harness/base/clock.h"
#include "harness/retention/program/program.h"
#include "harness/retention/program/dead_slots.h"
#include "harness/retention/program/numbered.h"
#include "harness/retention/units.h"

enum {
    INNER_ENTRIES = 20,
    INNER_ENTRY_BYTES = 17, /* a key of 16 bytes, a value of one */
    TIMED_COLLECTIONS = 20,
};

/* --- 27: map_of_maps --- */

struct outer {
    struct program_map map;
    const struct map_unit *inner;
};

static uint64_t live_entries(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * INNER_ENTRIES * INNER_ENTRY_BYTES;
}

static bool add_map(struct retention *r, size_t i, void *context) {
    static const struct str value = {"v", 1}; /* a constant of the program */
    struct outer *outer = context;
    void *inner = outer->inner->op.create((struct heap *)case_gosim(r), 0);
    if (!inner) return false;
    for (size_t k = 0; k < INNER_ENTRIES; k++) {
        struct str key = program_key(r, k);
        if (!key.text || !outer->inner->op.put(inner, &key, &value)) return false;
    }
    struct str key = program_key(r, i);
    return key.text && program_put(&outer->map, &key, &inner);
}

static bool delete_inner(struct outer *outer, const struct str *key) {
    char text[KEY_TEXT_BYTES];
    struct program_map inner = {.r = outer->map.r, .unit = outer->inner};
    if (!program_get(&outer->map, key, &inner.map))
        return case_fail(inner.r, "%s does not find an entry that it was given", inner.unit->map);
    for (size_t k = 0; k < INNER_ENTRIES; k++) {
        struct str inner_key = key_to_find(text, k);
        if (!delete_present(&inner, &inner_key)) return false;
    }
    return true;
}

static bool run_nested(struct retention *r) {
    struct outer outer = {.inner = retention_unit(case_unit(r)->map, "str_str")};
    size_t n = case_n(r);
    char text[KEY_TEXT_BYTES];
    if (!outer.inner) return case_fail(r, "%s is not compiled for str_str", case_unit(r)->map);
    if (!program_map_make(r, &outer.map, NULL, 0, "outer") || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, add_map, &outer, "fill", live_entries))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str key = key_to_find(text, i);
        bool outer_goes = case_is(r, "delete_outer");
        if (!(outer_goes ? delete_present(&outer.map, &key) : delete_inner(&outer, &key))) return false;
    }
    bool ok = checkpoint(r, "after", n, 0);
    program_map_drop(&outer.map);
    return ok;
}

static const char *cannot_delete(const struct map_unit *unit, const char *variant) {
    return strcmp(variant, "delete_outer") == 0 ? dead_slots_keep(unit, EMPTIED_BY_DELETE) : NULL;
}

/* --- 28: map_vs_pointer --- */

static const struct gosim_field pointer_field[] = {{"[]", 0}};
static const struct gosim_type type_maps = {"[]map[string]string", sizeof(void *), pointer_field, 1, 0};
static const struct gosim_type type_variable = {"map[string]string", sizeof(void *), pointer_field, 1, 0};

static bool fill_array(struct retention *r, void **maps) {
    struct gosim *heap = case_gosim(r);
    for (size_t i = 0; i < case_n(r); i++) {
        void *map = case_unit(r)->op.create((struct heap *)heap, 0), *held = map;
        if (case_is(r, "ptrmap")) {
            held = program_new(r, &type_variable, 1);
            if (held) gosim_store(heap, held, map);
        }
        if (!map || !held) return false;
        gosim_store(heap, &maps[i], held);
    }
    return true;
}

static bool run_held(struct retention *r) {
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r);
    void *maps = NULL;
    gosim_root(heap, &maps, "maps");
    if (!checkpoint(r, "base", 0, 0)) return false;
    maps = program_new(r, &type_maps, n);
    if (!maps || !fill_array(r, maps) || !checkpoint(r, "filled", n, n * sizeof(void *))) return false;
    uint64_t begin_ns = wall_ns();
    for (int i = 0; i < TIMED_COLLECTIONS; i++) gosim_collect(heap);
    note_number(r, "us_per_gc", (double)(wall_ns() - begin_ns) / 1000 / TIMED_COLLECTIONS);
    bool ok = checkpoint(r, "gc_time", n, n * sizeof(void *));
    gosim_unroot(heap, &maps);
    return ok;
}

/* --- the catalogue --- */

const struct scenario scenario_map_of_maps = {
    .number = 27,
    .name = "map_of_maps",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .further_shapes = "str_str",
    .n = 2000,
    .claim = "Deleting the entries of inner maps leaves every inner map with its table.",
    .fix = "Delete the inner map from the outer one when it is empty.",
    .variant = VARIANTS({"delete_inner", VARIANT_LEAKY, "deletes every entry of the inner maps"},
                        {"delete_outer", VARIANT_FIXED, "deletes the inner maps"}),
    .labels = "base fill after",
    .verdict_label = "after",
    .bound_factor = 1,
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(struct str) + sizeof(void *)), /* of the outer map */
    .bound_bytes = 16 << 10,
    .cannot = cannot_delete,
    .run = run_nested,
};

const struct scenario scenario_map_vs_pointer = {
    .number = 28,
    .name = "map_vs_pointer",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_str",
    .n = 100000,
    .claim = "A pointer to a map costs one more object of 8 bytes each, which every collection visits.",
    .fix = "Hold the map itself: it is a pointer already.",
    .variant =
        VARIANTS({"ptrmap", VARIANT_LEAKY, "an array of pointers to maps: one more object and hop each"},
                 {"map", VARIANT_FIXED, "an array of maps, which are pointers already"}),
    .affected = AFFECTED(NOT_IN_BYTES("ptrmap")),
    .labels = "base filled gc_time",
    .verdict_label = "filled",
    .bound_factor = 24, /* an empty map's struct for a reference of 8 bytes */
    .bound_bytes = 64 << 10,
    .timed = true,
    .run = run_held,
};
