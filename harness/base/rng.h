/* A seeded random stream (splitmix64, Steele, Lea and Flood 2014): small, fast, the same on every machine. */
#ifndef MAPBENCH_RNG_H
#define MAPBENCH_RNG_H

#include <stdint.h>

/* The splitmix64 finaliser: a bijection on 64-bit numbers. */
static inline uint64_t rng_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t rng_next(uint64_t *state) {
    return rng_mix(*state += 0x9e3779b97f4a7c15u);
}

/* Uniform in [0, bound), bound > 0; Lemire's multiplication, whose bias is below bound / 2^64. */
static inline uint64_t rng_below(uint64_t *state, uint64_t bound) {
    return (uint64_t)(((unsigned __int128)rng_next(state) * bound) >> 64);
}

/* Uniform in [0, 1). */
static inline double rng_unit(uint64_t *state) {
    return (double)(rng_next(state) >> 11) * 0x1p-53;
}

/* A stream of its own for a purpose, from the run's seed. */
static inline uint64_t rng_derive(uint64_t seed, uint64_t purpose) {
    return rng_mix(seed ^ rng_mix(purpose + 0x9e3779b97f4a7c15u));
}

#endif
