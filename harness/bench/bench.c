#include "harness/bench/bench.h"

#include "harness/base/rng.h"
#include "harness/bench/workloads.h"
#include "harness/engines/engine.h"

/* Below this a segment is too short for the thread's CPU clock, which costs 0.4 us to read. */
static const double short_segment_ns = 100e3;
static const double batch_target_ns = 1e6;
static const uint64_t segments_most = 16;
/* Time that a round of one workload may spend on passes that need a rebuild between them. */
static const double round_budget_ns = 150e6;

void bench_init(struct bench *b, const struct cell *cell, const struct map_unit *unit, struct keys *keys,
                struct bench_room *room, uint64_t seed) {
    *b = (struct bench){.cell = cell,
                        .unit = unit,
                        .keys = keys,
                        .room = room,
                        .deadline = deadline_never,
                        .deadline_option = OPTION_LIMIT};
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

void bench_rewind(struct bench *b, const struct workload *workload, uint64_t seed) {
    if (b->base != 0) bench_end(b);
    b->base = 0, b->base_used = false;
    b->passes = 0;
    keys_cursor_init(&b->cursor, rng_derive(seed, 1000 + workload->number));
}

/* Functions that say how many operations a segment of a workload holds at most. */
static uint64_t segment_block(const struct bench *b) {
    return b->block;
}
static uint64_t segment_pass(const struct bench *b) {
    return b->cell->n < b->block ? b->cell->n : b->block;
}
static uint64_t segment_pairs(const struct bench *b) {
    return b->cell->n < b->block / 2 ? b->cell->n : b->block / 2;
}
static uint64_t segment_groups(const struct bench *b) {
    return bench_mixed_most(b);
}
/* Short, as one operation of a cliff may take as long as a scan, and the deadline is looked at between
 * segments. */
static uint64_t segment_strip(const struct bench *b) {
    return b->cell->n < BENCH_STRIP ? b->cell->n : BENCH_STRIP;
}
static uint64_t segment_short(const struct bench *b) {
    (void)b;
    return 1;
}
static uint64_t segment_batch(const struct bench *b) {
    (void)b;
    return UINT64_MAX;
}

static const struct {
    bench_workload_fn *run;
    uint64_t (*segment_most)(const struct bench *bench);
} kinds[] = {
#define KIND(kind, loop, function, segment, traits) [WORKLOAD_##kind] = {bench_##function, segment_##segment},
#include "harness/plan/kinds.def"
#undef KIND
};

bool bench_batch(struct bench *b, const struct workload *workload, uint64_t ops, enum bench_clock clock,
                 struct batch *out) {
    *out = (struct batch){0};
    b->why[0] = '\0';
    b->late = false;
    b->clock = clock;
    bool ok = kinds[workload->kind].run(b, workload, ops, out);
    if (!ok) bench_drop_map(b), bench_small_drop(b);
    return ok;
}

/* --- batching --- */

/* The length of a batch. */
struct length {
    uint64_t passes; /* over the n entries; 0: the workload does not go by passes */
    uint64_t ops;
};

static struct length whole_passes(const struct bench *b, uint64_t passes) {
    return (struct length){passes, passes * b->cell->n};
}

/* One trial, with what it cost in all, untimed parts included. */
struct trial {
    struct batch batch;
    double cost_ns;
};

static bool try_batch(struct bench *b, const struct workload *workload, uint64_t ops, struct trial *out) {
    uint64_t begin = wall_ns();
    bool ok = bench_batch(b, workload, ops, BENCH_CLOCK_TICKS, &out->batch);
    out->cost_ns = (double)(wall_ns() - begin);
    return ok;
}

/* Brings the bench to where batches of the workload begin, so that no trial is charged with a build. */
static bool prepare(struct bench *b, const struct workload *workload) {
    struct batch unused;
    if (workload_uses_up(workload)) return true;
    if (workload_in_passes(workload)) {
        if (!bench_build(b)) return false;
        bench_full_sum(b);
    }
    return bench_batch(b, workload, 1, BENCH_CLOCK_TICKS, &unused);
}

/* Runs the trial that the batching is worked out from: a longer one where the first was too short to tell.
 * `checksum` is the first one's, whose length does not depend on the map. */
static bool measure_trial(struct bench *b, const struct workload *workload, struct trial *out,
                          uint64_t *checksum) {
    const double long_enough_ns = batch_target_ns / 8;
    enum { FIRST_OPS = 4096, OPS_MOST = 1 << 20 };
    bool uses_up = workload_uses_up(workload);
    uint64_t n = b->cell->n;
    if (!try_batch(b, workload, uses_up ? n : FIRST_OPS, out)) return false;
    *checksum = out->batch.checksum;
    if (out->batch.ns >= long_enough_ns || workload->kind == WORKLOAD_GET_COLD) return true;
    uint64_t passes = 1 + (uint64_t)(long_enough_ns / (out->batch.ns + 1));
    if (passes > OPS_MOST / n + 1) passes = OPS_MOST / n + 1;
    return try_batch(b, workload, uses_up ? passes * n : b->block, out);
}

/* Decides how long a batch is: batch_target_ns in its loops. */
static struct length ops_for_target(const struct bench *b, const struct workload *workload,
                                    double ns_per_op) {
    uint64_t ops = (uint64_t)(batch_target_ns / ns_per_op) + 1, most = segments_most * b->block;
    if (workload_in_passes(workload)) return whole_passes(b, (ops + b->cell->n - 1) / b->cell->n);
    /* Only the baseline is so fast that drawing its keys would take many times longer than looking them up.
     */
    return (struct length){.ops = ops < most ? ops : most};
}

/* Decides how many batches a round has at most: as many as round_budget_ns pays for. A batch that alone is
 * too expensive is cut to the passes it pays for, one at least. */
static unsigned fit_round_budget(const struct bench *b, const struct workload *workload,
                                 double cost_per_op_ns, struct length *length) {
    static const double batches_most = 1000;
    if (!workload_uses_up(workload)) return (unsigned)batches_most; /* nothing to build between them */
    double share = round_budget_ns / (cost_per_op_ns * (double)length->ops);
    if (share < 1) {
        uint64_t passes = (uint64_t)((double)length->passes * share);
        *length = whole_passes(b, passes ? passes : 1);
    }
    double batches = round_budget_ns / (cost_per_op_ns * (double)length->ops + 1);
    return batches < 1 ? 1 : (unsigned)(batches < batches_most ? batches : batches_most);
}

/* Decides by the length of a segment which clock is fine and cheap enough for it. */
static enum bench_clock clock_for_segment(const struct bench *b, const struct workload *workload,
                                          uint64_t ops, double ns_per_op) {
    uint64_t most = kinds[workload->kind].segment_most(b);
    double segment_ns = (double)(ops < most ? ops : most) * ns_per_op;
    return segment_ns < short_segment_ns ? BENCH_CLOCK_TICKS : BENCH_CLOCK_THREAD_CPU;
}

bool bench_calibrate(struct bench *b, const struct workload *workload, struct batching *out) {
    struct trial trial;
    *out = (struct batching){0};
    if (!prepare(b, workload) || !measure_trial(b, workload, &trial, &out->checksum)) return false;
    double ops = (double)trial.batch.ops, ns_per_op = trial.batch.ns / ops + 1e-3;
    struct length length = ops_for_target(b, workload, ns_per_op);
    out->most = fit_round_budget(b, workload, trial.cost_ns / ops, &length);
    out->ops = length.ops;
    out->clock = clock_for_segment(b, workload, length.ops, ns_per_op);
    return true;
}

bool bench_warm_up(struct bench *b, const struct workload *workload) {
    struct batch warm;
    uint64_t ops = workload_uses_up(workload) ? b->cell->n : b->block;
    return prepare(b, workload) && bench_batch(b, workload, ops, BENCH_CLOCK_TICKS, &warm);
}
