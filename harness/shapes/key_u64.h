/* The keys of shapes u64_*: 64-bit integers. */
#ifndef MAPBENCH_SHAPES_KEY_U64_H
#define MAPBENCH_SHAPES_KEY_U64_H

#include "harness/shapes/hash.h"

#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64

typedef uint64_t map_key;

static inline uint64_t key_hash(map_key key) {
    return hash_u64(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}
/* A word that a scan adds up. */
static inline uint64_t key_word(map_key key) {
    return key;
}

#endif
