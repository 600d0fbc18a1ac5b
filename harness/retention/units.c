#include "harness/retention/units.h"

#include <string.h>

#define UNIT(map, shape, hash, heap) extern const struct map_unit unit_##map##_##shape##_##hash##_##heap;
#include "retention_units.def"
#undef UNIT

static const struct map_unit *const units[] = {
#define UNIT(map, shape, hash, heap) &unit_##map##_##shape##_##hash##_##heap,
#include "retention_units.def"
#undef UNIT
};

static const char *const names[] = {
#define RETENTION_SHAPE(name, kind)
#define RETENTION_HEAP(name, shapes, maps)
#define RETENTION_MAP(name, file, kinds) #name,
#include "harness/retention/units.def"
#undef RETENTION_MAP
#undef RETENTION_HEAP
#undef RETENTION_SHAPE
};

size_t retention_map_count(void) {
    return sizeof names / sizeof *names;
}

const char *retention_map_name(size_t i) {
    return names[i];
}

const struct map_unit *retention_unit_on(const char *heap, const char *map, const char *shape) {
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i]->map, map) == 0 && strcmp(units[i]->shape, shape) == 0 &&
            strcmp(units[i]->heap, heap) == 0)
            return units[i];
    return NULL;
}

const struct map_unit *retention_unit(const char *map, const char *shape) {
    return retention_unit_on("gosim", map, shape);
}
