/* The keys of shape ptr_bool: pointers, kept as integers and described as pointers. */
#ifndef MAPBENCH_SHAPES_KEY_PTR_H
#define MAPBENCH_SHAPES_KEY_PTR_H

#include "harness/shapes/hash.h"

#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", base)
#define SHAPE_HAS_POINTERS 1

typedef uintptr_t map_key;

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
