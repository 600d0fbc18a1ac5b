/* Shape str_unit: strings to nothing: a set. */
#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

#define SHAPE_NAME "str_unit"
#define SHAPE_KEY_STR 1
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 0

typedef struct str map_key;
typedef struct unit {
} map_val;

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
    (void)number;
    return (map_val){};
}
static inline uint64_t val_word(const map_val *val) {
    return ((void)val, (uint64_t)0);
}
