/* Measures how noisy this machine is for the time recorder: one map's lookups against themselves.
 *
 * Batches of about 1 ms of CPU time of a small map's get follow each other in one process, on the clock and
 * with the checks of a time row. They are called A and B in turn though they are the same: every difference
 * between them is noise. Each batch is compared with the mean of its two neighbours, which takes slow drift
 * out.
 */
#ifndef MAPBENCH_NOISE_H
#define MAPBENCH_NOISE_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

struct noise {
    double seconds; /* of wall time */
    size_t batches; /* measured, of which `used` were neither preempted nor next to one that was */
    size_t used;
    double batch_us;        /* median CPU time of a batch */
    double ns_per_op;       /* median */
    double sd_percent;      /* of the log ratios of a batch to its neighbours */
    double preempted_share; /* of the batches */
    double cpu_per_wall;    /* 1: had a processor all the time */
    double aa_percent;      /* the null: B against A over the whole stretch; 0 is right */
    double floor_percent;   /* 99 % of rounds of NOISE_ROUND batches of A/A lie within +- this; NAN: too few
                               rounds */
    size_t rounds;
    long steal_ticks; /* hundredths of a second taken by a hypervisor meanwhile; -1: unknown */
};
enum { NOISE_ROUND = 20, NOISE_ROUNDS_LEAST = 5 };

/* Measures for so long, or until *stop is not zero (stop may be NULL). False: the time recorder does not work
 * here; `why` says what failed in one line. */
bool noise_measure(double seconds, const volatile sig_atomic_t *stop, struct noise *out, struct why *why);
/* The statistics alone: ns per operation of batches in order, even ones A and odd ones B. Fills batches,
 * used, sd_percent, preempted_share, aa_percent, rounds and floor_percent. */
void noise_judge(const double *ns_per_op, const bool *preempted, size_t batches, struct noise *out);

/* The "noise" object of doctor's record. New reference. */
json_t *noise_json(const struct noise *noise);

#endif
