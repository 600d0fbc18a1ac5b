/* The plan of a run: the jobs expanded into cells.
 *
 * A CELL is one (shape, key stream, n, hash, heap) of a job, with the units and workloads measured in it.
 * Units are interleaved within a cell, so a cell is the unit of comparison, of sharding and of resuming.
 */
#ifndef MAPBENCH_PLAN_H
#define MAPBENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/plan/job.h"
#include "harness/unit/map.h"
#include "harness/machine/memory_left.h"
#include "harness/shapes/shape.h"
#include "harness/plan/workload.h"

enum { CELL_UNITS_MAX = 64, CELL_WORKLOADS_MAX = 64 };

enum recorder_kind {
    RECORD_TIME = 1 << 0,
    RECORD_LATENCY = 1 << 1,
    RECORD_MEMORY = 1 << 2,
    RECORD_COUNTERS = 1 << 3,
    RECORD_STRUCTURE = 1 << 4,
    RECORD_SCALING = 1 << 5,
};

struct cell {
    const struct job *job;
    const struct shape *shape;
    char *keys; /* spec as given */
    const char *hash, *heap;
    size_t n;
    unsigned record; /* enum recorder_kind, or-ed */
    bool scale_all;  /* --record scaling: of all workloads, not only those that have a budget */
    size_t units;
    const struct map_unit *unit[CELL_UNITS_MAX]; /* the baseline first */
    size_t workloads;
    const struct workload *workload[CELL_WORKLOADS_MAX];
    bool wanted[CELL_UNITS_MAX][CELL_WORKLOADS_MAX]; /* what --filter leaves; the baseline always */
    char *id; /* names the cell in messages, progress and for resuming */
};

/* Something asked for that cannot be measured, and why. */
struct plan_skip {
    char *what, *why;
};

struct plan {
    size_t cells, skips;
    bool missing; /* something would be measured if what is unavailable here were there */
    struct cell *cell;
    struct plan_skip *skip;
};

/* Expands a profile. NULL: bad input, `why` in one line. A plan without cells is not an error here. */
struct plan *plan_make(const struct profile *profile, struct why *why);
void plan_free(struct plan *plan);

/* Builds and loads the units of all cells. Those that cannot be had leave their cells and are added to what
 * is skipped; returns how many. */
size_t plan_prepare(struct plan *plan);

/* The unit of the map that a workload walks: the one named, or the unit's own. NULL: there is none. */
const struct map_unit *cell_walked(const struct cell *cell, const struct map_unit *unit,
                                   const struct workload *workload);

/* Rough figures for one cell: bytes the process needs at its peak, and seconds to measure all of it. */
uint64_t cell_bytes_estimate(const struct cell *cell);
double cell_seconds_estimate(const struct cell *cell);

/* Prints the expanded matrix, the skips and the estimates. */
void plan_print(const struct plan *plan);
/* The same for programs: {"cells": [one object per map and workload], "skipped": [..]}. */
void plan_print_json(const struct plan *plan);

/* False when so many of a cell at once do not fit into what memory is left: `why` as of plan_fits_memory. */
bool cell_fits_memory(const struct cell *cell, unsigned at_once, const struct memory_left *left,
                      struct why *why);
/* False when a cell does not fit into what memory is left: `why` gives the estimate and the limit. */
bool plan_fits_memory(const struct plan *plan, const struct memory_left *left, struct why *why);

/* Prints what is skipped and why to stderr. */
void plan_print_skips(const struct plan *plan);
/* Complains of what does not fit into memory: bad input where the machine itself is too small, and a machine
 * that cannot where a limit was set on it. EXIT_OK: all fits. */
int plan_complain_of_memory(const struct plan *plan);
/* Says that a plan is empty, and why; returns the exit code: 4 where packages are missing, otherwise 6. */
int plan_nothing(const struct plan *plan);
/* The command: prints what run would measure, for people or as JSON. profile: name or path; NULL as for run.
 * Returns the exit code. */
int plan_command(const char *profile, const struct option_values *options, bool json);

#endif
