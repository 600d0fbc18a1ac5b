/* A delete that frees its slot and leaves a gap in the cluster: the classic fault of open addressing.
 * Shape: u64_u64
 * Expect: model, .*a lookup does not find key
 */
#define map_del real_del
#include "maps/linear.h"
#undef map_del

MAP_INLINE bool map_del(struct map *map, map_key key) {
    if (key == 0) return real_del(map, key);
    uint64_t hash = linear_hash(key);
    for (size_t at = linear_home(map, hash); slot_in_use(&map->slots[at]); at = (at + 1) & map->mask) {
        if (!slot_holds(&map->slots[at], key, hash)) continue;
        slot_free(&map->slots[at]);
        map->len--;
        return true;
    }
    return false;
}
