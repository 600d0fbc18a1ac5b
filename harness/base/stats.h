/* The few statistics that stand in result rows. Everything that compares (tests, corrections, change points)
 * is done in plots/ with scipy on the raw samples. */
#ifndef MAPBENCH_STATS_H
#define MAPBENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>

/* The median; 0 for no values. Leaves the array in its order. */
double stats_median(const double *values, size_t count);

/* The 95 % confidence interval of the centre of `count` positive values, one per independent round: Student's
 * t on their logarithms. False with fewer than two values, or when one of them is not positive. */
bool stats_interval95(const double *values, size_t count, double *low, double *high);

/* The 0.975 quantile of Student's t distribution. */
double stats_t975(size_t degrees_of_freedom);

#endif
