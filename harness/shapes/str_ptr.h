/* Shape str_ptr: strings to pointers. */
#define SHAPE_NAME "str_ptr"
#include "harness/shapes/key_str.h"
#include "harness/shapes/val_ptr.h"
