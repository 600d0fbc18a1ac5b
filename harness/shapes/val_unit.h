/* Values of shapes *_unit: nothing, so that the map is a set. */
#ifndef MAPBENCH_SHAPES_VAL_UNIT_H
#define MAPBENCH_SHAPES_VAL_UNIT_H

#include <stdint.h>

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

#endif
