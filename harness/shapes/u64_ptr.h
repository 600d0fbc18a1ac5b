/* Shape u64_ptr: 64-bit integers to pointers. */
#include "harness/shapes/hash.h"

#define SHAPE_NAME "u64_ptr"
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
#define SHAPE_VAL_POINTERS(POINTER, base) POINTER("value", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 1

typedef uint64_t map_key;
typedef void *map_val;

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
    return (map_val)(uintptr_t)number;
}
static inline uint64_t val_word(const map_val *val) {
    return (uintptr_t)*val;
}
