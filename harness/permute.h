/* A seeded random permutation of [0, n) that is computed, not stored. */
#ifndef MAPBENCH_PERMUTE_H
#define MAPBENCH_PERMUTE_H

#include <stdint.h>

struct permute {
    uint64_t n, seed;
    unsigned half_bits; /* of the Feistel network's halves */
};

/* n >= 1. */
struct permute permute_make(uint64_t n, uint64_t seed);
/* The image of i < n. A balanced Feistel network over the next even power of two, walked until it falls below n. */
uint64_t permute_at(const struct permute *p, uint64_t i);

#endif
