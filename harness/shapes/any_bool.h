/* Shape any_bool: interface values to a flag. */
#include "harness/shapes/any.h"
#include "harness/shapes/hash.h"

#define SHAPE_NAME "any_bool"
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", (base) + offsetof(struct any, data))
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 1

typedef struct any map_key;
typedef uint8_t map_val;

static inline uint64_t key_hash(map_key key) {
    return any_hash(key);
}
static inline bool key_equal(map_key a, map_key b) {
    return any_equal(a, b);
}
static inline uint64_t key_word(map_key key) {
    return (uintptr_t)key.data;
}
static inline map_val val_make(uint64_t number) {
    return (map_val)(number & 1);
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
