/* A get for which the largest key is a mark of its own, as in maps that reserve a key for free slots.
 * Shape: u64_u64
 * Expect: model, edge keys, .*a lookup does not find key
 */
#define map_get real_get
#include "maps/linear.h"
#undef map_get

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    return key == UINT64_MAX ? NULL : real_get(map, key);
}
