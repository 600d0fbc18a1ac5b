#include "harness/plan/registry.h"

#include <stdio.h>
#include <string.h>

#include "harness/engines/engine.h"
#include "harness/shapes/shape.h"

#define UNIT(map, shape, hash, heap) extern const struct map_unit unit_##map##_##shape##_##hash##_##heap;
#include "units.def"
#undef UNIT

static const struct map_unit *const compiled[] = {
#define UNIT(map, shape, hash, heap) &unit_##map##_##shape##_##hash##_##heap,
#include "units.def"
#undef UNIT
};

static const char *const map_names[] = {
#define MAP(name, language, file, shapes, hashes) #name,
#include "maps/maps.def"
#undef MAP
#define ENGINE_MAP(name, program, kind, collector, stem) #name,
#include "harness/engines/engines.def"
#undef ENGINE_MAP
};

enum { COMPILED = sizeof compiled / sizeof *compiled };

size_t registry_count(void) {
    return COMPILED + engine_unit_count();
}

const struct map_unit *registry_at(size_t i) {
    return i < COMPILED ? compiled[i] : engine_unit_at(i - COMPILED);
}

/* Engines have heaps of their own, which stand in for malloc. */
static bool has_heap(const struct map_unit *unit, const char *heap) {
    return strcmp(unit->heap, heap) == 0 || (unit->engine && strcmp(heap, "malloc") == 0);
}

const struct map_unit *registry_find(const char *map, const char *shape, const char *hash, const char *heap) {
    const struct map_unit *other_policy = NULL;
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        if (strcmp(unit->map, map) != 0 || strcmp(unit->shape, shape) != 0 || !has_heap(unit, heap)) continue;
        if (strcmp(unit->hash, hash) == 0) return unit;
        other_policy = unit;
    }
    return other_policy;
}

size_t registry_map_count(void) {
    return sizeof map_names / sizeof map_names[0];
}

const char *registry_map_name(size_t i) {
    return map_names[i];
}

const struct map_unit *registry_map_unit(size_t i) {
    for (size_t u = 0; u < registry_count(); u++)
        if (strcmp(registry_at(u)->map, map_names[i]) == 0) return registry_at(u);
    return NULL;
}

/* NULL, or what is wrong with the table itself. */
static const char *table_fault(const struct map_unit *unit) {
    const struct shape *shape = shape_find(unit->shape);
    const struct map_facts *facts = unit->facts;
    if (!shape) return "names a shape that does not exist";
    if (!facts || !facts->summary || !facts->source || !facts->invariants || !facts->cost || !facts->options)
        return "leaves a fact out";
    if (!facts->fairness || !facts->fairness[0]) return "has no fairness note";
    if (unit->unavailable && !unit->engine)
        return facts->package ? NULL : "is unavailable without naming a package";
    if (unit->key_size != shape->key_size || unit->val_size != shape->val_size)
        return "disagrees with its shape on the size of keys or values";
    const struct map_ops *op = &unit->op;
    if (!op->create || !op->destroy || !op->get || !op->put || !op->del || !op->len || !op->capacity ||
        !op->clear || !op->copy || !op->each || !op->check || !op->structure)
        return "leaves an operation out";
    const struct map_runs *run = &unit->run;
#define X(loop)                                                                                              \
    if (!run->loop) return "leaves a loop out";
    MAP_SHARED_LOOPS(X)
    if (!unit->engine) {
        MAP_LOOPS(X)
    }
#undef X
#define X(loop)                                                                                              \
    if (!run->loop##_timed) return "leaves a timed loop out";
    MAP_SHARED_TIMED_LOOPS(X)
    if (!unit->engine) {
        MAP_TIMED_LOOPS(X)
    }
#undef X
#define X(loop)                                                                                              \
    if (!unit->engine && !run->loop##_open) return "leaves an open loop out";
    MAP_OPEN_LOOPS(X)
#undef X
    return NULL;
}

/* NULL, or how a map of one entry goes wrong. */
static const char *smoke_fault(const struct map_unit *unit) {
    const struct shape *shape = shape_find(unit->shape);
    _Alignas(16) unsigned char key[SHAPE_KEY_SIZE_MAX] = {0}, val[SHAPE_VAL_SIZE_MAX],
                               found[SHAPE_VAL_SIZE_MAX];
    static const char text[] = "key";
    if (shape->key_bits == 0)
        memcpy(key, &(struct {
                   const char *p;
                   size_t n;
               }){text, 3},
               shape->key_size);
    else
        key[0] = 7;
    shape->val_make(42, val);
    void *map = unit->op.create(unit->own_heap, 0);
    if (!map) return "cannot create an empty map";
    const char *fault = NULL;
    if (!(unit->facts->traits & TRAIT_BASELINE)) {
        if (unit->op.get(map, key, found))
            fault = "finds a key in an empty map";
        else if (!unit->op.put(map, key, val))
            fault = "cannot store";
        else if (!unit->op.get(map, key, found) || memcmp(found, val, unit->val_size) != 0)
            fault = "does not find what was stored";
        else if (unit->op.len(map) != 1)
            fault = "has a wrong length";
        else if (!unit->op.del(map, key) || unit->op.get(map, key, found))
            fault = "does not delete";
    }
    unit->op.destroy(map);
    return fault;
}

const char *registry_validate(void) {
    static char message[256];
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        const char *fault = table_fault(unit);
        for (size_t j = 0; !fault && j < i; j++)
            if (strcmp(unit->map, registry_at(j)->map) == 0 &&
                strcmp(unit->shape, registry_at(j)->shape) == 0 &&
                strcmp(unit->hash, registry_at(j)->hash) == 0 &&
                strcmp(unit->heap, registry_at(j)->heap) == 0)
                fault = "is listed twice";
        /* A collector would start with its first map, and stay for the whole run. */
        bool plain = !unit->engine && strcmp(unit->heap, "malloc") == 0;
        if (!fault && !unit->unavailable && plain) fault = smoke_fault(unit);
        if (fault) {
            snprintf(message, sizeof message, "unit %s/%s/%s/%s %s", unit->map, unit->shape, unit->hash,
                     unit->heap, fault);
            return message;
        }
    }
    return NULL;
}
