/* The mixed workload: of ten operations eight look a live key up, one deletes a key and one stores a new one.
 */
#include <string.h>

#include "harness/bench/workloads.h"
#include "harness/base/rng.h"

/* A group of operations replaces one key: the delete comes before the store, so the map is never larger than
 * n. Wearing the map in, there are no lookups. */
enum { GROUP = 10, GROUP_WORN_IN = 2 };

/* A value's number must fit beside what the operation does. */
static uint32_t value_number(uint64_t position) {
    return (uint32_t)(position & (UINT32_MAX >> MIXED_BITS));
}

/* The n live keys are n slots, as in churn: slot s of generation g is position s + g n, and pair t replaces
 * the key of one slot. Values are those of the position, so that what a lookup must find is known without a
 * copy of the map. */
struct draw {
    struct bench *bench;
    uint64_t generation, pair; /* pair: within the generation */
    uint64_t expected;         /* checksum */
    size_t ops, probes, stores;
};

static uint64_t slot_of(const struct draw *d, uint64_t at) {
    uint64_t slot;
    keys_pass(d->bench->keys, d->bench->order_seed, d->generation, at, 1, &slot);
    return slot;
}

static uint64_t value_of(const struct draw *d, uint64_t position) {
    return bench_value_word(d->bench, position < d->bench->cell->n ? position : value_number(position)) + 1;
}

static void draw_lookup(struct draw *d, bool deleted, bool stored) {
    struct bench *b = d->bench;
    uint64_t n = b->cell->n, at = rng_below(&b->cursor.rng, n);
    bool replaced = at < d->pair || (at == d->pair && stored), absent = at == d->pair && deleted && !stored;
    uint64_t position = slot_of(d, at) + n * (d->generation + replaced);
    if (!absent) d->expected += value_of(d, position);
    b->room->index[d->probes++] = position;
    b->room->operations[d->ops++] = MIXED_GET;
}

/* The operations of one pair, at random places of a group. */
static void draw_group(struct draw *d, size_t size) {
    struct bench *b = d->bench;
    uint64_t n = b->cell->n, slot = slot_of(d, d->pair);
    size_t one = rng_below(&b->cursor.rng, size), other = rng_below(&b->cursor.rng, size - 1);
    if (other >= one) other++;
    size_t delete_at = one < other ? one : other, store_at = one < other ? other : one;
    for (size_t i = 0; i < size; i++)
        if (i == delete_at) {
            b->room->index[d->probes++] = slot + n * d->generation;
            b->room->operations[d->ops++] = MIXED_DEL;
        } else if (i == store_at) {
            uint64_t position = slot + n * (d->generation + 1);
            b->room->newcomers[d->stores++] = position;
            b->room->operations[d->ops++] = MIXED_PUT | value_number(position) << MIXED_BITS;
        } else {
            draw_lookup(d, i > delete_at, i > store_at);
        }
    d->expected += 2;
    d->pair++;
}

/* Puts the keys of the stores, or of all others, which lie in a row in `unplaced`, where their operations
 * are. */
static void place_keys(const struct draw *d, bool stores) {
    struct bench *b = d->bench;
    size_t size = b->cell->shape->key_size;
    const char *from = b->room->unplaced;
    char *keys = b->room->keys;
    for (size_t i = 0; i < d->ops; i++) {
        uint32_t kind = b->room->operations[i] & ((1u << MIXED_BITS) - 1);
        if ((kind == MIXED_PUT) != stores) continue;
        memcpy(keys + i * size, from, size);
        if (kind == MIXED_PUT) b->churn.digest += b->cell->shape->key_hash(from);
        if (kind == MIXED_DEL) b->churn.digest -= b->cell->shape->key_hash(from);
        from += size;
    }
}

static size_t pairs_most(const struct bench *b, size_t group) {
    return b->block / group < 1 ? 1 : b->block / group;
}

uint64_t bench_mixed_most(const struct bench *b) {
    uint64_t pairs = pairs_most(b, GROUP);
    return GROUP * (pairs < b->cell->n ? pairs : b->cell->n);
}

/* One segment of at most `pairs` pairs, within a generation. */
static bool mixed_segment(struct bench *b, uint64_t pairs, bool timed, struct batch *out) {
    size_t group = timed ? GROUP : GROUP_WORN_IN;
    uint64_t n = b->cell->n;
    struct draw d = {.bench = b, .generation = b->churn.pairs / n, .pair = b->churn.pairs % n};
    if (pairs > n - d.pair) pairs = n - d.pair;
    if (pairs > pairs_most(b, group)) pairs = pairs_most(b, group);
    for (uint64_t i = 0; i < pairs; i++) draw_group(&d, group);
    bench_probe_keys(b, b->room->index, d.probes, b->room->unplaced);
    place_keys(&d, false);
    bench_store_keys(b, b->room->newcomers, d.stores, b->room->unplaced);
    place_keys(&d, true);
    struct run_args args = {.keys = b->room->keys,
                            .n = d.ops,
                            .operations = b->room->operations,
                            .recorder = timed ? b->recorder : NULL};
    if (args.recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
    uint64_t sum = timed ? bench_segment(b, BENCH_LOOP(b, mixed), b->map, &args, d.ops, out)
                         : b->unit->run.mixed(b->map, &args);
    b->churn.pairs += pairs;
    if (bench_is_baseline(b)) return !bench_late(b);
    if (sum != d.expected) return bench_wrong(b, "the sum over mixed operations", sum, d.expected);
    size_t len = b->unit->op.len(b->map);
    if (len != n) return bench_wrong(b, "the length after mixed operations", len, n);
    return !bench_late(b);
}

/* Two generations without lookups and without a clock first, as churn has them. */
bool bench_mixed(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    if (!b->churn.values_of_mixed || b->state == BENCH_NONE) {
        if (!bench_build(b)) return false;
        b->state = BENCH_WORN;
        b->churn.pairs = 0;
        b->churn.digest = bench_digest(b);
        b->churn.values_of_mixed = true;
        while (b->churn.pairs < 2 * b->cell->n)
            if (!mixed_segment(b, UINT64_MAX, false, out)) return false;
    }
    while (out->ops < ops)
        if (!mixed_segment(b, (ops - out->ops + GROUP - 1) / GROUP, true, out)) return false;
    return bench_verify_digest(b, "the digest of the keys after mixed operations");
}
