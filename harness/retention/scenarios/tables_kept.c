/* 10-13: what a map keeps of its table. 10: after deleting everything; 11: after clear; 12: with values just
 * small enough to lie in it; 13: while it grows.
 *
 * Recordings: shrink for 10; none for the others, but 12 is shrink's u64_128 and u64_129 at another n. */
#include <string.h>

#include "harness/retention/program/program.h"
#include "harness/retention/program/numbered.h"

static bool put(struct retention *r, size_t i, void *context) {
    (void)r;
    return numbered_put(context, i);
}
static bool del(struct retention *r, size_t i, void *context) {
    (void)r;
    return numbered_del(context, i);
}
static uint64_t live_filling(struct retention *r, size_t done, void *context) {
    (void)r;
    return done * numbered_entry_bytes(context);
}
static uint64_t live_emptying(struct retention *r, size_t done, void *context) {
    return (case_n(r) - done) * numbered_entry_bytes(context);
}

static bool end_here(struct numbered *t, const char *label, size_t step, uint64_t live_bytes) {
    bool ok = checkpoint(t->r, label, step, live_bytes);
    numbered_drop(t);
    return ok;
}

/* --- 10: never_shrinks --- */

static bool run_never_shrinks(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r);
    if (!checkpoint(r, "base", 0, 0) || !numbered_make(r, &table, case_variant(r), 0) ||
        !each_with_checkpoints(r, n, put, &table, "fill", live_filling) ||
        !each_with_checkpoints(r, n, del, &table, "delete", live_emptying))
        return false;
    if (strstr(case_variant(r), "_remake") && (!numbered_remake(&table) || !checkpoint(r, "remade", n, 0)))
        return false;
    return end_here(&table, "end", n, 0);
}

/* --- 11: clear_keeps --- */

static bool run_clear_keeps(struct retention *r) {
    struct numbered table;
    if (!checkpoint(r, "base", 0, 0) || !numbered_make(r, &table, "u64u64", 0) ||
        !each_with_checkpoints(r, case_n(r), put, &table, "fill", live_filling))
        return false;
    if (case_is(r, "clear")) program_clear(&table.map);
    if (case_is(r, "remake") && !numbered_replace(&table)) return false;
    return end_here(&table, "after", case_n(r), 0);
}

/* --- 12: inline_cliff --- */

static bool run_inline_cliff(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r);
    if (!checkpoint(r, "base", 0, 0) || !numbered_make(r, &table, case_variant(r), 0)) return false;
    for (size_t i = 0; i < n; i++)
        if (!numbered_put(&table, i)) return false;
    if (!checkpoint(r, "filled", n, n * numbered_entry_bytes(&table))) return false;
    for (size_t i = 0; i < n; i++)
        if (!numbered_del(&table, i)) return false;
    return end_here(&table, "deleted", n, 0);
}

/* --- 13: growth_peak --- */

static uint64_t heap_bytes(struct retention *r) {
    struct gosim_stats stats;
    gosim_stats(case_gosim(r), &stats);
    return stats.heap_alloc;
}

/* Maps grow at different sizes: the insertion, of the first n, that makes most room, the last of several.
 * Tried on a map that is then dropped. */
static bool find_growth(struct retention *r, size_t n, size_t *at) {
    struct numbered trial;
    size_t most = 0, capacity = 0;
    *at = 0;
    if (!numbered_make(r, &trial, "u64u64", 0)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!numbered_put(&trial, i)) return false;
        size_t now = trial.map.unit->op.capacity(trial.map.map), more = now > capacity ? now - capacity : 0;
        if (more > 0 && more >= most) most = more, *at = i;
        capacity = now;
    }
    numbered_drop(&trial);
    return true;
}

/* Collected just before that insertion, not after it: the peak is both tables at once. */
static bool run_growth_peak(struct retention *r) {
    struct numbered table;
    size_t at;
    if (!find_growth(r, case_n(r), &at) || !checkpoint(r, "base", 0, 0)) return false;
    size_t last = at + 1 + at / 4;
    if (!numbered_make(r, &table, "u64u64", case_is(r, "presized") ? last : 0)) return false;
    uint64_t entry = numbered_entry_bytes(&table);
    for (size_t i = 0; i < at; i++)
        if (!numbered_put(&table, i)) return false;
    if (!checkpoint(r, "before_growth", at, at * entry)) return false;
    uint64_t before = heap_bytes(r);
    program_map_seen(&table.map);
    if (!numbered_put(&table, at)) return false;
    program_map_mark(&table.map, at + 1);
    note_number(r, "peak_over_steady", (double)heap_bytes(r) / (double)before);
    if (!checkpoint_raw(r, "growing_insert", at + 1, (at + 1) * entry)) return false;
    for (size_t i = at + 1; i < last; i++) {
        if (!numbered_put(&table, i)) return false;
        program_map_mark(&table.map, i + 1);
    }
    return end_here(&table, "steady", last, last * entry);
}

/* --- the catalogue --- */

static const char *cannot_have_types(const struct map_unit *unit, const char *variant) {
    return numbered_unit(unit, variant) ? NULL : "the map is not compiled for such keys and values";
}

const struct scenario scenario_never_shrinks = {
    .number = 10,
    .name = "never_shrinks",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .further_shapes = "str_str str_ptr u64_b128 u64_b129",
    .n = 100000,
    .claim = "A map that was large once keeps its table when every entry has been deleted.",
    .fix = "Copy the few entries that are left to a new map, sized for them.",
    .references = "go#20135",
    .variant = VARIANTS({"u64u64", VARIANT_LEAKY, "numbers to numbers: all deleted, the table stays"},
                        {"strstr", VARIANT_LEAKY, "strings to strings"},
                        {"strptr", VARIANT_LEAKY, "strings to pointers"},
                        {"u64_128", VARIANT_LEAKY, "values of 128 bytes, in the table"},
                        {"u64_129", VARIANT_LEAKY, "values of 129 bytes, which Go keeps outside it"},
                        {"u64u64_remake", VARIANT_FIXED, "copied to a new map"},
                        {"strstr_remake", VARIANT_FIXED, "copied to a new map"},
                        {"strptr_remake", VARIANT_FIXED, "copied to a new map"},
                        {"u64_128_remake", VARIANT_FIXED, "copied to a new map"},
                        {"u64_129_remake", VARIANT_FIXED, "copied to a new map"}),
    .labels = "base fill delete remade end",
    .verdict_label = "end",
    .bound_factor = 1,
    .bound_bytes = 16 << 10,
    .cannot = cannot_have_types,
    .run = run_never_shrinks,
};

const struct scenario scenario_clear_keeps = {
    .number = 11,
    .name = "clear_keeps",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = 100000,
    .claim = "Clearing a map keeps its table, as deleting every entry does.",
    .fix = "Take a new map where the table is not needed again.",
    .references = "go#20135",
    .variant = VARIANTS({"clear", VARIANT_LEAKY, "clear(m) empties the table and keeps it"},
                        {"remake", VARIANT_FIXED, "a new map in its place"}),
    .labels = "base fill after",
    .verdict_label = "after",
    .bound_factor = 1,
    .bound_bytes = 16 << 10,
    .run = run_clear_keeps,
};

const struct scenario scenario_inline_cliff = {
    .number = 12,
    .name = "inline_cliff",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_b128",
    .further_shapes = "u64_b129",
    .maps = "go_hmap,go_swiss", /* the others have values of any size in their slots or nodes */
    .n = 1000000,
    .claim =
        "Go's maps keep values of up to 128 bytes in the table, where deleting frees nothing; a byte more "
        "and each value is an object that goes with its entry.",
    .fix = "Store pointers to large values where many entries come and go.",
    .variant = VARIANTS(
        {"u64_128", VARIANT_LEAKY, "values of 128 bytes lie in the table: deleting all frees nothing"},
        {"u64_129", VARIANT_FIXED, "values of 129 bytes lie outside: only the table stays"}),
    .labels = "base filled deleted",
    .verdict_label = "deleted",
    .bound_factor = 1,
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(uint64_t) + sizeof(void *)),
    .bound_bytes = 16 << 10,
    .cannot = cannot_have_types,
    .run = run_inline_cliff,
};

const struct scenario scenario_growth_peak = {
    .number = 13,
    .name = "growth_peak",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = (13 << 13) + 1, /* the insertion at which go_hmap grows from 2^14 to 2^15 buckets */
    .claim = "At the insertion that grows it, a map that doubles holds its old and its new table.",
    .fix = "Make the map with room for all entries, or use one that grows in small tables.",
    .references = "redis#12950",
    .variant = VARIANTS({"growing", VARIANT_LEAKY, "grows from empty: old and new table at once"},
                        {"presized", VARIANT_FIXED, "made with room for all"}),
    .affected = AFFECTED(UNTIL("growing", 124)),
    .labels = "base before_growth growing_insert steady",
    .verdict_label = "growing_insert",
    .bound_factor = 4,
    .bound_bytes = 64 << 10,
    .run = run_growth_peak,
};
