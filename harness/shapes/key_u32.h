/* The keys of shape u32_u32: 32-bit integers. */
#ifndef MAPBENCH_SHAPES_KEY_U32_H
#define MAPBENCH_SHAPES_KEY_U32_H

#include <stdint.h>

#define SHAPE_KEY_BITS 32

typedef uint32_t map_key;

#include "harness/shapes/key_int.h"

#endif
