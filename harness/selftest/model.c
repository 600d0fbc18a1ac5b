/* The random test: operations on a map and on its mirror, which must agree after each. */
#include "harness/base/count_of.h"
#include "harness/selftest/parts.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/rng.h"
#include "harness/base/why.h"

struct trial {
    const struct map_unit *unit;
    const struct shape *shape;
    struct selftest_keys keys;
    struct mirror mirror;
    void *map;
    uint64_t rng;
    uint64_t number;  /* of the next value; no two stores store the same */
    size_t del_share; /* of 100: deletes in the present phase; the map grows, holds its size or shrinks */
    size_t phase_left;
};

static bool trial_put(struct trial *trial, size_t key) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    trial->shape->val_make(trial->number, val);
    if (!trial->unit->op.put(trial->map, selftest_stored(&trial->keys, key), val))
        return mirror_fail(&trial->mirror, "a store of key %zu fails though memory is to be had", key);
    mirror_put(&trial->mirror, key, trial->number++);
    return mirror_agrees_on(&trial->mirror, trial->map, key);
}

static bool trial_del(struct trial *trial, size_t key) {
    bool was = mirror_del(&trial->mirror, key);
    if (trial->unit->op.del(trial->map, selftest_asked(&trial->keys, key)) != was)
        return mirror_fail(&trial->mirror,
                           was ? "a delete of key %zu says it was absent"
                               : "a delete of absent key %zu says it was there",
                           key);
    return mirror_agrees_on(&trial->mirror, trial->map, key);
}

/* Goes on with a copy, and empties the original before it goes: the two must be independent. */
static bool trial_copy(struct trial *trial) {
    const struct map_ops *op = &trial->unit->op;
    void *original = trial->map, *copy = op->copy(original);
    if (!copy) return mirror_fail(&trial->mirror, "a copy fails though memory is to be had");
    if (rng_below(&trial->rng, 2))
        op->clear(original);
    else
        for (size_t i = 0; i < trial->keys.n; i++) op->del(original, selftest_asked(&trial->keys, i));
    trial->map = copy;
    if (!mirror_agrees(&trial->mirror, copy)) {
        char fault[160];
        snprintf(fault, sizeof fault, "%.150s", trial->mirror.why->text);
        return mirror_fail(&trial->mirror, "a copy, after its original has changed: %s", fault);
    }
    op->destroy(original);
    return true;
}

static bool trial_clear(struct trial *trial) {
    trial->unit->op.clear(trial->map);
    mirror_clear(&trial->mirror);
    return mirror_agrees(&trial->mirror, trial->map);
}

/* Fills a map that is nearly empty and drains one that is nearly full, so that its size passes through every
 * growth both ways; in between it also holds its size, which is where tombstones pile up. */
static void next_phase(struct trial *trial) {
    static const size_t shares[] = {8, 50, 80};
    size_t n = trial->keys.n, len = trial->mirror.len;
    trial->del_share = len < n / 8   ? 8
                       : len > n / 2 ? shares[1 + rng_below(&trial->rng, 2)]
                                     : shares[rng_below(&trial->rng, 3)];
    trial->phase_left = n / 2 + rng_below(&trial->rng, n + 1);
}

static bool trial_step(struct trial *trial) {
    size_t key = rng_below(&trial->rng, trial->keys.n);
    size_t dice = rng_below(&trial->rng, 100);
    if (trial->phase_left-- == 0) next_phase(trial);
    if (dice < 15) return mirror_agrees_on(&trial->mirror, trial->map, key);
    if (dice < 15 + trial->del_share * 85 / 100) return trial_del(trial, key);
    return trial_put(trial, key);
}

static bool trial_run(struct trial *trial, size_t operations) {
    size_t compare_every = operations / 24 + 1;
    for (size_t i = 0; i < operations; i++) {
        bool ok = trial_step(trial);
        if (ok && trial->unit->op.len(trial->map) != trial->mirror.len)
            ok = mirror_fail(&trial->mirror, "the length is %zu, expected %zu",
                             trial->unit->op.len(trial->map), trial->mirror.len);
        if (ok && i % compare_every == 0) {
            size_t turn = i / compare_every;
            ok = turn % 6 == 3    ? trial_copy(trial)
                 : turn % 12 == 8 ? trial_clear(trial)
                                  : mirror_agrees(&trial->mirror, trial->map);
        }
        if (!ok) {
            char fault[200];
            snprintf(fault, sizeof fault, "%.190s", trial->mirror.why->text);
            return mirror_fail(&trial->mirror, "operation %zu: %s", i, fault);
        }
    }
    return true;
}

/* --- promises besides the contents --- */

struct order {
    const struct selftest_keys *keys;
    size_t met;
    bool inserted, ascending; /* so far */
    _Alignas(16) unsigned char last[SHAPE_KEY_SIZE_MAX];
};

static bool order_visit(void *context, const void *key, const void *val) {
    struct order *order = context;
    (void)val;
    if (selftest_key_compare(order->keys->shape, key, selftest_stored(order->keys, order->met)) != 0)
        order->inserted = false;
    if (order->met > 0 && selftest_key_compare(order->keys->shape, order->last, key) >= 0)
        order->ascending = false;
    memcpy(order->last, key, order->keys->shape->key_size);
    return ++order->met < order->keys->n;
}

/* Fills a presized map with all keys. A map that takes the hint does not grow meanwhile; it may when keys are
 * then stored again (khash looks for room before it looks for the key). */
static bool trial_promises(struct trial *trial) {
    const struct map_ops *op = &trial->unit->op;
    unsigned traits = trial->unit->facts->traits;
    size_t capacity = op->capacity(trial->map);
    for (size_t i = 0; i < trial->keys.n; i++)
        if (!trial_put(trial, i)) return false;
    if (!(traits & (TRAIT_IGNORES_HINT | TRAIT_HINT_INEXACT)) && op->capacity(trial->map) != capacity)
        return mirror_fail(&trial->mirror, "created for %zu entries, yet its capacity goes from %zu to %zu",
                           trial->keys.n, capacity, op->capacity(trial->map));
    for (size_t i = 0; i < trial->keys.n; i += 2)
        if (!trial_put(trial, i)) return false;
    struct map_structure structure;
    op->structure(trial->map, &structure);
    if (structure.capacity != op->capacity(trial->map))
        return mirror_fail(&trial->mirror, "its structure report gives another capacity");
    struct order order = {.keys = &trial->keys, .inserted = true, .ascending = true};
    op->each(trial->map, order_visit, &order);
    if (traits & TRAIT_INSERTION_ORDER && !order.inserted)
        return mirror_fail(&trial->mirror, "a scan does not follow the order of insertion");
    if (traits & TRAIT_KEY_ORDER && !order.ascending)
        return mirror_fail(&trial->mirror, "a scan does not follow the order of the keys");
    return mirror_agrees(&trial->mirror, trial->map);
}

/* --- one kind of keys --- */

static bool trial_kind(const struct map_unit *unit, const struct shape *shape, enum selftest_key_kind kind,
                       uint64_t seed, size_t n, size_t operations, bool promises, struct why *why) {
    struct trial trial = {.unit = unit, .shape = shape, .rng = rng_derive(seed, 100 + kind), .number = 1};
    if (!selftest_keys_make(&trial.keys, shape, kind, n, rng_derive(seed, kind))) return true;
    struct why fault = {""};
    mirror_open(&trial.mirror, unit, &trial.keys, &fault);
    size_t hint = promises ? trial.keys.n : rng_below(&trial.rng, 3) * trial.keys.n / 2;
    next_phase(&trial);
    trial.map = unit->op.create(unit->own_heap, hint);
    bool ok = trial.map ? mirror_agrees(&trial.mirror, trial.map)
                        : mirror_fail(&trial.mirror, "create fails though memory is to be had");
    ok = ok && (promises ? trial_promises(&trial) : trial_run(&trial, operations));
    if (ok) unit->op.destroy(trial.map);
    mirror_close(&trial.mirror);
    selftest_keys_free(&trial.keys);
    if (ok) return true;
    return why_say(why, "model, %s keys, hint %zu: %s", selftest_key_kind_name(kind), hint, fault.text);
}

bool selftest_model(const struct map_unit *unit, const struct selftest_options *options, struct why *why) {
    const struct shape *shape = shape_find(unit->shape);
    size_t many = options->operations / 10 < 8192 ? options->operations / 10 + 16 : 8192;
    unit->op.destroy(NULL);
    for (int kind = 0; kind < SELFTEST_KEY_KIND_COUNT; kind++) {
        bool large = kind == SELFTEST_KEYS_RANDOM || kind == SELFTEST_KEYS_SEQUENTIAL;
        size_t n = large ? many : 700;
        size_t operations = large ? options->operations * 3 / 10 : options->operations / 15;
        if (!trial_kind(unit, shape, kind, options->seed, n, operations, false, why)) return false;
    }
    /* A map may grow early when keys collide, so the promise about hints is tried on random keys. */
    static const size_t sizes[] = {1, 3, 8, 14, 100, 1000, 3000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        if (!trial_kind(unit, shape, SELFTEST_KEYS_RANDOM, options->seed + i, sizes[i], 0, true, why))
            return false;
    return true;
}
