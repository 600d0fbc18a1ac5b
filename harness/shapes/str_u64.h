/* Shape str_u64: string keys (pointer and length; the text belongs to the caller and outlives the map),
 * 64-bit values. Lookups use another copy of the text than the one stored, as a program that reads its keys
 * from outside does. */
#include "harness/shapes/key_str.h"

#define SHAPE_NAME "str_u64"
#define SHAPE_VAL_WORD 1

typedef uint64_t map_val;

static inline map_val val_make(uint64_t number) {
    return number;
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
