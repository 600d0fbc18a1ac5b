/* judy: JudyL of Doug Baskins' Judy arrays, a map from words to words.
 *
 * Source:     Judy.h, libJudy 1.0.5; JudyLIns, JudyLGet, JudyLDel, JudyLFirst, JudyLNext.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       a 256-way radix tree whose nodes are compressed in several ways to a few cache lines; no slack
 *             beyond a node's rounding. A lookup follows about one node per distinguishing byte of the key.
 *             Values longer than a word have an allocation each.
 */
#if !__has_include(<Judy.h>)
#define MAP_UNAVAILABLE "Judy.h not found: make deps build (libjudy-dev)"
#else
#include <Judy.h>
#endif

/* Only a value of exactly its type may be written through JudyL's own slot. A shorter one is widened to a
 * word and copied out; a longer one lives in a node that the slot points to. */
#if !SHAPE_VAL_WORD
#define JUDY_NODES 1
#elif SHAPE_KEY_BITS < 64
#define MAP_COPIES 1
#endif
#include "maps/by_entry.h"

static const struct map_facts map_facts = {
    .summary = "JudyL: compressed 256-way radix tree from word to word",
    .source = "libJudy 1.0.5 by Doug Baskins (Hewlett-Packard), Judy.h",
    .invariants = "none offered by the library",
    .cost = "compressed radix tree: few bytes per entry where keys are dense, about 18 for random 64-bit "
            "keys; lookup: a node per distinguishing byte; values over 8 bytes: an allocation each",
    .options = "as the Debian library is compiled; 32-bit keys and values are widened to words; capacity is "
               "always 0: the tree grows a node at a time and never as a whole",
    .fairness =
        "not a hash map: keys come in order and no hash is taken under either policy, so it shows what "
        "order costs; dense or sequential keys are its best case by far, random ones its worst; every "
        "operation is a call into the shared library",
    .package = "libjudy-dev",
    .traits = TRAIT_ADAPTER | TRAIT_KEY_ORDER | TRAIT_SHRINKS | TRAIT_IGNORES_HINT |
#ifdef JUDY_NODES
              TRAIT_STABLE_SLOTS |
#endif
              TRAIT_ABORTS_ON_OOM, /* a delete may need memory: map_del */
};

#ifndef MAP_UNAVAILABLE
#include <stdio.h>

_Static_assert(sizeof(Word_t) == 8, "JudyL's word must hold any key");

struct map {
    Pvoid_t tree;
    HEAP_FIELD
};

struct map_iter {
    Pcvoid_t tree;
    Word_t key;
    PPvoid_t slot;
    map_val room;
};

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (map) HEAP_BIND(map, heap);
    return map;
}

static void map_clear(struct map *map) {
#ifdef JUDY_NODES
    Word_t key = 0;
    for (PPvoid_t slot = JudyLFirst(map->tree, &key, PJE0); slot; slot = JudyLNext(map->tree, &key, PJE0))
        HEAP_FREE(HEAP_OF(map), *slot);
#endif
    JudyLFreeArray(&map->tree, PJE0);
}

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    map_clear(map);
    HEAP_FREE(heap, map);
}

/* False: the key was absent. Deleting may copy a node into a smaller one; where there is no memory for that
 * the key stays, and a map has no way to say so. */
MAP_INLINE bool tree_remove(struct map *map, map_key key) {
    int outcome = JudyLDel(&map->tree, key, PJE0);
    if (__builtin_expect(outcome != JERR, 1)) return outcome != 0;
    fprintf(stderr, "judy: out of memory in a delete; the library cannot recover\n");
    abort();
}

#ifdef MAP_COPIES
MAP_INLINE bool map_load(struct map *map, map_key key, map_val *val) {
    PPvoid_t slot = JudyLGet(map->tree, key, PJE0);
    if (!slot) return false;
    *val = (map_val)(Word_t)*slot;
    return true;
}
MAP_INLINE bool map_store(struct map *map, map_key key, map_val val) {
    PPvoid_t slot = JudyLIns(&map->tree, key, PJE0);
    if (slot == PPJERR) return false;
    *slot = (Pvoid_t)(Word_t)val;
    return true;
}
#else
MAP_INLINE map_val *slot_val(PPvoid_t slot) {
#ifdef JUDY_NODES
    return (map_val *)*slot;
#else
    return (map_val *)slot;
#endif
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    PPvoid_t slot = JudyLGet(map->tree, key, PJE0);
    return slot ? slot_val(slot) : NULL;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    PPvoid_t slot = JudyLIns(&map->tree, key, PJE0);
    if (slot == PPJERR) return NULL;
#ifdef JUDY_NODES
    if (!*slot) { /* a new key */
        map_val *node = HEAP_NEW(HEAP_OF(map), map_val, 1);
        if (!node) {
            tree_remove(map, key);
            return NULL;
        }
        *slot = node;
    }
#endif
    return slot_val(slot);
}
#endif

MAP_INLINE bool map_del(struct map *map, map_key key) {
#ifdef JUDY_NODES
    map_val *node = map_get(map, key);
    if (!node) return false;
    tree_remove(map, key);
    HEAP_FREE(HEAP_OF(map), node);
    return true;
#else
    return tree_remove(map, key);
#endif
}

static size_t map_len(const struct map *map) {
    return JudyLCount(map->tree, 0, ~(Word_t)0, PJE0);
}

static size_t map_capacity(const struct map *map) {
    (void)map;
    return 0;
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->tree = map->tree;
    iter->key = 0;
    iter->slot = JudyLFirst(iter->tree, &iter->key, PJE0);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (!iter->slot) return false;
    *key = (map_key)iter->key;
#ifdef MAP_COPIES
    iter->room = (map_val)(Word_t)*iter->slot;
    *val = &iter->room;
#else
    *val = slot_val(iter->slot);
#endif
    iter->slot = JudyLNext(iter->tree, &iter->key, PJE0);
    return true;
}

/* The library has no copy: the entries are put again, in order. */
MAP_COPY_BY_ENTRY(map_create(HEAP_OF(map), 0))

MAP_CHECK_NONE

static void map_describe(struct map *map, struct map_structure *out) {
    out->array_bytes = JudyLMemUsed(map->tree);
}
#endif
