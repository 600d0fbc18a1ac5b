/* The keys of shapes any_*: interface values. */
#ifndef MAPBENCH_SHAPES_KEY_ANY_H
#define MAPBENCH_SHAPES_KEY_ANY_H

#include "harness/shapes/any.h"

#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", (base) + offsetof(struct any, data))
#define SHAPE_HAS_POINTERS 1
#define SHAPE_KEY_ANY 1

typedef struct any map_key;

static inline uint64_t key_hash(map_key key) {
    return any_hash(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return any_equal(a, b);
}
/* Of a boxed number the number, otherwise the address. */
static inline uint64_t key_word(map_key key) {
    uint64_t word = (uintptr_t)key.data;
    if (key.type->bytes == sizeof word) memcpy(&word, key.data, sizeof word);
    return word;
}
/* Boxed 64-bit integers, as Go boxes all above 255. */
#define SHAPE_KEY_FROM_BITS 64
#define SHAPE_KEY_ROOM 8
static inline map_key key_from(uint64_t number, void *room) {
    static const struct any_type type_uint64 = {"uint64", sizeof number, false};
    memcpy(room, &number, sizeof number);
    return (map_key){&type_uint64, room};
}

#endif
