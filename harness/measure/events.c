/* The counters recorder: perf events around the measured loops only. */
#include <malloc.h>
#include <stdlib.h>

#include "harness/measure/measure.h"
#include "harness/base/rng.h"
#include "harness/measure/row.h"

static void start_counters(void *counters) {
    counters_start(counters);
}

static void stop_counters(void *counters) {
    counters_stop(counters);
}

static void row_counters_unknown(json_t *row, const struct counters *counters, const char *why) {
    json_t *values = json_object(), *whys = json_object();
    for (size_t i = 0; i < counters_count(counters); i++) {
        row_set(values, counters_name(counters, i), json_null());
        row_set(whys, counters_name(counters, i), json_string(why));
    }
    row_set(row, "counters", values);
    row_set(row, "counters_why", whys);
    row_set(row, "counted_ops", json_integer(0));
}

static json_t *counters_row(struct measure *m, const struct cell *cell, size_t u,
                            const struct workload *workload, struct keys *keys) {
    enum { COUNTED_BATCHES = 10, SEGMENTS_MOST = 200 };
    static const double short_segment_ns = 20e3;
    json_t *row = measure_row("counters", cell, u, workload->name, keys);
    struct batching batching = {0};
    struct batch batch;
    struct bench bench;
    uint64_t ops = 0, segments = 0;
    double ns = 0;
    struct cgroup_throttled throttled = measure_throttled(m);
    measure_bench(m, &bench, cell, u, keys, rng_derive(option_number(&cell->job->options, OPTION_SEED), 30));
    measure_deadline(&bench);
    bool ok = bench_calibrate(&bench, workload, &batching);
    bench.hooks = (struct bench_hooks){start_counters, stop_counters, m->counters};
    counters_reset(m->counters);
    unsigned batches = batching.most < COUNTED_BATCHES ? batching.most : COUNTED_BATCHES;
    if (batching.ops > SEGMENTS_MOST * bench.block) batching.ops = SEGMENTS_MOST * bench.block;
    if (cell->n < bench.block && batching.ops > SEGMENTS_MOST * cell->n)
        batching.ops = SEGMENTS_MOST * cell->n;
    if (workload_fills(workload)) {
        /* One filling as a fresh process would do it: the memory of earlier maps goes back to the system
         * first. */
        bench_drop_map(&bench);
        malloc_trim(0);
        batches = 1, batching.ops = cell->n;
    }
    for (unsigned i = 0; ok && i < batches; i++) {
        ok = bench_batch(&bench, workload, batching.ops, batching.clock, &batch);
        ops += batch.ops, segments += batch.segments;
        ns += batch.ns;
    }
    if (ok && cell->unit[u]->engine) {
        row_counters_unknown(row, m->counters,
                             "the loops run in another process, whose counters are not read");
    } else if (ok) {
        if (ns / (double)segments < short_segment_ns)
            row_unstable(row, "segments are shorter than 20 us: switching the counters, some microseconds "
                              "each, is part of what they show");
        json_t *values = json_object(), *whys = json_object();
        for (size_t i = 0; i < counters_count(m->counters); i++) {
            double value;
            bool known = counters_value(m->counters, i, &value);
            row_set(values, counters_name(m->counters, i),
                    known ? json_real(value / (double)ops) : json_null());
            if (!known)
                row_set(whys, counters_name(m->counters, i), json_string(counters_why(m->counters, i)));
        }
        row_set(row, "counters", values);
        row_set(row, "counters_why", whys);
        row_set(row, "counted_ops", json_integer((json_int_t)ops));
        measure_mark_throttled(m, row, throttled);
    } else {
        row_error(row, bench.why);
        measure_failed(m, &bench);
    }
    bench_end(&bench);
    return row;
}

json_t *measure_counters(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    json_t *rows = json_array();
    (void)gbench;
    for (size_t w = 0; w < cell->workloads; w++)
        for (size_t u = 0; u < cell->units; u++) {
            if (*m->interrupted) return json_decref(rows), NULL;
            if (cell->wanted[u][w])
                json_array_append_new(rows, counters_row(m, cell, u, cell->workload[w], keys));
        }
    return rows;
}
