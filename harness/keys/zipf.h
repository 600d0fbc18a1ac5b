/* Zipf-distributed ranks: rank k in [1, n] is drawn with probability proportional to k^-theta. */
#ifndef MAPBENCH_ZIPF_H
#define MAPBENCH_ZIPF_H

#include <stdint.h>

struct zipf {
    double n, theta;
    double area_low, area_high; /* the range of the area under the hat that is drawn from */
    double squeeze;             /* a rank at most so far above its x needs no evaluation of the hat */
};

/* n >= 1, 0 < theta <= 5. */
struct zipf zipf_make(uint64_t n, double theta);
uint64_t zipf_draw(const struct zipf *z, uint64_t *rng);

#endif
