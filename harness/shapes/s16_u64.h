/* Shape s16_u64: structs of 16 bytes to 64-bit integers. */
#define SHAPE_NAME "s16_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_s16.h"
#include "harness/shapes/val_int.h"
