/* Workloads on whole maps: clearing, copying, and many small maps. */
#include <stdlib.h>
#include <string.h>

#include "harness/bench/workloads.h"
#include "harness/base/rng.h"

/* Maps of n entries for one segment: enough entries to be clocked, few enough maps to stay in a few
 * megabytes. */
static size_t maps_per_segment(const struct bench *b) {
    size_t maps = b->block / b->cell->n;
    return maps < 1 ? 1 : maps > BENCH_MAPS_MAX ? BENCH_MAPS_MAX : maps;
}

static void destroy_maps(struct bench *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        b->unit->op.destroy(b->room->maps[i]);
        b->room->maps[i] = NULL;
    }
}

/* A cleared map has no length, and a scan of it meets nothing. */
static bool check_cleared(struct bench *b, void *map) {
    struct run_args once = {.n = 1};
    uint64_t len = b->unit->op.len(map), sum = b->verify ? b->unit->run.scan(map, &once) : 0;
    if (len != 0) return bench_wrong(b, "the length after clear", len, 0);
    return sum == 0 || bench_wrong(b, "the sum over a cleared map", sum, 0);
}

bool bench_clear(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n;
    bool ok = true;
    (void)workload;
    while (ok && out->ops < ops) {
        size_t count = maps_per_segment(b), made = 0;
        struct batch unused = {0};
        if (count > (ops - out->ops + n - 1) / n) count = (size_t)((ops - out->ops + n - 1) / n);
        bench_next_keys(b); /* the same keys for all maps of a segment: their text must last */
        while (made < count && (b->room->maps[made] = bench_create_full(b, 0, false, &unused)) != NULL)
            made++;
        ok = made == count;
        struct run_args args = {.n = made, .maps = b->room->maps};
        uint64_t held = ok ? bench_segment(b, b->unit->run.clear, NULL, &args, (uint64_t)made * n, out) : 0;
        if (ok && !bench_is_baseline(b)) {
            if (held != (uint64_t)made * n)
                ok = bench_wrong(b, "the number of entries cleared", held, (uint64_t)made * n);
            for (size_t i = 0; ok && i < made; i++) ok = check_cleared(b, b->room->maps[i]);
        }
        destroy_maps(b, made);
        ok = ok && !bench_late(b);
    }
    return ok;
}

/* Every copy must hold what the original does, and live without it: it is scanned, then destroyed. */
bool bench_copy(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    size_t n = b->cell->n;
    bool ok = bench_build(b);
    (void)workload;
    while (ok && out->ops < ops) {
        size_t count = maps_per_segment(b);
        if (count > (ops - out->ops + n - 1) / n) count = (size_t)((ops - out->ops + n - 1) / n);
        memset(b->room->maps, 0, count * sizeof *b->room->maps);
        struct run_args args = {.n = count, .maps = b->room->maps}, once = {.n = 1};
        uint64_t held = bench_segment(b, b->unit->run.copy, b->map, &args, (uint64_t)count * n, out);
        if (!bench_is_baseline(b)) {
            if (!b->room->maps[count - 1]) ok = bench_fail(b, "out of memory: not all copies could be made");
            if (ok && held != (uint64_t)count * n)
                ok = bench_wrong(b, "the number of entries copied", held, (uint64_t)count * n);
            if (ok && b->verify) {
                uint64_t sum = b->unit->run.scan(b->room->maps[0], &once);
                if (sum != bench_full_sum(b))
                    ok = bench_wrong(b, "the sum over a copy", sum, bench_full_sum(b));
            }
        }
        destroy_maps(b, count);
        ok = ok && !bench_late(b);
    }
    return ok;
}

/* Sizes of the small maps: 1 to 64 entries, uniformly, until all n entries are given away. */
static bool small_plan(struct bench *b) {
    struct bench_small *small = &b->small;
    uint64_t rng = rng_derive(b->order_seed, 3), n = b->cell->n;
    size_t room = (size_t)(n / 28 + 96); /* a mean of 32.5 entries each, and room for chance */
    bench_room_evict(b->room, false);
    small->map = calloc(room, sizeof *small->map);
    small->start = calloc(room + 1, sizeof *small->start);
    if (!small->map || !small->start) return bench_fail(b, "out of memory: cannot plan the small maps");
    for (uint64_t given = 0; given < n && small->maps < room;) {
        uint64_t size = 1 + rng_below(&rng, 64);
        given += size < n - given ? size : n - given;
        small->start[++small->maps] = given;
    }
    return true;
}

static uint32_t small_entries(const struct bench_small *small, size_t map) {
    return (uint32_t)(small->start[map + 1] - small->start[map]);
}

bool bench_small_put(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    (void)workload;
    while (out->ops < ops) {
        bench_next_keys(b);
        if (!small_plan(b)) return false;
        struct bench_small *small = &b->small;
        uint32_t *entries_of_map = b->room->entries_of_map;
        for (size_t first = 0; first < small->maps;) {
            size_t maps = 0, keys = 0;
            for (; first + maps < small->maps && keys + small_entries(small, first + maps) <= b->block;
                 maps++)
                keys += entries_of_map[maps] = small_entries(small, first + maps);
            for (size_t i = 0; i < keys; i++) b->room->index[i] = small->start[first] + i;
            bench_store_keys(b, b->room->index, keys, b->room->keys);
            struct run_args args = {.keys = b->room->keys,
                                    .n = maps,
                                    .first_value = small->start[first],
                                    .maps = small->map + first,
                                    .entries_of_map = entries_of_map};
            uint64_t held = bench_segment(b, b->unit->run.small_put, b->unit->own_heap, &args, keys, out);
            if (!small->map[first + maps - 1])
                return bench_fail(b, "out of memory: not all small maps could be made");
            if (held != keys && !bench_is_baseline(b))
                return bench_wrong(b, "the number of entries in small maps", held, keys);
            first += maps;
            if (bench_late(b)) return false;
        }
    }
    return true;
}

bool bench_small_get(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *out) {
    struct bench_small *small = &b->small;
    uint32_t *map_of = b->room->map_of_operation;
    struct batch unused = {0};
    if (!small->maps && !bench_small_put(b, workload, 1, &unused)) return false;
    while (out->ops < ops) {
        size_t count = ops - out->ops < b->block ? (size_t)(ops - out->ops) : b->block;
        uint64_t expected = 0;
        for (size_t i = 0; i < count; i++) {
            map_of[i] = (uint32_t)rng_below(&b->cursor.rng, small->maps);
            b->room->index[i] =
                small->start[map_of[i]] + rng_below(&b->cursor.rng, small_entries(small, map_of[i]));
            expected += bench_value_word(b, b->room->index[i]) + 1;
        }
        bench_probe_keys(b, b->room->index, count, b->room->keys);
        struct run_args args = {
            .keys = b->room->keys, .n = count, .maps = small->map, .map_of_operation = map_of};
        uint64_t sum = bench_segment(b, b->unit->run.small_get, NULL, &args, count, out);
        if (sum != expected && !bench_is_baseline(b))
            return bench_wrong(b, "the sum over values in small maps", sum, expected);
        if (bench_late(b)) return false;
    }
    return true;
}
