/* The run command: measures a plan and leaves a run folder. */
#ifndef MAPBENCH_RUN_H
#define MAPBENCH_RUN_H

#include "harness/plan/options.h"

/* profile: name or path, NULL for a selection (or, without options, for the quick profile). command: the
 * command line as typed, for the results. */
int run_command(const char *profile, const struct option_values *options, const char *command);

#endif
