/* Values of SHAPE_VAL_BYTES bytes without pointers. */
#ifndef MAPBENCH_SHAPES_VAL_BYTES_H
#define MAPBENCH_SHAPES_VAL_BYTES_H

#include <stdint.h>

#define SHAPE_HAS_POINTERS 0
#define SHAPE_VAL_WORD 0

typedef struct val_bytes {
    uint8_t byte[SHAPE_VAL_BYTES];
} map_val;

static inline map_val val_make(uint64_t number) {
    map_val val = {{(uint8_t)number}};
    return val;
}
static inline uint64_t val_word(const map_val *val) {
    return val->byte[0];
}

#endif
