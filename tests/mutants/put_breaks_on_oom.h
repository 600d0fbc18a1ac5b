/* A put that counts its entry though there was no memory for it.
 * Shape: u64_u64
 * Expect: memory, .*the length is [0-9]+, expected
 */
#define map_put real_put
#include "maps/linear.h"
#undef map_put

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map_val *slot = real_put(map, key);
    if (!slot) map->len++;
    return slot;
}
