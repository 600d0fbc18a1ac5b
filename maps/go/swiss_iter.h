/* Iteration over go_swiss, which may go on while the map changes. Ported from Go 1.24.4,
 * src/internal/runtime/maps/table.go (Iter).
 *
 * An iterator walks the directory from a random place and each table from a random slot, and keeps to a table
 * it has begun even after that is replaced: the stale table says which keys are due, and a lookup in the map
 * finds their present values, or that they have gone. So each key comes once at most, and each that stays
 * comes.
 */
#ifndef MAPBENCH_MAPS_GO_SWISS_ITER_H
#define MAPBENCH_MAPS_GO_SWISS_ITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/rng.h"
#include "maps/go/swiss_table.h"

/* Defined by maps/go/swiss.h; entries of replaced tables are looked up again. */
GO_FUNC map_val *map_get(struct map *map, map_key key);

struct map_iter {
    const map_key *key; /* NULL: at the end */
    const map_val *elem;
    const struct go_map_type *type;
    struct map *map; /* NULL: the map was empty */
    uint64_t entry_offset, dir_offset;
    uint8_t global_depth; /* the map's when it was looked at last */
    int64_t dir_at;       /* -1: the map was small */
    struct go_table *table;
    struct go_group *group; /* of the slot at entry_at; NULL: not looked up yet */
    uint64_t entry_at;
};
#define MAP_ITER_POINTERS(POINTER, walk)                                                                     \
    POINTER(walk, key) POINTER(walk, elem) POINTER(walk, map) POINTER(walk, table) POINTER(walk, group)

/* table.go: Init. The map must not change until the iterator is done with. */
GO_FUNC void map_iter_start(struct map *map, struct map_iter *iter) {
    memset(iter, 0, sizeof *iter);
    if (map->used == 0) return;
    iter->map = map;
    iter->type = map->type;
    iter->entry_offset = rng_next(&map->random);
    iter->dir_offset = rng_next(&map->random);
    iter->global_depth = map->global_depth;
    iter->dir_at = map->dir_len ? 0 : -1;
    iter->group = map->dir_len ? NULL : (struct go_group *)map->dir_ptr;
}

/* Starts a walk over a map that does change meanwhile: what it replaces stays readable until as many
 * go_swiss_iter_close as go_swiss_iter_open have been called. In Go the collector sees to that. */
static inline void go_swiss_iter_open(struct map *map, struct map_iter *iter) {
    map->open_iterators++;
    map_iter_start(map, iter);
}
static inline void go_swiss_iter_close(struct map *map) {
    if (--map->open_iterators == 0) go_free_stale(map);
}

/* table.go: nextDirIdx: past every entry of the directory that the table stood, or stands split, in. */
MAP_INLINE void go_iter_next_table(struct map_iter *iter) {
    iter->dir_at += (int64_t)1 << (iter->map->global_depth - iter->table->local_depth);
    iter->table = NULL;
    iter->group = NULL;
    iter->entry_at = 0;
}

/* table.go: Next, where it resolves the table: the first one may begin before the random place. */
MAP_INLINE void go_iter_find_table(struct map_iter *iter) {
    const struct map *map = iter->map;
    int64_t at = (int64_t)(((uint64_t)iter->dir_at + iter->dir_offset) & (uint64_t)(map->dir_len - 1));
    iter->table = go_directory(map)[at];
    iter->dir_offset -= (uint64_t)(at - iter->table->index);
}

/* The slot's entry, looked up again if the slot is of a replaced array; false: it has been deleted since. */
MAP_INLINE bool go_iter_entry(struct map_iter *iter, size_t i, bool replaced) {
    go_slot_ref slot = go_slot_at(iter->type, iter->group, i);
    const map_key *key = go_typed_key(iter->type, slot);
    const map_val *elem =
        __builtin_expect(replaced, 0) ? map_get(iter->map, *key) : go_typed_elem(iter->type, slot);
    if (!elem) return false;
    iter->key = key;
    iter->elem = elem;
    return true;
}

/* table.go: Next, for a map that was small. */
MAP_INLINE bool go_iter_next_small(struct map_iter *iter) {
    while (iter->entry_at < GO_GROUP_SLOTS) {
        size_t i = (iter->entry_at++ + iter->entry_offset) % GO_GROUP_SLOTS;
        if (iter->group->ctrl[i] & GO_CTRL_EMPTY) continue;
        if (go_iter_entry(iter, i, iter->map->dir_len > 0)) return true;
    }
    return false;
}

/* The slot that entry_at means, in iter->group. */
MAP_INLINE size_t go_iter_slot(struct map_iter *iter, uint64_t mask) {
    uint64_t at = (iter->entry_at + iter->entry_offset) & mask;
    size_t i = at % GO_GROUP_SLOTS;
    if (i == 0 || !iter->group) iter->group = go_group_at(iter->type, iter->table, at / GO_GROUP_SLOTS);
    return i;
}

/* From a slot to the next full one of its group, or to the next group. `full` begins with the slot. */
MAP_INLINE go_bitset go_iter_jump(struct map_iter *iter, go_bitset full, size_t i) {
    full = go_bitset_rest(full);
    iter->entry_at += (full ? go_bitset_first(full) : GO_GROUP_SLOTS) - i;
    return full;
}

/* The slow path of Next: what is left of a table, by control words. False: nothing. */
MAP_INLINE bool go_iter_search(struct map_iter *iter, uint64_t mask) {
    go_bitset full = 0;
    while (iter->entry_at <= mask) {
        size_t i = go_iter_slot(iter, mask);
        if (!full) {
            full = go_match_full(iter->group->ctrl);
            if (i != 0) full = go_bitset_from(full, i);
            size_t next = full ? go_bitset_first(full) : GO_GROUP_SLOTS;
            iter->entry_at += next - i;
            if (!full || iter->entry_at > mask) continue;
            i = next;
        }
        bool taken = go_iter_entry(iter, i, iter->table->index == -1);
        full = go_iter_jump(iter, full, i);
        if (taken) return true;
    }
    return false;
}

/* table.go: Next. The slot after the last one is tried before its group's control word. False: at the end. */
MAP_INLINE bool go_iter_step(struct map_iter *iter) {
    struct map *map = iter->map;
    if (!map) return false;
    if (__builtin_expect(go_writing(map), 0)) {
        go_fatal(map, "concurrent map iteration and map write");
        return false;
    }
    if (iter->dir_at < 0) return go_iter_next_small(iter);
    if (__builtin_expect(iter->global_depth != map->global_depth, 0)) {
        iter->dir_at <<= map->global_depth - iter->global_depth;
        iter->dir_offset <<= map->global_depth - iter->global_depth;
        iter->global_depth = map->global_depth;
    }
    for (; iter->dir_at < map->dir_len; go_iter_next_table(iter)) {
        if (!iter->table) go_iter_find_table(iter);
        uint64_t mask = (uint64_t)iter->table->capacity - 1;
        if (iter->entry_at > mask) continue;
        size_t i = go_iter_slot(iter, mask);
        bool full = !(iter->group->ctrl[i] & GO_CTRL_EMPTY);
        iter->entry_at++;
        if (full && go_iter_entry(iter, i, iter->table->index == -1)) return true;
        if (go_iter_search(iter, mask)) return true;
    }
    return false;
}
GO_FUNC void go_iter_next(struct map_iter *iter) {
    if (!go_iter_step(iter)) iter->key = NULL;
}

/* runtime/map_swiss.go: mapIterNext. */
GO_FUNC void go_map_iter_next(struct map_iter *iter) {
    go_iter_next(iter);
}

/* Does what a range loop does: the entry is read through the pointers left in the iterator. */
MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    go_map_iter_next(iter);
    if (!iter->key) return false;
    *key = *iter->key;
    *val = iter->elem;
    return true;
}

#endif
