/* A delete that answers as if it had deleted.
 * Shape: u64_u64
 * Expect: model, .*a lookup finds absent key
 */
#define map_del real_del
#include "maps/linear.h"
#undef map_del

MAP_INLINE bool map_del(struct map *map, map_key key) {
    return map_get(map, key) != NULL;
}
