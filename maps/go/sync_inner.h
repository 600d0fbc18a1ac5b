/* The map[any]*entry inside go_syncmap: linear probing over slots of key and entry pointer, at most 3/4 full.
 *
 * Only what sync.Map asks of its maps is here: find, add an absent key, delete, walk. It has the lengths that
 * Go's map would have, not its layout; go_hmap is the port of that. A walk goes by slots, where Go's begins
 * at random. A map is changed only while it is dirty, under the lock, and never again once it has been
 * published as read.
 */
#ifndef MAPBENCH_MAPS_GO_SYNC_INNER_H
#define MAPBENCH_MAPS_GO_SYNC_INNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maps/go/syncmap_layout.h"
#include "maps/sizing.h"

static void inner_init(struct inner *inner, struct inner_slot *slots, size_t capacity) {
    inner->slots = slots;
    inner->capacity = capacity;
    inner->len = 0;
    inner->view[VIEW_CLEAN] = (struct sync_view){.m = inner, .amended = false};
    inner->view[VIEW_AMENDED] = (struct sync_view){.m = inner, .amended = true};
}

/* A map with room for `entries`; NULL: out of memory. */
static struct inner *inner_new(struct heap *heap, size_t entries) {
    size_t capacity = capacity_for(entries, INNER_CAPACITY_MIN, 3, 4);
    struct inner *inner = HEAP_NEW(heap, struct inner, 1);
    struct inner_slot *slots = inner && capacity ? HEAP_NEW_ZEROED(heap, struct inner_slot, capacity) : NULL;
    if (slots) {
        inner_init(inner, slots, capacity);
        return inner;
    }
    HEAP_FREE(heap, inner);
    (void)heap;
    return NULL;
}

static void inner_free(struct heap *heap, struct inner *inner) {
    HEAP_FREE(heap, inner->slots);
    HEAP_FREE(heap, inner);
    (void)heap;
}

static inline struct inner_slot *inner_slot_of(const struct inner *inner, map_key key, uint64_t hash) {
    if (inner->len == 0) return NULL;
    for (size_t i = hash & (inner->capacity - 1);; i = (i + 1) & (inner->capacity - 1)) {
        struct inner_slot *slot = &inner->slots[i];
        if (!slot->entry) return NULL;
        if (__builtin_expect(key_equal(slot->key, key), 1)) return slot;
    }
}

static inline struct sync_entry *inner_find(const struct inner *inner, map_key key, uint64_t hash) {
    struct inner_slot *slot = inner_slot_of(inner, key, hash);
    return slot ? slot->entry : NULL;
}

/* Adds an absent key; inner_reserve has been called. */
static void inner_add(struct inner *inner, map_key key, uint64_t hash, struct sync_entry *entry) {
    size_t i = hash & (inner->capacity - 1);
    while (inner->slots[i].entry) i = (i + 1) & (inner->capacity - 1);
    inner->slots[i].key = key;
    inner->slots[i].entry = entry;
    inner->len++;
}

/* Room for one more entry. False: out of memory, nothing changed. The old slots can go at once: a dirty map
 * is read under the lock only. */
static bool inner_reserve(struct map *map, struct inner *inner) {
    if (__builtin_expect(inner->len < load_limit(inner->capacity, 3, 4), 1)) return true;
    struct inner grown;
    if (inner->capacity > SIZE_MAX / 4) return false;
    inner_init(&grown, HEAP_NEW_ZEROED(HEAP_OF(map), struct inner_slot, inner->capacity * 2),
               inner->capacity * 2);
    if (!grown.slots) return false;
    for (size_t i = 0; i < inner->capacity; i++) {
        const struct inner_slot *slot = &inner->slots[i];
        if (slot->entry) inner_add(&grown, slot->key, sync_hash(map, slot->key), slot->entry);
    }
    HEAP_FREE(HEAP_OF(map), inner->slots);
    inner->slots = grown.slots;
    inner->capacity = grown.capacity;
    return true;
}

/* Empties a slot and moves the entries behind it up, so that no probe ends early. */
static void inner_remove(const struct map *map, struct inner *inner, struct inner_slot *slot) {
    size_t mask = inner->capacity - 1;
    size_t hole = (size_t)(slot - inner->slots);
    for (size_t i = (hole + 1) & mask; inner->slots[i].entry; i = (i + 1) & mask) {
        size_t home = sync_hash(map, inner->slots[i].key) & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* its home lies behind the hole */
        inner->slots[hole] = inner->slots[i];
        hole = i;
    }
    inner->slots[hole].entry = NULL;
    inner->len--;
}

static void inner_clear(struct inner *inner) {
    if (inner->len) memset(inner->slots, 0, inner->capacity * sizeof *inner->slots);
    inner->len = 0;
}

/* NULL, or what is wrong with a map by itself. */
static const char *inner_check(const struct map *map, const struct inner *inner) {
    size_t full = 0;
    if (inner->capacity & (inner->capacity - 1)) return "an inner map's capacity is not a power of two";
    for (size_t i = 0; i < inner->capacity; i++) {
        const struct inner_slot *slot = &inner->slots[i];
        if (!slot->entry) continue;
        full++;
        if (inner_slot_of(inner, slot->key, sync_hash(map, slot->key)) != slot)
            return "a key is stored twice in one inner map, or is out of reach of its home";
    }
    if (full != inner->len) return "an inner map's length is not the number of its full slots";
    return full > load_limit(inner->capacity, 3, 4) ? "an inner map is fuller than 3/4" : NULL;
}

#endif
