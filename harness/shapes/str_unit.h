/* Shape str_unit: strings to nothing: a set. */
#define SHAPE_NAME "str_unit"
#define SHAPE_HAS_POINTERS 1
#include "harness/shapes/key_str.h"
#include "harness/shapes/val_unit.h"
