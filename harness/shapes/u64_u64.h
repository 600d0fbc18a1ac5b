/* Shape u64_u64: 64-bit integer keys and values. */
#define SHAPE_NAME "u64_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_u64.h"
#include "harness/shapes/val_int.h"
