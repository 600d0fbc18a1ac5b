/* The cost of a collection against the size of a map (no number of the catalogue's own; 9's cost is here): a
 * table without pointers is marked and never scanned; one of pointers is scanned whole, and every pointer
 * followed.
 *
 * One checkpoint per size, "marked", with `step` the entries; its extra has mark_ns (the median of several
 * collections) and scanned_bytes. */
#include <stdlib.h>

#include "harness/retention/program/program.h"
#include "harness/retention/units.h"

enum {
    FIRST_ENTRIES = 1 << 10,
    SAMPLES = 7,
    VALUE_BYTES = 16,
};

static const struct gosim_type type_empty = {"struct {}", 0, NULL, 0, 0};

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median_mark_ns(struct retention *r) {
    uint64_t sample[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        struct gosim_stats stats;
        gosim_collect(case_gosim(r));
        gosim_stats(case_gosim(r), &stats);
        sample[i] = stats.mark_ns;
    }
    qsort(sample, SAMPLES, sizeof *sample, by_size);
    return sample[SAMPLES / 2];
}

/* The value of an entry: a number, or a pointer. False: out of memory. */
static bool value_of(struct retention *r, void **same, uint64_t *value) {
    void *pointer = NULL;
    *value = 1;
    if (case_is(r, "pointer_free")) return true;
    if (case_is(r, "zero_size")) pointer = program_new(r, &type_empty, 1);
    if (case_is(r, "same")) pointer = *same ? *same : (*same = program_new(r, &type_pair, 1));
    if (case_is(r, "distinct")) pointer = program_new(r, &type_pair, 1);
    *value = (uintptr_t)pointer;
    return pointer != NULL;
}

static bool grow_to(struct retention *r, struct program_map *m, size_t entries, void **same) {
    for (uint64_t key = program_len(m), value; key < entries; key++)
        if (!value_of(r, same, &value) || !program_put(m, &key, &value)) return false;
    return true;
}

static uint64_t live(struct retention *r, size_t entries) {
    return entries * (8 + 8 + (case_is(r, "distinct") ? VALUE_BYTES : 0));
}

static bool run(struct retention *r) {
    const struct map_unit *unit =
        case_is(r, "pointer_free") ? retention_unit(case_unit(r)->map, "u64_u64") : case_unit(r);
    struct program_map m;
    void *same = NULL;
    if (!unit) return case_fail(r, "%s is not compiled for u64_u64", case_unit(r)->map);
    if (!checkpoint(r, "base", 0, 0) || !program_map_make(r, &m, unit, 0, "table")) return false;
    bool ok = true;
    for (size_t entries = FIRST_ENTRIES; ok && entries <= case_n(r); entries *= 4) {
        ok = grow_to(r, &m, entries, &same);
        if (!ok) break;
        note_number(r, "mark_ns_median", (double)median_mark_ns(r));
        ok = checkpoint(r, "marked", entries, live(r, entries));
    }
    program_map_drop(&m);
    return ok;
}

const struct scenario scenario_gc_work = {
    .number = 40,
    .name = "gc_work",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_ptr",
    .further_shapes = "u64_u64",
    .n = 1 << 20,
    .claim =
        "A collection scans every slot of a map that has pointers and none of a map that has not, whatever "
        "its size.",
    .fix = "Keep pointers out of large maps: indices, or values in the slots.",
    .variant =
        VARIANTS({"pointer_free", VARIANT_REFERENCE, "numbers to numbers: marked, never scanned"},
                 {"zero_size", VARIANT_REFERENCE, "pointers to an empty struct, which is not on the heap"},
                 {"same", VARIANT_REFERENCE, "pointers to one object"},
                 {"distinct", VARIANT_REFERENCE, "pointers to as many objects"}),
    .labels = "base marked",
    .verdict_label = "marked",
    .bound_factor = 8,
    .bound_bytes = 64 << 10,
    .timed = true,
    .run = run,
};
