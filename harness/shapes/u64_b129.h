/* Shape u64_b129: 64-bit integers to 129 bytes, which Go keeps outside the bucket. */
#include "harness/shapes/hash.h"

#define SHAPE_NAME "u64_b129"
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
#define SHAPE_HAS_POINTERS 0
#define SHAPE_VAL_OUTSIDE 1 /* of a Go map's bucket: above 128 bytes */
#define SHAPE_VAL_WORD 0

typedef uint64_t map_key;
typedef struct b129 {
    uint8_t byte[129];
} map_val;

static inline uint64_t key_hash(map_key key) {
    return hash_u64(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}
static inline uint64_t key_word(map_key key) {
    return key;
}
static inline map_val val_make(uint64_t number) {
    map_val val = {{(uint8_t)number}};
    return val;
}
static inline uint64_t val_word(const map_val *val) {
    return val->byte[0];
}
