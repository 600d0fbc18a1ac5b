/* Units for tests: built and loaded, as commands have them. */
#ifndef MAPBENCH_READY_UNIT_H
#define MAPBENCH_READY_UNIT_H

#include <stdio.h>

#include "harness/plan/registry.h"

/* As registry_find. A unit that cannot be had is returned with the reason in `unavailable`, which is printed, too. */
static inline const struct map_unit *ready_unit(const char *map, const char *shape, const char *hash, const char *heap) {
    const struct map_unit *unit = registry_find(map, shape, hash, heap);
    if (unit && registry_prepare(&unit, 1) > 0)
        fprintf(stderr, "%s %s on %s: %s\n", map, shape, heap, unit->unavailable);
    return unit;
}

#endif
