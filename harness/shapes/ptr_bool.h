/* Shape ptr_bool: pointers to a flag. */
#define SHAPE_NAME "ptr_bool"
#include "harness/shapes/key_ptr.h"
#include "harness/shapes/val_bool.h"
