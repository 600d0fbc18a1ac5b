/* Shape str_slice: strings to slices. */
#include "harness/shapes/key_str.h"

#define SHAPE_NAME "str_slice"
#define SHAPE_VAL_POINTERS(POINTER, base) POINTER("value", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 0

typedef struct slice {
    void *data;
    size_t len, cap;
} map_val;

static inline map_val val_make(uint64_t number) {
    return (map_val){NULL, number, number};
}
static inline uint64_t val_word(const map_val *val) {
    return val->len;
}
