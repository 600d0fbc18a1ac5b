/* The structs of go_syncmap. maps/go/syncmap.h says what the words mean. */
#ifndef MAPBENCH_MAPS_GO_SYNCMAP_LAYOUT_H
#define MAPBENCH_MAPS_GO_SYNCMAP_LAYOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "maps/go/sync.h"

struct sync_box {
    struct go_retired retired;
    map_val val;
};

/* Never the address of a box. */
#define SYNC_EXPUNGED ((struct sync_box *)(uintptr_t)1)

struct inner;

/* Go's entry: a pointer to the value, NULL once deleted, SYNC_EXPUNGED when deleted and left out of dirty. */
struct sync_entry {
    struct go_retired retired;
    _Atomic(struct sync_box *) p;
};

/* Go's readOnly. Go allocates one for each change of `amended`; here both lie in the map they speak of, so
 * that neither a lookup nor a delete ever needs memory. */
struct sync_view {
    struct inner *m;
    bool amended; /* dirty holds some key that m does not */
};

struct inner_slot {
    map_key key;
    struct sync_entry *entry; /* NULL: free */
};

enum { VIEW_CLEAN, VIEW_AMENDED, INNER_CAPACITY_MIN = 8 };

struct inner {
    struct go_retired retired;
    struct inner_slot *slots;
    size_t capacity; /* a power of two, or 0 for the nil map */
    size_t len;
    struct sync_view view[2]; /* m points here; VIEW_CLEAN, VIEW_AMENDED */
};

enum sync_retired_kind { RETIRED_BOX, RETIRED_ENTRY, RETIRED_INNER, RETIRED_KINDS };

struct map {
    struct go_mutex mu;
    bool shared; /* other threads may be inside; sync.h */
    _Atomic(const struct sync_view *) read;
    struct inner *dirty; /* Go's nil: NULL */
    size_t misses;
    struct inner nil; /* what read is of an empty map */
    _Atomic(size_t) len;
    go_retired_list retired[RETIRED_KINDS];
    GO_HASH_FIELD
    HEAP_FIELD
};

static inline uint64_t sync_hash(const struct map *map, map_key key) {
    return GO_KEY_HASH(map, key);
}

#endif
