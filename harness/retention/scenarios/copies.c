/* 45, 46: what a copy of an emptied map costs, and what a store into a full small map. */

#include "harness/retention/program/numbered.h"

enum { LEFT = 10, SMALL_ENTRIES = 8, OVERWRITTEN = 3 };

/* --- 45: clone --- */

static bool run_clone(struct retention *r) {
    struct numbered table, copy;
    size_t n = case_n(r);
    enum copy_way way = case_is(r, "clone") ? COPY_WHOLE : case_is(r, "loop") ? COPY_BY_LOOP : COPY_COLLECTED;
    if (!numbered_make(r, &table, "u64u64", 0)) return false;
    copy = table;
    copy.map.map = NULL;
    program_root(r, &copy.map.map, "copy");
    for (size_t i = 0; i < n; i++)
        if (!numbered_put(&table, i)) return false;
    for (size_t i = LEFT; i < n; i++)
        if (!numbered_del(&table, i)) return false;
    uint64_t live = program_len(&table.map) * numbered_entry_bytes(&table);
    bool ok = checkpoint(r, "base", 0, 0) && numbered_copy(&table, &copy, way) &&
              checkpoint(r, "copied", program_len(&copy.map), live);
    numbered_drop(&table);
    ok = ok && checkpoint(r, "source_dropped", program_len(&copy.map), live);
    numbered_drop(&copy);
    return ok;
}

/* --- 46: small_overwrite --- */

static const struct gosim_field map_field[] = {{"[]", 0}};
static const struct gosim_type type_maps = {"[]map[uint64]uint64", sizeof(void *), map_field, 1, 0};
static const struct gosim_type type_number = {"uint64", 8, NULL, 0, 0};

struct small_maps {
    struct retention *r;
    const struct map_unit *unit;
    void **map; /* of the heap, n */
    bool boxed; /* values are pointers to numbers */
};

static bool small_fill(struct small_maps *maps, size_t i) {
    void *map = maps->unit->op.create((struct heap *)case_gosim(maps->r), 0);
    if (!map) return false;
    program_store(maps->r, &maps->map[i], map);
    for (uint64_t key = 0; key < SMALL_ENTRIES; key++) {
        uint64_t *box = maps->boxed ? program_new(maps->r, &type_number, 1) : NULL;
        if (maps->boxed && !box) return false;
        if (box) *box = key;
        if (!maps->unit->op.put(map, &key, maps->boxed ? (void *)&box : (void *)&key)) return false;
    }
    return true;
}

static bool small_overwrite(struct small_maps *maps, void *map) {
    uint64_t key = OVERWRITTEN, value = 300, *box;
    if (maps->boxed) {
        bool found = maps->unit->op.get(map, &key, &box);
        if (found) *box = value;
        return found;
    }
    if (case_is(maps->r, "delete_first") && !maps->unit->op.del(map, &key)) return false;
    return maps->unit->op.put(map, &key, &value);
}

static bool run_small_overwrite(struct retention *r) {
    size_t n = case_n(r);
    struct small_maps maps = {.r = r, .boxed = case_is(r, "pointer")};
    maps.unit = numbered_unit(case_unit(r), maps.boxed ? "u64_p129" : "u64u64");
    if (!maps.unit) return case_fail(r, "%s is not compiled for pointers", case_unit(r)->map);
    maps.map = program_new(r, &type_maps, n);
    if (!maps.map) return false;
    program_root(r, &maps.map, "maps");
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) ok = small_fill(&maps, i);
    ok = ok && checkpoint(r, "base", 0, 0);
    for (size_t i = 0; ok && i < n; i++) ok = small_overwrite(&maps, maps.map[i]);
    ok = ok && checkpoint(r, "overwritten", n, 0);
    program_unroot(r, &maps.map);
    return ok;
}

/* --- the catalogue --- */

const struct scenario scenario_clone = {
    .number = 45,
    .name = "clone",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = 100000,
    .claim = "A copy of a map that was large once is as large: since 1.25 Go's maps.Clone copies the tables "
             "as they are, "
             "tombstones and free slots too, where it used to make a map for the entries.",
    .fix = "Copy the entries in a loop into a map made for them, or use maps.Collect(maps.All(m)).",
    .variant = VARIANTS({"clone", VARIANT_LEAKY, "maps.Clone of 10 entries left of n: believed to shrink"},
                        {"loop", VARIANT_FIXED, "entry by entry into a map made for 10"},
                        {"collect", VARIANT_FIXED, "collected into a map that grows"}),
    .affected = AFFECTED(SINCE("clone", 125)),
    .labels = "base copied source_dropped",
    .verdict_label = "copied",
    .verdict_step = LEFT,
    .bound_factor = 4,
    .bound_bytes = 16 << 10,
    .run = run_clone,
};

const struct scenario scenario_small_overwrite = {
    .number = 46,
    .name = "small_overwrite",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .further_shapes = "u64_ptr",
    .n = 10000,
    .claim = "Storing over an entry of a full map of 8 makes it a table of 16 slots in Go 1.24 to 1.26, "
             "though it needs "
             "no room.",
    .fix = "Store through pointer values, or delete the entry first.",
    .variant = VARIANTS({"u64", VARIANT_LEAKY, "n maps of 8 entries, one of them stored over in each"},
                        {"delete_first", VARIANT_FIXED, "deleted, then put again"},
                        {"pointer", VARIANT_FIXED, "values are pointers; what they point to is changed"}),
    .affected = AFFECTED(BETWEEN("u64", 124, 127)),
    .labels = "base overwritten",
    .verdict_label = "overwritten",
    .bound_factor = 1,
    .bound_bytes = 16 << 10,
    .run = run_small_overwrite,
};
