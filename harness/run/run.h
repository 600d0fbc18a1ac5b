/* The run command: measures a plan and leaves a run folder. */
#ifndef MAPBENCH_RUN_H
#define MAPBENCH_RUN_H

#include "harness/plan/options.h"

/* Exit codes of every command (README). */
enum exit_code {
    EXIT_OK = 0,
    EXIT_CHECK_FAILED = 1,  /* a wrong result, a broken invariant */
    EXIT_USAGE = 2,         /* bad input */
    EXIT_REGRESSION = 3,    /* a regression is confirmed */
    EXIT_CANNOT = 4,        /* a part is missing, or something could not be measured or written */
    EXIT_UNTRUSTWORTHY = 5, /* measured, but not to be trusted */
    EXIT_NOTHING = 6,       /* nothing matched */
    EXIT_INTERRUPTED = 130, /* stopped by a signal; what was measured is kept and can be resumed */
};

/* profile: name or path, NULL for a selection (or, without options, for the quick profile). command: the
 * command line as typed, for the results. */
int run_command(const char *profile, const struct option_values *options, const char *command);
/* Prints what run would measure, for people or as JSON. */
int plan_command(const char *profile, const struct option_values *options, bool json);

#endif
