/* The exit codes of every command (README), and the line that goes with one. */
#ifndef MAPBENCH_BASE_EXIT_H
#define MAPBENCH_BASE_EXIT_H

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

/* Prints "mapbench: WHY" to stderr; returns the code. */
int complain(int code, const char *why);

#endif
