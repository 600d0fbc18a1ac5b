/* Growth of go_hmap, by doubling or at the same size, and moving the entries bit by bit. maps/go/hmap.h says
 * what the words mean. Ported from Go 1.23, runtime/map.go. */
#ifndef MAPBENCH_MAPS_GO_HMAP_GROW_H
#define MAPBENCH_MAPS_GO_HMAP_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maps/go/hmap_buckets.h"
#include "maps/go/sizeclass.h"

/* hashGrow; false: out of memory, nothing changed. */
static __attribute__((noinline)) bool go_start_growth(struct map *map) {
    struct go_hmap *h = &map->h;
    bool bigger = go_overloaded(h->count + 1, h->B);
    struct go_bmap *next, *array;
    if (go_array_buckets(h->B + bigger, sizeof(struct go_bmap), GO_HEADERLESS) > (size_t)1
                                                                                     << (h->B + bigger) &&
        !go_extra(map))
        return false;
    if (!(array = go_array_new(map, h->B + bigger, &next))) return false;
    uint8_t flags = h->flags & (uint8_t) ~(GO_ITERATOR | GO_OLD_ITERATOR);
    if (h->flags & GO_ITERATOR) flags |= GO_OLD_ITERATOR;
    if (!bigger) flags |= GO_SAME_SIZE;
    h->flags = flags;
    h->B = (uint8_t)(h->B + bigger);
    HEAP_STORE(HEAP_OF(map), &h->oldbuckets, h->buckets);
    HEAP_STORE(HEAP_OF(map), &h->buckets, array);
    h->nevacuate = 0;
    h->noverflow = 0;
    if (h->extra) {
        h->extra->oldoverflow = h->extra->overflow;
        h->extra->overflow = NULL;
        /* Go leaves the old array's spare in place if the new one has none; neither has then, as b < 4 for
         * both. */
        h->extra->next_overflow = next;
    }
    return true;
}

/* Frees an array that is no longer in use, or keeps it for the walks that may still read it. */
static void go_release(struct map *map, struct go_bmap *array, size_t buckets,
                       struct go_bmap_list *overflow) {
#ifdef HEAP_COLLECTS
    (void)map, (void)array, (void)buckets, (void)overflow;
}

static void go_free_retired(struct map *map) {
    (void)map;
}
#else
    struct go_retired *retired = map->walks ? HEAP_NEW(HEAP_OF(map), struct go_retired, 1) : NULL;
    if (!retired) {
        if (map->walks) map->walk_epoch++; /* no memory to remember it: the walks end early instead */
        map->walks = 0;
        go_array_free(map, array, buckets, overflow);
        return;
    }
    *retired = (struct go_retired){map->retired, array, overflow, buckets};
    map->retired = retired;
}

static void go_free_retired(struct map *map) {
    while (map->retired) {
        struct go_retired *retired = map->retired;
        map->retired = retired->next;
        go_array_free(map, retired->buckets, retired->array_buckets, retired->overflow);
        HEAP_FREE(HEAP_OF(map), retired);
    }
}
#endif

/* advanceEvacuationMark */
static void go_advance_mark(struct map *map, size_t old_buckets) {
    struct go_hmap *h = &map->h;
    h->nevacuate++;
    size_t stop = h->nevacuate + 1024;
    if (stop > old_buckets) stop = old_buckets;
    while (h->nevacuate != stop && go_evacuated(&h->oldbuckets[h->nevacuate])) h->nevacuate++;
    if (h->nevacuate != old_buckets) return;
    unsigned old_b = (unsigned)__builtin_ctzll(old_buckets);
    struct go_bmap_list *overflow = h->extra ? h->extra->oldoverflow : NULL;
    go_release(map, h->oldbuckets, go_array_buckets(old_b, sizeof(struct go_bmap), GO_HEADERLESS), overflow);
    HEAP_DROP(HEAP_OF(map), &h->oldbuckets);
    h->oldbuckets = NULL;
    if (h->extra) HEAP_DROP(HEAP_OF(map), &h->extra->oldoverflow);
    if (h->extra) h->extra->oldoverflow = NULL;
    h->flags &= (uint8_t)~GO_SAME_SIZE;
}

/* Memory ran out in the middle of a chain: its slots become what they were, their destinations empty. Every
 * later slot being empty is what tells emptyRest from emptyOne, so the chain says what each mark has been. */
static __attribute__((noinline, cold)) void go_undo_evacuation(struct map *map, struct go_bmap *chain,
                                                               struct go_bmap *x, struct go_bmap *y) {
    struct go_bmap *rest = chain; /* the bucket of the last live slot ... */
    size_t rest_slot = 0;         /* ... and the slot after it */
    for (struct go_bmap *b = chain; b; b = b->overflow)
        for (size_t i = 0; i < GO_SLOTS; i++) {
            bool live = b->top[i] == GO_EVACUATED_X || b->top[i] == GO_EVACUATED_Y || b->top[i] >= GO_TOP_MIN;
            if (live && b->top[i] < GO_TOP_MIN) b->top[i] = go_top(go_hash(map, go_key_at(b, i)));
            if (!live) b->top[i] = GO_EMPTY_ONE;
            if (live) rest = b, rest_slot = i + 1;
        }
    for (struct go_bmap *b = rest; b; b = b->overflow, rest_slot = 0)
        for (size_t i = rest_slot; i < GO_SLOTS; i++) b->top[i] = GO_EMPTY_REST;
    for (; x; x = x->overflow) memset(x->top, GO_EMPTY_REST, sizeof x->top);
    for (; y; y = y->overflow) memset(y->top, GO_EMPTY_REST, sizeof y->top);
}

struct go_destination {
    struct go_bmap *b;
    size_t i;
};

/* The loop of evacuate; false: out of memory, the chain has to be put back. */
static bool go_move_chain(struct map *map, struct go_bmap *chain, struct go_destination xy[2],
                          size_t newbit) {
    static const struct go_type pointer = {sizeof(void *), sizeof(void *), NULL};
    const struct go_type *elem = GO_VAL_OUTSIDE ? &pointer : map->type->elem;
    for (struct go_bmap *b = chain; b; b = go_overflow_of(map->type, b))
        GO_LOOP for (size_t i = 0; i < GO_SLOTS; i++) {
            uint8_t top = b->top[i];
            if (go_is_empty(top)) {
                b->top[i] = GO_EVACUATED_EMPTY;
                continue;
            }
            bool use_y = !go_same_size(map) && (go_hash(map, go_key_at(b, i)) & newbit) != 0;
            struct go_destination *to = &xy[use_y];
            if (__builtin_expect(to->i == GO_SLOTS, 0)) {
                struct go_bmap *overflow = go_new_overflow(map, to->b);
                if (!overflow) return false;
                *to = (struct go_destination){overflow, 0};
            }
            b->top[i] = (uint8_t)(GO_EVACUATED_X + use_y);
            to->b->top[to->i] = top;
            to->b->key[to->i] = b->key[i];
            go_typed_move(elem, (char *)to->b + map->type->elem_offset + to->i * map->type->elem_bytes,
                          (char *)b + map->type->elem_offset + i * map->type->elem_bytes);
            to->i++;
        }
    return true;
}

#ifdef HEAP_COLLECTS
/* The end of evacuate: an evacuated chain must not keep alive what its entries pointed to; what a walk may
 * still come by stays. The bucket in the array loses only its entries and its overflow pointer. */
static void go_forget_chain(struct map *map, struct go_bmap *b) {
    if (GO_NOSCAN || (map->h.flags & GO_OLD_ITERATOR)) return;
    memset(b->key, 0, sizeof *b - offsetof(struct go_bmap, key));
}
#else
#define go_forget_chain(map, b) ((void)0)
#endif

/* evacuate, evacuate_fast32, _fast64, _faststr; false: out of memory, nothing changed. Only the collector
 * needs the old slots cleared, which Go does with pointerful ones. */
GO_FUNC bool go_evacuate(struct map *map, size_t old_bucket) {
    struct go_hmap *h = &map->h;
    struct go_bmap *b = &h->oldbuckets[old_bucket];
    size_t newbit = go_old_buckets(map);
    if (!go_evacuated(b)) {
        struct go_bmap *x = &h->buckets[old_bucket],
                       *y = go_same_size(map) ? NULL : &h->buckets[old_bucket + newbit];
        struct go_destination xy[2] = {{x, 0}, {y, 0}};
        if (!go_move_chain(map, b, xy, newbit)) {
            go_undo_evacuation(map, b, x, y);
            return false;
        }
        for (size_t i = 0; i < GO_SLOTS; i++) HEAP_DROP(HEAP_OF(map), &b->key[i]);
        go_forget_chain(map, b);
    }
    if (old_bucket == h->nevacuate) go_advance_mark(map, newbit);
    return true;
}

/* growWork: the bucket about to be used, and one more for progress. False: out of memory, the bucket is where
 * it was. The other one may stay where it is for now. */
static __attribute__((noinline)) bool go_grow_work(struct map *map, size_t bucket) {
    if (!go_evacuate(map, bucket & (go_old_buckets(map) - 1))) return false;
    if (go_growing(map)) (void)go_evacuate(map, map->h.nevacuate);
    return true;
}

#endif
