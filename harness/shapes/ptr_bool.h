/* Shape ptr_bool: pointers to a flag. */
#include "harness/shapes/hash.h"

#define SHAPE_NAME "ptr_bool"
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 1

typedef uintptr_t map_key;
typedef uint8_t map_val;

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
    return (map_val)(number & 1);
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
