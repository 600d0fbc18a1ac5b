/* Shape any_u64: interface values to 64-bit integers. */
#define SHAPE_NAME "any_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_any.h"
#include "harness/shapes/val_int.h"
