/* The latency recorder: every operation clocked by itself, growth events listed. An instrument for the tail.
 */
#include <stdlib.h>

#include "harness/measure.h"
#include "harness/rng.h"
#include "harness/row.h"

enum { LATENCY_OPS_LEAST = 200000, EVENTS_IN_ROW = 256 };

static json_t *buckets_json(const struct hist *h, double ns) {
    json_t *buckets = json_array();
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (h->count[i])
            json_array_append_new(buckets,
                                  json_pack("[f,f,I]", (double)hist_bucket_low(i) * ns,
                                            (double)hist_bucket_high(i) * ns, (json_int_t)h->count[i]));
    return buckets;
}

static json_t *latency_json(const struct hist *h, const struct clock_costs *clock) {
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"p9999", .9999}};
    json_t *latency = json_object();
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        row_set(latency, quantiles[i].name,
                json_real((double)hist_quantile(h, quantiles[i].share) * clock->ns_per_tick));
    row_set(latency, "max", json_real((double)h->max * clock->ns_per_tick));
    row_set(latency, "count", json_integer((json_int_t)h->total));
    row_set(latency, "above", json_integer((json_int_t)h->above));
    row_set(latency, "timer_cost_ns", json_real(clock->ticks_empty_ns));
    row_set(latency, "timer_step_ns", json_real(clock->ticks_step_ns));
    row_set(latency, "buckets", buckets_json(h, clock->ns_per_tick));
    return latency;
}

static json_t *events_json(const struct recorder *r, double ns) {
    json_t *events = json_array();
    for (size_t i = 0; i < r->n_events && i < EVENTS_IN_ROW; i++)
        json_array_append_new(events, json_pack("{s:I,s:f,s:I,s:I}", "op", (json_int_t)r->event[i].op, "ns",
                                                (double)r->event[i].ticks * ns, "old_capacity",
                                                (json_int_t)r->event[i].old_capacity, "new_capacity",
                                                (json_int_t)r->event[i].new_capacity));
    return events;
}

static json_t *latency_row(struct measure *m, const struct cell *cell, size_t u,
                           const struct workload *workload, struct keys *keys) {
    json_t *row = measure_row("latency", cell, u, workload->name, keys);
    struct recorder *r = m->recorder;
    struct bench bench;
    struct batch batch;
    hist_clear(&r->hist);
    r->op = r->n_events = r->capacity = 0;
    measure_bench(m, &bench, cell, u, keys, rng_derive(option_number(&cell->job->options, OPTION_SEED), 20));
    measure_deadline(&bench);
    /* Warm the code and, for lookups, the map first; filling a map is recorded from its first operation on.
     */
    bool fills = workload->kind == WORKLOAD_PUT || workload->kind == WORKLOAD_DEL;
    bool ok = fills || bench_batch(&bench, workload, 4096, BENCH_CLOCK_TICKS, &batch);
    uint64_t ops = fills ? cell->n : cell->n > LATENCY_OPS_LEAST ? cell->n : LATENCY_OPS_LEAST;
    bench.recorder = r;
    /* One pass only for what fills or empties a map, so that an event's operation index is the number of
     * entries. */
    ok = ok && bench_batch(&bench, workload, ops, BENCH_CLOCK_TICKS, &batch);
    if (ok) {
        row_set(row, "latency", latency_json(&r->hist, &m->clock));
        row_set(row, "growth_events", events_json(r, m->clock.ns_per_tick));
        row_set(row, "growth_events_total", json_integer((json_int_t)r->n_events));
        if (batch.preempted)
            row_unstable(row, "preempted while recording: the largest values may be the scheduler's");
    } else {
        row_error(row, bench.why);
        measure_failed(m, &bench);
    }
    bench.recorder = NULL;
    bench_end(&bench);
    return row;
}

json_t *measure_latency(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    json_t *rows = json_array();
    (void)gbench;
    for (size_t w = 0; w < cell->workloads; w++) {
        if (!workload_has_latency(cell->workload[w])) continue;
        for (size_t u = 0; u < cell->units; u++) {
            if (*m->interrupted) return json_decref(rows), NULL;
            if (cell->wanted[u][w])
                json_array_append_new(rows, latency_row(m, cell, u, cell->workload[w], keys));
        }
    }
    return rows;
}
