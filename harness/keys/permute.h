/* A seeded random permutation of [0, n) that is computed, not stored. */
#ifndef MAPBENCH_PERMUTE_H
#define MAPBENCH_PERMUTE_H

#include <stdint.h>

struct permute {
    uint64_t n, seed;
    unsigned low_bits, high_bits; /* of the two halves a number is split into */
    unsigned rounds;              /* even */
};

/* n >= 1. */
struct permute permute_make(uint64_t n, uint64_t seed);
/* The image of i < n. A Feistel network over the next power of two (at least 4), walked until it falls below
 * n: fewer than two steps on average, unless n < 3. Good for orders of access: for tiny n some orders are
 * likelier than others, though every one occurs. */
uint64_t permute_at(const struct permute *p, uint64_t i);

#endif
