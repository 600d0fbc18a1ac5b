/* The parts of the run command: run.c decides what is measured and where to, steps.c measures it step
 * by step, complete.c makes a finished run's folder of the rows. Only they include this.
 */
#ifndef MAPBENCH_RUN_PARTS_H
#define MAPBENCH_RUN_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/measure/measure.h"
#include "harness/plan/plan.h"
#include "harness/run/progress.h"
#include "harness/run/folder.h"
#include "harness/run/warnings.h"

struct run {
    struct profile *profile;
    struct plan *plan;
    struct runfolder folder;
    struct measure measure;
    struct progress progress;
    struct warnings warnings;
    json_t *info;
    uint64_t begin_ns;
    double earlier_s; /* measured before an interruption */
    struct why why;
};

/* --- steps.c --- */

/* The work of the whole plan, in seconds. */
double run_seconds_estimate(const struct plan *plan);
/* Clock, buffers, counters and, with --perf, perf itself. False: `why`; run_close_measure is due in any case.
 */
bool run_open_measure(struct run *run, const volatile sig_atomic_t *interrupted);
/* Ends perf, which then writes its files: what is missing of them is a warning. */
void run_finish_perf(struct run *run);
void run_close_measure(struct run *run);

enum step_result { STEP_OK, STEP_INTERRUPTED, STEP_DISK, STEP_KEYS };

/* Every recorder in every cell that is not done yet. Anything but STEP_OK: `why`. */
enum step_result run_cells(struct run *run);

/* --- complete.c --- */

/* Puts what was noticed during the run into its record. */
void run_collect_warnings(struct run *run);
/* Writes run.json and what follows from the rows, draws, renames. The exit code. */
int run_complete(struct run *run);

#endif
