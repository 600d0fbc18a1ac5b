#include "harness/measure/measure.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/engines/engine.h"
#include "harness/plan/registry.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"
#include "harness/measure/row.h"

static void start_perf(void *session) {
    perf_enable(session);
}

static void stop_perf(void *session) {
    perf_disable(session);
}

void measure_keep_freed_memory(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
#endif
}

void measure_bench(struct measure *m, struct bench *b, const struct cell *cell, size_t unit,
                   struct keys *keys, uint64_t seed) {
    measure_keep_freed_memory();
    bench_init(b, cell, cell->unit[unit], keys, &m->room, seed);
    b->ns_per_tick = m->clock.ns_per_tick;
    b->insertion_order = strcmp(option_text(&cell->job->options, OPTION_ORDER), "insertion") == 0;
    if (!m->perf) return;
    for (size_t i = 0; i < registry_map_count(); i++)
        if (strcmp(registry_map_name(i), cell->unit[unit]->map) == 0 && m->perf[i])
            b->hooks = (struct bench_hooks){start_perf, stop_perf, m->perf[i]};
}

void measure_deadline(struct bench *b) {
    double limit_s = (double)option_number(&b->cell->job->options, OPTION_LIMIT);
    b->deadline = deadline_in(limit_s, clock_read_ns(CLOCK_PROCESS_CPUTIME_ID));
    if (b->unit->engine) engine_set_limit(b->unit->engine, limit_s);
}

void measure_budget(struct bench *b, const struct workload *workload) {
    double budget_s = strtod(option_text(&b->cell->job->options, OPTION_BUDGET), NULL);
    measure_deadline(b);
    b->deadline_option = OPTION_LIMIT;
    if (!workload_has_budget(workload) ||
        budget_s >= (double)option_number(&b->cell->job->options, OPTION_LIMIT))
        return;
    b->deadline = deadline_in(budget_s, clock_read_ns(CLOCK_PROCESS_CPUTIME_ID));
    b->deadline_option = OPTION_BUDGET;
}

struct cgroup_throttled measure_throttled(const struct measure *m) {
    struct cgroup_throttled now;
    return cgroup_throttled(&m->cpu_group, &now, NULL) ? now : (struct cgroup_throttled){0};
}

void measure_mark_throttled(const struct measure *m, json_t *row, struct cgroup_throttled before) {
    struct cgroup_throttled now = measure_throttled(m);
    struct why why;
    if (now.times <= before.times && now.us <= before.us) return;
    why_say(&why, "stopped by a control group's CPU quota: %llu times, %.2f s",
            (unsigned long long)(now.times - before.times), (double)(now.us - before.us) * 1e-6);
    row_unstable(row, why.text);
}

void measure_failed(struct measure *m, const struct bench *b) {
    m->wrong_result |= b->wrong_result;
    m->unmeasured += !(b->late && b->deadline_option == OPTION_BUDGET);
}

json_t *measure_row(const char *kind, const struct cell *cell, size_t unit, const char *workload,
                    const struct keys *keys) {
    return row_new(kind, cell, cell->unit[unit], workload, keys_facts(keys)->name);
}
