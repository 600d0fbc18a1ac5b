/* go_syncmap: Go's sync.Map up to 1.23: a map that is read without a lock and a dirty one behind a lock.
 *
 * Words:      READ is a map that never changes its keys, found through an atomic pointer; DIRTY, if
 *             there is one, is a map under the lock that holds all live entries of read and newer
 *             ones. Read is AMENDED if dirty has keys that it lacks. Both point to the same ENTRIES,
 *             whose value is swapped atomically, so that a key in read is looked up, overwritten and
 *             deleted without the lock.
 *
 *             read  -> [ k1 k2 k3 k4 ]            an entry points to its value, to nothing (deleted), or is
 *                         \  |  |  x expunged     EXPUNGED: deleted, and left out when dirty was made
 *             dirty -> [ k1 k2 k3 k5 k6 ]         ^ lock
 *
 *             A lookup that must ask dirty is a MISS; after as many misses as dirty has keys, dirty becomes
 *             read and there is no dirty. The next new key copies read to a new dirty, without the deleted.
 * Source:     Go 1.23.5, sync/map.go (The Go Authors, BSD licence), written anew; each function names its
 *             original. The states after every operation agree with the real ones (tests/test_go_syncmap.c).
 * Differs:    the inner maps are sync_inner.h's, not Go's; a scan goes by their slots, not at random; keys
 *             and values have the shape's types where Go boxes them as any, but a value still has a block of
 *             its own; the two readOnly structs of a map lie in it; entries are counted; memory is freed as
 *             sync.h says, for which a promotion walks the old read map to find the expunged entries.
 * Invariants: dirty absent: nothing expunged, nothing missed, read not amended; dirty there: it holds exactly
 *             the entries of read that are not expunged, and more only if read is amended; misses below its
 *             length; keys reachable and unique in both; length = entries that have a value.
 * Cost:       a hit in read: slot, entry, value, no lock. An overwrite allocates a value. A new key may copy
 *             the whole map; n of them in a row copy it once. Per entry: slots of key and pointer in one or
 *             two maps at load 3/8 to 3/4, an entry of 16 bytes and a value of 8 more than its own size.
 */
#define MAP_COPIES 1

#include "maps/go/sync.h"
#include "maps/sizing.h"

static const struct map_facts map_facts = {
    .summary = "Go's sync.Map up to 1.23: a lock-free read map, a locked dirty one",
    .source = "Go 1.23.5 sync/map.go",
    .invariants = "dirty = read's unexpunged entries and newer ones; misses < len(dirty); length recounted",
    .cost = "a hit reads slot, entry and value; two blocks per entry; a new key may copy the map",
    .options = "promotion after len(dirty) misses, inner maps of load 3/4 at most",
    .fairness = "safe for many threads, which the others are not: atomic swaps even when alone; replaced "
                "memory is freed at once, where Go leaves it to its collector",
    .package = NULL,
    .traits = TRAIT_IGNORES_HINT | TRAIT_TOMBSTONES,
};

struct map;
static inline uint64_t sync_hash(const struct map *map, map_key key);
#include "maps/go/sync_inner.h"

struct sync_box {
    struct go_retired retired;
    map_val val;
};

/* Never the address of a box. */
#define SYNC_EXPUNGED ((struct sync_box *)(uintptr_t)1)

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

/* --- memory --- */

static inline bool sync_live(const struct sync_box *box) {
    return box && box != SYNC_EXPUNGED;
}

static void sync_free(struct map *map, enum sync_retired_kind kind, struct go_retired *node) {
    (void)map; /* for heaps without a HEAP_FIELD */
    if (kind == RETIRED_INNER) {
        inner_free(HEAP_OF(map), (struct inner *)node);
        return;
    }
    if (kind == RETIRED_ENTRY) { /* with a value that came in after it was dropped */
        struct sync_box *box = atomic_load(&((struct sync_entry *)node)->p);
        if (sync_live(box)) HEAP_FREE(HEAP_OF(map), box);
    }
    HEAP_FREE(HEAP_OF(map), node);
}

static inline void sync_retire(struct map *map, enum sync_retired_kind kind, struct go_retired *node) {
    if (__builtin_expect(map->shared, 0))
        go_retired_push(&map->retired[kind], node);
    else
        sync_free(map, kind, node);
}

/* Retires the entries of a map, all or the expunged ones; returns how many of them had a value. */
static size_t sync_retire_entries(struct map *map, const struct inner *inner, bool only_expunged) {
    size_t live = 0;
    for (size_t i = 0; i < inner->capacity; i++) {
        struct sync_entry *entry = inner->slots[i].entry;
        if (!entry) continue;
        struct sync_box *box = atomic_load(&entry->p);
        if (only_expunged && box != SYNC_EXPUNGED) continue;
        live += sync_live(box);
        sync_retire(map, RETIRED_ENTRY, &entry->retired);
    }
    return live;
}

static void sync_retire_inner(struct map *map, struct inner *inner) {
    if (inner != &map->nil) sync_retire(map, RETIRED_INNER, &inner->retired);
}

static struct sync_box *sync_new_box(struct map *map, map_val val) {
    (void)map;
    struct sync_box *box = HEAP_NEW(HEAP_OF(map), struct sync_box, 1);
    if (box) box->val = val;
    return box;
}

/* --- under the lock --- */

/* The second half of missLocked, and Range's promotion: dirty becomes read. */
static void sync_promote_locked(struct map *map) {
    struct inner *old = atomic_load(&map->read)->m;
    atomic_store(&map->read, &map->dirty->view[VIEW_CLEAN]);
    map->dirty = NULL;
    map->misses = 0;
    sync_retire_entries(map, old, true);
    sync_retire_inner(map, old);
}

/* missLocked */
static void sync_miss_locked(struct map *map) {
    if (++map->misses >= map->dirty->len) sync_promote_locked(map);
}

/* entry.tryExpungeLocked */
static bool sync_try_expunge_locked(struct sync_entry *entry) {
    struct sync_box *p = NULL;
    return atomic_compare_exchange_strong(&entry->p, &p, SYNC_EXPUNGED) || p == SYNC_EXPUNGED;
}

/* dirtyLocked; with room for the key that is about to come. False: out of memory, nothing changed. */
static bool sync_dirty_locked(struct map *map) {
    if (map->dirty) return true;
    const struct inner *m = atomic_load(&map->read)->m;
    struct inner *dirty = inner_new(HEAP_OF(map), m->len + 1);
    if (!dirty) return false;
    for (size_t i = 0; i < m->capacity; i++) {
        const struct inner_slot *slot = &m->slots[i];
        if (slot->entry && !sync_try_expunge_locked(slot->entry))
            inner_add(dirty, slot->key, sync_hash(map, slot->key), slot->entry);
    }
    map->dirty = dirty;
    return true;
}

/* What Swap and LoadOrStore do for a key in neither map. False: out of memory, nothing was added. */
static bool sync_add_locked(struct map *map, map_key key, uint64_t hash, struct sync_box *box) {
    const struct sync_view *read = atomic_load(&map->read);
    struct sync_entry *entry = HEAP_NEW(HEAP_OF(map), struct sync_entry, 1);
    if (!entry || !sync_dirty_locked(map) || !inner_reserve(map, map->dirty)) {
        HEAP_FREE(HEAP_OF(map), entry);
        return false;
    }
    atomic_init(&entry->p, box);
    if (!read->amended) atomic_store(&map->read, &read->m->view[VIEW_AMENDED]);
    inner_add(map->dirty, key, hash, entry);
    return true;
}

/* entry.unexpungeLocked, and the entry's way back into dirty. False: out of memory, still expunged. */
static bool sync_unexpunge_locked(struct map *map, map_key key, uint64_t hash, struct sync_entry *entry) {
    if (atomic_load(&entry->p) != SYNC_EXPUNGED) return true;
    if (!inner_reserve(map, map->dirty)) return false;
    struct sync_box *p = SYNC_EXPUNGED;
    atomic_compare_exchange_strong(&entry->p, &p, NULL);
    inner_add(map->dirty, key, hash, entry);
    return true;
}

/* --- entries --- */

/* entry.load */
static inline bool sync_entry_load(struct sync_entry *entry, map_val *val) {
    const struct sync_box *p = atomic_load(&entry->p);
    if (!sync_live(p)) return false;
    *val = p->val;
    return true;
}

/* entry.trySwap */
static inline bool sync_try_swap(struct sync_entry *entry, struct sync_box *box, struct sync_box **old) {
    *old = atomic_load(&entry->p);
    do
        if (*old == SYNC_EXPUNGED) return false;
    while (!atomic_compare_exchange_weak(&entry->p, old, box));
    return true;
}

/* A value that is no longer in the map. */
static inline void sync_drop_box(struct map *map, struct sync_box *box, map_val *val) {
    *val = box->val;
    sync_retire(map, RETIRED_BOX, &box->retired);
}

/* entry.delete */
static inline bool sync_entry_delete(struct map *map, struct sync_entry *entry, map_val *val) {
    struct sync_box *p = atomic_load(&entry->p);
    do
        if (!sync_live(p)) return false;
    while (!atomic_compare_exchange_weak(&entry->p, &p, NULL));
    go_counter_add(&map->len, (size_t)-1, map->shared);
    sync_drop_box(map, p, val);
    return true;
}

#include "maps/go/syncmap_ops.h"

/* --- the suite's interface --- */

static void map_destroy(struct map *map);

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    GO_HASH_BIND(map);
    inner_init(&map->nil, NULL, 0);
    atomic_store(&map->read, &map->nil.view[VIEW_CLEAN]);
    return map;
}

/* Other threads may use the map from now on; sync.h. */
static void map_share(struct map *map) {
    map->shared = true;
}

/* All other threads are out of the map: frees what they may have been reading, and counts the entries again,
 * as stores beside a clear may have been counted wrongly. */
static void map_quiesce(struct map *map) {
    map->shared = false;
    for (int kind = 0; kind < RETIRED_KINDS; kind++) {
        struct go_retired *node = atomic_exchange(&map->retired[kind], NULL);
        while (node) {
            struct go_retired *next = node->next;
            sync_free(map, (enum sync_retired_kind)kind, node);
            node = next;
        }
    }
    atomic_store(&map->len, sync_count(map));
}

static void map_destroy(struct map *map) {
    map_quiesce(map);
    map_clear(map);
    if (map->dirty) inner_free(HEAP_OF(map), map->dirty);
    HEAP_FREE(HEAP_OF(map), map);
}

MAP_INLINE bool map_store(struct map *map, map_key key, map_val val) {
    map_val previous;
    bool loaded;
    return sync_swap(map, key, val, &previous, &loaded);
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    map_val val;
    return sync_load_and_delete(map, key, &val);
}

MAP_INLINE size_t map_len(const struct map *map) {
    return go_counter_read(&map->len);
}

/* Slots of read and dirty; only while the map is alone. */
MAP_INLINE size_t map_capacity(const struct map *map) {
    const struct sync_view *read = atomic_load((_Atomic(const struct sync_view *) *)&map->read);
    return read->m->capacity + (map->dirty ? map->dirty->capacity : 0);
}

/* Not in Go, where a program would range over one map and store into another. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    if (!copy) return NULL;
    map_iter_start(map, &iter);
    while (map_iter_next(&iter, &key, &val)) {
        if (map_store(copy, key, *val)) continue;
        map_destroy(copy);
        return NULL;
    }
    return copy;
}

#include "maps/go/syncmap_check.h"
