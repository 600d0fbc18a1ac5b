/* A clear that leaves the length as it was.
 * Shape: u64_u64
 * Expect: model, .*the length is [0-9]+, expected 0
 */
#define map_clear real_clear
#include "maps/linear.h"
#undef map_clear

static void map_clear(struct map *map) {
    size_t len = map->len;
    real_clear(map);
    map->len = len;
}
