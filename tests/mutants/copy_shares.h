/* A copy that shares its original's slots.
 * Shape: u64_u64
 * Expect: model, .*a copy, after its original has changed
 */
#define map_copy real_copy
#include "maps/linear.h"
#undef map_copy

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (copy) *copy = *map;
    return copy;
}
