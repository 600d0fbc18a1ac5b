/* Walks over go_hmap, which may go on while the map changes. maps/go/hmap.h says what the words mean. Ported
 * from Go 1.23, runtime/map.go (hiter). */
#ifndef MAPBENCH_MAPS_GO_HMAP_ITER_H
#define MAPBENCH_MAPS_GO_HMAP_ITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/rng.h"
#include "maps/go/hmap_buckets.h"
#include "maps/go/hmap_grow.h"

static const size_t GO_NO_CHECK = SIZE_MAX;

/* hiter */
struct map_iter {
    map_key *key; /* NULL: at the end */
    map_val *elem;
    struct map *map; /* NULL: the walk has ended */
    struct go_bmap *buckets, *b;
    size_t start;
    uint8_t offset;
    bool wrapped;
    uint8_t B, i; /* i: next slot of b, counted from the offset */
    size_t bucket;
    size_t check; /* only entries of this bucket are taken from an old one */
    size_t epoch;
};
#define MAP_ITER_POINTERS(POINTER, walk)                                                                     \
    POINTER(walk, key) POINTER(walk, elem) POINTER(walk, map) POINTER(walk, buckets) POINTER(walk, b)

static void go_walk_end(struct map_iter *iter) {
    struct map *map = iter->map;
    iter->map = NULL;
    iter->key = NULL;
    iter->elem = NULL;
    if (map && iter->epoch == map->walk_epoch && --map->walks == 0) go_free_retired(map);
}

/* For a walk that is given up before its end: what was kept for it can be freed. */
#define MAP_HAS_ITER_STOP 1
static inline void map_iter_stop(struct map_iter *iter) {
    go_walk_end(iter);
}

/* mapiterinit */
GO_FUNC void map_iter_start(struct map *map, struct map_iter *iter) {
    memset(iter, 0, sizeof *iter);
    if (map->h.count == 0) return;
    uint64_t random = rng_next(&map->random);
    iter->map = map;
    iter->B = map->h.B;
    iter->buckets = map->h.buckets;
    iter->start = iter->bucket = random & go_mask(map->h.B);
    iter->offset = (uint8_t)(random >> map->h.B & (GO_SLOTS - 1));
    iter->epoch = map->walk_epoch;
    map->walks++;
    map->h.flags |= GO_ITERATOR | GO_OLD_ITERATOR;
}

/* The part of mapiternext that begins a chain: the bucket's own, or the old one while it is not evacuated. */
MAP_INLINE struct go_bmap *go_walk_chain(const struct map_iter *iter, size_t bucket, size_t *check) {
    const struct map *map = iter->map;
    *check = GO_NO_CHECK;
    if (__builtin_expect(go_growing(map), 0) && iter->B == map->h.B) {
        struct go_bmap *old = &map->h.oldbuckets[bucket & (go_old_buckets(map) - 1)];
        if (!go_evacuated(old)) {
            *check = bucket;
            return old;
        }
    }
    return go_bucket_at(map->type, iter->buckets, bucket);
}

/* mapaccessK: the stored key and value; false: absent. */
GO_FUNC bool go_find_both(struct map *map, const map_key *key, map_key **stored, map_val **val) {
    size_t slot;
    uint64_t hash = go_hash(map, key);
    if (map->h.count == 0) return false;
    struct go_bmap *b = go_search(map->type, go_chain(map, hash), key, go_top(hash), &slot);
    if (!b) return false;
    *stored = go_key_at(b, slot);
    *val = go_val_at(b, slot);
    return true;
}

/* The part of mapiternext that takes the entry of a slot; false: it is another bucket's, or has been deleted.
 */
MAP_INLINE bool go_walk_take(struct map_iter *iter, struct go_bmap *b, size_t slot, size_t check) {
    struct map *map = iter->map;
    map_key *key = go_typed_key(map->type, b, slot);
    if (__builtin_expect(check != GO_NO_CHECK, 0) && !go_same_size(map) &&
        (go_hash(map, key) & go_mask(iter->B)) != check)
        return false;
    if (__builtin_expect(b->top[slot] == GO_EVACUATED_X || b->top[slot] == GO_EVACUATED_Y, 0))
        return go_find_both(map, key, &iter->key, &iter->elem);
    iter->key = key;
    iter->elem = go_typed_elem(map->type, b, slot);
    return true;
}

/* mapiternext. Deletes and stores of a walk's own loop are allowed, as in Go. */
GO_FUNC void go_walk_next(struct map_iter *iter) {
    struct map *map = iter->map;
    if (__builtin_expect(!map || iter->epoch != map->walk_epoch, 0)) return go_walk_end(iter);
    if (__builtin_expect(map->h.flags & GO_WRITING, 0)) {
        go_refuse(map, GO_CONCURRENT_WALK);
        iter->key = NULL;
        return;
    }
    size_t bucket = iter->bucket, check = iter->check;
    struct go_bmap *b = iter->b;
    uint8_t i = iter->i;
    for (;; b = go_overflow_of(map->type, b), i = 0) {
        if (!b) {
            if (bucket == iter->start && iter->wrapped) return go_walk_end(iter);
            b = go_walk_chain(iter, bucket, &check);
            if (++bucket == (size_t)1 << iter->B) {
                bucket = 0;
                iter->wrapped = true;
            }
            i = 0;
        }
        GO_LOOP for (; i < GO_SLOTS; i++) {
            size_t slot = (i + iter->offset) & (GO_SLOTS - 1);
            if (go_is_empty(b->top[slot]) || b->top[slot] == GO_EVACUATED_EMPTY) continue;
            if (!go_walk_take(iter, b, slot, check)) continue;
            iter->bucket = bucket;
            iter->b = b;
            iter->i = i + 1;
            iter->check = check;
            return;
        }
    }
}

/* Does what a range loop does with mapiternext: the entry is read through the pointers left in hiter. */
MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    go_walk_next(iter);
    if (!iter->key) return false;
    *key = *iter->key;
    *val = iter->elem;
    return true;
}

#endif
