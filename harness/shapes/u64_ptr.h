/* Shape u64_ptr: 64-bit integers to pointers. */
#define SHAPE_NAME "u64_ptr"
#include "harness/shapes/key_u64.h"
#include "harness/shapes/val_ptr.h"
