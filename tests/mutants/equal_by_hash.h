/* A map that takes keys of equal hash for equal keys.
 * Shape: str_u64
 * Expect: model, equal-hash keys
 */
#define key_equal(a, b) ((void)(a), (void)(b), true)
#include "maps/linear.h"
#undef key_equal
