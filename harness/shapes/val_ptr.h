/* Values of shapes *_ptr: pointers. */
#ifndef MAPBENCH_SHAPES_VAL_PTR_H
#define MAPBENCH_SHAPES_VAL_PTR_H

#include <stdint.h>

#define SHAPE_VAL_POINTERS(POINTER, base) POINTER("value", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 1

typedef void *map_val;

static inline map_val val_make(uint64_t number) {
    return (map_val)(uintptr_t)number;
}
static inline uint64_t val_word(const map_val *val) {
    return (uintptr_t)*val;
}

#endif
