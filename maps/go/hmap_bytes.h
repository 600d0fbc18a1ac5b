/* Bytes that a go_hmap would occupy in Go's heap, as MemStats counts it after a collection. */
#ifndef MAPBENCH_MAPS_GO_HMAP_BYTES_H
#define MAPBENCH_MAPS_GO_HMAP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/go/hmap_buckets.h"
#include "maps/go/sizeclass.h"

#if !defined(SHAPE_HAS_POINTERS) && defined(SHAPE_KEY_STR)
#define SHAPE_HAS_POINTERS 1
#elif !defined(SHAPE_HAS_POINTERS)
#define SHAPE_HAS_POINTERS 0
#endif

/* An array, and the overflow buckets that Go's collector can reach from it: by the list if buckets have no
 * pointers, by the chains otherwise, of which evacuation clears those it is done with. */
static void go_occupy_array(struct go_occupied *o, struct go_bmap *array, unsigned b,
                            const struct go_bmap_list *list, bool escaped) {
    size_t buckets = go_array_buckets(b, sizeof *array, GO_HEADERLESS);
    uintptr_t from = (uintptr_t)array, to = (uintptr_t)(array + buckets);
    if (b > 0 || escaped) go_occupy(o, buckets * sizeof *array, GO_HEADERLESS);
    if (GO_NOSCAN && list) {
        go_occupy(o, sizeof *list, false);
        go_occupy(o, list->capacity * sizeof *list->item, false);
        for (size_t i = 0; i < list->len; i++)
            if ((uintptr_t)list->item[i] < from || (uintptr_t)list->item[i] >= to)
                go_occupy(o, sizeof *array, GO_HEADERLESS);
    }
    for (size_t n = 0; !GO_NOSCAN && n < (size_t)1 << b; n++)
        for (struct go_bmap *at = go_evacuated(&array[n]) ? NULL : array[n].overflow; at; at = at->overflow)
            if ((uintptr_t)at < from || (uintptr_t)at >= to) go_occupy(o, sizeof *array, GO_HEADERLESS);
}

/* escaped: false for a map that Go's compiler keeps on the stack, with its first bucket. */
static struct go_occupied go_hmap_occupied(const struct map *map, bool escaped) {
    const struct go_hmap *h = &map->h;
    const struct go_mapextra *extra = h->extra;
    struct go_occupied o = {0, 0};
    if (escaped) go_occupy(&o, sizeof *h, false);
    /* The port lists overflow buckets with pointers too, Go does not. */
    if (extra && (GO_NOSCAN || h->B >= 4)) go_occupy(&o, sizeof *extra, false);
    if (h->buckets) go_occupy_array(&o, h->buckets, h->B, extra ? extra->overflow : NULL, escaped);
    if (go_growing(map))
        go_occupy_array(&o, h->oldbuckets, (unsigned)__builtin_ctzll(go_old_buckets(map)),
                        extra ? extra->oldoverflow : NULL, escaped);
    for (size_t i = 0; GO_KEY_OUTSIDE && i < h->count; i++)
        go_occupy(&o, sizeof(map_key), !SHAPE_HAS_POINTERS);
    for (size_t i = 0; GO_VAL_OUTSIDE && i < h->count; i++)
        go_occupy(&o, sizeof(map_val), !SHAPE_HAS_POINTERS);
    return o;
}

#endif
