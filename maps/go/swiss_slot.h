/* Slots, groups and the directory of go_swiss: what leads from a hash to a key and an element, at addresses
 * worked out from the type's descriptor; and the flag that shows a write. maps/go/swiss.h says what the words
 * mean. Ported from Go 1.24.4, src/internal/runtime/maps. */
#ifndef MAPBENCH_MAPS_GO_SWISS_SLOT_H
#define MAPBENCH_MAPS_GO_SWISS_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "maps/go/call.h"
#include "maps/go/swiss_group.h"
#include "maps/go/swiss_layout.h"

MAP_INLINE uint64_t go_swiss_hash(const struct map *map, const map_key *key) {
    return map->type->hasher(map->keys, key, map->seed);
}

/* Compares keys: as Key.Equal, and as the fast variants for integers and strings do instead. */
MAP_INLINE bool go_same_key(const map_key *a, const map_key *b) {
#ifdef SHAPE_KEY_STR
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
#else
    return key_equal(*a, *b);
#endif
}
GO_FUNC bool go_key_equal(const map_key *a, const map_key *b) {
    return go_same_key(a, b);
}

/* map.go: h2. */
MAP_INLINE uint8_t go_h2(uint64_t hash) {
    return hash & 0x7f;
}

/* A slot's cell taken as the pointer it holds. A shape uses these or the direct cells. */
MAP_INLINE struct go_key_box **go_key_pointer(void *cell) {
    return (struct go_key_box **)cell;
}
MAP_INLINE map_val **go_elem_pointer(void *cell) {
    return (map_val **)cell;
}

/* A slot: a struct, or in a split group the number of its cells. */
#ifdef GO_SPLIT_GROUPS
typedef struct {
    struct go_group *group;
    size_t i;
} go_slot_ref;
#define GO_NO_SLOT ((go_slot_ref){NULL, 0})
MAP_INLINE bool go_is_slot(go_slot_ref slot) {
    return slot.group != NULL;
}
MAP_INLINE go_slot_ref go_slot_of(struct go_group *group, size_t i) {
    return (go_slot_ref){group, i};
}
MAP_INLINE go_key_cell *go_slot_key_cell(go_slot_ref slot) {
    return &slot.group->keys[slot.i];
}
MAP_INLINE go_elem_cell *go_slot_elem_cell(go_slot_ref slot) {
    return &slot.group->elems[slot.i];
}
#else
typedef struct go_slot *go_slot_ref;
#define GO_NO_SLOT NULL
MAP_INLINE bool go_is_slot(go_slot_ref slot) {
    return slot != NULL;
}
MAP_INLINE go_slot_ref go_slot_of(struct go_group *group, size_t i) {
    return &group->slots[i];
}
MAP_INLINE go_key_cell *go_slot_key_cell(go_slot_ref slot) {
    return &slot->key;
}
MAP_INLINE go_elem_cell *go_slot_elem_cell(go_slot_ref slot) {
    return &slot->elem;
}
#endif

MAP_INLINE map_key *go_slot_key(go_slot_ref slot) {
    return GO_KEY_INDIRECT ? &(*go_key_pointer(go_slot_key_cell(slot)))->key
                           : (map_key *)(void *)go_slot_key_cell(slot);
}
MAP_INLINE map_val *go_slot_elem(go_slot_ref slot) {
    return GO_ELEM_INDIRECT ? *go_elem_pointer(go_slot_elem_cell(slot))
                            : (map_val *)(void *)go_slot_elem_cell(slot);
}

#if defined(SHAPE_KEY_POINTERS)
#define GO_KEY_POINTER_BYTES sizeof(map_key)
#elif defined(SHAPE_KEY_STR)
#define GO_KEY_POINTER_BYTES sizeof(void *)
#else
#define GO_KEY_POINTER_BYTES 0
#endif

static const struct go_map_type go_unit_type = {
    .key = &(const struct go_type){sizeof(map_key), GO_KEY_POINTER_BYTES, go_key_equal},
    .elem = &(const struct go_type){sizeof(map_val), 0, NULL},
    .hasher = go_hash_key,
    .group_bytes = sizeof(struct go_group),
#ifdef GO_SPLIT_GROUPS
    .elem_offset = offsetof(struct go_group, elems),
    .key_bytes = sizeof(go_key_cell),
    .elem_bytes = sizeof(go_elem_cell),
#else
    .slot_bytes = sizeof(struct go_slot),
    .elem_offset = offsetof(struct go_slot, elem),
#endif
    .flags = (GO_KEY_INDIRECT ? GO_TYPE_INDIRECT_KEY : 0) | (GO_ELEM_INDIRECT ? GO_TYPE_INDIRECT_ELEM : 0),
};

/* The assignment that the compiler calls for a map of this type: a fast one where the element has at most 128
 * bytes and the key is compared as 4 or 8 plain bytes, as a pointer or as a string; otherwise the generic one
 * (cmd/compile/internal/walk/walk.go: mapfast). */
enum go_assignment { GO_ASSIGN_GENERIC, GO_ASSIGN_FAST, GO_ASSIGN_FAST_POINTER };
#if defined(SHAPE_KEY_IS_POINTER)
#define GO_KEY_ASSIGNMENT GO_ASSIGN_FAST_POINTER
#elif defined(SHAPE_KEY_BITS) || defined(SHAPE_KEY_STR)
#define GO_KEY_ASSIGNMENT GO_ASSIGN_FAST
#else
#define GO_KEY_ASSIGNMENT GO_ASSIGN_GENERIC
#endif
#ifndef GO_ASSIGNMENT_OF
#define GO_ASSIGNMENT_OF(map) (GO_ELEM_INDIRECT ? GO_ASSIGN_GENERIC : GO_KEY_ASSIGNMENT)
#endif

/* Whether an assignment to a full table first tries to get rid of tombstones: the fast ones since 1.25, those
 * for pointers since 1.27, the generic one never. */
MAP_INLINE bool go_prunes(const struct map *map) {
    enum go_assignment assignment = GO_ASSIGNMENT_OF(map);
    (void)map;
    return (assignment == GO_ASSIGN_FAST && GO_SINCE(map, 125)) ||
           (assignment == GO_ASSIGN_FAST_POINTER && GO_SINCE(map, 127));
}

/* typedmemclr */
GO_FUNC void go_typed_clear(const struct go_type *type, void *at) {
    go_clear(at, type->bytes);
}

/* group.go: groupsReference.group, groupReference.key and elem: addresses worked out from the type. */
MAP_INLINE struct go_group *go_group_at(const struct go_map_type *type, const struct go_table *table,
                                        uint64_t i) {
    return (struct go_group *)(void *)((char *)table->groups + i * type->group_bytes);
}
#ifdef GO_SPLIT_GROUPS
MAP_INLINE go_slot_ref go_slot_at(const struct go_map_type *type, struct go_group *group, size_t i) {
    return ((void)type, go_slot_of(group, i));
}
MAP_INLINE void *go_typed_key_cell(const struct go_map_type *type, go_slot_ref slot) {
    return (char *)slot.group + offsetof(struct go_group, keys) + slot.i * type->key_bytes;
}
MAP_INLINE void *go_typed_elem_cell(const struct go_map_type *type, go_slot_ref slot) {
    return (char *)slot.group + type->elem_offset + slot.i * type->elem_bytes;
}
#else
MAP_INLINE go_slot_ref go_slot_at(const struct go_map_type *type, struct go_group *group, size_t i) {
    return (struct go_slot *)(void *)((char *)group + offsetof(struct go_group, slots) +
                                      i * type->slot_bytes);
}
MAP_INLINE void *go_typed_key_cell(const struct go_map_type *type, go_slot_ref slot) {
    return ((void)type, slot);
}
MAP_INLINE void *go_typed_elem_cell(const struct go_map_type *type, go_slot_ref slot) {
    return (char *)slot + type->elem_offset;
}
#endif
MAP_INLINE map_key *go_typed_key(const struct go_map_type *type, go_slot_ref slot) {
    void *cell = go_typed_key_cell(type, slot);
    return type->flags & GO_TYPE_INDIRECT_KEY ? &(*go_key_pointer(cell))->key : (map_key *)cell;
}
MAP_INLINE map_val *go_typed_elem(const struct go_map_type *type, go_slot_ref slot) {
    void *cell = go_typed_elem_cell(type, slot);
    return type->flags & GO_TYPE_INDIRECT_ELEM ? *go_elem_pointer(cell) : (map_val *)cell;
}

/* map.go: directoryIndex, directoryAt. */
MAP_INLINE struct go_table **go_directory(const struct map *map) {
    return (struct go_table **)map->dir_ptr;
}
MAP_INLINE struct go_table *go_table_of(const struct map *map, uint64_t hash) {
    return go_directory(map)[map->dir_len == 1 ? 0 : hash >> (map->global_shift & 63)];
}

/* Relaxed atomic accesses: as plain as Go's, but the compiler may not drop them. */
MAP_INLINE uint8_t go_writing(const struct map *map) {
    return __atomic_load_n(&map->writing, __ATOMIC_RELAXED);
}
MAP_INLINE void go_toggle_writing(struct map *map) {
    __atomic_store_n(&map->writing, go_writing(map) ^ 1, __ATOMIC_RELAXED);
}
static __attribute__((noinline, cold)) void go_fatal(struct map *map, const char *what) {
    if (!map->fatal) map->fatal = what;
}
MAP_INLINE void go_end_write(struct map *map) {
    if (__builtin_expect(go_writing(map) == 0, 0)) go_fatal(map, "concurrent map writes");
    go_toggle_writing(map);
}

#endif
