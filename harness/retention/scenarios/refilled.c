/* 42 to 44: a map that is emptied and filled again, whole or by half: whether it finds its old slots. */

#include "harness/retention/program/numbered.h"

enum { ROUNDS = 8, HALF_ROUNDS = 20, HALF_REMADE_EVERY = 4 };

static uint64_t entry_bytes(const struct numbered *table, size_t entries) {
    return entries * numbered_entry_bytes(table);
}

static bool put_range(struct numbered *table, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        if (!numbered_put(table, i)) return false;
        program_map_mark(&table->map, i + 1);
    }
    return true;
}

static bool del_range(struct numbered *table, size_t from, size_t to) {
    for (size_t i = from; i < to; i++)
        if (!numbered_del(table, i)) return false;
    return true;
}

/* --- 42: delete_clear --- */

static bool empty_round(struct retention *r, struct numbered *table, size_t from, size_t to) {
    if (case_is(r, "clear_full")) return program_clear(&table->map), true;
    if (case_is(r, "remake")) return numbered_replace(table);
    if (!del_range(table, from, to)) return false;
    if (case_is(r, "clear")) program_clear(&table->map);
    return true;
}

static bool run_delete_clear(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r);
    if (!numbered_make(r, &table, "u64u64", 0) || !checkpoint(r, "base", 0, 0)) return false;
    for (size_t round = 1, from = 0; round <= ROUNDS; round++, from += n) {
        if (!put_range(&table, from, from + n) || !checkpoint(r, "filled", round, entry_bytes(&table, n)) ||
            !empty_round(r, &table, from, from + n) || !checkpoint(r, "emptied", round, 0))
            return false;
    }
    numbered_drop(&table);
    return checkpoint(r, "dropped", ROUNDS, 0);
}

/* --- 43: refill --- */

static bool run_refill(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r), stays = case_is(r, "one_stays");
    if (!numbered_make(r, &table, "u64u64", 0) || !checkpoint(r, "base", 0, 0)) return false;
    for (size_t round = 1; round <= ROUNDS; round++) {
        if (!put_range(&table, 0, n) || !checkpoint(r, "filled", round, entry_bytes(&table, n))) return false;
        if (case_is(r, "overwrite")) continue;
        if (case_is(r, "clear"))
            program_clear(&table.map);
        else if (!del_range(&table, stays, n))
            return false;
    }
    numbered_drop(&table);
    return checkpoint(r, "dropped", ROUNDS, 0);
}

/* --- 44: half_churn --- */

static const struct gosim_type type_numbers = {"[]uint64", 8, NULL, 0, 0};

/* Replaces every second key, each deleted just before its successor comes. */
static bool half_round(struct numbered *table, uint64_t *keys, size_t n, size_t round, uint64_t *next) {
    for (size_t i = round & 1; i < n; i += 2) {
        if (!numbered_del(table, keys[i])) return false;
        keys[i] = *next;
        if (!numbered_put(table, (*next)++)) return false;
        program_map_mark(&table->map, round);
    }
    return true;
}

static bool run_half_churn(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r);
    uint64_t *keys, next = n;
    if (!numbered_make(r, &table, "u64u64", 0) || !checkpoint(r, "base", 0, 0) || !put_range(&table, 0, n) ||
        !checkpoint(r, "filled", n, entry_bytes(&table, n)) || !(keys = program_new(r, &type_numbers, n)))
        return false;
    program_root(r, &keys, "keys");
    uint64_t live = entry_bytes(&table, n) + n * sizeof *keys;
    for (size_t i = 0; i < n; i++) keys[i] = i;
    bool ok = checkpoint(r, "slice_made", n, live);
    for (size_t round = 1; ok && round <= HALF_ROUNDS; round++) {
        ok = half_round(&table, keys, n, round, &next);
        if (case_is(r, "remake") && round % HALF_REMADE_EVERY == 0) ok = ok && numbered_remake(&table);
        ok = ok && checkpoint(r, "round", round, live);
    }
    program_unroot(r, &keys);
    numbered_drop(&table);
    return ok;
}

/* --- the catalogue --- */

const struct scenario scenario_delete_clear = {
    .number = 42,
    .name = "delete_clear",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = 100000,
    .claim = "A map whose entries are all deleted is full of tombstones: filled with other keys it grows, "
             "round by "
             "round. Up to Go 1.24 clear does nothing for a map that is empty already.",
    .fix = "Clear the map in place of deleting every entry, or take a new one.",
    .variant = VARIANTS({"plain", VARIANT_LEAKY, "8 rounds: filled with other keys, all deleted"},
                        {"clear", VARIANT_FIXED, "cleared after the last delete"},
                        {"clear_full", VARIANT_FIXED, "cleared while full, nothing is deleted"},
                        {"remake", VARIANT_FIXED, "a new map every round"}),
    .affected = AFFECTED(UNTIL("clear", 125)),
    .labels = "base filled emptied dropped",
    .verdict_label = "emptied",
    .verdict_step = ROUNDS,
    .from_label = "emptied",
    .bound_bytes_per_n = 2,
    .bound_bytes = 16 << 10,
    .run = run_delete_clear,
};

const struct scenario scenario_refill = {
    .number = 43,
    .name = "refill",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = 100000,
    .claim = "A map that gets the same keys again after the last was deleted grows as with other keys: when "
             "it becomes "
             "empty Go draws a new hash seed, so no key finds its old slot.",
    .fix = "Store over the entries, clear the map instead of deleting, or let one entry stay.",
    .variant = VARIANTS({"same_keys", VARIANT_LEAKY, "8 rounds: all deleted, the same keys put again"},
                        {"one_stays", VARIANT_FIXED, "one key is never deleted, so that the seed stays"},
                        {"overwrite", VARIANT_FIXED, "stored over, nothing is deleted"},
                        {"clear", VARIANT_FIXED, "cleared while full"}),
    .labels = "base filled dropped",
    .verdict_label = "filled",
    .verdict_step = ROUNDS,
    .from_label = "filled",
    .bound_bytes_per_n = 2,
    .bound_bytes = 16 << 10,
    .run = run_refill,
};

const struct scenario scenario_half_churn = {
    .number = 44,
    .name = "half_churn",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .n = 100000,
    .claim = "Replacing every second key leaves tombstones that the other keys' lookups pass: a Swiss map "
             "cannot prune "
             "those and doubles; the classic map grows too, until it is reset.",
    .fix = "Copy the entries to a new map once in a while.",
    .variant = VARIANTS({"u64", VARIANT_LEAKY, "20 rounds: every second key gives way to a new one"},
                        {"remake", VARIANT_FIXED, "copied to a new map after every fourth round"}),
    .affected = AFFECTED(SINCE("u64", 124)),
    .labels = "base filled slice_made round",
    .verdict_label = "round",
    .verdict_step = HALF_ROUNDS,
    .from_label = "slice_made",
    .bound_bytes_per_n = 12,
    .bound_bytes = 16 << 10,
    .run = run_half_churn,
};
