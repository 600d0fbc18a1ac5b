/* The keys of shapes f64_*: 64-bit floating point, equal as the language has it: both zeros are one key, and
 * a NaN is no key at all: it is not equal to itself, so that no lookup finds it. */
#ifndef MAPBENCH_SHAPES_KEY_F64_H
#define MAPBENCH_SHAPES_KEY_F64_H

#include <stdbool.h>

#include "harness/shapes/hash.h"

#define SHAPE_KEY_FLOAT 1

typedef double map_key;

static inline uint64_t key_word(map_key key) {
    uint64_t bits;
    memcpy(&bits, &key, sizeof bits);
    return bits;
}
/* Integers of 32 bits, all of which a double holds. */
#define SHAPE_KEY_FROM_BITS 32
static inline map_key key_from(uint64_t number, void *room) {
    return ((void)room, (map_key)(uint32_t)number);
}
/* Of a NaN by its bits, where Go draws a number: what keeps no hash must find it again to move it. */
static inline uint64_t key_hash(map_key key) {
    return hash_u64(key == 0 ? 0 : key_word(key));
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}

#endif
