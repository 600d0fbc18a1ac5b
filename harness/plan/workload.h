/* The workloads: what `--workloads` names. A workload prepares a map, runs one measured loop on it in blocks,
 * and knows what the loop must return. */
#ifndef MAPBENCH_WORKLOAD_H
#define MAPBENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/unit/map.h"

enum workload_kind {
    WORKLOAD_PUT,
    WORKLOAD_OVERWRITE,
    WORKLOAD_GET,
    WORKLOAD_GET_CHAIN,
    WORKLOAD_GET_CALL,
    WORKLOAD_GET_COLD,
    WORKLOAD_DEL,
    WORKLOAD_CHURN,
    WORKLOAD_MIXED,
    WORKLOAD_SCAN,
    WORKLOAD_CLEAR,
    WORKLOAD_COPY,
    WORKLOAD_SMALL_PUT,
    WORKLOAD_SMALL_GET,
};

struct workload {
    const char *name;
    enum workload_kind kind;
    unsigned hit_percent; /* lookups: share of present keys */
    const char *summary;
};

size_t workload_count(void);
const struct workload *workload_at(size_t i);
const struct workload *workload_find(const char *name);

/* The loop that the workload's segments run, and what the table of loops calls it. */
struct workload_loop {
    const char *name;
    run_fn *run;
};
struct workload_loop workload_loop(const struct map_unit *unit, const struct workload *workload);

/* True when the workload touches keys one by one as a program would, so that a skewed key stream means
 * something. */
bool workload_follows_skew(const struct workload *workload);
/* True when the workload has a per-operation (timed) loop. */
bool workload_has_latency(const struct workload *workload);
/* True when the workload fills, empties or copies whole maps: its batches are whole passes over n entries. */
bool workload_uses_up(const struct workload *workload);
/* True when it has an open loop, whose operations arrive at a fixed rate. */
bool workload_has_open(const struct workload *workload);
/* Keys it needs beyond the n of the map: misses and newcomers. */
size_t workload_extra_keys(const struct workload *workload, size_t n);

#endif
