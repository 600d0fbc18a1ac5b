/* The map that the mutants are made of, unharmed: it must pass.
 * Shape: u64_u64
 * Expect: passed
 */
#include "maps/linear.h"
