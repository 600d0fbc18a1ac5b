/* Shape str_str: strings to strings. */
#include "harness/shapes/key_str.h"

#define SHAPE_NAME "str_str"
#define SHAPE_VAL_POINTERS(POINTER, base) POINTER("value", (base) + offsetof(struct str, text))
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 0

typedef struct str map_val;

static inline map_val val_make(uint64_t number) {
    return (map_val){NULL, number};
}
static inline uint64_t val_word(const map_val *val) {
    return val->len;
}
