/* One cell, two units: placements, alternating batches. */
#include <inttypes.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/bench/bench.h"
#include "harness/measure/measure.h"
#include "harness/pair/pair.h"
#include "harness/pair/result.h"
#include "harness/pair/shake.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"

/* Passes over a large map take long: then a round has fewer batches than asked for, but no fewer than these,
 * so that each variant has a batch with two neighbours in every round. */
enum { BATCHES_LEAST = 3 };
/* Rounds that bench_calibrate assumes when it limits the batches; more rounds share their time. */
enum { ROUNDS_USUAL = 3 };
/* Positions to look up are drawn once for all rounds, within the harness's own memory: 32 MiB of them at
 * most. */
enum { DRAWS_MOST = 8 << 20, DRAWS_N_MOST = 1 << 30 };
/* Purposes of random streams (rng_derive); bench.c uses small numbers. */
enum { PURPOSE_ROUND = 5000, PURPOSE_EXTRA = 6000 };

static const char *const variant_names[] = {[PAIR_BASE] = "base", [PAIR_NEW] = "new"};

struct variant {
    struct unit_object object; /* where its code lies now */
    struct cell cell;
    struct bench bench;
    struct keys *keys;
};

/* Work that the new variant does and does not count. */
struct extra {
    uint64_t ops;              /* per batch; 0: none */
    struct keys_cursor cursor; /* lookups: so that both variants' own batches stay the same */
    struct variant own; /* workloads of whole passes: maps of min(n, ops) entries, with keys of their own */
    bool has_own;
};

struct session {
    const struct pair_plan *plan;
    struct bench_room room;
    struct variant variant[PAIR_VARIANTS];
    struct extra extra;
    struct pair_shake shake;
    struct bench_draws draws; /* whole batches of them */
    uint64_t ops;             /* per batch */
    unsigned batches;
    enum bench_clock clock;
    enum pair_variant built_first; /* in the present round */
    enum exit_code code;
    struct why *why;
};

static bool fail(struct session *s, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static bool fail(struct session *s, enum exit_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    why_vsay(s->why, format, args);
    va_end(args);
    s->code = code;
    return false;
}

static bool bench_failed(struct session *s, enum pair_variant which, const struct bench *bench) {
    return fail(s, bench->wrong_result ? EXIT_CHECK_FAILED : EXIT_CANNOT, "%s, unit %s in %s, %s, n=%zu: %s",
                variant_names[which], s->plan->object[which].name, s->plan->object[which].file,
                s->plan->workload->name, s->plan->n, bench->why);
}

static bool open_variant(struct session *s, struct variant *v, enum pair_variant which, size_t n,
                         struct keys *shared) {
    v->object = s->plan->object[which];
    const struct map_unit *unit = v->object.unit;
    v->cell = (struct cell){.shape = shape_find(unit->shape),
                            .keys = (char *)s->plan->keys,
                            .hash = unit->hash,
                            .heap = unit->heap,
                            .n = n,
                            .units = 1,
                            .unit = {unit}};
    v->cell.workloads = 1, v->cell.workload[0] = s->plan->workload, v->cell.wanted[0][0] = true;
    if (which == PAIR_BASE) {
        struct memory_left left;
        memory_left_now(&left);
        if (!cell_fits_memory(&v->cell, PAIR_VARIANTS, &left, s->why)) return s->code = EXIT_CANNOT, false;
    }
    v->keys = shared ? shared : keys_open(s->plan->keys, v->cell.shape, n, s->plan->seed, s->why);
    if (!v->keys) return s->code = EXIT_USAGE, false;
    size_t limit = keys_limit(v->keys), absent = workload_extra_keys(s->plan->workload, n);
    if (limit != SIZE_MAX && n + absent > limit)
        return fail(s, EXIT_USAGE, "%s: %s has %zu keys for %s, but n=%zu needs %zu", s->plan->workload->name,
                    s->plan->keys, limit, v->cell.shape->name, n, n + absent);
    bench_init(&v->bench, &v->cell, unit, v->keys, &s->room, s->plan->seed);
    v->bench.ns_per_tick = s->plan->ns_per_tick;
    bench_rewind(&v->bench, s->plan->workload, s->plan->seed);
    return true;
}

static bool open_session(struct session *s) {
    const struct pair_plan *plan = s->plan;
    struct variant *base = &s->variant[PAIR_BASE], *new = &s->variant[PAIR_NEW];
    if (!bench_room_open(&s->room, plan->workload->kind == WORKLOAD_GET_COLD ? bench_evict_bytes() : 0))
        return fail(s, EXIT_CANNOT, "out of memory: no room for keys");
    if (keys_skewed(plan->keys) && !workload_follows_skew(plan->workload))
        return fail(s, EXIT_USAGE, "%s touches each key once: %s keys would measure the same as uniform",
                    plan->workload->name, plan->keys);
    if (!open_variant(s, base, PAIR_BASE, plan->n, NULL)) return false;
    /* A variant that uses keys up does so at its own time, and a stream keeps no more than two
     * generations of text. */
    struct keys *shared = workload_keeps_keys(plan->workload) ? base->keys : NULL;
    return open_variant(s, new, PAIR_NEW, plan->n, shared);
}

static void close_session(struct session *s) {
    struct variant *base = &s->variant[PAIR_BASE], *new = &s->variant[PAIR_NEW];
    struct variant *all[] = {base, new, &s->extra.own};
    pair_shake_end(&s->shake);
    free((void *)s->draws.position);
    for (size_t i = 0; i < 3; i++)
        if (all[i]->bench.unit) bench_end(&all[i]->bench);
    keys_close(s->extra.own.keys);
    if (new->keys != base->keys) keys_close(new->keys);
    keys_close(base->keys);
    bench_room_close(&s->room);
}

/* --- one batch --- */

static bool run(struct session *s, struct bench *bench, enum pair_variant which, uint64_t ops,
                struct batch *out) {
    return bench_batch(bench, s->plan->workload, ops, s->clock, out) || bench_failed(s, which, bench);
}

/* The extra operations of the new variant, through the same loops and the same clock. */
static bool run_extra(struct session *s, struct batch *out) {
    struct extra *extra = &s->extra;
    struct bench *bench = extra->has_own ? &extra->own.bench : &s->variant[PAIR_NEW].bench;
    struct keys_cursor cursor = bench->cursor;
    struct bench_draws draws = bench->draws;
    if (!extra->has_own) bench->cursor = extra->cursor, bench->draws.count = 0;
    bool ok = run(s, bench, PAIR_NEW, extra->ops, out);
    if (!extra->has_own) extra->cursor = bench->cursor, bench->cursor = cursor, bench->draws = draws;
    return ok;
}

struct sample {
    double ns_per_op;
    bool preempted;
};

/* Both batches of a pair look up the same. */
static bool take_sample(struct session *s, enum pair_variant which, unsigned pair, struct sample *out) {
    struct batch batch, extra = {0};
    size_t batches = s->draws.count / s->ops;
    if (batches > 0)
        s->variant[which].bench.draws =
            (struct bench_draws){s->draws.position + pair % batches * s->ops, s->ops};
    if (!run(s, &s->variant[which].bench, which, s->ops, &batch) ||
        (which == PAIR_NEW && s->extra.ops > 0 && !run_extra(s, &extra)))
        return false;
    /* Batches end with a segment, a little past what was asked for, but both variants alike. */
    out->ns_per_op = (batch.ns + extra.ns) / (double)batch.ops;
    out->preempted = batch.preempted || extra.preempted;
    return true;
}

/* --- preparation --- */

/* The sum that checks whole maps takes a pass over all keys; both variants hold the same. */
static void share_sum(struct session *s, enum pair_variant from) {
    const struct bench_full_sum *sum = &s->variant[from].bench.full_sum;
    if (sum->known) s->variant[!from].bench.full_sum = *sum;
}

static bool open_extra(struct session *s) {
    const struct workload *workload = s->plan->workload;
    struct extra *extra = &s->extra;
    extra->ops = (uint64_t)((double)s->ops * s->plan->extra_percent / 100 + 0.5);
    if (s->plan->extra_percent > 0 && extra->ops == 0) extra->ops = 1;
    keys_cursor_init(&extra->cursor, rng_derive(s->plan->seed, PURPOSE_EXTRA));
    extra->has_own = workload_in_passes(workload);
    if (extra->ops == 0 || !extra->has_own) return true;
    size_t n = extra->ops < s->plan->n ? (size_t)extra->ops : s->plan->n;
    return open_variant(s, &extra->own, PAIR_NEW, n, NULL);
}

/* Drawing takes longer than some lookups, and would stand between the batches. */
static bool draw_once(struct session *s) {
    struct bench *base = &s->variant[PAIR_BASE].bench;
    uint64_t count = s->ops * s->batches;
    if (!workload_follows_skew(s->plan->workload) || s->ops > DRAWS_MOST || s->plan->n > DRAWS_N_MOST)
        return true;
    if (count > DRAWS_MOST) count = DRAWS_MOST / s->ops * s->ops;
    uint32_t *position = malloc(count * sizeof *position);
    if (!position) return fail(s, EXIT_CANNOT, "out of memory: no room for positions to look up");
    bench_predraw(base, s->plan->workload, count, position);
    s->variant[PAIR_NEW].bench.cursor = base->cursor;
    s->draws = (struct bench_draws){position, count};
    return true;
}

static void set_ops(struct session *s, double ops) {
    s->ops = ops < 1 ? 1 : (uint64_t)ops;
    if (workload_in_passes(s->plan->workload)) s->ops = (s->ops + s->plan->n / 2) / s->plan->n * s->plan->n;
    if (s->ops == 0) s->ops = s->plan->n;
}

/* Trials are short, and their clock runs on while the kernel gives the processor to others: on a busy machine
 * a batch may have come out a tenth of what it should be. So a batch of each variant is clocked, where passes
 * are not so long that they decide anyway. */
static bool correct_ops(struct session *s) {
    double ns = 0;
    if (s->clock != BENCH_CLOCK_THREAD_CPU || s->batches < s->plan->batches) return true;
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        enum pair_variant which = i ? !s->built_first : s->built_first;
        struct batch batch;
        if (!run(s, &s->variant[which].bench, which, s->ops, &batch)) return false;
        ns += batch.ns / PAIR_VARIANTS;
    }
    double factor = s->plan->batch_us * 1000 / (ns + 1);
    if (factor < 0.8 || factor > 1.25) set_ops(s, (double)s->ops * factor);
    return true;
}

/* One batching for both variants, from trials of each, which verify the maps' content too. */
static bool calibrate(struct session *s) {
    const struct pair_plan *plan = s->plan;
    struct batching batching[PAIR_VARIANTS];
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        enum pair_variant which = i ? !s->built_first : s->built_first;
        struct bench *bench = &s->variant[which].bench;
        bench->verify = true;
        if (!bench_calibrate(bench, plan->workload, &batching[which])) return bench_failed(s, which, bench);
        bench->verify = false;
        share_sum(s, which);
    }
    const struct batching *base = &batching[PAIR_BASE], *new = &batching[PAIR_NEW];
    unsigned most = base->most < new->most ? base->most : new->most;
    if (plan->rounds > ROUNDS_USUAL) most = most * ROUNDS_USUAL / (unsigned)plan->rounds;
    set_ops(s, ((double)base->ops + (double)new->ops) / 2 * plan->batch_us / 1000);
    s->clock = base->clock == BENCH_CLOCK_TICKS || new->clock == BENCH_CLOCK_TICKS ? BENCH_CLOCK_TICKS
                                                                                   : BENCH_CLOCK_THREAD_CPU;
    s->batches = most >= plan->batches           ? plan->batches
                 : plan->batches < BATCHES_LEAST ? plan->batches
                 : most < BATCHES_LEAST          ? BATCHES_LEAST
                                                 : most;
    if (!correct_ops(s)) return false;
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) { /* the trials' number was each variant's own */
        if (!workload_keeps_keys(plan->workload)) bench_end(&s->variant[i].bench);
        bench_rewind(&s->variant[i].bench, plan->workload, plan->seed);
    }
    return draw_once(s) && open_extra(s);
}

static void use_unit(struct variant *v, const struct map_unit *unit) {
    bench_end(&v->bench); /* with the code that built it */
    v->cell.unit[0] = v->bench.unit = unit;
}

/* In random order: the loader maps one object below the other. */
static bool move_code(struct session *s, size_t round, uint64_t *rng) {
    unsigned first = (unsigned)rng_below(rng, PAIR_VARIANTS);
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        unsigned which = i ? !first : first;
        struct variant *v = &s->variant[which];
        const struct pair_links *links = &s->plan->links[which];
        const char *file = links->file[round % links->count];
        enum exit_code code = pair_move(&v->object, file, rng, s->why);
        if (code != EXIT_OK) return s->code = code, false;
        use_unit(v, v->object.unit);
    }
    if (s->extra.own.bench.unit) use_unit(&s->extra.own, s->variant[PAIR_NEW].object.unit);
    return true;
}

/* Puts the maps where the round wants them. A batch of one operation builds what the workload needs. */
static bool place(struct session *s, size_t round, uint64_t *rng) {
    enum pair_placement placement = s->plan->placement[round];
    struct batch unused;
    enum pair_variant drawn = (enum pair_variant)rng_below(rng, 2);
    if (round == 0 && placement == PAIR_FREE) return true; /* stands since the trials */
    s->built_first = placement == PAIR_REBUILD ? !s->built_first : drawn;
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        bench_end(&s->variant[i].bench);
        s->variant[i].bench.draws.count = 0;
    }
    pair_shake_end(&s->shake);
    if (s->plan->links[PAIR_BASE].count > 0 && !move_code(s, round, rng)) return false;
    if (placement == PAIR_SHAKE) {
        malloc_trim(0); /* or the maps would get their former pages again */
        if (!pair_shake_begin(&s->shake, rng))
            return fail(s, EXIT_CANNOT, "out of memory: cannot shake up pages");
    }
    if (workload_uses_up(s->plan->workload)) return true; /* builds in every batch */
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        enum pair_variant which = i ? !s->built_first : s->built_first;
        if (!run(s, &s->variant[which].bench, which, 1, &unused)) return false;
        share_sum(s, which);
    }
    return true;
}

/* --- rounds --- */

static json_t *loop_address(const struct session *s, enum pair_variant which) {
    return json_sprintf("0x%" PRIxPTR,
                        (uintptr_t)workload_loop(s->variant[which].object.unit, s->plan->workload).run);
}

static json_t *measure_round(struct session *s, size_t round) {
    const struct pair_plan *plan = s->plan;
    uint64_t rng = rng_derive(plan->seed, PURPOSE_ROUND + round);
    enum pair_variant starts = (enum pair_variant)rng_below(&rng, 2);
    struct sample sample;
    struct batch unused;
    if (!place(s, round, &rng)) return NULL;
    uint64_t warm_ops = workload_uses_up(plan->workload) ? plan->n : s->variant[0].bench.block;
    if (warm_ops > s->ops) warm_ops = s->ops;
    for (unsigned i = 0; i < PAIR_VARIANTS; i++) {
        enum pair_variant which = i ? !starts : starts;
        if (!run(s, &s->variant[which].bench, which, warm_ops, &unused)) return NULL;
    }
    json_t *times = json_array(), *preempted = json_array();
    for (unsigned i = 0; i < 2 * s->batches; i++) {
        if (!take_sample(s, i % 2 ? !starts : starts, i / 2, &sample)) {
            json_decref(times), json_decref(preempted);
            return NULL;
        }
        json_array_append_new(times, json_real(sample.ns_per_op));
        json_array_append_new(preempted, json_integer(sample.preempted));
    }
    return json_pack("{s:s, s:{s:o, s:o}, s:s, s:o, s:o}", "placement",
                     pair_placement_name(plan->placement[round]), "loop_at", "base",
                     loop_address(s, PAIR_BASE), "new", loop_address(s, PAIR_NEW), "starts",
                     variant_names[starts], "ns_per_op", times, "preempted", preempted);
}

/* --- all of it --- */

static json_t *measure_rounds(struct session *s) {
    struct pair_usage before = pair_usage_now(), after;
    json_t *rounds = json_array(), *round, *out = NULL;
    bool ok = calibrate(s);
    for (size_t i = 0; ok && i < s->plan->rounds; i++) {
        ok = (round = measure_round(s, i)) != NULL;
        if (ok) json_array_append_new(rounds, round);
    }
    after = pair_usage_now();
    if (ok)
        out = pair_result(
            s->plan,
            &(struct pair_batches){keys_facts(s->variant[PAIR_BASE].keys)->name, s->ops, s->clock, rounds},
            &before, &after);
    json_decref(rounds), json_decref(before.conditions), json_decref(after.conditions);
    return out;
}

json_t *pair_measure(const struct pair_plan *plan, enum exit_code *code, struct why *why) {
    uint64_t rng = rng_derive(plan->seed, PURPOSE_ROUND - 1);
    struct session s = {.plan = plan, .code = EXIT_CANNOT, .why = why};
    why_say(why, "out of memory"); /* unless it is said otherwise */
    s.built_first = (enum pair_variant)rng_below(&rng, 2);
    measure_keep_freed_memory();
    json_t *out = open_session(&s) ? measure_rounds(&s) : NULL;
    close_session(&s);
    *code = out ? EXIT_OK : s.code;
    return out;
}
