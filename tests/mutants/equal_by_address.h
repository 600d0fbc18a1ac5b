/* A map that takes keys at the same address for equal keys, and others for different ones.
 * Shape: str_u64
 * Expect: model, .*a lookup does not find key
 */
#define key_equal(a, b) ((a).text == (b).text && (a).len == (b).len)
#include "maps/linear.h"
#undef key_equal
