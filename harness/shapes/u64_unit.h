/* Shape u64_unit: 64-bit integers to nothing: a set. */
#define SHAPE_NAME "u64_unit"
#include "harness/shapes/key_u64.h"
#include "harness/shapes/val_unit.h"
