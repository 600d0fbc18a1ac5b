/* The keys of shapes str_*: strings, equal when their bytes are. */
#ifndef MAPBENCH_SHAPES_KEY_STR_H
#define MAPBENCH_SHAPES_KEY_STR_H

#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

#define SHAPE_KEY_STR 1

typedef struct str map_key;

static inline uint64_t key_hash(map_key key) {
    return hash_bytes(key.text, key.len);
}
static inline bool key_equal(map_key a, map_key b) {
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}
static inline uint64_t key_word(map_key key) {
    return key.len;
}

#endif
