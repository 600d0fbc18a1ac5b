/* Bytes that a go_swiss would occupy in Go's heap, as MemStats counts it after a collection. */
#ifndef MAPBENCH_MAPS_GO_SWISS_BYTES_H
#define MAPBENCH_MAPS_GO_SWISS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/go/sizeclass.h"
#include "maps/go/swiss_slot.h"

#if !defined(SHAPE_HAS_POINTERS) && defined(SHAPE_KEY_STR)
#define SHAPE_HAS_POINTERS 1
#elif !defined(SHAPE_HAS_POINTERS)
#define SHAPE_HAS_POINTERS 0
#endif

#define GO_GROUPS_NOSCAN (!SHAPE_HAS_POINTERS && !GO_KEY_INDIRECT && !GO_ELEM_INDIRECT)

/* Go's Map, without what the port adds. */
enum { GO_SWISS_MAP_BYTES = 48 };

static void go_occupy_table(struct go_occupied *o, size_t groups) {
    go_occupy(o, sizeof(struct go_table), false);
    go_occupy(o, groups * sizeof(struct go_group), GO_GROUPS_NOSCAN);
}

/* escaped: false for a map that Go's compiler keeps on the stack, with its first group. */
static struct go_occupied go_swiss_occupied(const struct map *map, bool escaped) {
    struct go_occupied o = {0, 0};
    if (escaped) go_occupy(&o, GO_SWISS_MAP_BYTES, false);
    if (escaped && map->dir_len == 0 && map->dir_ptr)
        go_occupy(&o, sizeof(struct go_group), GO_GROUPS_NOSCAN);
    if (map->dir_len > 0) go_occupy(&o, (size_t)map->dir_len * sizeof(struct go_table *), false);
    for (int64_t i = 0; i < map->dir_len; i++) {
        const struct go_table *table = go_directory(map)[i];
        if (table->index == i) go_occupy_table(&o, table->length_mask + 1);
    }
    for (size_t i = 0; GO_KEY_INDIRECT && i < map->used; i++)
        go_occupy(&o, sizeof(map_key), !SHAPE_HAS_POINTERS);
    for (size_t i = 0; GO_ELEM_INDIRECT && i < map->used; i++)
        go_occupy(&o, sizeof(map_val), !SHAPE_HAS_POINTERS);
    return o;
}

#endif
