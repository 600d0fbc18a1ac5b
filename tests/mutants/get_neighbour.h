/* A get that returns its neighbour's value, where it has a neighbour.
 * Shape: u64_u64
 * Expect: model, .*a lookup finds a wrong value
 */
#define map_get real_get
#include "maps/linear.h"
#undef map_get

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    map_val *found = real_get(map, key);
    map_val *neighbour = found ? real_get(map, key + 1) : NULL;
    return neighbour ? neighbour : found;
}
