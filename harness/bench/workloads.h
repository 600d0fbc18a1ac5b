/* The functions behind the kinds of workloads (plan/kinds.def). */
#ifndef MAPBENCH_BENCH_WORKLOADS_H
#define MAPBENCH_BENCH_WORKLOADS_H

#include "harness/bench/ground.h"

/* entries.c */
bench_workload_fn bench_put, bench_put_sized, bench_overwrite, bench_get, bench_get_cold, bench_del,
    bench_churn, bench_churn_age, bench_churn_sized, bench_churn_walk, bench_scan;
/* cliffs.c */
bench_workload_fn bench_put_walk, bench_del_walk, bench_drain, bench_scan_sparse, bench_clear_sparse;
/* memory.c */
bench_workload_fn bench_reserve_few, bench_copy_put, bench_fork_touch;
/* mixed.c */
bench_workload_fn bench_mixed;
/* whole_maps.c */
bench_workload_fn bench_clear, bench_copy, bench_small_put, bench_small_get;

enum { BENCH_STRIP = 1024 }; /* operations of a segment where each may take as long as a scan */

/* Returns the operations that a segment of the mixed workload holds at most. */
uint64_t bench_mixed_most(const struct bench *bench);

#endif
