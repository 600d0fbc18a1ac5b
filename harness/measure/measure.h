/* The recorders: each measures one cell and returns rows. */
#ifndef MAPBENCH_MEASURE_H
#define MAPBENCH_MEASURE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "harness/bench/bench.h"
#include "harness/machine/cgroup.h"
#include "harness/base/clock.h"
#include "harness/machine/counters.h"
#include "harness/machine/perf.h"
#include "harness/plan/plan.h"

/* The part of a run that recorders need. */
struct measure {
    struct clock_costs clock;
    struct bench_room room;
    struct recorder *recorder;
    struct counters *counters;
    struct cgroup cpu_group;    /* whose quota may stop the process */
    struct perf_session **perf; /* by index of the registry's maps; NULL: perf is off */
    const volatile sig_atomic_t *interrupted;
    bool wrong_result; /* set when a map returned a wrong answer */
    size_t unmeasured; /* cells of the matrix that could not be measured */
};

/* Each returns a new array of rows, or NULL when the run was interrupted. `keys` is the cell's open stream.
 */
typedef json_t *measure_fn(struct measure *measure, const struct cell *cell, struct keys *keys,
                           json_t *gbench);
measure_fn measure_time, measure_latency, measure_counters, measure_memory, measure_structure,
    measure_scaling;

/* --- shared between recorders --- */

/* Grows an engine's map on the bench and sets the fields of a memory row. False: the bench's `why`. */
bool measure_engine_memory(struct bench *bench, bool small, json_t *row);

/* Keeps what maps free in the process. Otherwise the C library gives large blocks back to the kernel:
 * then a map that is built again pays for every page once more (1.4 us each where this was measured), and the
 * growth that frees an old array for its pages, which other allocators, and Go's, do not. What is new to the
 * process still costs its page faults. Memory is measured in processes of their own, which do not come here.
 */
void measure_keep_freed_memory(void);

/* A bench for a unit with the run's clocks, hooks and the job's options. */
void measure_bench(struct measure *measure, struct bench *bench, const struct cell *cell, size_t unit,
                   struct keys *keys, uint64_t seed);
/* Starts the time limit of one workload. */
void measure_deadline(struct bench *bench);
/* What CPU quotas took away so far; zeros where that is unknown. A difference means that what ran in between
 * was stopped, and lost its caches. */
struct cgroup_throttled measure_throttled(const struct measure *measure);
/* Marks a row as unstable if something was taken away since `before`. */
void measure_mark_throttled(const struct measure *measure, json_t *row, struct cgroup_throttled before);
/* Starts the time limit of a workload, or its budget where it has one that is less. */
void measure_budget(struct bench *bench, const struct workload *workload);
/* Notes a failed workload; one beyond its budget is none. */
void measure_failed(struct measure *measure, const struct bench *bench);
json_t *measure_row(const char *kind, const struct cell *cell, size_t unit, const char *workload,
                    const struct keys *keys);

#endif
