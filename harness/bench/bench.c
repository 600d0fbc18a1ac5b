#include "harness/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness/engines/engine.h"
#include "harness/machine/machine.h"
#include "harness/base/rng.h"

/* Below this a segment is too short for the thread's CPU clock, which costs 0.4 us to read. */
static const double short_segment_ns = 100e3;
static const double batch_target_ns = 1e6;
static const uint64_t segments_most = 16;
/* What a round of one workload may spend on passes that need a rebuild between them. */
static const double round_budget_ns = 150e6;
/* The eviction buffer stays within the harness's own 64 MiB. */
static const size_t evict_bytes_most = 40u << 20;

bool bench_room_open(struct bench_room *room, size_t evict_bytes) {
    *room = (struct bench_room){
        .index = malloc(KEYS_BLOCK * sizeof *room->index),
        .index2 = malloc(KEYS_BLOCK * sizeof *room->index2),
        .keys = aligned_alloc(64, KEYS_BLOCK * (size_t)SHAPE_KEY_SIZE_MAX),
        .keys2 = aligned_alloc(64, KEYS_BLOCK * (size_t)SHAPE_KEY_SIZE_MAX),
        .what = malloc(KEYS_BLOCK * sizeof *room->what),
        .maps = calloc(BENCH_MAPS_MAX, sizeof *room->maps),
        .evict_bytes = evict_bytes,
    };
    if (room->index && room->index2 && room->keys && room->keys2 && room->what && room->maps) return true;
    bench_room_close(room);
    return false;
}

size_t bench_evict_bytes(void) {
    size_t last_cache = machine_last_cache_bytes();
    return last_cache && last_cache < evict_bytes_most / 2 ? 2 * last_cache : evict_bytes_most;
}

bool bench_room_evict(struct bench_room *room, bool wanted) {
    if (wanted && !room->evict) room->evict = calloc(room->evict_bytes, 1);
    if (!wanted) free(room->evict), room->evict = NULL;
    return !wanted || room->evict;
}

void bench_room_close(struct bench_room *room) {
    free(room->index), free(room->index2), free(room->keys), free(room->keys2), free(room->what),
        free(room->maps), free(room->evict);
    memset(room, 0, sizeof *room);
}

void bench_init(struct bench *b, const struct cell *cell, const struct map_unit *unit, struct keys *keys,
                struct bench_room *room, uint64_t seed) {
    memset(b, 0, sizeof *b);
    b->cell = cell, b->unit = unit, b->keys = keys, b->room = room;
    b->deadline_ns = UINT64_MAX;
    /* Keys and their text stream through the second cache beside the map: a quarter of a mebibyte for
     * integers, strings not much more. */
    b->block = cell->shape->key_bits ? KEYS_BLOCK : KEYS_BLOCK / 4;
    b->order_seed = rng_derive(seed, 1);
    keys_cursor_init(&b->cursor, rng_derive(seed, 2));
    if (unit->engine) {
        size_t bytes;
        const void *text = keys_stored_text(keys, &bytes);
        engine_mirror_text(unit->engine, text, bytes);
    }
}

void bench_drop_map(struct bench *b) {
    b->unit->op.destroy(b->map);
    b->map = NULL;
    b->state = BENCH_NONE;
}

void bench_end(struct bench *b) {
    bench_drop_map(b);
    bench_small_drop(b);
}

bool bench_fail(struct bench *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(b->why, sizeof b->why, format, args);
    va_end(args);
    /* What an engine broke off shows here as a map that cannot be made or a sum that is wrong. */
    if (b->unit->engine && engine_fault(b->unit->engine))
        snprintf(b->why, sizeof b->why, "%s", engine_fault(b->unit->engine));
    return false;
}

bool bench_wrong(struct bench *b, const char *what, uint64_t got, uint64_t expected) {
    char why[160];
    snprintf(why, sizeof why, "refused: %s is %llu, must be %llu", what, (unsigned long long)got,
             (unsigned long long)expected);
    if (b->unit->engine) return engine_refuse(b->unit->engine, why), bench_fail(b, "%s", why);
    b->wrong_result = true;
    return bench_fail(b, "wrong result: %s is %llu, must be %llu", what, (unsigned long long)got,
                      (unsigned long long)expected);
}

bool bench_is_baseline(const struct bench *b) {
    return b->unit->facts->traits & TRAIT_BASELINE;
}

uint64_t bench_value_word(const struct bench *b, uint64_t number) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    b->cell->shape->val_make(number, val);
    return b->cell->shape->val_word(val);
}

bool bench_late(struct bench *b) {
    if (wall_ns() < b->deadline_ns) return false;
    bench_fail(b, "gave up: took longer than the limit of %s s (--limit)",
               option_text(&b->cell->job->options, OPTION_LIMIT));
    return true;
}

long bench_preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

/* An engine clocks its loops itself: what passes between the processes is no part of them. */
static uint64_t engine_clocked(struct bench *b, run_fn *loop, void *map, const struct run_args *args,
                               struct batch *out) {
    struct engine_segment took;
    uint64_t checksum = loop(map, args);
    engine_last_segment(b->unit->engine, &took);
    out->ns += b->clock == BENCH_CLOCK_THREAD_CPU ? (double)took.cpu_ns : (double)took.ticks * b->ns_per_tick;
    out->wall_ns += took.wall_ns;
    out->preempted |= took.preempted;
    return checksum;
}

static uint64_t clocked(struct bench *b, run_fn *loop, void *map, const struct run_args *args,
                        struct batch *out) {
    long preempted_before = bench_preemptions();
    if (b->hooks.start) b->hooks.start(b->hooks.context);
    uint64_t wall = wall_ns(), checksum;
    if (b->clock == BENCH_CLOCK_THREAD_CPU) {
        uint64_t start = thread_cpu_ns();
        checksum = loop(map, args);
        out->ns += (double)(thread_cpu_ns() - start);
    } else {
        uint64_t start = ticks_start();
        checksum = loop(map, args);
        out->ns += (double)(ticks_stop() - start) * b->ns_per_tick;
    }
    out->wall_ns += wall_ns() - wall;
    if (b->hooks.stop) b->hooks.stop(b->hooks.context);
    out->preempted |= bench_preemptions() != preempted_before;
    return checksum;
}

/* For hooks that count instructions: reading a clock would count, too. */
static uint64_t unclocked(struct bench *b, run_fn *loop, void *map, const struct run_args *args) {
    if (b->hooks.start) b->hooks.start(b->hooks.context);
    uint64_t checksum = loop(map, args);
    if (b->hooks.stop) b->hooks.stop(b->hooks.context);
    return checksum;
}

uint64_t bench_segment(struct bench *b, run_fn *loop, void *map, const struct run_args *args, uint64_t ops,
                       struct batch *out) {
    uint64_t checksum = b->unit->engine                ? engine_clocked(b, loop, map, args, out)
                        : b->clock == BENCH_CLOCK_NONE ? unclocked(b, loop, map, args)
                                                       : clocked(b, loop, map, args, out);
    out->ops += ops;
    out->segments++;
    out->checksum += checksum;
    return checksum;
}

void bench_rewind(struct bench *b, const struct workload *workload, uint64_t seed) {
    if (b->base != 0) bench_end(b);
    b->base = 0, b->filled = false;
    b->passes = 0;
    keys_cursor_init(&b->cursor, rng_derive(seed, 1000 + (uint64_t)(workload - workload_at(0))));
}

void bench_next_keys(struct bench *b) {
    bench_drop_map(b);
    bench_small_drop(b);
    b->churned = 0;
    b->mixed = false;
    if (b->filled) b->base += b->cell->n;
    b->filled = true;
}

static void to_indices(const struct bench *b, uint64_t *position, size_t count) {
    for (size_t i = 0; i < count; i++)
        position[i] += b->base; /* past the end of a finite set they begin again */
}

void bench_store_keys(struct bench *b, uint64_t *position, size_t count, void *out) {
    to_indices(b, position, count);
    keys_store(b->keys, position, count, out);
}

void bench_probe_keys(struct bench *b, uint64_t *position, size_t count, void *out) {
    to_indices(b, position, count);
    keys_probe(b->keys, position, count, out);
}

/* A map that holds positions 0..n-1, stored in this order, value i at position i. NULL: `why` is set. */
void *bench_create_full(struct bench *b, size_t hint, bool timed, struct batch *out) {
    const struct map_unit *unit = b->unit;
    size_t n = b->cell->n;
    void *map = unit->op.create(unit->own_heap, hint);
    if (!map) return bench_fail(b, "out of memory: cannot create a map for %zu entries", hint), NULL;
    if (timed && b->recorder) b->recorder->capacity = unit->op.capacity(map);
    for (size_t done = 0; done < n;) {
        size_t count = n - done < b->block ? n - done : b->block;
        for (size_t i = 0; i < count; i++) b->room->index[i] = done + i;
        bench_store_keys(b, b->room->index, count, b->room->keys);
        struct run_args args = {
            .keys = b->room->keys, .n = count, .first_value = done, .recorder = b->recorder};
        uint64_t stored =
            timed ? bench_segment(b, BENCH_LOOP(b, put), map, &args, count, out) : unit->run.put(map, &args);
        if (stored != count) {
            /* A store that found no memory left the map as it was: anything else is a wrong result. */
            if (unit->engine || stored > count || unit->op.len(map) != done + stored)
                bench_wrong(b, "the number of entries stored", done + stored, done + count);
            else
                bench_fail(b, "out of memory: %zu of %zu entries stored", done + (size_t)stored, n);
            break;
        }
        done += count;
        if (bench_late(b)) break;
    }
    size_t len = unit->op.len(map);
    if (!b->why[0] && !bench_is_baseline(b) && len != n)
        bench_wrong(b, "the length after storing n keys", len, n);
    if (!b->why[0]) return map;
    unit->op.destroy(map);
    return NULL;
}

/* The sum over all entries of the full map: of keys, values and 1 each. */
uint64_t bench_full_sum(struct bench *b) {
    if (b->scan_sum_known && b->scan_sum_base == b->base) return b->scan_sum;
    const struct shape *shape = b->cell->shape;
    uint64_t sum = 0;
    for (size_t done = 0; done < b->cell->n;) {
        size_t count = b->cell->n - done < b->block ? b->cell->n - done : b->block;
        for (size_t i = 0; i < count; i++) b->room->index[i] = done + i;
        bench_store_keys(b, b->room->index, count, b->room->keys);
        for (size_t i = 0; i < count; i++)
            sum += shape->key_word((char *)b->room->keys + i * shape->key_size) +
                   bench_value_word(b, done + i) + 1;
        done += count;
    }
    b->scan_sum_known = true;
    b->scan_sum_base = b->base;
    return b->scan_sum = sum;
}

bool bench_verify_full(struct bench *b) {
    struct run_args once = {.n = 1};
    if (!b->verify || bench_is_baseline(b)) return true;
    uint64_t sum = b->unit->run.scan(b->map, &once);
    return sum == bench_full_sum(b) ||
           bench_wrong(b, "the sum over a full map's entries", sum, bench_full_sum(b));
}

bool bench_build(struct bench *b) {
    if (b->state == BENCH_FULL) return true;
    struct batch unused = {0};
    bench_next_keys(b);
    b->map = bench_create_full(b, 0, false, &unused);
    if (!b->map) return false;
    b->state = BENCH_FULL;
    return bench_verify_full(b);
}

static bench_workload_fn *const workload_fn[] = {
    [WORKLOAD_PUT] = bench_put,
    [WORKLOAD_OVERWRITE] = bench_overwrite,
    [WORKLOAD_GET] = bench_get,
    [WORKLOAD_GET_CHAIN] = bench_get,
    [WORKLOAD_GET_CALL] = bench_get,
    [WORKLOAD_GET_COLD] = bench_get_cold,
    [WORKLOAD_DEL] = bench_del,
    [WORKLOAD_CHURN] = bench_churn,
    [WORKLOAD_MIXED] = bench_mixed,
    [WORKLOAD_SCAN] = bench_scan,
    [WORKLOAD_CLEAR] = bench_clear,
    [WORKLOAD_COPY] = bench_copy,
    [WORKLOAD_SMALL_PUT] = bench_small_put,
    [WORKLOAD_SMALL_GET] = bench_small_get,
};

bool bench_batch(struct bench *b, const struct workload *workload, uint64_t ops, enum bench_clock clock,
                 struct batch *out) {
    *out = (struct batch){0};
    b->why[0] = '\0';
    b->clock = clock;
    bool ok = workload_fn[workload->kind](b, workload, ops, out);
    if (!ok) bench_drop_map(b), bench_small_drop(b);
    return ok;
}

/* Operations that a segment of the workload can hold: the clock is chosen by its length. */
static uint64_t segment_ops(const struct bench *b, const struct workload *workload, uint64_t ops) {
    uint64_t n = b->cell->n, most = b->block;
    switch (workload->kind) {
    case WORKLOAD_PUT:
    case WORKLOAD_DEL:
        most = n < b->block ? n : b->block;
        break;
    case WORKLOAD_CHURN:
        most = n < b->block / 2 ? n : b->block / 2;
        break;
    case WORKLOAD_MIXED:
        most = bench_mixed_most(b);
        break;
    case WORKLOAD_GET_COLD:
        return 1; /* short on purpose */
    case WORKLOAD_SCAN:
    case WORKLOAD_COPY:
    case WORKLOAD_CLEAR:
        return ops;
    default:
        break;
    }
    return ops < most ? ops : most;
}

/* Brings the bench to where batches of the workload begin, so that no trial is charged with a build. */
static bool prepare(struct bench *b, const struct workload *workload, struct batch *first) {
    if (workload_uses_up(workload)) return true;
    if (workload->kind == WORKLOAD_SCAN) {
        if (!bench_build(b)) return false;
        bench_full_sum(b);
    }
    return bench_batch(b, workload, 1, BENCH_CLOCK_TICKS, first);
}

/* One trial batch with what it cost in all, untimed parts included. */
static bool try_batch(struct bench *b, const struct workload *workload, uint64_t ops, struct batch *trial,
                      double *cost_ns) {
    uint64_t begin = wall_ns();
    bool ok = bench_batch(b, workload, ops, BENCH_CLOCK_TICKS, trial);
    *cost_ns = (double)(wall_ns() - begin);
    return ok;
}

bool bench_warm_up(struct bench *b, const struct workload *workload) {
    struct batch first, warm;
    return prepare(b, workload, &first) &&
           bench_batch(b, workload, workload_uses_up(workload) ? b->cell->n : b->block, BENCH_CLOCK_TICKS,
                       &warm);
}

bool bench_calibrate(struct bench *b, const struct workload *workload, struct batching *out) {
    struct batch first, trial;
    double cost_ns;
    uint64_t n = b->cell->n;
    bool uses_up = workload_uses_up(workload);
    *out = (struct batching){0};
    if (!prepare(b, workload, &first)) return false;
    if (!try_batch(b, workload, uses_up ? n : 4096, &trial, &cost_ns)) return false;
    out->checksum = trial.checksum;
    /* A second, longer trial where the first was too short to tell. */
    if (trial.ns < batch_target_ns / 8 && workload->kind != WORKLOAD_GET_COLD) {
        uint64_t passes = 1 + (uint64_t)(batch_target_ns / 8 / (trial.ns + 1));
        if (passes > (1u << 20) / n + 1) passes = (1u << 20) / n + 1;
        if (!try_batch(b, workload, uses_up ? passes * n : b->block, &trial, &cost_ns)) return false;
    }
    double ns_per_op = trial.ns / (double)trial.ops + 1e-3;
    out->ops = (uint64_t)(batch_target_ns / ns_per_op) + 1;
    /* Only the baseline is so fast that drawing its keys would take many times longer than looking them up.
     */
    if (!uses_up && workload->kind != WORKLOAD_SCAN && out->ops > segments_most * b->block)
        out->ops = segments_most * b->block;
    if (uses_up || workload->kind == WORKLOAD_SCAN) out->ops = (out->ops + n - 1) / n * n;
    /* What a batch costs in all, in proportion to the trial; fewer passes, then fewer batches, keep it within
     * a round. */
    double batch_cost_ns = cost_ns * (double)out->ops / (double)trial.ops;
    if (uses_up && batch_cost_ns > round_budget_ns) {
        uint64_t passes = (uint64_t)((double)(out->ops / n) * round_budget_ns / batch_cost_ns);
        out->ops = (passes ? passes : 1) * n;
        batch_cost_ns = cost_ns * (double)out->ops / (double)trial.ops;
    }
    double most = uses_up ? round_budget_ns / (batch_cost_ns + 1) : 1000;
    out->most = most < 1 ? 1 : most > 1000 ? 1000 : (unsigned)most;
    out->clock = (double)segment_ops(b, workload, out->ops) * ns_per_op < short_segment_ns
                     ? BENCH_CLOCK_TICKS
                     : BENCH_CLOCK_THREAD_CPU;
    return true;
}
