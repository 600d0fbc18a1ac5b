/* Shape u64_b128: 64-bit integers to 128 bytes, the most that Go keeps inline. */
#include "harness/shapes/key_u64.h"

#define SHAPE_NAME "u64_b128"
#define SHAPE_HAS_POINTERS 0
#define SHAPE_VAL_WORD 0

typedef struct b128 {
    uint8_t byte[128];
} map_val;

static inline map_val val_make(uint64_t number) {
    map_val val = {{(uint8_t)number}};
    return val;
}
static inline uint64_t val_word(const map_val *val) {
    return val->byte[0];
}
