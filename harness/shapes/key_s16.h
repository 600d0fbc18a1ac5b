/* The keys of shapes s16_*: structs of two words, 16 bytes that are compared as plain memory. */
#ifndef MAPBENCH_SHAPES_KEY_S16_H
#define MAPBENCH_SHAPES_KEY_S16_H

#include <stdbool.h>

#include "harness/shapes/hash.h"

typedef struct s16 {
    uint64_t first, second;
} map_key;

static inline uint64_t key_hash(map_key key) {
    return hash_fold(hash_u64(key.first), key.second ^ HASH_E);
}
static inline bool key_equal(map_key a, map_key b) {
    return a.first == b.first && a.second == b.second;
}
static inline uint64_t key_word(map_key key) {
    return key.first + key.second;
}
/* The second word says no more than the first; it has to be hashed and compared all the same. */
#define SHAPE_KEY_FROM_BITS 64
static inline map_key key_from(uint64_t number, void *room) {
    return ((void)room, (map_key){number, 2 * number});
}

#endif
