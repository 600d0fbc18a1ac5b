/* A map that looks up several keys at once, and rightly.
 * Shape: u64_u64
 * Expect: passed
 */
#include "maps/linear.h"

#define MAP_GET_BATCH
enum { MAP_BATCH = 8 };

MAP_INLINE void map_get_batch(struct map *map, const map_key *keys, size_t count, map_val **found) {
    for (size_t i = 0; i < count; i++) found[i] = map_get(map, keys[i]);
}
