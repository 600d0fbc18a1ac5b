/* A log-linear histogram of durations, after HdrHistogram: 32 buckets per power of two, so a value is known
 * to 3.1 %. Values up to 2^40 - 1 are counted; larger ones are counted as `above`, never clamped into the
 * last bucket. */
#ifndef MAPBENCH_HIST_H
#define MAPBENCH_HIST_H

#include <stdbool.h>
#include <stdint.h>

enum {
    HIST_SUB_BITS = 5,
    HIST_MAX_BITS = 40,
    HIST_BUCKETS = (HIST_MAX_BITS - HIST_SUB_BITS + 1) << HIST_SUB_BITS
};

struct hist {
    uint64_t count[HIST_BUCKETS];
    uint64_t total; /* values added, those above the range included */
    uint64_t above; /* values of 2^HIST_MAX_BITS and more */
    uint64_t max;   /* largest value added, exact */
};

static inline unsigned hist_bucket(uint64_t value) {
    if (value < (1u << HIST_SUB_BITS)) return (unsigned)value;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
    return (exponent << HIST_SUB_BITS) + (unsigned)(value >> exponent);
}

static inline void hist_add(struct hist *h, uint64_t value) {
    if (value >> HIST_MAX_BITS)
        h->above++;
    else
        h->count[hist_bucket(value)]++;
    h->total++;
    if (value > h->max) h->max = value;
}

void hist_clear(struct hist *h);
/* Adds what `from` holds to `into`. */
void hist_merge(struct hist *into, const struct hist *from);
/* The smallest value that falls into a bucket, and the first one past it. */
uint64_t hist_bucket_low(unsigned bucket);
uint64_t hist_bucket_high(unsigned bucket);
/* The value at or below which a share (0..1) of all values lie: the upper edge of its bucket, never above
 * `max`. 0 for an empty histogram. */
uint64_t hist_quantile(const struct hist *h, double share);

#endif
