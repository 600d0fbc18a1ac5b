#include "harness/keys/permute.h"

#include "harness/base/rng.h"

/* Short halves mix little a round; tests/test_keys.c checks what these numbers of rounds are good for. */
enum { FEW_BITS = 16, ROUNDS = 6, ROUNDS_OF_FEW_BITS = 8 };

struct permute permute_make(uint64_t n, uint64_t seed) {
    unsigned bits = n > 4 ? 64 - (unsigned)__builtin_clzll(n - 1) : 2;
    return (struct permute){.n = n,
                            .seed = rng_mix(seed),
                            .low_bits = bits / 2,
                            .high_bits = bits - bits / 2,
                            .rounds = bits < FEW_BITS ? ROUNDS_OF_FEW_BITS : ROUNDS};
}

/* `bits` <= 32 pseudo-random bits that depend on all of x: the upper bits of splitmix64's finaliser, without
 * the steps that do not reach them. */
static inline uint64_t round_bits(uint64_t x, uint64_t key, unsigned bits) {
    uint64_t h = (x ^ key) * 0xbf58476d1ce4e5b9u;
    return (h ^ h >> 32) * 0x94d049bb133111ebu >> (64 - bits);
}

/* The halves may differ by one bit: each round changes one of them by a function of the other, which can be
 * undone whatever their widths. */
uint64_t permute_at(const struct permute *p, uint64_t i) {
    const uint64_t key_step = 0x9e3779b97f4a7c15u; /* splitmix64's: any odd number with no pattern would do */
    do {
        uint64_t low = i & (((uint64_t)1 << p->low_bits) - 1), high = i >> p->low_bits, key = p->seed;
        for (unsigned r = 0; r < p->rounds; r += 2) {
            low ^= round_bits(high, key += key_step, p->low_bits);
            high ^= round_bits(low, key += key_step, p->high_bits);
        }
        i = high << p->low_bits | low;
    } while (i >= p->n);
    return i;
}
