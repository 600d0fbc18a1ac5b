/* Shape u64_b128: 64-bit integers to 128 bytes, the most that Go keeps inline. */
#define SHAPE_NAME "u64_b128"
#define SHAPE_VAL_BYTES 128
#include "harness/shapes/key_u64.h"
#include "harness/shapes/val_bytes.h"
