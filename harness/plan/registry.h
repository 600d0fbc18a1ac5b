/* All units, in the order of maps.def (the baseline first), each validated once at the start. */
#ifndef MAPBENCH_REGISTRY_H
#define MAPBENCH_REGISTRY_H

#include "harness/unit/map.h"

size_t registry_count(void);
const struct map_unit *registry_at(size_t i);

/* The unit of a map for a shape, hash policy and heap. A map compiled for one policy only is returned under
 * either (its `hash` field says which it has). NULL: there is no such unit. */
const struct map_unit *registry_find(const char *map, const char *shape, const char *hash, const char *heap);

/* The maps by name, each once, in order; facts and availability from its first unit. */
size_t registry_map_count(void);
const char *registry_map_name(size_t i);
const struct map_unit *registry_map_unit(size_t i);

/* Checks every available unit's table: complete, consistent with its shape, names unique, a tiny map works.
 * NULL when all are sound; otherwise a message naming the first unit that is not (static storage). */
const char *registry_validate(void);

#endif
