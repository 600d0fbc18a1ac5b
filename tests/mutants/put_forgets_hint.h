/* A map that is not presized though its facts say that it can be.
 * Shape: u64_u64
 * Expect: model, .*created for [0-9]+ entries, yet its capacity goes
 */
#define map_create real_create
#include "maps/linear.h"
#undef map_create

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    return real_create(heap, 0);
}
