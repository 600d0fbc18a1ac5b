/* Workloads that maps are known to turn slow in: their time per operation may grow with the map. */
#include <string.h>

#include "harness/bench/workloads.h"
#include "harness/plan/registry.h"

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

/* The full map whose walk says in which order keys are stored: another one of the bench's unit, or of the map
 * that the workload names. NULL: `why` is set. */
static void *create_walked(struct bench *b, const struct map_unit *walked) {
    struct bench other = *b;
    struct batch unused = {0};
    other.unit = walked;
    other.recorder = NULL;
    void *map = bench_create_full(&other, 0, false, &unused);
    memcpy(b->why, other.why, sizeof b->why);
    b->wrong_result |= other.wrong_result;
    b->late |= other.late;
    return map;
}

/* Stores what the walk meets, strip by strip; the values are new ones. */
static bool store_walked(struct bench *b, const struct map_unit *walked, void *walk, struct batch *out) {
    size_t n = b->cell->n, size = b->unit->key_size;
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    for (size_t done = 0, count; done < n; done += count) {
        size_t most = smaller(n - done, BENCH_STRIP);
        char *keys = b->room->keys;
        for (count = 0; count < most && walked->op.walk_next(walk, keys + count * size, val);) count++;
        if (count < most) return bench_wrong(b, "the number of entries that the walk met", done + count, n);
        struct run_args args = {.keys = keys, .n = count, .first_value = done, .recorder = b->recorder};
        uint64_t stored = bench_segment(b, b->recorder ? b->unit->run.put_timed : b->unit->run.put, b->map,
                                        &args, count, out);
        if (stored != count)
            return bench_fail(b, "out of memory: %zu of %zu entries stored", done + (size_t)stored, n);
        if (bench_late(b)) return false;
    }
    size_t len = b->unit->op.len(b->map);
    return len == n || bench_wrong(b, "the length after storing the keys of a walk", len, n);
}

/* The map grows without a hint while it is filled from a map that is as large as it will be. The two have the
 * same keys, so the sum over the entries is that of a full map. */
bool bench_put_walk(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    const struct map_unit *walked = cell_walked(b->cell, b->unit, workload);
    if (bench_is_baseline(b)) return bench_put(b, workload, ops, out);
    if (!walked || (!walked->op.walk_begin && !registry_load(walked)) || !walked->op.walk_begin)
        return bench_fail(b, "%s cannot be walked here: %s", workload->map ? workload->map : b->unit->map,
                          walked && walked->unavailable ? walked->unavailable : "there is no such unit");
    while (out->ops < ops) {
        bench_next_keys(b);
        void *source = create_walked(b, walked);
        void *walk = source ? walked->op.walk_begin(source) : NULL;
        b->map = walk ? b->unit->op.create(b->unit->own_heap, 0) : NULL;
        if (source && !b->map) bench_fail(b, "out of memory: cannot create a map");
        if (b->map && b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        b->state = b->map ? BENCH_WORN : BENCH_NONE;
        bool ok = b->map && store_walked(b, walked, walk, out) && bench_verify_full(b);
        if (walk) walked->op.walk_end(walk);
        walked->op.destroy(source);
        if (!ok) return false;
    }
    return true;
}

/* Every map removes the same entries, each in the order of its own walk, so only the sum over all is known.
 */
bool bench_drain(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n;
    (void)workload;
    while (out->ops < ops) {
        uint64_t sum = 0;
        if (!bench_build(b)) return false;
        b->state = BENCH_WORN;
        if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        for (size_t done = 0, count; done < n; done += count) {
            count = smaller(n - done, BENCH_STRIP);
            struct run_args args = {.n = count, .recorder = b->recorder};
            sum += bench_segment(b, b->recorder ? b->unit->run.drain_timed : b->unit->run.drain, b->map,
                                 &args, count, out);
            if (bench_late(b)) return false;
        }
        if (!bench_is_baseline(b)) {
            size_t len = b->unit->op.len(b->map);
            if (len != 0) return bench_wrong(b, "the length after draining", len, 0);
            if (sum != bench_full_sum(b))
                return bench_wrong(b, "the sum over drained entries", sum, bench_full_sum(b));
        }
        bench_drop_map(b);
    }
    return true;
}

/* What erasing while walking does, in maps that allow it: the keys are read from the walk of a copy, whose
 * order a copy keeps. */
bool bench_del_walk(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n, size = b->unit->key_size;
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    (void)workload;
    while (out->ops < ops) {
        if (!bench_build(b)) return false;
        b->state = BENCH_WORN;
        void *copy = b->unit->op.copy(b->map), *walk = copy ? b->unit->op.walk_begin(copy) : NULL;
        bool ok = walk || bench_fail(b, "out of memory: cannot walk a copy of the map");
        if (b->recorder) b->recorder->capacity = b->unit->op.capacity(b->map);
        for (size_t done = 0, count; ok && done < n; done += count) {
            char *keys = b->room->keys;
            size_t met = 0;
            count = smaller(n - done, BENCH_STRIP);
            while (met < count && b->unit->op.walk_next(walk, keys + met * size, val)) met++;
            if (met < count && !bench_is_baseline(b))
                ok = bench_wrong(b, "the number of entries that the walk met", done + met, n);
            struct run_args args = {.keys = keys, .n = count, .recorder = b->recorder};
            uint64_t deleted = !ok ? 0
                                   : bench_segment(b, b->recorder ? b->unit->run.del_timed : b->unit->run.del,
                                                   b->map, &args, count, out);
            if (ok && deleted != count && !bench_is_baseline(b))
                ok = bench_wrong(b, "the number of deleted entries", deleted, count);
            ok = ok && !bench_late(b);
        }
        if (ok && !bench_is_baseline(b) && b->unit->op.len(b->map) != 0)
            ok = bench_wrong(b, "the length after deleting every key", b->unit->op.len(b->map), 0);
        if (walk) b->unit->op.walk_end(walk);
        b->unit->op.destroy(copy);
        bench_drop_map(b);
        if (!ok) return false;
    }
    return true;
}

enum { SPARSE_ONE_IN = 100 };

/* The first positions of the deletion order that stay, as probe or stored keys, and the sum of their entries.
 */
static uint64_t sparse_keys(struct bench *b, size_t first, size_t count, bool stored) {
    const struct shape *shape = b->cell->shape;
    uint64_t sum = 0;
    keys_pass(b->keys, b->order_seed, b->passes, first, count, b->room->index);
    for (size_t i = 0; i < count; i++) sum += bench_value_word(b, b->room->index[i]) + 1;
    if (stored)
        bench_store_keys(b, b->room->index, count, b->room->keys);
    else
        bench_probe_keys(b, b->room->index, count, b->room->keys);
    for (size_t i = 0; i < count; i++) sum += shape->key_word((char *)b->room->keys + i * shape->key_size);
    return sum;
}

/* A map of n entries of which all but a hundredth are deleted again, in random order. */
static bool build_sparse(struct bench *b) {
    size_t n = b->cell->n, left = n / SPARSE_ONE_IN + (n < SPARSE_ONE_IN);
    if (b->sparse.left && b->state != BENCH_NONE) return true;
    if (!bench_build(b)) return false;
    b->state = BENCH_WORN;
    for (size_t done = left, count; done < n; done += count) {
        count = smaller(n - done, b->block);
        sparse_keys(b, done, count, false);
        struct run_args args = {.keys = b->room->keys, .n = count};
        uint64_t deleted = b->unit->run.del(b->map, &args);
        if (deleted != count) return bench_wrong(b, "the number of deleted entries", deleted, count);
        if (bench_late(b)) return false;
    }
    b->sparse.sum = 0;
    for (size_t done = 0, count; done < left; done += count)
        b->sparse.sum += sparse_keys(b, done, count = smaller(left - done, b->block), true);
    b->sparse.left = left;
    return true;
}

bool bench_scan_sparse(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    if (!build_sparse(b)) return false;
    while (out->ops < ops) {
        struct run_args args = {.n = 1 + BENCH_STRIP / b->sparse.left};
        uint64_t expected = args.n * b->sparse.sum;
        uint64_t sum = bench_segment(b, b->unit->run.scan, b->map, &args, args.n * b->sparse.left, out);
        if (sum != expected && !bench_is_baseline(b))
            return bench_wrong(b, "the sum of a scan", sum, expected);
        if (bench_late(b)) return false;
    }
    return true;
}

/* The few entries are stored anew between two clearings. */
bool bench_clear_sparse(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    if (!build_sparse(b)) return false;
    size_t left = b->sparse.left;
    b->sparse.left = 0; /* the entries are other ones from here on */
    while (out->ops < ops) {
        struct run_args args = {.n = 1, .maps = &b->map};
        uint64_t held = bench_segment(b, b->unit->run.clear, NULL, &args, left, out);
        if (!bench_is_baseline(b)) {
            size_t len = b->unit->op.len(b->map);
            if (held != left) return bench_wrong(b, "the number of entries cleared", held, left);
            if (len != 0) return bench_wrong(b, "the length after clear", len, 0);
        }
        for (size_t done = 0, count; done < left; done += count) {
            count = smaller(left - done, b->block);
            sparse_keys(b, done, count, true);
            struct run_args refill = {.keys = b->room->keys, .n = count};
            if (b->unit->run.put(b->map, &refill) != count)
                return bench_fail(b, "out of memory: cannot store %zu entries again", left);
        }
        if (bench_late(b)) return false;
    }
    return true;
}
