/* The methods of go_syncmap's Map, each under the name of its original in Go 1.23's sync/map.go. Included by
 * syncmap.h. "False: out of memory" is not in Go, where that ends the process. */

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
    /* What read holds besides dirty's entries: with a dirty the expunged ones, without one all. */
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
