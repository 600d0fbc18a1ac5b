/* Shape ptr_u64: pointers to 64-bit integers. */
#define SHAPE_NAME "ptr_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_ptr.h"
#include "harness/shapes/val_int.h"
