#include "harness/base/hist.h"

#include <math.h>
#include <string.h>

void hist_clear(struct hist *h) {
    memset(h, 0, sizeof *h);
}

void hist_merge(struct hist *into, const struct hist *from) {
    for (unsigned i = 0; i < HIST_BUCKETS; i++) into->count[i] += from->count[i];
    into->total += from->total;
    into->above += from->above;
    if (from->max > into->max) into->max = from->max;
}

/* Inverse of hist_bucket. Bucket (e + 1) * 32 + s holds the values whose top six bits are 1ssssss.. shifted
 * by e. */
uint64_t hist_bucket_low(unsigned bucket) {
    if (bucket < (2u << HIST_SUB_BITS)) return bucket;
    unsigned exponent = (bucket >> HIST_SUB_BITS) - 1;
    uint64_t mantissa = (1u << HIST_SUB_BITS) + (bucket & ((1u << HIST_SUB_BITS) - 1));
    return mantissa << exponent;
}

uint64_t hist_bucket_high(unsigned bucket) {
    return hist_bucket_low(bucket + 1);
}

uint64_t hist_quantile(const struct hist *h, double share) {
    if (h->total == 0) return 0;
    /* Rounding may lift a whole product by one part in 2^52 (0.07 * 100 is 7.000000000000001): it must not
     * become the next rank. */
    double product = share * (double)h->total;
    uint64_t rank = product > 0 ? (uint64_t)ceil(product * (1 - 0x1p-50)) : 0;
    if (rank == 0) rank = 1;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += h->count[i];
        if (seen >= rank) {
            uint64_t high = hist_bucket_high(i) - 1;
            return high < h->max ? high : h->max;
        }
    }
    return h->max; /* the rank lies among the values above the range */
}
