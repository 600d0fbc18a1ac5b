#include "harness/plan/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_info.h"
#include "harness/base/names.h"
#include "harness/engines/engine.h"
#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/gosim_own.h"
#include "harness/shapes/shape.h"
#include "harness/shapes/str.h"
#include "harness/unit/build.h"
#include "harness/unit/load.h"

#define ALIAS(name, map)
#define PORT(...)
#define VERSION(...)
#define MAP(name, symbol, heaps) extern const struct map_head head_##symbol;
#include "maps.def"
#undef MAP

enum { loops, operations }; /* the words of units.def */

static const struct {
    const char *map, *shape, *hash, *heap;
    int what;
} described[] = {
#define UNIT(map, shape, hash, heap, what) {map, #shape, #hash, #heap, what},
#include "units.def"
#undef UNIT
};

static const struct {
    const char *name;
    const struct map_head *head;
    const char *heaps; /* as in maps.def */
} own_maps[] = {
#define MAP(name, symbol, heaps) {name, &head_##symbol, heaps},
#include "maps.def"
#undef MAP
};
enum { OWN_MAPS = sizeof own_maps / sizeof *own_maps };

static const struct map_alias aliases[] = {
#define MAP(name, symbol, heaps)
#undef ALIAS
#define ALIAS(name, map) {name, map},
#include "maps.def"
#undef ALIAS
#undef MAP
    {NULL, NULL}, /* a list without an alias is no empty array */
};

enum { COMPILED = sizeof described / sizeof *described };

/* Mutable: what a unit can do is known once it is loaded. Those with loops come first, as units.def has them.
 */
static struct map_unit compiled[COMPILED];
static size_t with_loops;
static char reason[COMPILED][256]; /* why a unit cannot be had, once that is known */

static const struct map_head *head_of(const char *map) {
    for (size_t i = 0; i < OWN_MAPS; i++)
        if (strcmp(own_maps[i].name, map) == 0) return own_maps[i].head;
    return NULL; /* of an engine */
}

/* NULL, or why a heap cannot be had in this build. */
static const char *heap_unavailable(const char *heap) {
    return strcmp(heap, "boehm") == 0 ? boehm_unavailable() : NULL;
}

static void describe_all(void) {
    if (compiled[0].map) return;
    for (size_t i = 0; i < COMPILED; i++) {
        const struct map_head *head = head_of(described[i].map);
        const struct shape *shape = shape_find(described[i].shape);
        compiled[i] = (struct map_unit){
            .abi = MAP_UNIT_ABI,
            .map = described[i].map,
            .shape = described[i].shape,
            .hash = described[i].hash,
            .heap = described[i].heap,
            .facts = head->facts,
            .unavailable = head->unavailable ? head->unavailable : heap_unavailable(described[i].heap),
            .key_size = shape ? shape->key_size : 0,
            .val_size = shape ? shape->val_size : 0};
        with_loops += described[i].what == loops;
    }
}

size_t registry_count(void) {
    describe_all();
    return with_loops + engine_unit_count();
}

const struct map_unit *registry_at(size_t i) {
    describe_all();
    return i < with_loops ? &compiled[i] : engine_unit_at(i - with_loops);
}

size_t registry_compiled_count(void) {
    return COMPILED;
}

const struct map_unit *registry_compiled_at(size_t i) {
    describe_all();
    return &compiled[i];
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

const char *registry_map_broken(const char *map) {
    const struct map_head *head = head_of(map);
    return head ? head->broken : NULL;
}

size_t registry_map_count(void) {
    return OWN_MAPS + engine_map_count();
}

const char *registry_map_name(size_t i) {
    return i < OWN_MAPS ? own_maps[i].name : engine_map_name(i - OWN_MAPS);
}

bool registry_map_describes(size_t i) {
    return i < OWN_MAPS && strncmp(own_maps[i].heaps, "all", 3) == 0;
}

size_t registry_alias_count(void) {
    return sizeof aliases / sizeof *aliases - 1;
}

const struct map_alias *registry_alias(size_t i) {
    return &aliases[i];
}

const struct map_unit *registry_map_unit(size_t i) {
    for (size_t u = 0; u < registry_count(); u++)
        if (strcmp(registry_at(u)->map, registry_map_name(i)) == 0) return registry_at(u);
    return NULL;
}

/* --- checks --- */

/* NULL, or what is wrong with what the unit says of itself. */
static const char *facts_fault(const struct map_unit *unit) {
    const struct shape *shape = shape_find(unit->shape);
    const struct map_facts *facts = unit->facts;
    if (!shape) return "names a shape that does not exist";
    if (!facts || !facts->summary || !facts->source || !facts->invariants || !facts->cost || !facts->options)
        return "leaves a fact out";
    if (!facts->fairness || !facts->fairness[0]) return "has no fairness note";
    return NULL;
}

/* NULL, or what is wrong with the table itself. */
static const char *table_fault(const struct map_unit *unit) {
    const struct shape *shape = shape_find(unit->shape);
    const char *fault = facts_fault(unit);
    if (fault) return fault;
    if (unit->unavailable && !unit->engine)
        return unit->facts->package || heap_unavailable(unit->heap)
                   ? NULL
                   : "is unavailable without naming a package";
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
    char room[SHAPE_KEY_ROOM_MAX];
    if (shape->key_bits)
        shape->key_make(7, room, key);
    else
        memcpy(key, &(struct str){"key", 3}, shape->key_size);
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

/* --- units from their objects --- */

/* The registry's own of a unit, NULL for an engine's. */
static struct map_unit *own(const struct map_unit *unit) {
    return unit >= compiled && unit < compiled + COMPILED ? &compiled[unit - compiled] : NULL;
}

static void give_up(struct map_unit *unit, const char *why) {
    char *text = reason[unit - compiled];
    snprintf(text, sizeof reason[0], "%s", why);
    unit->unavailable = text;
}

bool registry_expected_absent(const struct map_unit *unit) {
    const struct map_unit *mine = own(unit);
    return unit->unavailable && (!mine || unit->unavailable != reason[mine - compiled]);
}

static bool is_loaded(const struct map_unit *unit) {
    return unit->op.create != NULL;
}

/* Loads the unit's object. False: `why`. */
static bool load_object(struct map_unit *unit, struct why *why) {
    char name[UNIT_NAME_MAX];
    struct unit_object object;
    const char *file = unit_file(unit_name(unit, name));
    if (unit_load(&object, file, name, false, why) != UNIT_LOADED) return false;
    if (!object.build_id || strcmp(object.build_id, BUILD_UNIT_ID) != 0) {
        why_say(why, "%s is of another build than this program: make build", file);
        return false;
    }
    bool has_loops = described[unit - compiled].what == loops;
    struct map_unit loaded = *object.unit;
    const char *fault = has_loops ? table_fault(&loaded) : NULL;
    /* A collector would start with its first map, and stay for the whole run. */
    if (!fault && has_loops && !loaded.unavailable && strcmp(unit->heap, "malloc") == 0)
        fault = smoke_fault(&loaded);
    if (fault) {
        why_say(why, "unit %s %s", name, fault);
        return false;
    }
    *unit = loaded;
    if (strcmp(unit->heap, "gosim") == 0)
        ((struct gosim_own *)unit->own_heap)->options.release = registry_map_release(unit->map);
    return true;
}

bool registry_load(const struct map_unit *unit) {
    struct why why = {""};
    struct map_unit *mine = own(unit);
    if (!mine || mine->unavailable) return !unit->unavailable;
    if (is_loaded(mine) || load_object(mine, &why)) return !mine->unavailable;
    give_up(mine, why.text);
    return false;
}

/* Builds those of the units that have no object, or whose object is older than its sources. */
static void build_missing(struct map_unit *const units[], size_t count) {
    char(*name)[UNIT_NAME_MAX] = calloc(count, sizeof *name);
    struct why why, failure, text;
    const char **names = calloc(count, sizeof *names);
    size_t missing = 0;
    for (size_t i = 0; name && names && i < count; i++) {
        unit_name(units[i], name[i]);
        if (!unit_is_current(name[i])) names[missing++] = name[i];
    }
    if (missing > 0 && !units_build(names, missing, &why))
        for (size_t i = 0; i < count; i++) {
            if (unit_is_current(name[i])) continue;
            if (why.text[0])
                why_say(&text, "not built: %s", why.text);
            else if (unit_build_failure(name[i], &failure))
                why_say(&text, "does not compile: %s", failure.text);
            else
                why_say(&text, "not built, see above");
            give_up(units[i], text.text);
        }
    free(names), free(name);
}

size_t registry_prepare(const struct map_unit *const units[], size_t count) {
    struct map_unit **wanted = calloc(count + 1, sizeof *wanted);
    struct why why;
    size_t n = 0, lost = 0;
    if (!wanted) return count;
    for (size_t i = 0; i < count; i++) {
        struct map_unit *mine = own(units[i]);
        bool known = false;
        for (size_t k = 0; k < n; k++) known |= wanted[k] == mine;
        if (mine && !known && !mine->unavailable && !is_loaded(mine)) wanted[n++] = mine;
    }
    if (n > 0) build_missing(wanted, n);
    for (size_t i = 0; i < n; i++)
        if (!wanted[i]->unavailable && !load_object(wanted[i], &why)) give_up(wanted[i], why.text);
    for (size_t i = 0; i < count; i++) lost += units[i]->unavailable != NULL;
    free(wanted);
    return lost;
}

const char *registry_validate(void) {
    static char message[256];
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        const char *fault = facts_fault(unit);
        for (size_t j = 0; !fault && j < i; j++)
            if (strcmp(unit->map, registry_at(j)->map) == 0 &&
                strcmp(unit->shape, registry_at(j)->shape) == 0 &&
                strcmp(unit->hash, registry_at(j)->hash) == 0 &&
                strcmp(unit->heap, registry_at(j)->heap) == 0)
                fault = "is listed twice";
        if (fault) {
            snprintf(message, sizeof message, "unit %s/%s/%s/%s %s", unit->map, unit->shape, unit->hash,
                     unit->heap, fault);
            return message;
        }
    }
    return NULL;
}
