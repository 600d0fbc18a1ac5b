/* Offered loads: what `--rate` names. */
#ifndef MAPBENCH_RATE_H
#define MAPBENCH_RATE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

enum rate_kind {
    RATE_CLOSED,   /* the next operation when the last has ended: no rate at all */
    RATE_SHARE,    /* a share of the map's own closed-loop throughput */
    RATE_SAME,     /* a share of the slowest map's, the same number for all maps */
    RATE_ABSOLUTE, /* operations per second */
};

enum { RATES_MAX = 8, RATE_TEXT_MAX = 32 };

struct rate {
    enum rate_kind kind;
    double value;             /* share (0.5) or operations per second; 0 when closed */
    char text[RATE_TEXT_MAX]; /* as given */
};

struct rates {
    size_t count;
    struct rate rate[RATES_MAX];
};

/* Parses a list of: closed, 50%, same:50%, 250k/s, 2m/s (k: 1,000; m: 1,000,000). False: `why` says which
 * item is wrong. */
bool rates_parse(const char *list, struct rates *out, struct why *why);
/* Operations per second, given the closed-loop throughput of the map and of the slowest map; 0 when closed.
 */
double rate_per_s(const struct rate *rate, double own_per_s, double slowest_per_s);

#endif
