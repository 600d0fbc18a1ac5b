/* A case, run in a child process that writes a line per checkpoint. */
#ifndef MAPBENCH_RETENTION_CASE_H
#define MAPBENCH_RETENTION_CASE_H

#include <sys/types.h>

#include "harness/base/why.h"
#include "harness/retention/case_plan.h"

struct case_process {
    const struct case_plan *plan;
    pid_t pid; /* -1: it could not be started */
    int fd;    /* of its lines */
    struct why why;
};

/* Starts it; `plan` stays. */
void case_start(struct case_process *process, const struct case_plan *plan);
/* After it has ended, with its status as of waitpid: appends its lines to `lines`. A case that failed leaves
 * what it wrote and a last line with an "error". False: it failed. */
bool case_finish(struct case_process *process, int status, json_t *lines);

#endif
