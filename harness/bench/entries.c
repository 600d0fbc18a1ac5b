/* Workloads on the keys of one map: storing, looking up, deleting, churning, visiting. */
#include <stdlib.h>
#include <string.h>

#include "harness/bench/workloads.h"
#include "harness/base/rng.h"

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

static bool fill(struct bench *b, size_t hint, enum bench_state filled, uint64_t ops, struct batch *out) {
    while (out->ops < ops) {
        bench_next_keys(b);
        b->map = bench_create_full(b, hint, true, out);
        if (!b->map) return false;
        b->state = filled;
        if (!bench_verify_full(b)) return false;
    }
    return true;
}

bool bench_put(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return fill(b, 0, BENCH_FULL, ops, out);
}

bool bench_put_sized(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return fill(b, b->cell->n, BENCH_WORN, ops, out);
}

/* Returns what a get loop must return for these positions; those from n on are absent. */
static uint64_t get_sum(const struct bench *b, const uint64_t *position, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        if (position[i] < b->cell->n) sum += bench_value_word(b, position[i]) + 1;
    return sum;
}

/* One segment of lookups; `evict` empties the caches between drawing the keys and looking them up. */
static bool get_segment(struct bench *b, const struct workload *workload, size_t count, bool evict,
                        struct batch *out) {
    struct bench_room *room = b->room;
    bench_draw(b, workload, count, room->index);
    uint64_t expected = get_sum(b, room->index, count);
    bench_probe_keys(b, room->index, count, room->keys);
    if (evict)
        for (size_t i = 0; i < room->evict_bytes; i += 64) room->evict[i]++;
    if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
    struct run_args args = {.keys = room->keys, .n = count, .recorder = b->recorder};
    run_fn *loop = b->recorder ? BENCH_LOOP(b, get) : workload_loop(b->unit, workload).run;
    uint64_t sum = bench_segment(b, loop, b->map, &args, count, out);
    if (sum != expected && !bench_is_baseline(b))
        return bench_wrong(b, "the sum over looked-up values", sum, expected);
    return !bench_late(b);
}

bool bench_get(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    if (!bench_build(b)) return false;
    while (out->ops < ops)
        if (!get_segment(b, workload, smaller(ops - out->ops, b->block), false, out)) return false;
    return true;
}

/* Few lookups after each eviction, so that the map does not warm up again: an eighth of its entries at most.
 */
bool bench_get_cold(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    enum { COLD_MOST = 2048, COLD_SEGMENTS_MOST = 4 };
    size_t count = b->cell->n / 8 < 1 ? 1 : smaller(b->cell->n / 8, COLD_MOST);
    if (!bench_build(b)) return false;
    if (!bench_room_evict(b->room, true))
        return bench_fail(b, "out of memory: no buffer to evict the caches with");
    for (unsigned i = 0; i < COLD_SEGMENTS_MOST && out->ops < ops; i++)
        if (!get_segment(b, workload, count, true, out)) return false;
    return true;
}

bool bench_overwrite(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    if (b->state != BENCH_OVERWRITTEN && !bench_build(b)) return false;
    b->state = BENCH_OVERWRITTEN;
    while (out->ops < ops) {
        size_t count = smaller(ops - out->ops, b->block);
        bench_draw(b, workload, count, b->room->index);
        bench_store_keys(b, b->room->index, count, b->room->keys);
        struct run_args args = {.keys = b->room->keys,
                                .n = count,
                                .first_value = rng_next(&b->cursor.rng) >> 1,
                                .recorder = b->recorder};
        if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        uint64_t stored = bench_segment(b, BENCH_LOOP(b, put), b->map, &args, count, out);
        if (bench_late(b)) return false;
        if (bench_is_baseline(b)) continue;
        if (stored != count) return bench_wrong(b, "the number of overwritten entries", stored, count);
        if (b->unit->op.len(b->map) != b->cell->n)
            return bench_wrong(b, "the length after overwriting", b->unit->op.len(b->map), b->cell->n);
        _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX]; /* the last one stored must be there */
        const void *last = (char *)b->room->keys + (count - 1) * b->unit->key_size;
        uint64_t word = b->unit->op.get(b->map, last, val) ? b->cell->shape->val_word(val) : 0;
        if (word != bench_value_word(b, args.first_value + count - 1))
            return bench_wrong(b, "an overwritten value", word,
                               bench_value_word(b, args.first_value + count - 1));
    }
    return true;
}

/* After the last key is gone a lookup of any of them must miss. */
static bool check_emptied(struct bench *b) {
    size_t len = b->unit->op.len(b->map), count = smaller(b->cell->n, 1024);
    if (bench_is_baseline(b)) return true;
    if (len != 0) return bench_wrong(b, "the length after deleting every key", len, 0);
    keys_pass(b->keys, b->order_seed, b->passes, 0, count, b->room->index);
    bench_probe_keys(b, b->room->index, count, b->room->keys);
    struct run_args args = {.keys = b->room->keys, .n = count};
    uint64_t found = b->unit->run.get(b->map, &args);
    return found == 0 || bench_wrong(b, "the sum over deleted keys", found, 0);
}

bool bench_del(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n;
    (void)workload;
    while (out->ops < ops) {
        if (!bench_build(b)) return false;
        b->state = BENCH_WORN;
        if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        for (size_t done = 0; done < n;) {
            size_t count = smaller(n - done, b->block);
            keys_pass(b->keys, b->order_seed, b->passes, done, count, b->room->index);
            bench_probe_keys(b, b->room->index, count, b->room->keys);
            struct run_args args = {.keys = b->room->keys, .n = count, .recorder = b->recorder};
            uint64_t deleted = bench_segment(b, b->recorder ? b->unit->run.del_timed : b->unit->run.del,
                                             b->map, &args, count, out);
            if (deleted != count) return bench_wrong(b, "the number of deleted entries", deleted, count);
            done += count;
            if (bench_late(b)) return false;
        }
        if (!check_emptied(b)) return false;
        b->passes++;
        bench_drop_map(b);
    }
    return true;
}

struct victims {
    char *at;
    size_t size;
};

static bool add_victim(void *context, const void *key, const void *val) {
    struct victims *victims = context;
    (void)val;
    memcpy(victims->at, key, victims->size);
    victims->at += victims->size;
    return true;
}

/* Writes down the keys of the map in the order of its walk. */
static bool walk_victims(struct bench *b) {
    struct victims victims = {.size = b->cell->shape->key_size};
    if (!b->churn.victims) b->churn.victims = calloc(b->cell->n, victims.size);
    if (!b->churn.victims)
        return bench_fail(b, "out of memory: cannot write a walk of %zu keys down", b->cell->n);
    victims.at = b->churn.victims;
    if (b->unit->op.len(b->map) == b->cell->n) b->unit->op.each(b->map, add_victim, &victims);
    return true;
}

/* Runs one segment. The n live keys are n slots. Pair t replaces the key of one slot: every slot once per
 * generation of n pairs, in a new random order each, so the next key to go cannot be predicted from its age.
 * Slot s of generation g is position s + g n. */
static bool churn_segment(struct bench *b, size_t most, bool timed, struct batch *out) {
    const struct shape *shape = b->cell->shape;
    uint64_t n = b->cell->n, generation = b->churn.pairs / n, position = b->churn.pairs % n;
    size_t count = smaller(smaller(most, b->block / 2), n - position), size = shape->key_size;
    struct bench_room *room = b->room;
    bool walked = b->churn.order == CHURN_WALKED;
    if (walked && position == 0 && !walk_victims(b)) return false;
    if (b->churn.order != CHURN_OLDEST_FIRST && !walked)
        keys_pass(b->keys, b->order_seed, generation, position, count, room->index);
    for (size_t i = 0; i < count; i++) {
        uint64_t slot = b->churn.order == CHURN_OLDEST_FIRST || walked ? position + i : room->index[i];
        room->index[i] = slot + n * generation;
        room->newcomers[i] = slot + n * (generation + 1);
    }
    char *pairs = room->keys, *singles = room->unplaced;
    if (walked)
        memcpy(singles, (char *)b->churn.victims + position * size, count * size);
    else
        bench_probe_keys(b, room->index, count, singles);
    for (size_t i = 0; i < count; i++) {
        memcpy(pairs + 2 * i * size, singles + i * size, size);
        b->churn.digest -= shape->key_hash(singles + i * size);
    }
    bench_store_keys(b, room->newcomers, count, singles);
    for (size_t i = 0; i < count; i++) {
        memcpy(pairs + (2 * i + 1) * size, singles + i * size, size);
        b->churn.digest += shape->key_hash(singles + i * size);
    }
    struct run_args args = {
        .keys = pairs, .n = count, .first_value = b->churn.pairs, .recorder = timed ? b->recorder : NULL};
    if (args.recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
    uint64_t done = timed ? bench_segment(b, BENCH_LOOP(b, churn), b->map, &args, count, out)
                          : b->unit->run.churn(b->map, &args);
    b->churn.pairs += count;
    b->churn.values_of_mixed = false;
    if (done != 2 * count)
        return bench_wrong(b, "the number of deletions and stores of a churn", done, 2 * count);
    size_t len = b->unit->op.len(b->map);
    if (len != n && !bench_is_baseline(b)) return bench_wrong(b, "the length while churning", len, n);
    return !bench_late(b);
}

/* A full map, created with the hint n: another than bench_build makes. */
static bool build_sized(struct bench *b) {
    struct batch unused = {0};
    bench_next_keys(b);
    b->map = bench_create_full(b, b->cell->n, false, &unused);
    return b->map != NULL;
}

/* Two generations without a clock first: by then tombstones, holes and capacity are those of the long run. */
static bool churn(struct bench *b, enum bench_churn_order order, uint64_t ops, struct batch *out) {
    if (b->churn.pairs == 0 || b->state == BENCH_NONE || b->churn.order != order) {
        if (!(order == CHURN_SIZED ? build_sized(b) : bench_build(b))) return false;
        b->state = BENCH_WORN;
        b->churn.order = order;
        free(b->churn.victims);
        b->churn.victims = NULL;
        b->churn.pairs = 0; /* generations count from the base of this filling */
        b->churn.digest = bench_digest(b);
        while (b->churn.pairs < 2 * b->cell->n)
            if (!churn_segment(b, b->block, false, out)) return false;
    }
    while (out->ops < ops)
        if (!churn_segment(b, (size_t)(ops - out->ops), true, out)) return false;
    return bench_verify_digest(b, "the digest of the keys after churning");
}

bool bench_churn(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return churn(b, CHURN_RANDOM, ops, out);
}

bool bench_churn_age(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return churn(b, CHURN_OLDEST_FIRST, ops, out);
}

bool bench_churn_sized(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return churn(b, CHURN_SIZED, ops, out);
}

bool bench_churn_walk(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    return churn(b, CHURN_WALKED, ops, out);
}

bool bench_scan(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    if (!bench_build(b)) return false;
    uint64_t scans = (ops + b->cell->n - 1) / b->cell->n;
    struct run_args args = {.n = (size_t)scans};
    uint64_t sum = bench_segment(b, b->unit->run.scan, b->map, &args, scans * b->cell->n, out);
    uint64_t expected = scans * bench_full_sum(b);
    return bench_is_baseline(b) || sum == expected ? !bench_late(b)
                                                   : bench_wrong(b, "the sum of a scan", sum, expected);
}
