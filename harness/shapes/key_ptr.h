/* The keys of shapes ptr_*: pointers, kept as integers and described as pointers. */
#ifndef MAPBENCH_SHAPES_KEY_PTR_H
#define MAPBENCH_SHAPES_KEY_PTR_H

#include <stdint.h>

#define SHAPE_KEY_BITS 64
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", base)
#define SHAPE_HAS_POINTERS 1
#define SHAPE_KEY_IS_POINTER 1

typedef uintptr_t map_key;

#include "harness/shapes/key_int.h"

#endif
