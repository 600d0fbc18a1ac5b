/* Shape u64_b129: 64-bit integers to 129 bytes, which Go keeps outside the bucket. */
#include "harness/shapes/key_u64.h"

#define SHAPE_NAME "u64_b129"
#define SHAPE_HAS_POINTERS 0
#define SHAPE_VAL_OUTSIDE 1 /* of a Go map's bucket: above 128 bytes */
#define SHAPE_VAL_WORD 0

typedef struct b129 {
    uint8_t byte[129];
} map_val;

static inline map_val val_make(uint64_t number) {
    map_val val = {{(uint8_t)number}};
    return val;
}
static inline uint64_t val_word(const map_val *val) {
    return val->byte[0];
}
