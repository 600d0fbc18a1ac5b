/* Growth of go_swiss: a small map becomes a table, a table a larger one or two. maps/go/swiss.h says what the
 * words mean. Ported from Go 1.24.4, src/internal/runtime/maps/table.go unless a function says otherwise. */
#ifndef MAPBENCH_MAPS_GO_SWISS_GROW_H
#define MAPBENCH_MAPS_GO_SWISS_GROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/go/swiss_table.h"

/* table.go: uncheckedPutSlot: for a table without this key, without tombstones and with room. For what is
 * stored indirectly only the pointer is moved. */
GO_FUNC void go_table_put_new(const struct go_map_type *type, struct go_table *table, uint64_t hash,
                              go_slot_ref entry) {
    static const struct go_type pointer = {sizeof(void *), sizeof(void *), NULL};
    struct go_group *group;
    for (struct go_probe probe = go_probe_start(table, hash);
         (group = go_group_at(type, table, probe.at), true); probe = go_probe_next(probe, table)) {
        go_bitset spare = go_match_empty_or_deleted(group->ctrl);
        if (__builtin_expect(spare == 0, 0)) continue;
        size_t i = go_bitset_first(spare);
        go_slot_ref slot = go_slot_at(type, group, i);
        go_typed_move(type->flags & GO_TYPE_INDIRECT_KEY ? &pointer : type->key,
                      go_typed_key_cell(type, slot), go_typed_key_cell(type, entry));
        go_typed_move(type->flags & GO_TYPE_INDIRECT_ELEM ? &pointer : type->elem,
                      go_typed_elem_cell(type, slot), go_typed_elem_cell(type, entry));
        table->growth_left--;
        table->used++;
        group->ctrl[i] = go_h2(hash);
        return;
    }
}

/* The loops of growToTable, grow and split: puts the groups' entries into `left`, or those whose hash has the
 * bit `mask` set into `right`. */
static void go_move_entries(const struct map *map, struct go_group *groups, size_t count,
                            struct go_table *left, struct go_table *right, uint64_t mask) {
    const struct go_map_type *type = map->type;
    for (size_t g = 0; g < count; g++) {
        struct go_group *group = (struct go_group *)(void *)((char *)groups + g * type->group_bytes);
        GO_LOOP for (size_t i = 0; i < GO_GROUP_SLOTS; i++) {
            if (group->ctrl[i] & GO_CTRL_EMPTY) continue;
            go_slot_ref slot = go_slot_at(type, group, i);
            uint64_t hash = type->hasher(map->keys, go_typed_key(type, slot), map->seed);
            go_table_put_new(type, hash & mask ? right : left, hash, slot);
        }
    }
}

/* map.go: growToSmall. */
static __attribute__((noinline, cold)) bool go_grow_to_small(struct map *map) {
    struct go_group *group = go_groups_new(map, 1);
    if (!group) return false;
    HEAP_STORE(HEAP_OF(map), &map->dir_ptr, (void *)group);
    map->slots = GO_GROUP_SLOTS;
    return true;
}

/* map.go: growToTable. */
static __attribute__((noinline, cold)) bool go_grow_to_table(struct map *map) {
    struct go_group *group = (struct go_group *)map->dir_ptr;
    struct go_stale *stale;
    if (!go_reserve_stale(map, &stale)) return false;
    struct go_table *table = go_table_new(map, 2 * GO_GROUP_SLOTS, 0, 0);
    struct go_table **directory = table ? HEAP_NEW(HEAP_OF(map), struct go_table *, 1) : NULL;
    if (!directory) {
        if (table) HEAP_FREE(HEAP_OF(map), table->groups);
        HEAP_FREE(HEAP_OF(map), table);
        HEAP_FREE(HEAP_OF(map), stale);
        return false;
    }
    go_move_entries(map, group, 1, table, NULL, 0);
    HEAP_STORE(HEAP_OF(map), &directory[0], table);
    HEAP_STORE(HEAP_OF(map), &map->dir_ptr, (void *)directory);
    map->dir_len = 1;
    map->global_depth = 0;
    map->global_shift = 64;
    map->slots = table->capacity;
    go_retire(map, stale, NULL, group);
    GO_SWISS_OBSERVE(map, GO_GROUP_SLOTS, GO_GROUP_SLOTS, 0, table, 0);
    return true;
}

/* map.go: replaceTable. */
static void go_replace_table(struct map *map, struct go_table *table) {
    size_t entries = (size_t)1 << (map->global_depth - table->local_depth);
    for (size_t i = 0; i < entries; i++)
        HEAP_STORE(HEAP_OF(map), &go_directory(map)[(size_t)table->index + i], table);
}

/* table.go: grow. */
static bool go_table_grow(struct map *map, struct go_table *old) {
    struct go_stale *stale;
    if (!go_reserve_stale(map, &stale)) return false;
    struct go_table *table = go_table_new(map, 2 * (size_t)old->capacity, old->index, old->local_depth);
    if (!table) {
        HEAP_FREE(HEAP_OF(map), stale);
        return false;
    }
    go_move_entries(map, old->groups, old->length_mask + 1, table, NULL, 0);
    go_replace_table(map, table);
    map->slots += old->capacity;
    old->index = -1;
    GO_SWISS_OBSERVE(map, old->capacity, old->used, go_table_tombstones(old), table, map->dir_len);
    go_retire(map, stale, old, old->groups);
    return true;
}

/* map.go: installTableSplit, when the directory lacks the bit. A table's index moves once, at its first
 * entry. */
static void go_double_directory(struct map *map, struct go_table **directory) {
    for (int64_t i = 0; i < map->dir_len; i++) {
        struct go_table *table = go_directory(map)[i];
        HEAP_STORE(HEAP_OF(map), &directory[2 * i], table);
        HEAP_STORE(HEAP_OF(map), &directory[2 * i + 1], table);
        if (table->index == i) table->index = 2 * i;
    }
    HEAP_FREE(HEAP_OF(map), map->dir_ptr);
    HEAP_STORE(HEAP_OF(map), &map->dir_ptr, (void *)directory);
    map->dir_len *= 2;
    map->global_depth++;
    map->global_shift--;
}

/* table.go: split; map.go: installTableSplit. */
static bool go_table_split(struct map *map, struct go_table *old) {
    uint8_t depth = old->local_depth + 1;
    int64_t old_dir_len = map->dir_len;
    bool doubles = old->local_depth == map->global_depth;
    struct go_table **directory = NULL;
    struct go_stale *stale;
    if (!go_reserve_stale(map, &stale)) return false;
    struct go_table *left = go_table_new(map, GO_TABLE_CAPACITY_MAX, -1, depth);
    struct go_table *right = left ? go_table_new(map, GO_TABLE_CAPACITY_MAX, -1, depth) : NULL;
    if (right && doubles) directory = HEAP_NEW(HEAP_OF(map), struct go_table *, 2 * (size_t)old_dir_len);
    if (!right || (doubles && !directory)) {
        if (left) HEAP_FREE(HEAP_OF(map), left->groups);
        if (right) HEAP_FREE(HEAP_OF(map), right->groups);
        HEAP_FREE(HEAP_OF(map), left);
        HEAP_FREE(HEAP_OF(map), right);
        HEAP_FREE(HEAP_OF(map), stale);
        return false;
    }
    go_move_entries(map, old->groups, old->length_mask + 1, left, right, (uint64_t)1 << (64 - depth));
    if (doubles) go_double_directory(map, directory);
    left->index = old->index;
    go_replace_table(map, left);
    right->index = left->index + ((int64_t)1 << (map->global_depth - depth));
    go_replace_table(map, right);
    map->slots += 2 * GO_TABLE_CAPACITY_MAX - old->capacity;
    old->index = -1;
    GO_SWISS_OBSERVE(map, old->capacity, old->used, go_table_tombstones(old), left, old_dir_len);
    go_retire(map, stale, old, old->groups);
    return true;
}

/* table.go: rehash. False: out of memory, nothing changed. */
static __attribute__((noinline)) bool go_table_rehash(struct map *map, struct go_table *table) {
    return 2 * table->capacity <= GO_TABLE_CAPACITY_MAX ? go_table_grow(map, table)
                                                        : go_table_split(map, table);
}

#endif
