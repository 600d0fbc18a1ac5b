/* The keys of shapes any_*: interface values. */
#ifndef MAPBENCH_SHAPES_KEY_ANY_H
#define MAPBENCH_SHAPES_KEY_ANY_H

#include "harness/shapes/any.h"

#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", (base) + offsetof(struct any, data))
#define SHAPE_HAS_POINTERS 1

typedef struct any map_key;

static inline uint64_t key_hash(map_key key) {
    return any_hash(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return any_equal(a, b);
}
static inline uint64_t key_word(map_key key) {
    return (uintptr_t)key.data;
}

#endif
