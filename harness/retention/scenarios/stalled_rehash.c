/* 14: a map that moves its entries to a new table little by little, driven by writes, has begun to, and now
 * is only read. Old and new table stay, whatever is collected, until enough writes (or a tick that makes
 * them) have moved the rest.
 *
 * Recordings: oldbuckets is stalled_rehash, oldbuckets_strptr is stalled_rehash_strptr. */
#include "harness/retention/program/program.h"
#include "harness/retention/program/numbered.h"

enum {
    /* The insertion that makes go_hmap grow from 2^14 to 2^15 buckets: 6.5 entries a bucket. */
    GROWTH_INSERT = (13 << 13) + 1,
    DRAIN_STEP = 2048, /* writes between two checkpoints: 0.69 writes an old bucket move all */
    DRAIN_STEPS = 8,
    READS_OF_EACH = 4,
    COLLECTIONS = 10,
};

static bool fill_to_growth(struct retention *r, struct numbered *table, const char *types) {
    size_t n = case_n(r);
    if (!numbered_make(r, table, types, 0)) return false;
    uint64_t entry = numbered_entry_bytes(table);
    if (!checkpoint(r, "base", 0, 0)) return false;
    for (size_t i = 0; i < n - 1; i++)
        if (!numbered_put(table, i)) return false;
    if (!checkpoint(r, "before_growth", n - 1, (n - 1) * entry)) return false;
    program_map_seen(&table->map);
    if (!numbered_put(table, n - 1)) return false;
    program_map_mark(&table->map, n);
    return checkpoint(r, "growth_started_then_idle", n, n * entry);
}

/* Overwrites old entries: as good as insertions for what the map moves along with them. */
static bool tick(struct retention *r, struct numbered *table) {
    size_t n = case_n(r), writes = n < DRAIN_STEP * DRAIN_STEPS ? n : DRAIN_STEP * DRAIN_STEPS;
    for (size_t i = 0; i < writes; i++) {
        if (!numbered_put(table, i)) return false;
        program_map_mark(&table->map, n);
    }
    return checkpoint(r, "ticked", n, n * numbered_entry_bytes(table));
}

static bool read_and_collect(struct retention *r, struct numbered *table) {
    size_t n = case_n(r), found = 0;
    for (size_t i = 0; i < READS_OF_EACH * n; i++) found += numbered_get(table, i % n);
    found += numbered_walk(table);
    for (int i = 0; i < COLLECTIONS; i++) gosim_collect(case_gosim(r));
    note_number(r, "s", (double)found);
    return checkpoint(r, "after_reads_range_10gc", n, n * numbered_entry_bytes(table));
}

static bool drain(struct retention *r, struct numbered *table, bool by_delete, const char *label) {
    size_t n = case_n(r);
    for (size_t i = 0; i < DRAIN_STEP * DRAIN_STEPS; i++) {
        bool ok = by_delete ? i >= n || numbered_del(table, i) : numbered_put(table, n + i);
        if (!ok) return false;
        program_map_mark(&table->map, n + i + 1);
        if ((i + 1) % DRAIN_STEP != 0) continue;
        if (!checkpoint(r, label, n + i + 1, program_len(&table->map) * numbered_entry_bytes(table)))
            return false;
    }
    return true;
}

static bool drop(struct retention *r, struct numbered *table) {
    program_map_nil(&table->map);
    bool ok = checkpoint(r, "dropped", case_n(r), 0);
    numbered_drop(table);
    return ok;
}

static bool run(struct retention *r) {
    struct numbered table;
    return fill_to_growth(r, &table, "u64u64") && (!case_is(r, "tick") || tick(r, &table)) &&
           read_and_collect(r, &table) && drain(r, &table, false, "continue_writes") && drop(r, &table);
}

static bool run_strptr(struct retention *r) {
    struct numbered table;
    bool by_delete = case_is(r, "delete");
    return fill_to_growth(r, &table, "strptr") &&
           drain(r, &table, by_delete, by_delete ? "continue_delete" : "continue_insert") && drop(r, &table);
}

const struct scenario scenario_stalled_rehash = {
    .number = 14,
    .name = "stalled_rehash",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = GROWTH_INSERT,
    .claim = "A map that has begun to grow little by little and is then only read keeps both tables, through "
             "reads and collections.",
    .fix = "Write to it now and then (a tick that overwrites an entry) until the old table is gone.",
    .references = "redis#13605",
    .variant =
        VARIANTS({"insert", VARIANT_LEAKY, "growth begins, then only reads; at last insertions drain it"},
                 {"tick", VARIANT_FIXED, "overwrites old entries at once until the old table is gone"}),
    .affected = AFFECTED(UNTIL("insert", 124)),
    .labels =
        "base before_growth growth_started_then_idle ticked after_reads_range_10gc continue_writes dropped",
    .verdict_label = "after_reads_range_10gc",
    .release_label = "continue_writes",
    .bound_factor = 3.5,
    .bound_bytes = 64 << 10,
    .run = run,
};

const struct scenario scenario_stalled_rehash_strptr = {
    .number = 14,
    .name = "stalled_rehash_strptr",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .n = GROWTH_INSERT,
    .claim =
        "The same with strings to pointers: both tables stay until insertions or deletions have moved the "
        "rest.",
    .fix = "Write to it now and then until the old table is gone.",
    .references = "redis#13605",
    .variant = VARIANTS({"insert", VARIANT_LEAKY, "strings to pointers; insertions drain it"},
                        {"delete", VARIANT_LEAKY, "deletions drain it too"}),
    .affected = AFFECTED(UNTIL("insert,delete", 124)),
    .labels = "base before_growth growth_started_then_idle continue_insert continue_delete dropped",
    .verdict_label = "growth_started_then_idle",
    .release_label = "continue_insert",
    .bound_factor = 3,
    .bound_bytes = 64 << 10,
    .run = run_strptr,
};
