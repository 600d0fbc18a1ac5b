/* Shape str_u64: string keys (pointer and length; the text belongs to the caller and outlives the map),
 * 64-bit values. Lookups use another copy of the text than the one stored, as a program that reads its keys
 * from outside does. */
#define SHAPE_NAME "str_u64"
#define SHAPE_VAL_INT uint64_t
#include "harness/shapes/key_str.h"
#include "harness/shapes/val_int.h"
