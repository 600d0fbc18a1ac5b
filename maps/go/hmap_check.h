/* The invariants of go_hmap, recounted, and its structure in numbers. */
#ifndef MAPBENCH_MAPS_GO_HMAP_CHECK_H
#define MAPBENCH_MAPS_GO_HMAP_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/unit/map.h"
#include "maps/go/hmap_buckets.h"
#include "maps/go/sizeclass.h"

/* One chain of an array of `mask` + 1 buckets; adds up its entries and overflow buckets. */
static const char *go_check_chain(struct map *map, struct go_bmap *head, size_t n, size_t mask, size_t *live,
                                  size_t *overflows) {
    bool rest = false;
    for (struct go_bmap *b = head; b; b = b->overflow) {
        *overflows += b != head;
        for (size_t i = 0; i < GO_SLOTS; i++) {
            uint8_t top = b->top[i];
            if (rest && top != GO_EMPTY_REST) return "a slot after emptyRest is not empty";
            rest = top == GO_EMPTY_REST;
            if (top > GO_EMPTY_ONE && top < GO_TOP_MIN) return "an evacuated slot where none may be";
            if (go_is_empty(top)) continue;
            map_key key = *go_key_at(b, i);
            uint64_t hash = go_hash(map, &key);
            size_t slot;
            if (go_top(hash) != top) return "a tophash is not its key's";
            if ((hash & mask) != n) return "an entry is in a bucket that is not its hash's";
            if (go_search(map->type, head, &key, top, &slot) != b || slot != i)
                return "a key is stored twice";
            ++*live;
        }
        bool last = !b->overflow && !go_is_empty(b->top[GO_SLOTS - 1]);
        if (!b->overflow && !last && !rest) return "a chain's last empty slot is not emptyRest";
    }
    return NULL;
}

static const char *map_check(struct map *map) {
    struct go_hmap *h = &map->h;
    size_t live = 0, overflows = 0, old_overflows = 0, old = go_growing(map) ? go_old_buckets(map) : 0;
    if (h->flags & GO_WRITING) return "the flag of a write is left set";
    if (!h->buckets) return h->count ? "entries without buckets" : NULL;
    for (size_t n = 0; n <= go_mask(h->B); n++) {
        const char *fault = go_check_chain(map, &h->buckets[n], n, go_mask(h->B), &live, &overflows);
        if (fault) return fault;
    }
    for (size_t n = 0; n < old; n++) {
        if (go_evacuated(&h->oldbuckets[n])) continue;
        if (n < h->nevacuate) return "a bucket below nevacuate is not evacuated";
        const char *fault = go_check_chain(map, &h->oldbuckets[n], n, old - 1, &live, &old_overflows);
        if (fault) return fault;
    }
    if (live != h->count) return "the count is not the number of entries";
    if (h->B < 16 && h->noverflow != overflows) return "the overflow buckets are miscounted";
    if (go_overloaded(h->count, h->B)) return "more entries than the load factor allows";
    return NULL;
}

/* Bytes of one list of overflow buckets and the list itself, as Go's allocator counts. */
static size_t go_list_bytes(const struct go_bmap_list *list, const struct go_bmap *array, size_t buckets) {
    if (!list) return 0;
    size_t bytes = sizeof *list + go_allocated_bytes(list->capacity * sizeof *list->item, false);
    for (size_t i = 0; i < list->len; i++)
        if (list->item[i] < array || list->item[i] >= array + buckets)
            bytes += go_allocated_bytes(sizeof(struct go_bmap), GO_HEADERLESS);
    return bytes;
}

static void map_describe(struct map *map, struct map_structure *out) {
    const struct go_hmap *h = &map->h;
    size_t buckets = go_array_buckets(h->B, sizeof(struct go_bmap), GO_HEADERLESS), steps = 0, entries = 0;
    if (!h->buckets) return;
    out->array_bytes = go_allocated_bytes(buckets * sizeof(struct go_bmap), GO_HEADERLESS);
    if (h->extra)
        out->array_bytes += sizeof *h->extra + go_list_bytes(h->extra->overflow, h->buckets, buckets);
    if (go_growing(map)) {
        unsigned b = (unsigned)__builtin_ctzll(go_old_buckets(map));
        size_t old = go_array_buckets(b, sizeof(struct go_bmap), GO_HEADERLESS);
        out->array_bytes += go_allocated_bytes(old * sizeof(struct go_bmap), GO_HEADERLESS);
        if (h->extra) out->array_bytes += go_list_bytes(h->extra->oldoverflow, h->oldbuckets, old);
    }
    for (size_t n = 0; n <= go_mask(h->B); n++) {
        size_t step = 1;
        for (const struct go_bmap *b = &h->buckets[n]; b; b = b->overflow, step++)
            for (size_t i = 0; i < GO_SLOTS; i++) {
                if (go_is_empty(b->top[i])) continue;
                steps += step;
                entries++;
                if (step > out->probe_max) out->probe_max = step;
            }
    }
    if (entries) out->probe_mean = (double)steps / (double)entries;
}

#endif
