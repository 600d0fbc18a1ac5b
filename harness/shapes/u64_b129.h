/* Shape u64_b129: 64-bit integers to 129 bytes, which Go keeps outside the bucket. */
#define SHAPE_NAME "u64_b129"
#define SHAPE_VAL_BYTES 129
#define SHAPE_VAL_OUTSIDE 1 /* of a Go map's bucket: above 128 bytes */
#include "harness/shapes/key_u64.h"
#include "harness/shapes/val_bytes.h"
