#include "harness/doctor/noise.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "harness/base/clock.h"
#include "harness/machine/conditions.h"
#include "harness/plan/registry.h"
#include "harness/base/rng.h"
#include "harness/shapes/shape.h"
#include "harness/base/stats.h"

/* Small enough for the second cache, so that what is seen is the machine's noise and not the map's. */
enum { ENTRIES = 2048, LOOKUPS = 16384, BATCHES_LEAST = 3, BATCHES_MAX = 32768 };
static const double batch_target_ns = 1e6;
/* The two-sided 99 % quantile of the normal distribution. */
static const double quantile_99 = 2.5758;

/* A map with keys that a batch looks up. */
struct stretch {
    const struct map_unit *unit;
    void *map;
    uint64_t *present, *lookup; /* ENTRIES, LOOKUPS keys */
    uint64_t expected;          /* what one call of the loop must return */
    size_t calls;               /* of the loop, a batch */
};

static void no_stretch(struct stretch *s) {
    if (s->map) s->unit->op.destroy(s->map);
    free(s->present), free(s->lookup);
}

static bool make_stretch(struct stretch *s, struct why *why) {
    const struct shape *shape = shape_find("u64_u64");
    uint64_t rng = rng_derive(1, 77);
    *s = (struct stretch){.unit = registry_find("linear", "u64_u64", "common", "malloc"),
                          .present = malloc(ENTRIES * sizeof(uint64_t)),
                          .lookup = malloc(LOOKUPS * sizeof(uint64_t))};
    if (s->unit && registry_prepare(&s->unit, 1) > 0)
        return why_say(why, "no map can be built: %s", s->unit->unavailable);
    s->map = s->unit ? s->unit->op.create(s->unit->own_heap, 0) : NULL;
    if (!s->map || !s->present || !s->lookup)
        return why_say(why, "no map can be built: %s", s->unit ? "out of memory" : "no unit for it");
    for (size_t i = 0; i < ENTRIES; i++) s->present[i] = rng_next(&rng);
    for (size_t i = 0; i < LOOKUPS; i++) {
        _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
        uint64_t position = rng_below(&rng, ENTRIES);
        s->lookup[i] = s->present[position];
        shape->val_make(position, val);
        s->expected += shape->val_word(val) + 1;
    }
    struct run_args fill = {.keys = s->present, .n = ENTRIES};
    if (s->unit->run.put(s->map, &fill) != ENTRIES)
        return why_say(why, "a map of %d entries cannot be filled", ENTRIES);
    return true;
}

/* CPU time of one batch; 0: a wrong checksum. */
static double run_batch(const struct stretch *s, bool *preempted) {
    struct run_args find = {.keys = s->lookup, .n = LOOKUPS};
    uint64_t sum = 0;
    long before = thread_preemptions();
    uint64_t start = thread_cpu_ns();
    for (size_t i = 0; i < s->calls; i++) sum += s->unit->run.get(s->map, &find);
    uint64_t ns = thread_cpu_ns() - start;
    *preempted = thread_preemptions() != before;
    return sum == s->expected * s->calls ? (double)ns : 0;
}

/* CPU time of the fastest of a few batches: one during which a hypervisor ran something else may seem to take
 * many times as long. 0: a wrong checksum. */
static double least_ns(const struct stretch *s) {
    enum { TRIES = 3 };
    bool preempted;
    double least = run_batch(s, &preempted);
    for (int i = 1; i < TRIES; i++) least = fmin(least, run_batch(s, &preempted));
    return least;
}

/* Finds how many calls make a batch. */
static bool calibrate(struct stretch *s, struct why *why) {
    for (s->calls = 1;; s->calls *= 2) {
        double ns = least_ns(s);
        if (ns >= batch_target_ns / 4) {
            s->calls = (size_t)((double)s->calls * batch_target_ns / ns) + 1;
            return true;
        }
        if (ns <= 0 && s->calls > 64) break;
        if (s->calls > 1u << 20) break;
    }
    return why_say(why, "the thread's CPU clock does not advance, or lookups return wrong values");
}

static long steal_now(void) {
    json_t *now = conditions_now(), *steal = json_object_get(now, "steal_ticks");
    long ticks = json_is_integer(steal) ? (long)json_integer_value(steal) : -1;
    json_decref(now);
    return ticks;
}

static bool run_stretch(const struct stretch *s, double seconds, const volatile sig_atomic_t *stop,
                        double *ns_per_op, bool *preempted, struct noise *out, struct why *why) {
    uint64_t begin = wall_ns(), cpu_begin = thread_cpu_ns();
    double ops = (double)s->calls * LOOKUPS;
    long steal = steal_now();
    size_t batches = 0;
    while (batches < BATCHES_MAX && !(stop && *stop) &&
           (batches < BATCHES_LEAST || (double)(wall_ns() - begin) < seconds * 1e9)) {
        double ns = run_batch(s, &preempted[batches]);
        if (ns <= 0) return why_say(why, "lookups of a filled map returned wrong values");
        ns_per_op[batches++] = ns / ops;
    }
    if (batches < BATCHES_LEAST) return why_say(why, "interrupted");
    double wall = (double)(wall_ns() - begin);
    out->cpu_per_wall = (double)(thread_cpu_ns() - cpu_begin) / wall;
    out->seconds = wall * 1e-9;
    noise_judge(ns_per_op, preempted, batches, out);
    out->ns_per_op = stats_median(ns_per_op, batches);
    out->batch_us = out->ns_per_op * ops * 1e-3;
    out->steal_ticks = steal < 0 ? -1 : steal_now() - steal;
    return true;
}

bool noise_measure(double seconds, const volatile sig_atomic_t *stop, struct noise *out, struct why *why) {
    struct stretch stretch;
    double *ns_per_op = malloc(BATCHES_MAX * sizeof *ns_per_op);
    bool *preempted = malloc(BATCHES_MAX * sizeof *preempted);
    *out = (struct noise){0};
    why_say(why, "out of memory");
    bool ok = make_stretch(&stretch, why) && ns_per_op && preempted && calibrate(&stretch, why) &&
              run_stretch(&stretch, seconds, stop, ns_per_op, preempted, out, why);
    no_stretch(&stretch);
    free(ns_per_op), free(preempted);
    return ok;
}

/* Signed log ratio of B to A from batch i and its neighbours; false where one of the three was preempted. */
static bool contrast(const double *ns, const bool *preempted, size_t i, double *ratio) {
    if (preempted[i - 1] || preempted[i] || preempted[i + 1]) return false;
    *ratio = (i % 2 ? 1 : -1) * log(ns[i] / ((ns[i - 1] + ns[i + 1]) / 2));
    return true;
}

void noise_judge(const double *ns_per_op, const bool *preempted, size_t batches, struct noise *out) {
    double *ratio = malloc((batches + 1) * sizeof *ratio), squares = 0, round_squares = 0;
    size_t put_aside = 0, used = 0;
    if (!ratio) abort();
    for (size_t i = 0; i < batches; i++) put_aside += preempted[i];
    for (size_t i = 1; i + 1 < batches; i++) used += contrast(ns_per_op, preempted, i, &ratio[used]);
    /* About zero, which is what a difference between the same must be. */
    for (size_t i = 0; i < used; i++) squares += ratio[i] * ratio[i];
    size_t rounds = used / NOISE_ROUND;
    for (size_t r = 0; r < rounds; r++) {
        double centre = stats_median(ratio + r * NOISE_ROUND, NOISE_ROUND);
        round_squares += centre * centre;
    }
    out->batches = batches, out->used = used, out->rounds = rounds;
    out->preempted_share = batches ? (double)put_aside / (double)batches : 0;
    out->sd_percent = used ? 100 * sqrt(squares / (double)used) : NAN;
    out->aa_percent = used ? 100 * expm1(stats_median(ratio, used)) : NAN;
    out->floor_percent =
        rounds >= NOISE_ROUNDS_LEAST ? 100 * expm1(quantile_99 * sqrt(round_squares / (double)rounds)) : NAN;
    free(ratio);
}

static json_t *number_or_null(double number) {
    return isfinite(number) ? json_real(number) : json_null();
}

json_t *noise_json(const struct noise *n) {
    return json_pack("{s:f, s:I, s:I, s:f, s:f, s:o, s:f, s:f, s:o, s:o, s:I, s:o}", "seconds", n->seconds,
                     "batches", (json_int_t)n->batches, "used", (json_int_t)n->used, "batch_us", n->batch_us,
                     "ns_per_op", n->ns_per_op, "sd_percent", number_or_null(n->sd_percent),
                     "preempted_share", n->preempted_share, "cpu_per_wall", n->cpu_per_wall, "aa_percent",
                     number_or_null(n->aa_percent), "floor_percent", number_or_null(n->floor_percent),
                     "rounds", (json_int_t)n->rounds, "steal_ticks",
                     n->steal_ticks < 0 ? json_null() : json_integer(n->steal_ticks));
}
