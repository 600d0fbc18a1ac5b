/* An iteration that leaves out the last entry.
 * Shape: u64_u64
 * Expect: model, .*a scan meets [0-9]+ of [0-9]+ entries
 */
#define map_iter real_iter
#define map_iter_start real_iter_start
#define map_iter_next real_iter_next
#include "maps/linear.h"
#undef map_iter
#undef map_iter_start
#undef map_iter_next

struct map_iter {
    struct real_iter ahead;
    bool has;
    map_key key;
    const map_val *val;
};

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    real_iter_start(map, &iter->ahead);
    iter->has = real_iter_next(&iter->ahead, &iter->key, &iter->val);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (!iter->has) return false;
    *key = iter->key;
    *val = iter->val;
    iter->has = real_iter_next(&iter->ahead, &iter->key, &iter->val);
    return iter->has;
}
