/* A put that gives up what the map holds when there is no memory to grow it.
 * Shape: str_u64
 * Expect: memory, .*(a lookup does not find key|the length is)
 */
#define map_put real_put
#include "maps/linear.h"
#undef map_put

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map_val *slot = real_put(map, key);
    if (!slot) map_clear(map);
    return slot;
}
