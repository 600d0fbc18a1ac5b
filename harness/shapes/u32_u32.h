/* Shape u32_u32: 32-bit integer keys and values. */
#include "harness/shapes/hash.h"

#define SHAPE_NAME "u32_u32"
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 32
#define SHAPE_VAL_WORD 1 /* the value fits one machine word */

typedef uint32_t map_key;
typedef uint32_t map_val;

static inline uint64_t key_hash(map_key key) {
    return hash_u64(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}
/* What a scan adds up of a key. */
static inline uint64_t key_word(map_key key) {
    return key;
}
/* A value made from a number, and what a loop adds up of a value it reads. */
static inline map_val val_make(uint64_t number) {
    return (map_val)number;
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
