/* One unit: a map compiled for a shape, a hash policy and a heap. The Makefile defines
 *
 *   UNIT_SYMBOL      the exported const struct map_unit
 *   UNIT_MAP         the map's name, a string        UNIT_MAP_FILE     its file
 *   UNIT_SHAPE_FILE  the shape's file                UNIT_HEAP_FILE    the heap's file
 *   UNIT_BUILD_ID    names compilers, flags and interface, a string; of units that are loaded
 *   UNIT_OPERATIONS_ONLY  if defined, no loops are compiled: for units that only scenarios drive
 *   UNIT_HASH        "common" or "native", a string; UNIT_HASH_common, UNIT_HASH_native  one is defined
 *
 * Compiled as C17 or, for the C++ libraries, as C++20: this file and loops.inc are valid in both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/base/clock.h"
#include "harness/unit/recorder.h"
#include UNIT_SHAPE_FILE
#include UNIT_HEAP_FILE

/* For functions that a measured loop must not call but contain. */
#define MAP_INLINE static inline __attribute__((always_inline))

#include UNIT_MAP_FILE

/* Units are shared objects: all else in one is its own. */
#define UNIT_VISIBLE __attribute__((visibility("default")))
#ifdef __cplusplus
#define UNIT_EXPORT extern "C" const UNIT_VISIBLE
#else
#define UNIT_EXPORT const UNIT_VISIBLE
#endif

/* A program loads only units whose build id is its own (harness/unit/load.h). */
#ifdef UNIT_BUILD_ID
UNIT_EXPORT char unit_build_id[];
UNIT_EXPORT char unit_build_id[] = UNIT_BUILD_ID;
#endif

#if defined(HEAP_UNAVAILABLE) && !defined(MAP_UNAVAILABLE)
#define MAP_UNAVAILABLE HEAP_UNAVAILABLE
#endif

#ifdef MAP_UNAVAILABLE

UNIT_EXPORT struct map_unit UNIT_SYMBOL;
UNIT_EXPORT struct map_unit UNIT_SYMBOL = {
    .abi = MAP_UNIT_ABI,
    .map = UNIT_MAP,
    .shape = SHAPE_NAME,
    .hash = UNIT_HASH,
    .heap = HEAP_NAME,
    .facts = &map_facts,
    .unavailable = MAP_UNAVAILABLE,
    .engine = NULL,
    .own_heap = NULL,
    .heap_books = NULL,
    .key_size = 0,
    .val_size = 0,
    .op = {},
    .run = {},
};

#else

#include "harness/unit/loops.inc"

static void *op_create(struct heap *heap, size_t hint) {
    return unit_create(heap, hint);
}
static void op_destroy(void *map) {
    if (map) unit_destroy((struct map *)map);
}
static bool op_get(void *map, const void *key, void *val) {
    map_val room;
    const map_val *found = unit_get((struct map *)map, *(const map_key *)key, &room);
    if (found) *(map_val *)val = *found;
    return found != NULL;
}
static bool op_put(void *map, const void *key, const void *val) {
    return unit_put((struct map *)map, *(const map_key *)key, *(const map_val *)val);
}
static bool op_del(void *map, const void *key) {
    return unit_del((struct map *)map, *(const map_key *)key);
}
static size_t op_len(const void *map) {
    return map_len((const struct map *)map);
}
static size_t op_capacity(const void *map) {
    return map_capacity((const struct map *)map);
}
static void op_clear(void *map) {
    unit_clear((struct map *)map);
}
static void *op_copy(void *map) {
    return unit_copy((struct map *)map);
}
static void op_each(void *map, map_visit_fn *visit, void *context) {
    struct map_iter iter;
    map_key key;
    const map_val *val;
    map_iter_start((struct map *)map, &iter);
    while (map_iter_next(&iter, &key, &val))
        if (!visit(context, &key, val)) {
            LOOP_ITER_STOP(&iter);
            return;
        }
}
/* Memory of the walk itself is the harness's. On a collecting heap what it points to is held as by a variable
 * of the program. */
struct unit_walk {
    struct map_iter iter;
    struct heap *heap; /* the map itself may be gone when the walk ends */
};
#ifdef HEAP_ROOT
#define UNIT_WALK_ROOT(walk, field) HEAP_ROOT((walk)->heap, &(walk)->iter.field, "iterator." #field);
#define UNIT_WALK_UNROOT(walk, field) HEAP_UNROOT((walk)->heap, &(walk)->iter.field);
#endif
static void *op_walk_begin(void *map) {
    struct unit_walk *walk = (struct unit_walk *)calloc(1, sizeof *walk);
    if (!walk) return NULL;
    walk->heap = HEAP_OF((struct map *)map);
    map_iter_start((struct map *)map, &walk->iter);
#ifdef HEAP_ROOT
    MAP_ITER_POINTERS(UNIT_WALK_ROOT, walk)
#endif
    return walk;
}
static bool op_walk_next(void *opaque, void *key, void *val) {
    struct unit_walk *walk = (struct unit_walk *)opaque;
    const map_val *at;
    if (!map_iter_next(&walk->iter, (map_key *)key, &at)) return false;
    *(map_val *)val = *at;
    return true;
}
static void op_walk_end(void *opaque) {
    struct unit_walk *walk = (struct unit_walk *)opaque;
    LOOP_ITER_STOP(&walk->iter);
#ifdef HEAP_ROOT
    MAP_ITER_POINTERS(UNIT_WALK_UNROOT, walk)
#endif
    free(walk);
}

/* Only of maps that evacuate an old array little by little. */
#ifdef MAP_HAS_OLD_CAPACITY
static size_t op_old_capacity(const void *map) {
    return map_old_capacity((const struct map *)map);
}
#define UNIT_OLD_CAPACITY op_old_capacity
#else
#define UNIT_OLD_CAPACITY NULL
#endif

/* Only of heaps that keep books. */
#ifdef HEAP_BOOKS
static void unit_heap_books(struct heap *heap, bool collect, struct heap_books *out) {
    HEAP_BOOKS(heap, collect, out);
}
#define UNIT_HEAP_BOOKS unit_heap_books
#else
#define UNIT_HEAP_BOOKS NULL
#endif

static void op_structure(void *map, struct map_structure *out) {
    memset(out, 0, sizeof *out);
    out->capacity = map_capacity((struct map *)map);
#ifdef MAP_HAS_OLD_CAPACITY
    out->old_capacity = map_old_capacity((struct map *)map);
#endif
    map_describe((struct map *)map, out);
}

/* What every map must satisfy, then the map's own invariants: the number of entries that a scan meets is the
 * length, and each of them can be found again with its value, but for a key that is not equal to itself. */
static const char *op_check(void *opaque) {
    struct map *map = (struct map *)opaque;
    size_t met = 0;
    const char *fault = NULL;
    struct map_iter iter;
    map_key key;
    const map_val *val;
    if (map_facts.traits & TRAIT_BASELINE) return NULL;
    map_iter_start(map, &iter);
    while (map_iter_next(&iter, &key, &val)) {
        map_val room;
        uint64_t scanned = val_word(val);
        const map_val *found = key_equal(key, key) ? unit_get(map, key, &room) : val;
        if (!found)
            fault = "a scan meets an entry that a lookup does not find";
        else if (val_word(found) != scanned)
            fault = "a lookup finds another value than a scan";
        else if (++met > map_len(map))
            fault = "a scan meets more entries than the map has";
        if (!fault) continue;
        LOOP_ITER_STOP(&iter);
        return fault;
    }
    if (met != map_len(map)) return "a scan meets fewer entries than the map has";
    return map_check(map);
}

UNIT_EXPORT struct map_unit UNIT_SYMBOL;
UNIT_EXPORT struct map_unit UNIT_SYMBOL = {
    .abi = MAP_UNIT_ABI,
    .map = UNIT_MAP,
    .shape = SHAPE_NAME,
    .hash = UNIT_HASH,
    .heap = HEAP_NAME,
    .facts = &map_facts,
    .unavailable = NULL,
    .engine = NULL,
    .own_heap = HEAP_UNIT_OWN,
    .heap_books = UNIT_HEAP_BOOKS,
    .key_size = sizeof(map_key),
    .val_size = sizeof(map_val),
    .op = {.create = op_create,
           .destroy = op_destroy,
           .get = op_get,
           .put = op_put,
           .del = op_del,
           .len = op_len,
           .capacity = op_capacity,
           .clear = op_clear,
           .copy = op_copy,
           .each = op_each,
           .check = op_check,
           .structure = op_structure,
           .walk_begin = op_walk_begin,
           .walk_next = op_walk_next,
           .walk_end = op_walk_end,
           .old_capacity = UNIT_OLD_CAPACITY},
#ifdef UNIT_OPERATIONS_ONLY
    .run = {},
#else
    .run =
        {
#define X(loop) .loop = run_##loop,
            MAP_LOOPS(X)
#undef X
#define X(loop) .loop##_timed = run_##loop##_timed,
                MAP_TIMED_LOOPS(X)
#undef X
#define X(loop) .loop##_open = run_##loop##_open,
                    MAP_OPEN_LOOPS(X)
#undef X
        },
#endif
};

#endif
