#include "harness/retention/units.h"

#include <stdio.h>
#include <string.h>

#include "harness/plan/registry.h"

/* The baseline, the first of maps.def, keeps nothing. */
static bool told_of(size_t i) {
    return i > 0 && registry_map_describes(i);
}

size_t retention_map_count(void) {
    size_t count = 0;
    for (size_t i = 0; i < registry_map_count(); i++) count += told_of(i);
    return count;
}

const char *retention_map_name(size_t wanted) {
    size_t i = 0;
    while (!told_of(i) || wanted-- > 0) i++;
    return registry_map_name(i);
}

/* The ports hash as Go does there, except interface values: the native unit of two that differ in the hash.
 */
static const struct map_unit *described(const char *heap, const char *map, const char *shape) {
    const struct map_unit *common = NULL;
    for (size_t i = 0; i < registry_compiled_count(); i++) {
        const struct map_unit *unit = registry_compiled_at(i);
        if (strcmp(unit->map, map) != 0 || strcmp(unit->shape, shape) != 0 || strcmp(unit->heap, heap) != 0)
            continue;
        if (strcmp(unit->hash, "native") == 0) return unit;
        common = unit;
    }
    return common;
}

const struct map_unit *retention_unit_on(const char *heap, const char *map, const char *shape) {
    return described(heap, map, shape);
}

const struct map_unit *retention_unit(const char *map, const char *shape) {
    const struct map_unit *unit = described("gosim", map, shape);
    if (!unit || registry_prepare(&unit, 1) == 0) return unit;
    fprintf(stderr, "mapbench: %s with %s: %s\n", map, shape, unit->unavailable);
    return NULL;
}
