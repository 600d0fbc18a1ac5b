/* The latency recorder: every operation clocked by itself, growth events listed. An instrument for the tail.
 *
 * The closed loop starts an operation when the last has ended. In the open loop operations arrive at a fixed
 * rate, and their time counts from their arrival. The recorded loop, clock and histogram included, is what
 * serves them: rates given as shares are shares of what that loop reached when it was closed.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/count_of.h"
#include "harness/measure/measure.h"
#include "harness/plan/rate.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"
#include "harness/measure/row.h"

enum {
    LATENCY_OPS_LEAST = 200000,
    EVENTS_IN_ROW = 256,
    EMPTY_OPS_MOST = 10000,
    EMPTY_OPS_LEAST = 100,
    BLOCK_LEAST = 64
};
/* A pass in which the thread was put aside shows the scheduler: it is recorded again, if it is short enough
 * for another one to go better. */
enum { TRIES_MOST = 4 };
static const uint64_t try_again_ns = 100000000;
static const double empty_ns_most = 20e6, segment_s_most = 0.25;
/* Fewer operations done than arrived by more than this is overload; what is still queued at the end is not.
 */
static const double keeps_up_share = 0.98;

static json_t *buckets_json(const struct hist *h, double ns) {
    json_t *buckets = json_array();
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        if (h->count[i])
            json_array_append_new(buckets,
                                  json_pack("[f,f,I]", (double)hist_bucket_low(i) * ns,
                                            (double)hist_bucket_high(i) * ns, (json_int_t)h->count[i]));
    return buckets;
}

/* The quantiles and buckets of a histogram. */
static json_t *histogram_json(const struct hist *h, double ns) {
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"p9999", .9999}};
    json_t *latency = json_object();
    for (size_t i = 0; i < COUNT_OF(quantiles); i++)
        row_set(latency, quantiles[i].name, json_real((double)hist_quantile(h, quantiles[i].share) * ns));
    row_set(latency, "max", json_real((double)h->max * ns));
    row_set(latency, "count", json_integer((json_int_t)h->total));
    row_set(latency, "above", json_integer((json_int_t)h->above));
    row_set(latency, "buckets", buckets_json(h, ns));
    return latency;
}

/* Shows by the same recorder operations that do nothing: with the same arrivals, when there is a
 * schedule. Uses the recorder up. */
static json_t *empty_json(struct recorder *r, double ns) {
    bool scheduled = r->schedule.begun;
    uint64_t ops = EMPTY_OPS_MOST;
    double interval_ns = ns * ((double)r->schedule.interval_ticks + r->schedule.interval_fraction * 0x1p-32);
    if (scheduled && empty_ns_most / interval_ns < EMPTY_OPS_MOST)
        ops = (uint64_t)(empty_ns_most / interval_ns);
    if (ops < EMPTY_OPS_LEAST) ops = EMPTY_OPS_LEAST;
    for (int tries = 0; tries < TRIES_MOST; tries++) {
        long put_aside = thread_preemptions();
        recorder_reset(r, interval_ns / ns);
        if (scheduled) schedule_resume(&r->schedule, ticks_start());
        for (uint64_t i = 0; i < ops; i++) {
            uint64_t start = recorder_begin(r, scheduled);
            recorder_add(r, ticks_stop() - start, 0);
        }
        if (thread_preemptions() == put_aside) break;
    }
    return histogram_json(&r->hist, ns);
}

/* The slowest operation of each stretch: shows a queue build up behind a growth, and drain. */
static json_t *timeline_json(const struct recorder *r, double ns) {
    json_t *slowest = json_array();
    for (size_t i = 0; i < r->slot + (r->in_slot > 0); i++)
        json_array_append_new(slowest, json_real((double)r->slot_max[i] * ns));
    return json_pack("{s:I,s:o}", "ops_per_slot", (json_int_t)r->slot_ops, "max_ns", slowest);
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

/* One way to record a workload: the closed loop, or the open one at a rate. */
struct pass {
    const struct rate *rate;
    double offered_per_s; /* 0: closed */
    double closed_per_s;  /* what the closed loop reached; 0 while it is measured */
};

/* NULL, or why a workload of a map has no open loop. */
static const char *no_open_loop(const struct map_unit *unit, const struct workload *workload) {
    if (unit->engine) return "no open loop: an engine clocks its loops in a process of its own";
    return workload_has_open(workload) ? NULL : "no open loop: this workload is not a stream of requests";
}

/* One pass only for what fills or empties a map, so that an event's operation index is the number of entries.
 */
static uint64_t operations(const struct cell *cell, const struct workload *workload) {
    return workload_uses_up(workload) || cell->n > LATENCY_OPS_LEAST ? cell->n : LATENCY_OPS_LEAST;
}

/* Runs the workload into m->recorder. False: the bench's `why`. */
static bool record(struct measure *m, struct bench *bench, const struct workload *workload,
                   const struct pass *pass, struct batch *batch) {
    struct recorder *r = m->recorder;
    uint64_t ops = operations(bench->cell, workload);
    double limit_s = (double)option_number(&bench->cell->job->options, OPTION_LIMIT);
    if (pass->offered_per_s > 0) {
        double needs_s = (double)ops / pass->offered_per_s;
        if (needs_s > limit_s)
            return bench_fail(
                bench, "at %.3g operations a second it would take %.0f s, longer than the limit (--limit)",
                pass->offered_per_s, needs_s);
        /* A segment ends within a quarter of a second: only between two can a run be interrupted. */
        double block = pass->offered_per_s * segment_s_most;
        if (block < (double)bench->block) bench->block = block < BLOCK_LEAST ? BLOCK_LEAST : (size_t)block;
    }
    /* Warms the code, the map and, by a whole filling, the memory: pages new to the process would make the
     * first loop to touch them look slow, which is the closed one. */
    if (!bench_batch(bench, workload, workload_uses_up(workload) ? 1 : 4096, BENCH_CLOCK_TICKS, batch))
        return false;
    bench->open = pass->offered_per_s > 0;
    double interval_ticks = bench->open ? 1e9 / pass->offered_per_s / m->clock.ns_per_tick : 0;
    bool ok = true;
    for (int tries = 0; ok && tries < TRIES_MOST; tries++) {
        recorder_reset(r, interval_ticks);
        r->slot_ops = (ops + RECORDER_SLOTS - 1) / RECORDER_SLOTS;
        bench->recorder = r;
        ok = bench_batch(bench, workload, ops, BENCH_CLOCK_TICKS, batch);
        bench->recorder = NULL;
        if (!batch->preempted || batch->wall_ns > try_again_ns || *m->interrupted) break;
    }
    return ok;
}

static double closed_per_s(const struct batch *batch) {
    return batch->ns > 0 ? (double)batch->ops * 1e9 / batch->ns : 0;
}

/* Sets the fields that only an open loop has; null in a closed one. */
static void set_load(json_t *row, const struct measure *m, const struct pass *pass,
                     const struct batch *batch) {
    const struct schedule *s = &m->recorder->schedule;
    bool open = pass->offered_per_s > 0;
    double elapsed = (double)s->elapsed_ticks;
    double achieved =
        open ? (double)m->recorder->op * 1e9 / (elapsed * m->clock.ns_per_tick) : closed_per_s(batch);
    bool overload = open && achieved < pass->offered_per_s * keeps_up_share;
    row_set(row, "achieved_per_s", json_number_or_null(achieved));
    row_set(row, "closed_per_s", json_number_or_null(open ? pass->closed_per_s : achieved));
    row_set(row, "offered_per_s", open ? json_real(pass->offered_per_s) : json_null());
    row_set(row, "utilisation",
            open ? json_number_or_null(1 - (double)s->idle_ticks / elapsed) : json_null());
    row_set(row, "late_share",
            open ? json_number_or_null((double)s->late / (double)m->recorder->op) : json_null());
    row_set(row, "overload", open ? json_boolean(overload) : json_null());
    if (overload) {
        struct why why;
        why_say(&why, "overload: %.3g operations a second arrived, %.3g were done", pass->offered_per_s,
                achieved);
        row_unstable(row, why.text);
    }
}

static json_t *latency_row(struct measure *m, const struct cell *cell, size_t u,
                           const struct workload *workload, struct keys *keys, const struct pass *pass,
                           double *per_s) {
    json_t *row = measure_row("latency", cell, u, workload->name, keys);
    struct recorder *r = m->recorder;
    bool open = pass->rate->kind != RATE_CLOSED;
    const char *no_open = no_open_loop(cell->unit[u], workload);
    double ns = m->clock.ns_per_tick;
    struct bench bench;
    struct batch batch;
    struct cgroup_throttled throttled = measure_throttled(m);
    row_set(row, "loop", json_string(open ? "open" : "closed"));
    row_set(row, "rate", json_string(pass->rate->text));
    row_set(row, "no_open_loop", no_open ? json_string(no_open) : json_null());
    measure_bench(m, &bench, cell, u, keys, rng_derive(option_number(&cell->job->options, OPTION_SEED), 20));
    measure_deadline(&bench);
    bool ok = open && no_open ? bench_fail(&bench, "%s", no_open)
              : open && !(pass->offered_per_s > 0)
                  ? bench_fail(&bench, "no rate: the closed loop was not measured")
                  : record(m, &bench, workload, pass, &batch);
    if (ok) {
        *per_s = closed_per_s(&batch);
        set_load(row, m, pass, &batch);
        json_t *latency = histogram_json(&r->hist, ns);
        row_set(latency, "timer_cost_ns", json_real(m->clock.ticks_empty_ns));
        row_set(latency, "timer_step_ns", json_real(m->clock.ticks_step_ns));
        row_set(row, "growth_events", events_json(r, ns));
        row_set(row, "growth_events_total", json_integer((json_int_t)r->n_events));
        if (workload_fills(workload) && !cell->unit[u]->engine)
            row_set(row, "timeline", timeline_json(r, ns));
        row_set(latency, "empty", cell->unit[u]->engine ? json_null() : empty_json(r, ns));
        row_set(row, "latency", latency);
        if (batch.preempted)
            row_unstable(row, "preempted while recording: the largest values may be the scheduler's");
        measure_mark_throttled(m, row, throttled);
    } else {
        row_error(row, bench.why);
        measure_failed(m, &bench);
    }
    bench_end(&bench);
    return row;
}

/* Each map's closed loop, which open rates are shares of; its rows are kept if they are asked for, or say why
 * there is no rate. False: interrupted. */
static bool closed_rows(struct measure *m, const struct cell *cell, const struct workload *workload, size_t w,
                        struct keys *keys, const struct rate *asked, double *per_s, json_t *rows) {
    static const struct rate closed = {RATE_CLOSED, 0, "closed"};
    for (size_t u = 0; u < cell->units; u++) {
        if (*m->interrupted) return false;
        if (!cell->wanted[u][w] || (!asked && no_open_loop(cell->unit[u], workload))) continue;
        struct pass pass = {&closed, 0, 0};
        json_t *row = latency_row(m, cell, u, workload, keys, &pass, &per_s[u]);
        if (asked || !(per_s[u] > 0))
            json_array_append_new(rows, row);
        else
            json_decref(row);
    }
    return true;
}

/* The open loop of each map at one rate. A map without one says so in its closed row, or here if it has
 * none. False: interrupted. */
static bool open_rows(struct measure *m, const struct cell *cell, const struct workload *workload, size_t w,
                      struct keys *keys, const struct rate *rate, bool with_closed, const double *per_s,
                      json_t *rows) {
    double slowest = INFINITY, ignored;
    for (size_t u = 0; u < cell->units; u++)
        if (per_s[u] > 0 && per_s[u] < slowest && !no_open_loop(cell->unit[u], workload)) slowest = per_s[u];
    for (size_t u = 0; u < cell->units; u++) {
        if (*m->interrupted) return false;
        bool nothing_open = no_open_loop(cell->unit[u], workload);
        if (!cell->wanted[u][w] || (nothing_open && with_closed) || (!nothing_open && !(per_s[u] > 0)))
            continue;
        struct pass pass = {rate, nothing_open ? 0 : rate_per_s(rate, per_s[u], slowest), per_s[u]};
        json_array_append_new(rows, latency_row(m, cell, u, workload, keys, &pass, &ignored));
    }
    return true;
}

json_t *measure_latency(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    json_t *rows = json_array();
    struct rates rates;
    struct why why;
    const struct rate *closed = NULL;
    bool going = rates_parse(option_text(&cell->job->options, OPTION_RATE), &rates, &why);
    (void)gbench;
    for (size_t i = 0; i < rates.count; i++)
        if (rates.rate[i].kind == RATE_CLOSED) closed = &rates.rate[i];
    for (size_t w = 0; going && w < cell->workloads; w++) {
        const struct workload *workload = cell->workload[w];
        double per_s[CELL_UNITS_MAX] = {0};
        if (!workload_has_latency(workload)) continue;
        going = closed_rows(m, cell, workload, w, keys, closed, per_s, rows);
        for (size_t i = 0; going && i < rates.count; i++)
            if (rates.rate[i].kind != RATE_CLOSED)
                going = open_rows(m, cell, workload, w, keys, &rates.rate[i], closed, per_s, rows);
    }
    return going ? rows : (json_decref(rows), NULL);
}
