/* The time recorder: rounds of batches, maps in random order in every round, through Google Benchmark. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/measure/gbench.h"
#include "harness/measure/measure.h"
#include "harness/base/rng.h"
#include "harness/measure/row.h"
#include "harness/base/stats.h"
#include "harness/base/why.h"

/* From here on a row is called unstable. */
static const double preempted_share_most = 0.25;
static const double cpu_per_wall_least = 0.90;
static const double interval_half_width_most = 0.10;
static const double timer_share_most = 0.05;

/* All samples of one (unit, workload). */
struct series {
    struct batching batching;
    size_t samples, room;
    double *ns_per_op;
    double *round_median;
    size_t rounds;
    size_t preempted;
    size_t throttled_rounds; /* in which a CPU quota stopped the process, so often and so long: */
    struct cgroup_throttled throttled;
    double cpu_ns, wall_ns, timer_ns; /* of all samples; timer_ns: the clock's own cost within cpu_ns */
    struct why why;
    bool beyond_budget; /* that is why */
};

/* One benchmark: a workload on a bench, in one round. */
struct benchmark {
    struct measure *measure;
    struct bench *bench;
    const struct workload *workload;
    struct series *series;
};

static void series_add(struct series *s, const struct batch *batch, const struct clock_costs *clock) {
    if (s->samples == s->room) {
        s->room = s->room ? 2 * s->room : 32;
        s->ns_per_op = realloc(s->ns_per_op, s->room * sizeof *s->ns_per_op);
        if (!s->ns_per_op) abort();
    }
    s->ns_per_op[s->samples++] = batch->ns / (double)batch->ops;
    s->preempted += batch->preempted;
    s->cpu_ns += batch->ns;
    s->wall_ns += (double)batch->wall_ns;
    s->timer_ns += (double)batch->segments *
                   (s->batching.clock == BENCH_CLOCK_TICKS ? clock->ticks_empty_ns : clock->thread_cpu_ns);
}

static void series_throttled(struct series *s, struct cgroup_throttled before,
                             struct cgroup_throttled after) {
    if (after.times <= before.times && after.us <= before.us) return;
    s->throttled_rounds++;
    s->throttled.times += after.times - before.times;
    s->throttled.us += after.us - before.us;
}

static void series_failed(struct series *s, const struct bench *b) {
    s->beyond_budget = b->late && b->deadline_option == OPTION_BUDGET;
    why_say(&s->why, "%s", b->why);
}

static void run_batches(struct gbench_state *state, void *context) {
    struct benchmark *benchmark = context;
    struct series *s = benchmark->series;
    while (gbench_next(state)) {
        struct batch batch;
        if (!bench_batch(benchmark->bench, benchmark->workload, s->batching.ops, s->batching.clock, &batch)) {
            series_failed(s, benchmark->bench);
            measure_failed(benchmark->measure, benchmark->bench);
            gbench_error(state, s->why.text);
            return;
        }
        /* Batches end at segments, a little past the size asked for: scale the time to the size Google
         * Benchmark counts. */
        gbench_time(state, batch.ns * 1e-9 * (double)s->batching.ops / (double)batch.ops);
        series_add(s, &batch, &benchmark->measure->clock);
    }
}

/* Makes Google Benchmark's report of one round comparable: the repetition it was, a name without the number
 * of iterations (it differs between runs, and compare.py pairs by name), and as cpu_time the manual time,
 * which is CPU time of the measured loops; Google Benchmark's own would include what happens between them. */
static void keep_report(json_t *gbench, const char *text, const char *name, size_t round, size_t rounds) {
    json_t *report = json_loads(text, 0, NULL), *benchmark;
    size_t i;
    json_array_foreach(json_object_get(report, "benchmarks"), i, benchmark) {
        json_object_set_new(benchmark, "name", json_string(name));
        json_object_set_new(benchmark, "run_name", json_string(name));
        json_object_set_new(benchmark, "repetitions", json_integer((json_int_t)rounds));
        json_object_set_new(benchmark, "repetition_index", json_integer((json_int_t)round));
        json_object_set(benchmark, "cpu_time", json_object_get(benchmark, "real_time"));
    }
    if (report) json_array_append_new(gbench, report);
}

static void measure_round(struct measure *m, struct bench *b, const struct workload *workload,
                          struct series *s, size_t round, json_t *gbench) {
    const struct cell *cell = b->cell;
    size_t rounds = option_number(&cell->job->options, OPTION_REPEAT), before = s->samples;
    unsigned batches = (unsigned)option_number(&cell->job->options, OPTION_BATCHES);
    char name[320];
    b->verify = round == 0;
    if (round == 0) bench_rewind(b, workload, option_number(&cell->job->options, OPTION_SEED));
    measure_budget(b, workload);
    /* The batching found in the first round is kept; the later rounds only warm up, and not even that where a
     * pass is so long that it fills the round. */
    bool ready = round == 0 ? bench_calibrate(b, workload, &s->batching)
                            : s->batching.most < batches || bench_warm_up(b, workload);
    if (!ready) {
        series_failed(s, b);
        measure_failed(m, b);
        return;
    }
    b->verify = false;
    if (batches > s->batching.most) batches = s->batching.most;
    snprintf(name, sizeof name, "%s/%s/%s/%s/n:%zu/%s/%s", b->unit->map, cell->shape->name, workload->name,
             keys_facts(b->keys)->name, cell->n, b->unit->hash, b->unit->heap);
    struct benchmark benchmark = {m, b, workload, s};
    struct cgroup_throttled throttled = measure_throttled(m);
    char *report = gbench_run(name, s->batching.ops, batches, run_batches, &benchmark, &s->why);
    if (report) keep_report(gbench, report, name, round, rounds);
    free(report);
    series_throttled(s, throttled, measure_throttled(m));
    if (s->samples > before)
        s->round_median[s->rounds++] = stats_median(s->ns_per_op + before, s->samples - before);
}

static void judge(json_t *row, const struct series *s, double median, double low, double high) {
    char text[128];
    double share = (double)s->preempted / (double)s->samples, per_wall = s->cpu_ns / s->wall_ns;
    double timer = s->timer_ns / s->cpu_ns;
    if (share > preempted_share_most) {
        snprintf(text, sizeof text, "%.0f %% of the batches were preempted", share * 100);
        row_unstable(row, text);
    }
    if (s->throttled_rounds > 0) {
        snprintf(text, sizeof text,
                 "stopped by a control group's CPU quota in %zu of %zu rounds: %llu times, %.2f s",
                 s->throttled_rounds, s->rounds, (unsigned long long)s->throttled.times,
                 (double)s->throttled.us * 1e-6);
        row_unstable(row, text);
    }
    if (timer > timer_share_most) {
        snprintf(text, sizeof text,
                 "the clock is %.0f %% of the time measured: n is too small for this workload", timer * 100);
        row_unstable(row, text);
    }
    /* Only the CPU clock stands still while the thread does not run. */
    if (s->batching.clock == BENCH_CLOCK_THREAD_CPU && per_wall < cpu_per_wall_least) {
        snprintf(text, sizeof text, "got the CPU for %.0f %% of the time only", per_wall * 100);
        row_unstable(row, text);
    }
    if (isfinite(low) && (high - low) / 2 > interval_half_width_most * median) {
        snprintf(text, sizeof text, "the interval is ±%.0f %% wide", (high - low) / 2 / median * 100);
        row_unstable(row, text);
    }
}

static json_t *numbers(const double *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(array, json_real(values[i]));
    return array;
}

static json_t *time_row(const struct cell *cell, size_t unit, const struct workload *workload,
                        const struct keys *keys, const struct series *s, const struct series *null_series) {
    json_t *row = measure_row("time", cell, unit, workload->name, keys);
    char checksum[32];
    double low = NAN, high = NAN;
    if (s->why.text[0] || s->samples == 0) {
        row_error(row, s->why.text[0] ? s->why.text : "no batch was completed");
        if (s->beyond_budget) row_set(row, "beyond_budget", json_true());
        return row;
    }
    double median = stats_median(s->ns_per_op, s->samples);
    if (stats_interval95(s->round_median, s->rounds, &low, &high)) {
        /* The interval is one of round medians; it never leaves out the median it stands beside. */
        low = fmin(low, median), high = fmax(high, median);
        row_set(row, "ci95", json_pack("[f,f]", low, high));
    }
    snprintf(checksum, sizeof checksum, "0x%016llx", (unsigned long long)s->batching.checksum);
    row_set(row, "ns_per_op", numbers(s->ns_per_op, s->samples));
    row_set(row, "median", json_real(median));
    row_set(row, "checksum", json_string(checksum));
    row_set(row, "rounds", json_integer((json_int_t)s->rounds));
    row_set(row, "round_medians", numbers(s->round_median, s->rounds));
    row_set(row, "batch_ops", json_integer((json_int_t)s->batching.ops));
    row_set(row, "clock", json_string(s->batching.clock == BENCH_CLOCK_TICKS ? "ticks" : "thread_cpu"));
    row_set(row, "preempted_share", json_real((double)s->preempted / (double)s->samples));
    row_set(row, "cpu_per_wall",
            s->batching.clock == BENCH_CLOCK_THREAD_CPU ? json_number_or_null(s->cpu_ns / s->wall_ns)
                                                        : json_null());
    row_set(row, "timer_share", json_number_or_null(s->timer_ns / s->cpu_ns));
    if (null_series && null_series->samples > 0 && !null_series->why.text[0])
        row_set(row, "null_ns_per_op", json_real(stats_median(null_series->ns_per_op, null_series->samples)));
    judge(row, s, median, low, high);
    return row;
}

static void shuffle(size_t *order, size_t count, uint64_t *rng) {
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i), swap = order[i - 1];
        order[i - 1] = order[j];
        order[j] = swap;
    }
}

static json_t *time_rows(const struct cell *cell, const struct keys *keys,
                         struct series (*series)[CELL_WORKLOADS_MAX]) {
    json_t *rows = json_array();
    bool has_baseline = cell->unit[0]->facts->traits & TRAIT_BASELINE;
    for (size_t w = 0; w < cell->workloads; w++)
        for (size_t u = 0; u < cell->units; u++)
            if (cell->wanted[u][w])
                json_array_append_new(rows, time_row(cell, u, cell->workload[w], keys, &series[u][w],
                                                     has_baseline ? &series[0][w] : NULL));
    return rows;
}

json_t *measure_time(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    size_t rounds = option_number(&cell->job->options, OPTION_REPEAT), order[CELL_UNITS_MAX];
    uint64_t seed = option_number(&cell->job->options, OPTION_SEED), rng = rng_derive(seed, 10);
    struct series(*series)[CELL_WORKLOADS_MAX] = calloc(cell->units, sizeof *series);
    bool complete = true;
    for (size_t u = 0; u < cell->units; u++) {
        order[u] = u;
        for (size_t w = 0; w < cell->workloads; w++)
            series[u][w].round_median = calloc(rounds, sizeof(double));
    }
    for (size_t round = 0; complete && round < rounds; round++) {
        shuffle(order, cell->units, &rng);
        for (size_t i = 0; complete && i < cell->units; i++) {
            struct bench bench;
            measure_bench(m, &bench, cell, order[i], keys, rng_derive(seed, 100 + round));
            for (size_t w = 0; w < cell->workloads && !*m->interrupted; w++)
                if (cell->wanted[order[i]][w] && !series[order[i]][w].why.text[0])
                    measure_round(m, &bench, cell->workload[w], &series[order[i]][w], round, gbench);
            bench_end(&bench);
            complete = !*m->interrupted;
        }
    }
    json_t *rows = complete ? time_rows(cell, keys, series) : NULL;
    for (size_t u = 0; u < cell->units; u++)
        for (size_t w = 0; w < cell->workloads; w++)
            free(series[u][w].ns_per_op), free(series[u][w].round_median);
    free(series);
    return rows;
}
