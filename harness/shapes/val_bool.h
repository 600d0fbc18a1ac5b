/* Values of shapes *_bool: a flag. */
#ifndef MAPBENCH_SHAPES_VAL_BOOL_H
#define MAPBENCH_SHAPES_VAL_BOOL_H

#include <stdint.h>

#define SHAPE_VAL_WORD 1

typedef uint8_t map_val;

static inline map_val val_make(uint64_t number) {
    return (map_val)(number & 1);
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}

#endif
