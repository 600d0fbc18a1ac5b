/* The maps that retention scenarios run over: units on a collecting heap, driven by single operations. */
#ifndef MAPBENCH_RETENTION_UNITS_H
#define MAPBENCH_RETENTION_UNITS_H

#include "harness/unit/map.h"

size_t retention_map_count(void);
const char *retention_map_name(size_t i);
/* As described; its code may not be loaded. NULL: the map is not compiled for this shape and heap. */
const struct map_unit *retention_unit_on(const char *heap, const char *map, const char *shape);
/* On gosim, built and loaded. NULL: there is no such unit, or it cannot be had, which stderr says. */
const struct map_unit *retention_unit(const char *map, const char *shape);

#endif
