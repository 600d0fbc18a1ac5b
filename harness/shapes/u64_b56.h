/* Shape u64_b56: 64-bit integer keys, 56-byte values; an entry fills one cache line exactly. */
#include "harness/shapes/key_u64.h"

#define SHAPE_NAME "u64_b56"
#define SHAPE_VAL_WORD 0

typedef struct b56 {
    uint64_t word[7];
} map_val;

static inline map_val val_make(uint64_t number) {
    map_val val = {{number, number + 1, number + 2, number + 3, number + 4, number + 5, number + 6}};
    return val;
}
/* Both ends are read, so that every cache line the value spans is touched. */
static inline uint64_t val_word(const map_val *val) {
    return val->word[0] + val->word[6];
}
