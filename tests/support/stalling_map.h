/* A map whose growth takes a millisecond longer than it must: what an open loop shows and a closed one hides.
 * For tests/test_open_stall.c. */
#include "harness/base/clock.h"

#define map_put linear_put
#include "maps/linear.h"
#undef map_put

static inline map_val *map_put(struct map *map, map_key key) {
    size_t before = map_capacity(map);
    map_val *slot = linear_put(map, key);
    if (map_capacity(map) != before)
        for (uint64_t begin = wall_ns(); wall_ns() - begin < 1000000;) {
        }
    return slot;
}
