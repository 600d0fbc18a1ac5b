/* The small map of go_swiss: a single group without table and directory. It has no tombstones.
 * maps/go/swiss.h says what the words mean. Ported from Go 1.24.4, src/internal/runtime/maps/map.go. */
#ifndef MAPBENCH_MAPS_GO_SWISS_SMALL_H
#define MAPBENCH_MAPS_GO_SWISS_SMALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maps/go/swiss_slot.h"
#include "maps/go/swiss_table.h"

/* map.go: getWithKeySmall; runtime_fast32_swiss.go and runtime_fast64_swiss.go compare integers without
 * hashing, and runtime_faststr_swiss.go's getWithoutKeySmallFastStr hashes a long string only if two entries
 * look like it. */
MAP_INLINE go_slot_ref go_small_find(struct map *map, map_key key) {
    struct go_group *group = (struct go_group *)map->dir_ptr;
#if defined(SHAPE_KEY_STR)
    if (key.len > 64) {
        go_slot_ref alike = GO_NO_SLOT;
        bool one = true;
        for (size_t i = 0; i < GO_GROUP_SLOTS; i++) {
            if (group->ctrl[i] & GO_CTRL_EMPTY) continue;
            const map_key *other = go_slot_key(go_slot_of(group, i));
            if (other->len != key.len || memcmp(other->text, key.text, 8) != 0 ||
                memcmp(other->text + key.len - 8, key.text + key.len - 8, 8) != 0)
                continue;
            one = !go_is_slot(alike);
            if (!one) break;
            alike = go_slot_of(group, i);
        }
        if (one) return go_is_slot(alike) && go_same_key(go_slot_key(alike), &key) ? alike : GO_NO_SLOT;
    }
    uint8_t h2 = go_h2(go_swiss_hash(map, &key));
    for (size_t i = 0; i < GO_GROUP_SLOTS; i++)
        if (group->ctrl[i] == h2 && go_same_key(&key, go_slot_key(go_slot_of(group, i))))
            return go_slot_of(group, i);
#else
    for (go_bitset full = go_match_full(group->ctrl); full; full = go_bitset_rest(full)) {
        go_slot_ref slot = go_slot_of(group, go_bitset_first(full));
        if (go_same_key(&key, go_slot_key(slot))) return slot;
    }
#endif
    return GO_NO_SLOT;
}

/* map.go: putSlotSmall. A small map has no tombstones. *crowded: the key is new and the group full; otherwise
 * NULL says out of memory. Up to 1.26 a full group is not asked. */
GO_FUNC map_val *go_small_put(struct map *map, uint64_t hash, map_key key, bool *crowded) {
    struct go_group *group = (struct go_group *)map->dir_ptr;
    for (go_bitset match = go_match_h2(group->ctrl, go_h2(hash)); match; match = go_bitset_rest(match)) {
        go_slot_ref slot = go_slot_of(group, go_bitset_first(match));
        if (!go_same_key(&key, go_slot_key(slot))) continue;
        GO_KEY_UPDATE(map, go_slot_key(slot), key);
        return go_slot_elem(slot);
    }
    go_bitset spare = go_match_empty_or_deleted(group->ctrl);
    if (GO_SINCE(map, 127) && !spare) {
        *crowded = true;
        return NULL;
    }
    size_t i = go_bitset_first(spare);
    if (!go_slot_fill(map, go_slot_of(group, i), key)) return NULL;
    group->ctrl[i] = go_h2(hash);
    map->used++;
    return go_slot_elem(go_slot_of(group, i));
}

/* map.go: deleteSmall. */
GO_FUNC bool go_small_delete(const struct go_map_type *type, struct map *map, uint64_t hash,
                             const map_key *key) {
    struct go_group *group = (struct go_group *)map->dir_ptr;
    for (go_bitset match = go_match_h2(group->ctrl, go_h2(hash)); match; match = go_bitset_rest(match)) {
        size_t i = go_bitset_first(match);
        if (!type->key->equal(key, go_slot_key(go_slot_of(group, i)))) continue;
        map->used--;
        go_slot_drop(map, go_slot_of(group, i));
        group->ctrl[i] = GO_CTRL_EMPTY;
        return true;
    }
    return false;
}

#endif
