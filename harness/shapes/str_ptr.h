/* Shape str_ptr: strings to pointers. */
#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

#define SHAPE_NAME "str_ptr"
#define SHAPE_KEY_STR 1
#define SHAPE_VAL_POINTERS(POINTER, base) POINTER("value", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 1

typedef struct str map_key;
typedef void *map_val;

static inline uint64_t key_hash(map_key key) {
    return hash_bytes(key.text, key.len);
}
static inline bool key_equal(map_key a, map_key b) {
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}
static inline uint64_t key_word(map_key key) {
    return key.len;
}
static inline map_val val_make(uint64_t number) {
    return (map_val)(uintptr_t)number;
}
static inline uint64_t val_word(const map_val *val) {
    return (uintptr_t)*val;
}
