/* Shape str_u64: string keys (pointer and length; the text belongs to the caller and outlives the map),
 * 64-bit values. Lookups use another copy of the text than the one stored, as a program that reads its keys
 * from outside does. */
#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

#define SHAPE_NAME "str_u64"
#define SHAPE_KEY_STR 1
#define SHAPE_VAL_WORD 1

typedef struct str map_key;
typedef uint64_t map_val;

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
    return number;
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}
