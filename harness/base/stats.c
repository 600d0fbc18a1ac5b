#include "harness/base/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double stats_median(const double *values, size_t count) {
    if (count == 0) return 0;
    double *sorted = malloc(count * sizeof *sorted);
    if (!sorted) abort();
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    double median = count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    free(sorted);
    return median;
}

/* Exact to the digits shown for 1 to 10 degrees of freedom; from there the Cornish-Fisher expansion of the
 * normal quantile (Abramowitz and Stegun 26.7.5), which errs by less than 0.0002. */
double stats_t975(size_t df) {
    static const double exact[] = {0,      12.7062, 4.3027, 3.1824, 2.7764, 2.5706,
                                   2.4469, 2.3646,  2.3060, 2.2622, 2.2281};
    const double z = 1.959964, v = (double)df;
    if (df <= 10) return exact[df];
    double z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

bool stats_interval95(const double *values, size_t count, double *low, double *high) {
    double mean = 0, squares = 0;
    if (count < 2) return false;
    for (size_t i = 0; i < count; i++) {
        if (!(values[i] > 0)) return false;
        mean += log(values[i]) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double d = log(values[i]) - mean;
        squares += d * d;
    }
    double half = stats_t975(count - 1) * sqrt(squares / (double)(count - 1) / (double)count);
    *low = exp(mean - half);
    *high = exp(mean + half);
    return true;
}
