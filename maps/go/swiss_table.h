/* Tables of go_swiss: probing, inserting, deleting, making and freeing them (growing: maps/go/swiss_grow.h).
 * maps/go/swiss.h says what the words mean. Ported from Go 1.24.4, src/internal/runtime/maps/table.go unless
 * a function says otherwise. */
#ifndef MAPBENCH_MAPS_GO_SWISS_TABLE_H
#define MAPBENCH_MAPS_GO_SWISS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maps/go/swiss_slot.h"

/* table.go: probeSeq, makeProbeSeq, next: the groups that a key may be in, in steps of 1, 2, 3 ... Go keeps a
 * copy of the mask in it. A loop over a probe sets its group in the condition, which is always true: some
 * group has an empty slot that ends the search. */
struct go_probe {
    uint64_t at; /* number of the group */
    uint64_t step;
};
MAP_INLINE struct go_probe go_probe_start(const struct go_table *table, uint64_t hash) {
    return (struct go_probe){.at = (hash >> 7) & table->length_mask, .step = 0};
}
MAP_INLINE struct go_probe go_probe_next(struct go_probe probe, const struct go_table *table) {
    probe.step++;
    probe.at = (probe.at + probe.step) & table->length_mask;
    return probe;
}

/* The probe of getWithKey and of Delete. With `calls` keys are compared through Key.Equal, as Delete does. */
MAP_INLINE bool go_table_find(const struct go_map_type *type, const struct go_table *table, uint64_t hash,
                              const map_key *key, bool calls, struct go_group **group_out, size_t *slot_out) {
    struct go_group *group;
    for (struct go_probe probe = go_probe_start(table, hash);
         (group = go_group_at(type, table, probe.at), true); probe = go_probe_next(probe, table)) {
        for (go_bitset match = go_match_h2(group->ctrl, go_h2(hash)); match; match = go_bitset_rest(match)) {
            size_t i = go_bitset_first(match);
            go_slot_ref slot = go_slot_at(type, group, i);
            if (!(calls ? type->key->equal(key, go_typed_key(type, slot))
                        : go_same_key(key, go_slot_key(slot))))
                continue;
            *group_out = group;
            *slot_out = i;
            return true;
        }
        if (__builtin_expect(go_match_empty(group->ctrl) != 0, 1)) return false;
    }
}

/* Stores a key in a free slot, with cells of its own where key or element need them. False: out of memory,
 * and the slot is still free. */
MAP_INLINE bool go_slot_fill(struct map *map, go_slot_ref slot, map_key key) {
    struct go_key_box *box = NULL;
    (void)map;
    if (GO_KEY_INDIRECT) {
        box = HEAP_NEW(HEAP_OF(map), struct go_key_box, 1);
        if (!box) return false;
    }
    if (GO_ELEM_INDIRECT) {
        map_val *cell = HEAP_NEW(HEAP_OF(map), map_val, 1);
        if (!cell) {
            HEAP_FREE(HEAP_OF(map), box);
            return false;
        }
        HEAP_STORE(HEAP_OF(map), go_elem_pointer(go_slot_elem_cell(slot)), cell);
    }
    if (GO_KEY_INDIRECT) HEAP_STORE(HEAP_OF(map), go_key_pointer(go_slot_key_cell(slot)), box);
    *go_slot_key(slot) = key;
    return true;
}

/* Empties a slot as Delete does: element cleared, key only if it holds a pointer, cells given back. */
MAP_INLINE void go_slot_drop(struct map *map, go_slot_ref slot) {
    const struct go_map_type *type = map->type;
    if (GO_KEY_INDIRECT) {
        struct go_key_box *box = *go_key_pointer(go_slot_key_cell(slot));
        if (map->open_iterators) {
            box->next = map->stale_keys;
            map->stale_keys = box;
        } else {
            HEAP_FREE(HEAP_OF(map), box);
        }
    }
    if (GO_ELEM_INDIRECT) HEAP_FREE(HEAP_OF(map), go_slot_elem(slot));
    if (type->flags & GO_TYPE_INDIRECT_KEY)
        memset(go_typed_key_cell(type, slot), 0, sizeof(void *));
    else if (type->key->pointer_bytes)
        go_typed_clear(type->key, go_typed_key_cell(type, slot));
    void *elem = go_typed_elem_cell(type, slot);
    if (type->flags & GO_TYPE_INDIRECT_ELEM)
        memset(elem, 0, sizeof(void *));
    else
        go_typed_clear(type->elem, elem);
#ifdef GO_SPLIT_GROUPS
    HEAP_DROP(HEAP_OF(map), go_slot_key_cell(slot));
    HEAP_DROP(HEAP_OF(map), go_slot_elem_cell(slot));
#else
    HEAP_DROP(HEAP_OF(map), slot);
#endif
}

/* table.go: tombstones. */
static size_t go_table_tombstones(const struct go_table *table) {
    return (size_t)(table->capacity * GO_GROUP_LOAD_MAX / GO_GROUP_SLOTS - table->used - table->growth_left);
}

/* Groups as a set, of which a table has at most 128. */
struct go_group_set {
    uint64_t bits[GO_TABLE_CAPACITY_MAX / GO_GROUP_SLOTS / 64];
};
MAP_INLINE void go_group_set_add(struct go_group_set *set, uint64_t group) {
    set->bits[group / 64] |= (uint64_t)1 << (group % 64);
}
MAP_INLINE bool go_group_set_has(const struct go_group_set *set, uint64_t group) {
    return set->bits[group / 64] >> (group % 64) & 1;
}

/* Marks the groups with tombstones that lie between an entry's home and its group: its lookup must pass them.
 * A key that is not equal to itself is never looked up. */
static void go_mark_passed(const struct map *map, const struct go_table *table, uint64_t place, size_t i,
                           struct go_group_set *passed) {
    const struct go_map_type *type = map->type;
    const map_key *key = go_typed_key(type, go_slot_at(type, go_group_at(type, table, place), i));
    if (!type->key->equal(key, key)) return;
    uint64_t hash = type->hasher(map->keys, key, map->seed);
    for (struct go_probe probe = go_probe_start(table, hash); probe.at != place;
         probe = go_probe_next(probe, table))
        if (go_match_deleted(go_group_at(type, table, probe.at)->ctrl)) go_group_set_add(passed, probe.at);
}

/* table.go: pruneTombstones, since 1.25. Empties the tombstones that no lookup passes, if they are a tenth of
 * the slots at least. */
static __attribute__((noinline, cold)) void go_table_prune(struct map *map, struct go_table *table) {
    struct go_group_set kept = {{0}};
    uint64_t groups = table->length_mask + 1;
    size_t tombstones = go_table_tombstones(table), freed = 0;
    if (tombstones * 10 < table->capacity) return;
    for (uint64_t g = 0; g < groups; g++) {
        const uint8_t *ctrl = go_group_at(map->type, table, g)->ctrl;
        for (go_bitset full = go_match_full(ctrl); full; full = go_bitset_rest(full))
            go_mark_passed(map, table, g, go_bitset_first(full), &kept);
        if (go_match_empty(ctrl)) go_group_set_add(&kept, g);
    }
    for (uint64_t g = 0; g < groups; g++)
        if (!go_group_set_has(&kept, g))
            freed += (size_t)__builtin_popcountll(go_match_deleted(go_group_at(map->type, table, g)->ctrl));
    if (freed * 10 < table->capacity) return;
    for (uint64_t g = 0; g < groups; g++) {
        uint8_t *ctrl = go_group_at(map->type, table, g)->ctrl;
        if (go_group_set_has(&kept, g)) continue;
        for (go_bitset deleted = go_match_deleted(ctrl); deleted; deleted = go_bitset_rest(deleted))
            ctrl[go_bitset_first(deleted)] = GO_CTRL_EMPTY;
    }
    table->growth_left += (uint16_t)freed;
    GO_SWISS_OBSERVE_PRUNE(map, table, tombstones, freed);
}

/* table.go: PutSlot. *crowded: the table must be replaced first; otherwise NULL says out of memory. */
MAP_INLINE map_val *go_table_put(struct map *map, struct go_table *table, uint64_t hash, map_key key,
                                 bool *crowded) {
    const struct go_map_type *type = map->type;
    struct go_group *group, *deleted_group = NULL;
    size_t deleted_slot = 0, i;
    for (struct go_probe probe = go_probe_start(table, hash);
         (group = go_group_at(type, table, probe.at), true); probe = go_probe_next(probe, table)) {
        for (go_bitset match = go_match_h2(group->ctrl, go_h2(hash)); match; match = go_bitset_rest(match)) {
            go_slot_ref slot = go_slot_at(type, group, go_bitset_first(match));
            if (!go_same_key(&key, go_slot_key(slot))) continue;
            GO_KEY_UPDATE(map, go_slot_key(slot), key);
            return go_typed_elem(type, slot);
        }
        go_bitset spare = go_match_empty_or_deleted(group->ctrl);
        if (__builtin_expect(spare == 0, 0)) continue;
        i = go_bitset_first(spare);
        if (group->ctrl[i] == GO_CTRL_EMPTY) break;
        if (deleted_group) continue;
        deleted_group = group;
        deleted_slot = i;
    }
    if (deleted_group) {
        group = deleted_group;
        i = deleted_slot;
    } else if (__builtin_expect(table->growth_left == 0, 0)) {
        if (go_prunes(map)) go_table_prune(map, table);
        if (table->growth_left == 0) {
            *crowded = true;
            return NULL;
        }
    }
    go_slot_ref slot = go_slot_at(type, group, i);
    if (!go_slot_fill(map, slot, key)) return NULL;
    group->ctrl[i] = go_h2(hash);
    table->growth_left -= !deleted_group;
    table->used++;
    map->used++;
    return go_typed_elem(type, slot);
}

/* table.go: Delete. A group that has an empty slot ends every probe, so the slot may become empty again; in a
 * full group it must stay a tombstone. */
GO_FUNC bool go_table_delete(const struct go_map_type *type, struct map *map, struct go_table *table,
                             uint64_t hash, const map_key *key) {
    struct go_group *group;
    size_t i;
    if (!go_table_find(type, table, hash, key, true, &group, &i)) return false;
    table->used--;
    map->used--;
    go_slot_drop(map, go_slot_at(type, group, i));
    if (go_match_empty(group->ctrl)) {
        group->ctrl[i] = GO_CTRL_EMPTY;
        table->growth_left++;
    } else {
        group->ctrl[i] = GO_CTRL_DELETED;
        map->tombstone_possible = true;
    }
    return true;
}

/* group.go: alignUpPow2; 0 stays 0. */
static uint64_t go_align_up_pow2(uint64_t n) {
    return n <= 1 ? n : (uint64_t)1 << (64 - __builtin_clzll(n - 1));
}

/* table.go: resetGrowthLeft. A table of one group must keep a slot empty. */
static void go_reset_growth_left(struct go_table *table) {
    table->growth_left =
        (uint16_t)(table->capacity <= GO_GROUP_SLOTS ? table->capacity - 1
                                                     : table->capacity * GO_GROUP_LOAD_MAX / GO_GROUP_SLOTS);
}

/* group.go: newGroups, with the control words set; table.go: reset. */
static struct go_group *go_groups_new(struct map *map, size_t count) {
    (void)map;
    struct go_group *groups = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_group, count);
    for (size_t i = 0; groups && i < count; i++) memset(groups[i].ctrl, GO_CTRL_EMPTY, sizeof groups[i].ctrl);
    return groups;
}

/* table.go: newTable, in two steps: the table, then its groups. Go's allocator keeps small tables apart from
 * their groups, dense and so in the caches; many tables made at once lie like that here too if their groups
 * come after. */
static struct go_table *go_table_new_empty(struct map *map, size_t capacity, int64_t index,
                                           uint8_t local_depth) {
    (void)map;
    capacity = (size_t)go_align_up_pow2(capacity < GO_GROUP_SLOTS ? GO_GROUP_SLOTS : capacity);
    struct go_table *table = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_table, 1);
    if (!table) return NULL;
    table->length_mask = capacity / GO_GROUP_SLOTS - 1;
    table->capacity = (uint16_t)capacity;
    table->index = index;
    table->local_depth = local_depth;
    go_reset_growth_left(table);
    return table;
}
static bool go_table_add_groups(struct map *map, struct go_table *table) {
    struct go_group *groups = go_groups_new(map, table->length_mask + 1);
    if (groups) HEAP_STORE(HEAP_OF(map), &table->groups, groups);
    return groups != NULL;
}
static struct go_table *go_table_new(struct map *map, size_t capacity, int64_t index, uint8_t local_depth) {
    struct go_table *table = go_table_new_empty(map, capacity, index, local_depth);
    if (!table || go_table_add_groups(map, table)) return table;
    HEAP_FREE(HEAP_OF(map), table);
    return NULL;
}

/* Empties groups: what table.go's Clear and map.go's clearSmall do to each. */
static void go_groups_clear(struct map *map, struct go_group *groups, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (go_bitset full = go_match_full(groups[i].ctrl); full; full = go_bitset_rest(full))
            go_slot_drop(map, go_slot_of(&groups[i], go_bitset_first(full)));
        memset(groups[i].ctrl, GO_CTRL_EMPTY, sizeof groups[i].ctrl);
        memset((char *)&groups[i] + sizeof groups[i].ctrl, 0, sizeof groups[i] - sizeof groups[i].ctrl);
    }
}

/* table.go: Clear. */
static void go_table_clear(struct map *map, struct go_table *table) {
    go_groups_clear(map, table->groups, table->length_mask + 1);
    table->used = 0;
    go_reset_growth_left(table);
}

/* Frees groups whose entries nothing else holds. */
static void go_free_groups(struct map *map, struct go_group *groups, size_t count) {
    if (groups && (GO_KEY_INDIRECT || GO_ELEM_INDIRECT)) go_groups_clear(map, groups, count);
    HEAP_FREE(HEAP_OF(map), groups);
}

/* Frees what was kept for iterators; the entries' cells belong to the tables that took over. */
static void go_free_stale(struct map *map) {
    map->open_iterators = 0;
    while (map->stale) {
        struct go_stale *stale = map->stale;
        map->stale = stale->next;
        HEAP_FREE(HEAP_OF(map), stale->groups);
        HEAP_FREE(HEAP_OF(map), stale->table);
        HEAP_FREE(HEAP_OF(map), stale);
    }
    while (map->stale_keys) {
        struct go_key_box *box = map->stale_keys;
        map->stale_keys = box->next;
        HEAP_FREE(HEAP_OF(map), box);
    }
}

/* Replaced arrays are kept for open iterators, for which go_reserve_stale finds the memory before anything
 * changes. */
static bool go_reserve_stale(struct map *map, struct go_stale **reserved) {
    *reserved = NULL;
    if (!map->open_iterators) return true;
    *reserved = HEAP_NEW(HEAP_OF(map), struct go_stale, 1);
    return *reserved != NULL;
}
static void go_retire(struct map *map, struct go_stale *reserved, struct go_table *table,
                      struct go_group *groups) {
    if (!reserved) {
        HEAP_FREE(HEAP_OF(map), groups);
        HEAP_FREE(HEAP_OF(map), table);
        return;
    }
    reserved->table = table;
    reserved->groups = groups;
    reserved->next = map->stale;
    map->stale = reserved;
}

#endif
