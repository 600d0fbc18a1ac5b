/* A case, run in a child process that writes a line per checkpoint. */
#ifndef MAPBENCH_RETENTION_CASE_H
#define MAPBENCH_RETENTION_CASE_H

#include "harness/retention/case_plan.h"

/* Runs it and appends its lines to `lines`. A case that fails leaves what it wrote and a last line with an
 * "error". False: it failed. */
bool case_run(const struct case_plan *plan, json_t *lines);

#endif
