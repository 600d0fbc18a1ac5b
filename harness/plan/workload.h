/* The workloads: what `--workloads` names. A workload prepares a map, runs one measured loop on it in blocks,
 * and knows what the loop must return. */
#ifndef MAPBENCH_WORKLOAD_H
#define MAPBENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/unit/map.h"

enum workload_kind {
#define KIND(kind, loop, function, segment, traits) WORKLOAD_##kind,
#include "harness/plan/kinds.def"
#undef KIND
};

struct workload {
    const char *name;
    enum workload_kind kind;
    unsigned hit_percent; /* lookups: share of present keys */
    const char *summary;
    size_t number;   /* of the line in workloads.def: seeds its random streams */
    const char *map; /* NULL, or the map that it walks: behind the colon of the name */
};

size_t workload_count(void);
const struct workload *workload_at(size_t i);
/* Of WORKLOAD:MAP too, which has its place behind those of workloads.def from then on; whether there is such
 * a map is not looked at. NULL: there is no such workload. */
const struct workload *workload_find(const char *name);

/* The loop that the workload's segments run, and what the table of loops calls it. */
struct workload_loop {
    const char *name;
    run_fn *run;
};
struct workload_loop workload_loop(const struct map_unit *unit, const struct workload *workload);

/* The traits of its kind; kinds.def says what they mean. */
bool workload_follows_skew(const struct workload *workload);
bool workload_keeps_keys(const struct workload *workload);
bool workload_has_latency(const struct workload *workload);
bool workload_has_open(const struct workload *workload);
bool workload_fills(const struct workload *workload);
bool workload_uses_up(const struct workload *workload);
/* False for those that only units compiled into this program can run. */
bool workload_of_engines(const struct workload *workload);
bool workload_has_budget(const struct workload *workload);
bool workload_takes_map(const struct workload *workload);
/* True for those that use the map up, too. */
bool workload_in_passes(const struct workload *workload);
/* Keys it needs beyond the n of the map: misses and newcomers. */
size_t workload_extra_keys(const struct workload *workload, size_t n);

#endif
