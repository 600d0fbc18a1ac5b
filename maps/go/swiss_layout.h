/* The structs of go_swiss, laid out as in Go, and what a collecting heap must know of them. maps/go/swiss.h
 * says what the words mean. */
#ifndef MAPBENCH_MAPS_GO_SWISS_LAYOUT_H
#define MAPBENCH_MAPS_GO_SWISS_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/go/call.h"
#include "maps/go/swiss_group.h"

/* The release whose rules hold, major * 100 + minor of Go: a constant of a unit, so that rules of others cost
 * nothing; a trace asks the map. Rules changed in 1.25 and 1.27 (maps/go/swiss.h). */
#ifdef MAP_RELEASE
#define GO_SWISS_RELEASE MAP_RELEASE
#else
#define GO_SWISS_RELEASE 127
#endif
#ifndef GO_SWISS_RELEASE_OF
#define GO_SWISS_RELEASE_OF(map) GO_SWISS_RELEASE
#endif
#define GO_SINCE(map, release) (GO_SWISS_RELEASE_OF(map) >= (release))

enum {
    GO_TABLE_CAPACITY_MAX = 1024, /* table.go: maxTableCapacity */
    GO_GROUP_LOAD_MAX = 7,        /* group.go: maxAvgGroupLoad, of 8 slots */
    GO_INLINE_BYTES_MAX = 128,    /* internal/abi/map_swiss.go: SwissMapMaxKeyBytes, SwissMapMaxElemBytes */
};

/* Keys and elements above GO_INLINE_BYTES_MAX are stored as pointers to cells of their own. A key's cell ends
 * with a link, as it may have to outlive its entry for the sake of an open iterator. */
struct go_key_box {
    map_key key;
    struct go_key_box *next;
};
#define GO_KEY_INDIRECT (sizeof(map_key) > GO_INLINE_BYTES_MAX)
#define GO_ELEM_INDIRECT (sizeof(map_val) > GO_INLINE_BYTES_MAX)
typedef __typeof__(*__builtin_choose_expr(GO_KEY_INDIRECT, (struct go_key_box **)NULL,
                                          (map_key *)NULL)) go_key_cell;
typedef __typeof__(*__builtin_choose_expr(GO_ELEM_INDIRECT, (map_val **)NULL, (map_val *)NULL)) go_elem_cell;

/* Go pads a struct whose last field has no size, so that its address is not that of the next struct. */
#define GO_ZERO_SIZE_PADDING uint8_t zero_size_padding[sizeof(go_elem_cell) == 0];
#ifdef GO_SPLIT_GROUPS
/* GOEXPERIMENT=mapsplitgroup of 1.27: keys and elements lie apart, so that no slot is padded. */
struct go_group {
    _Alignas(uint64_t) uint8_t ctrl[GO_GROUP_SLOTS];
    go_key_cell keys[GO_GROUP_SLOTS];
    go_elem_cell elems[GO_GROUP_SLOTS];
    GO_ZERO_SIZE_PADDING
};
#define GO_GROUP_KEY(i) keys[i]
#define GO_GROUP_ELEM(i) elems[i]
#else
struct go_slot {
    go_key_cell key;
    go_elem_cell elem;
    GO_ZERO_SIZE_PADDING
};

struct go_group {
    _Alignas(uint64_t) uint8_t ctrl[GO_GROUP_SLOTS];
    struct go_slot slots[GO_GROUP_SLOTS];
};
#define GO_GROUP_KEY(i) slots[i].key
#define GO_GROUP_ELEM(i) slots[i].elem
#endif

/* table.go: table, groupsReference. */
struct go_table {
    uint16_t used, capacity, growth_left;
    uint8_t local_depth;
    int64_t index;
    struct go_group *groups;
    uint64_t length_mask; /* groups - 1 */
};

/* A table or group that the map has replaced and an open iterator may still read. */
struct go_stale {
    struct go_stale *next;
    struct go_table *table; /* NULL: only the group of a small map */
    struct go_group *groups;
};

#ifndef GO_SWISS_OBSERVER
#define GO_SWISS_OBSERVER
#define GO_SWISS_OBSERVE(map, old_slots, old_used, old_tombstones, replacement, old_dir_len) ((void)0)
#define GO_SWISS_OBSERVE_PRUNE(map, table, tombstones, freed) ((void)0)
#endif

/* map.go: Map, whose 48 bytes come first; the rest stands in for Go's globals, collector and fatal errors. */
struct map {
    uint64_t used;
    uint64_t seed;
    void *dir_ptr; /* struct go_table *[dir_len], or the struct go_group of a small map, or NULL */
    int64_t dir_len;
    uint8_t global_depth, global_shift;
    uint8_t writing;
    bool tombstone_possible; /* since 1.25; padding before */
    uint64_t clear_seq;

    const struct go_hash_keys *keys;
    const struct go_map_type *type;
    uint64_t random; /* rng_next's state */
    size_t slots;    /* in all tables, or of the small map's group */
    size_t open_iterators;
    struct go_stale *stale;
    struct go_key_box *stale_keys;
    const char *fatal; /* NULL, or what Go would have died of */
    GO_SWISS_OBSERVER
    HEAP_FIELD
};

/* Descriptions for collecting heaps. */
#ifdef SHAPE_VAL_OUTSIDE
#define GO_ELEM_POINTERS(i) HEAP_POINTER_AT("value", struct go_group, GO_GROUP_ELEM(i))
#else
#define GO_ELEM_POINTERS(i) HEAP_VAL(struct go_group, GO_GROUP_ELEM(i))
#endif
#define GO_SLOT_POINTERS(i) HEAP_KEY(struct go_group, GO_GROUP_KEY(i)) GO_ELEM_POINTERS(i)
HEAP_TYPE_NAMED(go_group_type, "map.group", struct go_group, 0,
                GO_SLOT_POINTERS(0) GO_SLOT_POINTERS(1) GO_SLOT_POINTERS(2) GO_SLOT_POINTERS(3)
                    GO_SLOT_POINTERS(4) GO_SLOT_POINTERS(5) GO_SLOT_POINTERS(6) GO_SLOT_POINTERS(7))
HEAP_TYPE_NAMED(go_table_type, "maps.table", struct go_table, 0,
                HEAP_POINTER_AT("groups.data", struct go_table, groups))
HEAP_TYPE_NAMED(go_directory_type, "[]*maps.table", struct go_table *, 0, HEAP_POINTER_NAMED("", 0))
HEAP_TYPE_NAMED(go_swiss_type, "maps.Map", struct map, sizeof(struct map) - 48,
                HEAP_POINTER_AT("dirPtr", struct map, dir_ptr))
#define MAP_HEAP_TYPES(TYPE)                                                                                 \
    TYPE(struct go_group, go_group_type)                                                                     \
    TYPE(struct go_table, go_table_type)                                                                     \
    TYPE(struct go_table *, go_directory_type) TYPE(struct map, go_swiss_type)

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(offsetof(struct map, dir_ptr) == 16 && offsetof(struct map, global_depth) == 32 &&
                   offsetof(struct map, writing) == 34 && offsetof(struct map, tombstone_possible) == 35 &&
                   offsetof(struct map, clear_seq) == 40 && offsetof(struct map, keys) == 48,
               "Map is laid out as on amd64");
_Static_assert(sizeof(struct go_table) == 32 && offsetof(struct go_table, groups) == 16, "so is table");
#endif

#endif
