/* The keys that are integers, for a key_*.h that says of how many bits: SHAPE_KEY_BITS and map_key. */
#ifndef MAPBENCH_SHAPES_KEY_INT_H
#define MAPBENCH_SHAPES_KEY_INT_H

#include <stdbool.h>

#include "harness/shapes/hash.h"

#define SHAPE_KEY_INT 1

static inline uint64_t key_hash(map_key key) {
    return hash_u64(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}
#define SHAPE_KEY_FROM_BITS SHAPE_KEY_BITS
static inline map_key key_from(uint64_t number, void *room) {
    return ((void)room, (map_key)number);
}
/* A word that a scan adds up. */
static inline uint64_t key_word(map_key key) {
    return key;
}

#endif
