/* The keys of shapes u64_*: 64-bit integers. */
#ifndef MAPBENCH_SHAPES_KEY_U64_H
#define MAPBENCH_SHAPES_KEY_U64_H

#include <stdint.h>

#define SHAPE_KEY_BITS 64

typedef uint64_t map_key;

#include "harness/shapes/key_int.h"

#endif
