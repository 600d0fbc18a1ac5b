/* A destroy that keeps the map's struct.
 * Shape: u64_u64
 * Expect: memory: [0-9]+ blocks are left over
 */
#define map_destroy real_destroy
#include "maps/linear.h"
#undef map_destroy

static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map->block);
}
