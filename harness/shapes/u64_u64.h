/* Shape u64_u64: 64-bit integer keys and values. */
#include "harness/shapes/key_u64.h"

#define SHAPE_NAME "u64_u64"
#define SHAPE_VAL_WORD 1 /* the value fits one machine word */

typedef uint64_t map_val;

/* A value made from a number, and what a loop adds up of a value it reads. */
static inline map_val val_make(uint64_t number) {
    return number;
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
