/* A release of Verstable's verstable.h:  HEADER(name, verstable, PATH).
 *
 * Source:     the header that the line names, Jackson Allan's Verstable 1.0 or later.
 * Invariants: none known of the library; the selftest compares it with a model.
 * Cost:       entries in one array and 16 bits per bucket; keys of one home are chained through free buckets.
 */
#include "maps/headers/facts.h"

#if !__has_include(HEADER_FILE)
#define MAP_UNAVAILABLE HEADER_MISSING
#else
#define NAME verstable
#define KEY_TY map_key
#define VAL_TY map_val
#define HASH_FN key_hash
#define CMPR_FN key_equal
#include HEADER_FILE
#endif

HEADER_FACTS(
    "driven as Verstable", "entry + 2 bytes per bucket",
    "a store hands over a value, which the others leave to the caller: it is copied once more; the common "
    "hash is asked for under either policy, as the library's own knows no texts with a length",
    0);

#ifndef MAP_UNAVAILABLE
struct map {
    verstable table;
    HEAP_FIELD
};

struct map_iter {
    verstable_itr at;
};

static void map_destroy(struct map *map) {
    verstable_cleanup(&map->table);
    HEAP_FREE(HEAP_OF(map), map);
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    verstable_init(&map->table);
    if (verstable_reserve(&map->table, hint)) return map;
    map_destroy(map);
    return NULL;
}

static struct map *map_copy(struct map *map) {
    struct map *copy = HEAP_NEW_ZEROED(HEAP_OF(map), struct map, 1);
    if (!copy) return NULL;
    HEAP_BIND(copy, HEAP_OF(map));
    if (verstable_init_clone(&copy->table, &map->table)) return copy;
    HEAP_FREE(HEAP_OF(map), copy);
    return NULL;
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    verstable_itr at = verstable_get(&map->table, key);
    return verstable_is_end(at) ? NULL : &at.data->val;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map_val unset;
    __asm__ volatile("" : "=m"(unset)); /* the caller stores the value */
    verstable_itr at = verstable_get_or_insert(&map->table, key, unset);
    return verstable_is_end(at) ? NULL : &at.data->val;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    return verstable_erase(&map->table, key);
}

static size_t map_len(const struct map *map) {
    return verstable_size((verstable *)&map->table);
}
static size_t map_capacity(const struct map *map) {
    return verstable_bucket_count((verstable *)&map->table);
}
static void map_clear(struct map *map) {
    verstable_clear(&map->table);
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->at = verstable_first(&map->table);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (verstable_is_end(iter->at)) return false;
    *key = iter->at.data->key;
    *val = &iter->at.data->val;
    iter->at = verstable_next(iter->at);
    return true;
}

/* The library offers no check. */
static const char *map_check(struct map *map) {
    (void)map;
    return NULL;
}

/* Nothing of the inside is known. */
static void map_describe(struct map *map, struct map_structure *out) {
    (void)map, (void)out;
}
#endif
