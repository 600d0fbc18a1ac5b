/* Integer values, of type SHAPE_VAL_INT, which fit one machine word. */
#ifndef MAPBENCH_SHAPES_VAL_INT_H
#define MAPBENCH_SHAPES_VAL_INT_H

#include <stdint.h>

#define SHAPE_VAL_WORD 1

typedef SHAPE_VAL_INT map_val;

/* A value made from a number, and the word of a value that a loop adds up. */
static inline map_val val_make(uint64_t number) {
    return (map_val)number;
}
static inline uint64_t val_word(const map_val *val) {
    return *val;
}

#endif
