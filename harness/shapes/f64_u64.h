/* Shape f64_u64: floating point to 64-bit integers. */
#define SHAPE_NAME "f64_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_f64.h"
#include "harness/shapes/val_int.h"
