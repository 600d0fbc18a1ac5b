/* Measures the memory of engine maps as the Go runtime itself reports it, not as malloc or the kernel see it
 * (memcell.h): its heap after a forced collection at each point, above what it was before the map was made.
 */
#include <stdio.h>

#include "harness/bench/bench.h"
#include "harness/engines/engine.h"
#include "harness/measure/measure.h"
#include "harness/measure/row.h"

struct growth {
    struct bench *bench;
    struct engine_memory floor;
    int64_t peak, rss, rss_peak;
    struct engine_memory now;
    json_t *curve;
    double sum, least, most; /* bytes per entry over the points of the last octave */
    unsigned points;
};

static bool read_point(struct growth *g, size_t entries, size_t n) {
    struct engine *engine = g->bench->unit->engine;
    struct engine_memory before;
    if (!engine_memory(engine, false, &before) || !engine_memory(engine, true, &g->now)) return false;
    int64_t live = (int64_t)(g->now.heap_alloc - g->floor.heap_alloc),
            with_garbage = (int64_t)(before.heap_alloc - g->floor.heap_alloc);
    g->rss = (int64_t)(g->now.heap_resident - g->floor.heap_resident);
    int64_t rss_before = (int64_t)(before.heap_resident - g->floor.heap_resident);
    if (with_garbage > g->peak) g->peak = with_garbage;
    if (rss_before > g->rss_peak) g->rss_peak = rss_before;
    if (g->rss > g->rss_peak) g->rss_peak = g->rss;
    if (live < 0) live = 0; /* other allocations of the engine, collected since */
    json_array_append_new(g->curve,
                          json_pack("[I,I,I]", (json_int_t)entries, (json_int_t)live, (json_int_t)g->rss));
    if (entries > n / 2) {
        double each = (double)live / (double)entries;
        g->sum += each;
        if (g->points == 0 || each < g->least) g->least = each;
        if (g->points == 0 || each > g->most) g->most = each;
        g->points++;
    }
    return true;
}

/* The next of 16 sizes an octave. */
static size_t next_point(size_t entries, size_t n) {
    size_t step = ((size_t)1 << (63 - __builtin_clzll(entries + 1))) / 16;
    size_t next = step ? (entries / step + 1) * step : entries + 1;
    return next < n ? next : n;
}

static bool grow_one(struct growth *g) {
    struct bench *b = g->bench;
    size_t n = b->cell->n;
    b->map = b->unit->op.create(b->unit->own_heap, 0);
    if (!b->map) return bench_fail(b, "the engine makes no map");
    for (size_t done = 0; done < n;) {
        size_t upto = next_point(done, n);
        while (done < upto) {
            size_t count = upto - done < b->block ? upto - done : b->block;
            for (size_t i = 0; i < count; i++) b->room->index[i] = done + i;
            bench_store_keys(b, b->room->index, count, b->room->keys);
            struct run_args args = {.keys = b->room->keys, .n = count, .first_value = done};
            if (b->unit->run.put(b->map, &args) != count) return bench_fail(b, "the engine does not store");
            done += count;
        }
        if (!read_point(g, done, n)) return bench_fail(b, "the engine does not answer");
        if (bench_late(b)) return false;
    }
    return b->unit->op.len(b->map) == n ||
           bench_wrong(b, "the length after storing n keys", b->unit->op.len(b->map), n);
}

static bool grow_small(struct growth *g) {
    struct batch unused;
    return bench_batch(g->bench, workload_find("small_put"), g->bench->cell->n, BENCH_CLOCK_TICKS, &unused) &&
           (read_point(g, g->bench->cell->n, g->bench->cell->n) ||
            bench_fail(g->bench, "the engine does not answer"));
}

/* Makes the engine allocate what it allocates once, with its first loops and collections: no part of a map.
 */
static bool warm_up(struct bench *b) {
    enum { WARM_UP_KEYS = 1024 };
    struct engine_memory unused;
    void *map = b->unit->op.create(b->unit->own_heap, 0);
    size_t count = b->cell->n < WARM_UP_KEYS ? b->cell->n : WARM_UP_KEYS;
    if (!map) return false;
    for (size_t i = 0; i < count; i++) b->room->index[i] = i;
    bench_store_keys(b, b->room->index, count, b->room->keys);
    struct run_args args = {.keys = b->room->keys, .n = count};
    bool ok = true;
    for (unsigned i = 0; ok && i < 4; i++)
        ok = b->unit->run.put(map, &args) == count && engine_memory(b->unit->engine, true, &unused);
    b->unit->op.destroy(map);
    return ok && engine_memory(b->unit->engine, true, &unused);
}

bool measure_engine_memory(struct bench *b, bool small, json_t *row) {
    struct growth g = {.bench = b, .curve = json_array()};
    engine_restart(b->unit->engine); /* a heap that no earlier map has shaped */
    bench_next_keys(b);
    bool ok = (warm_up(b) && engine_memory(b->unit->engine, true, &g.floor)) ||
              bench_fail(b, "the engine does not answer");
    ok = ok && (small ? grow_small(&g) : grow_one(&g));
    if (!ok) return json_decref(g.curve), false;
    int64_t live = (int64_t)(g.now.heap_alloc - g.floor.heap_alloc);
    if (live < 0) live = 0;
    row_set(row, "bytes_live", json_integer((json_int_t)live));
    row_set(row, "bytes_per_entry", json_real((double)live / (double)b->cell->n));
    row_set(row, "bytes_peak", json_integer((json_int_t)g.peak));
    row_set(row, "blocks_live", json_integer((json_int_t)(g.now.heap_objects - g.floor.heap_objects)));
    row_set(row, "allocations", json_integer((json_int_t)(g.now.mallocs - g.floor.mallocs)));
    row_set(row, "rss_delta", json_integer((json_int_t)g.rss));
    row_set(row, "rss_peak_delta", json_integer((json_int_t)g.rss_peak));
    row_set(row, "curve", g.curve);
    row_set(row, "octave",
            json_pack("{s:f,s:f,s:f}", "mean", g.sum / g.points, "min", g.least, "max", g.most));
    return true;
}
