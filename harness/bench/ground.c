#include "harness/bench/ground.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/engines/engine.h"

/* --- failures --- */

bool bench_fail(struct bench *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(b->why, sizeof b->why, format, args);
    va_end(args);
    /* A loop that an engine broke off shows here as a map that cannot be made or a sum that is wrong. */
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

bool bench_late(struct bench *b) {
    bool engine_late = b->unit->engine && engine_is_late(b->unit->engine);
    if (!engine_late && !deadline_passed(&b->deadline, CLOCK_PROCESS_CPUTIME_ID)) return false;
    const char *option = option_facts(b->deadline_option)->name;
    b->late = true;
    bench_fail(b, "gave up: took longer than the %s of %s s (--%s)", option,
               option_text(&b->cell->job->options, b->deadline_option), option);
    return true;
}

/* --- segments --- */

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
    long preempted_before = thread_preemptions();
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
    out->preempted |= thread_preemptions() != preempted_before;
    return checksum;
}

/* For hooks that count instructions: reading a clock would count, too. Out of line, so that an edit of its
 * caller does not move what is counted around the loop. */
__attribute__((noinline)) static uint64_t unclocked(struct bench *b, run_fn *loop, void *map,
                                                    const struct run_args *args) {
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

/* --- keys --- */

void bench_next_keys(struct bench *b) {
    bench_drop_map(b);
    bench_small_drop(b);
    free(b->churn.victims);
    b->churn = (struct bench_churn){0};
    b->sparse = (struct bench_sparse){0};
    if (b->base_used) b->base += b->cell->n;
    b->base_used = true;
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

void bench_draw(struct bench *b, const struct workload *workload, size_t count, uint64_t *out) {
    if (b->draws.count < count) {
        keys_draw(b->keys, &b->cursor, count, workload->hit_percent, b->insertion_order, out);
        return;
    }
    for (size_t i = 0; i < count; i++) out[i] = b->draws.position[i];
    b->draws.position += count, b->draws.count -= count;
}

void bench_predraw(struct bench *b, const struct workload *workload, size_t count, uint32_t *out) {
    while (count > 0) {
        size_t part = count < b->block ? count : b->block;
        keys_draw(b->keys, &b->cursor, part, workload->hit_percent, b->insertion_order, b->room->index);
        for (size_t i = 0; i < part; i++) out[i] = (uint32_t)b->room->index[i];
        out += part, count -= part;
    }
}

uint64_t bench_value_word(const struct bench *b, uint64_t number) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    b->cell->shape->val_make(number, val);
    return b->cell->shape->val_word(val);
}

/* --- maps --- */

void bench_drop_map(struct bench *b) {
    b->unit->op.destroy(b->map);
    b->map = NULL;
    b->state = BENCH_NONE;
}

void bench_small_drop(struct bench *b) {
    struct bench_small *small = &b->small;
    for (size_t i = 0; small->map && i < small->maps; i++) b->unit->op.destroy(small->map[i]);
    free(small->map), free(small->start);
    *small = (struct bench_small){0};
}

void bench_end(struct bench *b) {
    bench_drop_map(b);
    bench_small_drop(b);
    free(b->churn.victims);
    b->churn.victims = NULL;
}

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

/* Adds up keys, values and 1 each over all entries. */
uint64_t bench_full_sum(struct bench *b) {
    if (b->full_sum.known && b->full_sum.base == b->base) return b->full_sum.sum;
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
    b->full_sum = (struct bench_full_sum){.known = true, .base = b->base, .sum = sum};
    return sum;
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

struct digest {
    const struct shape *shape;
    uint64_t sum;
};

static bool add_to_digest(void *context, const void *key, const void *val) {
    struct digest *digest = context;
    (void)val;
    digest->sum += digest->shape->key_hash(key);
    return true;
}

uint64_t bench_digest(const struct bench *b) {
    struct digest digest = {b->cell->shape, 0};
    b->unit->op.each(b->map, add_to_digest, &digest);
    return digest.sum;
}

bool bench_verify_digest(struct bench *b, const char *what) {
    if (!b->verify || bench_is_baseline(b)) return true;
    uint64_t digest = bench_digest(b);
    return digest == b->churn.digest || bench_wrong(b, what, digest, b->churn.digest);
}
