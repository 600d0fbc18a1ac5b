/* Shape str_unit: strings to nothing: a set. */
#include "harness/shapes/key_str.h"

#define SHAPE_NAME "str_unit"
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 0

typedef struct unit {
} map_val;

static inline map_val val_make(uint64_t number) {
    (void)number;
    return (map_val){};
}
static inline uint64_t val_word(const map_val *val) {
    return ((void)val, (uint64_t)0);
}
