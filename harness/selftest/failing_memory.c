/* Memory running out: every allocation of a history fails once, and the map must be intact after it. */
#include "harness/selftest/parts.h"

#include "harness/base/rng.h"
#include "harness/base/why.h"

/* SWEEP_KEYS: keys stored while each allocation in turn fails. Maps that allocate for every entry make as
 * many allocations; the others need LARGE_KEYS to have large arrays to fail at, of which LARGE_FAILURES are
 * tried. LEAK_ROUNDS: a library may keep memory for later, but not more and more of it. */
enum { SWEEP_KEYS = 200, LARGE_KEYS = 6000, LARGE_FAILURES = 24, LEAK_ROUNDS = 5 };

struct history {
    const struct map_unit *unit;
    const struct selftest_options *options;
    struct selftest_keys keys;
    struct mirror mirror;
    void *map;
};

static bool armed_failure_happened(const struct history *history, uint64_t failures_before) {
    return history->options->failures() != failures_before;
}

/* Stores a key, and when that fails looks at everything, then stores it again. */
static bool store(struct history *history, size_t key, uint64_t number) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    struct mirror *mirror = &history->mirror;
    history->keys.shape->val_make(number, val);
    uint64_t failures = history->options->failures();
    if (history->unit->op.put(history->map, selftest_stored(&history->keys, key), val)) {
        mirror_put(mirror, key, number);
        return true;
    }
    if (!armed_failure_happened(history, failures))
        return mirror_fail(mirror, "a store of key %zu fails though memory is to be had", key);
    if (!mirror_agrees(mirror, history->map)) return false;
    if (!history->unit->op.put(history->map, selftest_stored(&history->keys, key), val))
        return mirror_fail(mirror, "after a store that failed, it fails again though memory is to be had");
    mirror_put(mirror, key, number);
    return true;
}

/* A copy whose allocation fails is NULL, and the map as it was. */
static bool copy(struct history *history) {
    const struct map_ops *op = &history->unit->op;
    uint64_t failures = history->options->failures();
    void *twin = op->copy(history->map);
    if (!twin && !armed_failure_happened(history, failures))
        return mirror_fail(&history->mirror, "a copy fails though memory is to be had");
    if (twin && !mirror_agrees(&history->mirror, twin)) return false;
    op->destroy(twin);
    return true;
}

/* create, stores with overwrites, a delete now and then, a copy, more stores; all under the plan. */
static bool live_through(struct history *history, size_t n, uint64_t rng) {
    const struct map_ops *op = &history->unit->op;
    history->map = op->create(history->unit->own_heap, rng_below(&rng, 2) * 20);
    if (!history->map) history->map = op->create(history->unit->own_heap, 0);
    if (!history->map) return mirror_fail(&history->mirror, "create fails though memory is to be had");
    for (size_t i = 0; i < n; i++) {
        if (!store(history, i, rng_next(&rng)) || !store(history, rng_below(&rng, i + 1), rng_next(&rng)))
            return false;
        if (i % 4 == 3) {
            size_t victim = rng_below(&rng, i + 1);
            if (op->del(history->map, selftest_asked(&history->keys, victim)) !=
                mirror_del(&history->mirror, victim))
                return mirror_fail(&history->mirror, "a delete of key %zu answers wrongly", victim);
        }
        if (i == n / 2 && !copy(history)) return false;
    }
    if (!copy(history) || !mirror_agrees(&history->mirror, history->map)) return false;
    op->clear(history->map);
    mirror_clear(&history->mirror);
    return store(history, 0, 1) && mirror_agrees(&history->mirror, history->map);
}

/* One history with its allocation number `at` (from 0) failing. `*failed`: there was such an allocation. */
static bool history_run(const struct map_unit *unit, const struct selftest_options *options,
                        const struct selftest_keys *keys, uint64_t at, bool *failed, struct why *why) {
    struct history history = {.unit = unit, .options = options, .keys = *keys};
    struct why fault = {""};
    mirror_open(&history.mirror, unit, &history.keys, &fault);
    uint64_t failures = options->failures();
    options->fail_after(at);
    bool ok = live_through(&history, keys->n, rng_derive(options->seed, 7));
    options->fail_after(UINT64_MAX);
    *failed = options->failures() != failures;
    if (ok) unit->op.destroy(history.map);
    mirror_close(&history.mirror);
    if (ok) return true;
    return why_say(why, "memory, allocation %llu of a map of %zu keys fails: %s", (unsigned long long)at,
                   keys->n, fault.text);
}

/* Counts the allocations that a history makes: the largest `at` that fails, found by doubling and halving. */
static bool count_allocations(const struct map_unit *unit, const struct selftest_options *options,
                              const struct selftest_keys *keys, uint64_t *count, struct why *why) {
    uint64_t low = 0, high = 1;
    bool failed = true;
    while (failed) {
        if (!history_run(unit, options, keys, high - 1, &failed, why)) return false;
        if (failed) low = high, high *= 2;
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (!history_run(unit, options, keys, middle - 1, &failed, why)) return false;
        if (failed)
            low = middle;
        else
            high = middle;
    }
    *count = low;
    return true;
}

static bool sweep(const struct map_unit *unit, const struct selftest_options *options, size_t n,
                  size_t failures_max, struct why *why) {
    struct selftest_keys keys;
    uint64_t count = 0;
    selftest_keys_make(&keys, shape_find(unit->shape), SELFTEST_KEYS_RANDOM, n, rng_derive(options->seed, 3));
    bool ok = count_allocations(unit, options, &keys, &count, why);
    if (ok && count == 0) ok = why_say(why, "memory: no allocation of it could be made to fail");
    size_t step = count > failures_max ? count / failures_max : 1;
    for (uint64_t at = 0; ok && at < count; at += step) {
        bool failed;
        ok = history_run(unit, options, &keys, at, &failed, why);
    }
    selftest_keys_free(&keys);
    return ok;
}

/* The same history again and again: the blocks that are left over may not grow in every round. */
static bool leaks_nothing(const struct map_unit *unit, const struct selftest_options *options, uint64_t at,
                          struct why *why) {
    struct selftest_keys keys;
    uint64_t before = 0, leaked = 0;
    size_t growths = 0;
    bool ok = true, failed;
    selftest_keys_make(&keys, shape_find(unit->shape), SELFTEST_KEYS_RANDOM, SWEEP_KEYS,
                       rng_derive(options->seed, 3));
    for (size_t round = 0; ok && round <= LEAK_ROUNDS; round++) {
        ok = history_run(unit, options, &keys, at, &failed, why);
        uint64_t now = options->live_blocks();
        if (round > 0 && now > before) growths++, leaked += now - before;
        before = now;
    }
    selftest_keys_free(&keys);
    if (!ok || growths < LEAK_ROUNDS) return ok;
    return why_say(why, "memory: %llu blocks are left over after %d maps were destroyed",
                   (unsigned long long)leaked, LEAK_ROUNDS);
}

bool selftest_memory(const struct map_unit *unit, const struct selftest_options *options, struct why *why) {
    return sweep(unit, options, SWEEP_KEYS, SIZE_MAX, why) &&
           sweep(unit, options, LARGE_KEYS, LARGE_FAILURES, why) &&
           (!options->live_blocks ||
            (leaks_nothing(unit, options, UINT64_MAX, why) && leaks_nothing(unit, options, 4, why)));
}
