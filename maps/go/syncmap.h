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
 * Differs:    the inner maps are maps/go/sync_inner.h's, not Go's; a scan goes by their slots, not at random;
 * keys and values have the shape's types where Go boxes them as any, but a value still has a block of its
 * own; the two readOnly structs of a map lie in it; entries are counted; memory is freed as sync.h says, for
 * which a promotion walks the old read map to find the expunged entries. Invariants: dirty absent: nothing
 * expunged, nothing missed, read not amended; dirty there: it holds exactly the entries of read that are not
 * expunged, and more only if read is amended; misses below its length; keys reachable and unique in both;
 * length = entries that have a value. Cost:       a hit in read: slot, entry, value, no lock. An overwrite
 * allocates a value. A new key may copy the whole map; n of them in a row copy it once. Per entry: slots of
 * key and pointer in one or two maps at load 3/8 to 3/4, an entry of 16 bytes and a value of 8 more than its
 * own size.
 */
#define MAP_COPIES 1

#include "maps/by_entry.h"
#include "maps/go/sync.h"
#include "maps/go/sync_inner.h"
#include "maps/go/syncmap_layout.h"

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

/* --- the methods of Map, each under the name of its original. "False: out of memory" is not in Go, where
 * that ends the process --- */

/* Map.Load */
MAP_INLINE bool map_load(struct map *map, map_key key, map_val *val) {
    uint64_t hash = sync_hash(map, key);
    const struct sync_view *read = atomic_load(&map->read);
    struct sync_entry *entry = inner_find(read->m, key, hash);
    if (!entry && read->amended) {
        go_mutex_lock(&map->mu);
        read = atomic_load(&map->read); /* dirty may have been promoted while this thread waited */
        entry = inner_find(read->m, key, hash);
        if (!entry && read->amended) {
            entry = inner_find(map->dirty, key, hash);
            sync_miss_locked(map);
        }
        go_mutex_unlock(&map->mu);
    }
    return entry && sync_entry_load(entry, val);
}

static __attribute__((noinline)) bool sync_swap_slow(struct map *map, map_key key, uint64_t hash,
                                                     struct sync_box *box, struct sync_box **old) {
    bool ok = true;
    *old = NULL;
    go_mutex_lock(&map->mu);
    struct sync_entry *entry = inner_find(atomic_load(&map->read)->m, key, hash);
    if (entry) {
        ok = sync_unexpunge_locked(map, key, hash, entry);
        if (ok) *old = atomic_exchange(&entry->p, box); /* swapLocked */
    } else if (map->dirty && (entry = inner_find(map->dirty, key, hash)) != NULL) {
        *old = atomic_exchange(&entry->p, box);
    } else {
        ok = sync_add_locked(map, key, hash, box);
    }
    go_mutex_unlock(&map->mu);
    return ok;
}

/* Map.Swap; Store is Swap without what it returns. False: out of memory, nothing stored. `previous` is set if
 * `loaded` is. */
MAP_INLINE bool sync_swap(struct map *map, map_key key, map_val val, map_val *previous, bool *loaded) {
    struct sync_box *box = sync_new_box(map, val), *old;
    if (__builtin_expect(!box, 0)) return false;
    uint64_t hash = sync_hash(map, key);
    struct sync_entry *entry = inner_find(atomic_load(&map->read)->m, key, hash);
    if (!(entry && sync_try_swap(entry, box, &old)) && !sync_swap_slow(map, key, hash, box, &old)) {
        HEAP_FREE(HEAP_OF(map), box);
        return false;
    }
    *loaded = old != NULL;
    if (old)
        sync_drop_box(map, old, previous);
    else
        go_counter_add(&map->len, 1, map->shared);
    return true;
}

/* entry.tryLoadOrStore: 1 stored, 0 loaded into *actual, -1 expunged. */
static int sync_try_load_or_store(struct sync_entry *entry, struct sync_box *box, map_val *actual) {
    struct sync_box *p = NULL;
    while (!atomic_compare_exchange_weak(&entry->p, &p, box)) {
        if (p == SYNC_EXPUNGED) return -1;
        if (!p) continue;
        *actual = p->val;
        return 0;
    }
    return 1;
}

/* The locked part of LoadOrStore: 1 stored, 0 loaded, -1 out of memory. */
static int sync_load_or_store_slow(struct map *map, map_key key, uint64_t hash, struct sync_box *box,
                                   map_val *actual) {
    int done;
    go_mutex_lock(&map->mu);
    struct sync_entry *entry = inner_find(atomic_load(&map->read)->m, key, hash);
    if (entry) {
        done = sync_unexpunge_locked(map, key, hash, entry) ? sync_try_load_or_store(entry, box, actual) : -1;
    } else if (map->dirty && (entry = inner_find(map->dirty, key, hash)) != NULL) {
        done = sync_try_load_or_store(entry, box, actual);
        sync_miss_locked(map);
    } else {
        done = sync_add_locked(map, key, hash, box) ? 1 : -1;
    }
    go_mutex_unlock(&map->mu);
    return done;
}

/* Map.LoadOrStore. False: out of memory. `actual` is what the map then holds; `loaded` says if it was there.
 */
static bool sync_load_or_store(struct map *map, map_key key, map_val val, map_val *actual, bool *loaded) {
    struct sync_box *box = sync_new_box(map, val);
    if (!box) return false;
    uint64_t hash = sync_hash(map, key);
    struct sync_entry *entry = inner_find(atomic_load(&map->read)->m, key, hash);
    int done = entry ? sync_try_load_or_store(entry, box, actual) : -1;
    if (done < 0) done = sync_load_or_store_slow(map, key, hash, box, actual);
    if (done == 1) {
        go_counter_add(&map->len, 1, map->shared);
        *actual = val;
    } else {
        HEAP_FREE(HEAP_OF(map), box); /* never seen by another thread */
    }
    *loaded = done == 0;
    return done >= 0;
}

/* Map.LoadAndDelete; Delete is LoadAndDelete without what it returns */
MAP_INLINE bool sync_load_and_delete(struct map *map, map_key key, map_val *val) {
    uint64_t hash = sync_hash(map, key);
    const struct sync_view *read = atomic_load(&map->read);
    struct sync_entry *entry = inner_find(read->m, key, hash);
    bool unlinked = false; /* taken out of dirty by this call: nobody else finds the entry any more */
    if (!entry && read->amended) {
        go_mutex_lock(&map->mu);
        read = atomic_load(&map->read);
        entry = inner_find(read->m, key, hash);
        if (!entry && read->amended) {
            struct inner_slot *slot = inner_slot_of(map->dirty, key, hash);
            if (slot) {
                entry = slot->entry;
                unlinked = true;
                inner_remove(map, map->dirty, slot);
            }
            sync_miss_locked(map);
        }
        go_mutex_unlock(&map->mu);
    }
    if (!entry) return false;
    bool deleted = sync_entry_delete(map, entry, val);
    if (unlinked) sync_retire(map, RETIRED_ENTRY, &entry->retired);
    return deleted;
}

/* entry.tryCompareAndSwap; with box NULL the loop of CompareAndDelete. Values are compared as bytes: those of
 * the shapes have no padding. */
static bool sync_try_compare_and_swap(struct map *map, struct sync_entry *entry, map_val old,
                                      struct sync_box *box) {
    struct sync_box *p = atomic_load(&entry->p);
    map_val dropped;
    do
        if (!sync_live(p) || memcmp(&p->val, &old, sizeof old) != 0) return false;
    while (!atomic_compare_exchange_weak(&entry->p, &p, box));
    if (!box) go_counter_add(&map->len, (size_t)-1, map->shared);
    sync_drop_box(map, p, &dropped);
    return true;
}

/* Map.CompareAndSwap. False: out of memory. */
static bool sync_compare_and_swap(struct map *map, map_key key, map_val old, map_val val, bool *swapped) {
    uint64_t hash = sync_hash(map, key);
    struct sync_box *box = sync_new_box(map, val);
    if (!box) return false;
    const struct sync_view *read = atomic_load(&map->read);
    struct sync_entry *entry = inner_find(read->m, key, hash);
    *swapped = false;
    if (entry) {
        *swapped = sync_try_compare_and_swap(map, entry, old, box);
    } else if (read->amended) {
        go_mutex_lock(&map->mu);
        if ((entry = inner_find(atomic_load(&map->read)->m, key, hash)) != NULL) {
            *swapped = sync_try_compare_and_swap(map, entry, old, box);
        } else if (map->dirty && (entry = inner_find(map->dirty, key, hash)) != NULL) {
            *swapped = sync_try_compare_and_swap(map, entry, old, box);
            sync_miss_locked(map);
        }
        go_mutex_unlock(&map->mu);
    }
    if (!*swapped) HEAP_FREE(HEAP_OF(map), box);
    return true;
}

/* Map.CompareAndDelete: a key that only dirty has stays there, as a deleted one */
static bool sync_compare_and_delete(struct map *map, map_key key, map_val old) {
    uint64_t hash = sync_hash(map, key);
    const struct sync_view *read = atomic_load(&map->read);
    struct sync_entry *entry = inner_find(read->m, key, hash);
    if (!entry && read->amended) {
        go_mutex_lock(&map->mu);
        read = atomic_load(&map->read);
        entry = inner_find(read->m, key, hash);
        if (!entry && read->amended) {
            entry = inner_find(map->dirty, key, hash);
            sync_miss_locked(map);
        }
        go_mutex_unlock(&map->mu);
    }
    return entry && sync_try_compare_and_swap(map, entry, old, NULL);
}

/* Map.Clear: dirty keeps its slots and is not promoted */
static void map_clear(struct map *map) {
    const struct sync_view *read = atomic_load(&map->read);
    if (read->m->len == 0 && !read->amended) return;
    go_mutex_lock(&map->mu);
    struct inner *m = atomic_load(&map->read)->m;
    atomic_store(&map->read, &map->nil.view[VIEW_CLEAN]);
    /* Entries of read that dirty lacks: with a dirty the expunged ones, without one all. */
    size_t live = sync_retire_entries(map, m, map->dirty != NULL);
    sync_retire_inner(map, m);
    if (map->dirty) {
        live += sync_retire_entries(map, map->dirty, false);
        inner_clear(map->dirty);
    }
    map->misses = 0;
    go_counter_add(&map->len, -live, map->shared);
    go_mutex_unlock(&map->mu);
}

/* Entries that have a value: those of dirty and, if there is none, of read. A dirty that outlived a clear is
 * empty and unamended, and holds all there is. */
static size_t sync_count(const struct map *map) {
    const struct sync_view *read = atomic_load((_Atomic(const struct sync_view *) *)&map->read);
    const struct inner *all = map->dirty ? map->dirty : read->m;
    size_t live = 0;
    for (size_t i = 0; i < all->capacity; i++)
        live += all->slots[i].entry && sync_live(atomic_load(&all->slots[i].entry->p));
    return live;
}

/* Map.Range, in two parts: the promotion, then the walk over the read map of that moment. */
struct map_iter {
    const struct inner *m;
    size_t next;
};

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    const struct sync_view *read = atomic_load(&map->read);
    if (read->amended) {
        go_mutex_lock(&map->mu);
        if (atomic_load(&map->read)->amended) sync_promote_locked(map);
        read = atomic_load(&map->read);
        go_mutex_unlock(&map->mu);
    }
    iter->m = read->m;
    iter->next = 0;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    while (iter->next < iter->m->capacity) {
        const struct inner_slot *slot = &iter->m->slots[iter->next++];
        if (!slot->entry) continue;
        const struct sync_box *p = atomic_load(&slot->entry->p);
        if (!sync_live(p)) continue;
        *key = slot->key;
        *val = &p->val;
        return true;
    }
    return false;
}

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
MAP_COPY_BY_ENTRY(map_create(HEAP_OF(map), 0))

/* --- the map seen from outside: columns, invariants, structure; only while it is alone --- */

/* The columns of the reference traces. */
struct sync_state {
    size_t len_read, misses, nil_entries, expunged_entries; /* entries: of read */
    long len_dirty;                                         /* -1: there is none */
    bool amended;
};

static struct sync_state sync_state_of(const struct map *map) {
    const struct sync_view *read = atomic_load((_Atomic(const struct sync_view *) *)&map->read);
    struct sync_state state = {.len_read = read->m->len,
                               .misses = map->misses,
                               .len_dirty = map->dirty ? (long)map->dirty->len : -1,
                               .amended = read->amended};
    for (size_t i = 0; i < read->m->capacity; i++) {
        if (!read->m->slots[i].entry) continue;
        const struct sync_box *p = atomic_load(&read->m->slots[i].entry->p);
        state.nil_entries += p == NULL;
        state.expunged_entries += p == SYNC_EXPUNGED;
    }
    return state;
}

/* Every entry of read is in dirty exactly if it is not expunged. */
static const char *sync_check_read(const struct map *map, const struct inner *read) {
    for (size_t i = 0; i < read->capacity; i++) {
        const struct inner_slot *slot = &read->slots[i];
        if (!slot->entry) continue;
        bool expunged = atomic_load(&slot->entry->p) == SYNC_EXPUNGED;
        if (!map->dirty && expunged) return "an entry is expunged though there is no dirty map";
        if (!map->dirty) continue;
        const struct sync_entry *twin = inner_find(map->dirty, slot->key, sync_hash(map, slot->key));
        if (expunged && twin) return "the dirty map holds the key of an expunged entry";
        if (!expunged && twin != slot->entry) return "an entry of read is missing from the dirty map";
    }
    return NULL;
}

static const char *map_check(struct map *map) {
    struct sync_state state = sync_state_of(map);
    const struct inner *read = atomic_load(&map->read)->m;
    const char *fault = inner_check(map, read);
    if (!fault && map->dirty) fault = inner_check(map, map->dirty);
    if (!fault) fault = sync_check_read(map, read);
    if (fault) return fault;
    if (!map->dirty && (state.amended || state.misses)) return "amended or missed without a dirty map";
    if (state.misses && state.misses >= map->dirty->len) return "a promotion is overdue";
    size_t shared = state.len_read - state.expunged_entries;
    if (map->dirty && !state.amended && map->dirty->len != shared)
        return "the dirty map has keys that read lacks, yet read is not amended";
    if (map->dirty)
        for (size_t i = 0; i < map->dirty->capacity; i++) {
            struct sync_entry *entry = map->dirty->slots[i].entry;
            if (entry && atomic_load(&entry->p) == SYNC_EXPUNGED)
                return "the dirty map holds an expunged entry";
        }
    return sync_count(map) == map_len(map) ? NULL : "the length is not the number of entries with a value";
}

/* Probe lengths are those of the map that holds all live entries, dirty if there is one; read's deleted and
 * expunged entries count as tombstones. */
static void map_describe(struct map *map, struct map_structure *out) {
    const struct inner *all = map->dirty ? map->dirty : atomic_load(&map->read)->m;
    struct sync_state state = sync_state_of(map);
    size_t steps = 0;
    out->tombstones = state.nil_entries + state.expunged_entries;
    out->array_bytes = map_capacity(map) * sizeof(struct inner_slot);
    for (size_t i = 0; i < all->capacity; i++) {
        if (!all->slots[i].entry) continue;
        size_t length = ((i - sync_hash(map, all->slots[i].key)) & (all->capacity - 1)) + 1;
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (all->len) out->probe_mean = (double)steps / (double)all->len;
}
