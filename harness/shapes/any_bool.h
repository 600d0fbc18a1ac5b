/* Shape any_bool: interface values to a flag. */
#define SHAPE_NAME "any_bool"
#include "harness/shapes/key_any.h"
#include "harness/shapes/val_bool.h"
