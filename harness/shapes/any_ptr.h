/* Shape any_ptr: interface values to pointers, as inside sync.Map. */
#define SHAPE_NAME "any_ptr"
#include "harness/shapes/key_any.h"
#include "harness/shapes/val_ptr.h"
