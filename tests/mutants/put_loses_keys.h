/* A put that loses every 1000th key.
 * Shape: u64_u64
 * Expect: model, .*a lookup does not find key
 */
#define map_put real_put
#include "maps/linear.h"
#undef map_put

static size_t mutant_puts;
static map_val mutant_lost;

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    return ++mutant_puts % 1000 == 0 && !map_get(map, key) ? &mutant_lost : real_put(map, key);
}
