/* Shape u32_u32: 32-bit integer keys and values. */
#define SHAPE_NAME "u32_u32"
#define SHAPE_VAL_INT uint32_t
#include "harness/shapes/key_u32.h"
#include "harness/shapes/val_int.h"
