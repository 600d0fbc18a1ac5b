/* The same for string keys.
 * Shape: str_u64
 * Expect: passed
 */
#include "maps/linear.h"
