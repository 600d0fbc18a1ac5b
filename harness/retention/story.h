/* A case under way, in its child process. story.c implements what scenarios call (retention.h). */
#ifndef MAPBENCH_RETENTION_STORY_H
#define MAPBENCH_RETENTION_STORY_H

#include <stdio.h>

#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/memory/memstat.h"
#include "harness/retention/case_plan.h"
#include "harness/retention/retainers.h"

struct retention {
    const struct case_plan *plan;
    FILE *out;              /* where lines go */
    json_t *extra, *events; /* of the next line */
    bool based;             /* the checkpoint "base" is written: differences are from its values */
    uint64_t collections;   /* of the heap, when the last line was written */
    struct memstat memstat;
    bool resident_known;
    uint64_t resident_base;
    /* State of one heap each, for heap_lines.c. */
    struct gosim *gosim; /* NULL: on another heap */
    struct gosim_stats gosim_base;
    struct boehm_live boehm_base;
    struct compared_snapshots compared;
};

/* Opens the heap of the plan. False: a line says why. */
bool story_open(struct retention *r, const struct case_plan *plan, FILE *out);
/* Runs the scenario of the plan. False: it failed, and a line says why. */
bool story_run(struct retention *r);
/* Finishes the snapshots and the output; the process ends next, so the heap is left as it is. */
void story_close(struct retention *r);

#endif
