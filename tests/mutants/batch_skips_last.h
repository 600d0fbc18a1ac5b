/* A map that leaves the last key of a full batch out.
 * Shape: u64_u64
 * Expect: loop get_batch, n=63: checksum
 */
#include "maps/linear.h"

#define MAP_GET_BATCH
enum { MAP_BATCH = 8 };

MAP_INLINE void map_get_batch(struct map *map, const map_key *keys, size_t count, map_val **found) {
    for (size_t i = 0; i < count; i++) found[i] = i + 1 == MAP_BATCH ? NULL : map_get(map, keys[i]);
}
