/* What changes a go_hashtrie, each under the name of its original in Go 1.24's internal/sync/hashtriemap.go,
 * and the suite's interface. Included by hashtrie.h. "False: out of memory" is not in Go, where that ends
 * the process. */

/* An entry for a key that the locked place lacks. */
static bool trie_insert_locked(struct map *map, struct trie_place *place, map_key key, uint64_t hash,
                               map_val val) {
    struct trie_entry *fresh = trie_new_entry(map, key, val, NULL);
    struct trie_node *node = fresh ? &fresh->node : NULL;
    if (fresh && place->node) node = trie_expand(map, place, fresh, hash);
    if (!node) {
        HEAP_FREE(HEAP_OF(map), fresh);
        return false;
    }
    atomic_store(place->slot, node); /* last: until now readers find the old entry where it was */
    go_counter_add(&map->len, 1, map->shared);
    return true;
}

/* HashTrieMap.Swap with entry.swap; Store is Swap without what it returns. False: out of memory, nothing
 * stored. `previous` is set if `loaded` is. */
MAP_INLINE bool trie_swap(struct map *map, map_key key, map_val val, map_val *previous, bool *loaded) {
    uint64_t hash = trie_hash(map, key);
    struct trie_place place = trie_lock_place(map, hash, NULL);
    struct trie_entry *before, *old = trie_chain_locate(&place, key, &before);
    bool ok;
    if (old) {
        struct trie_entry *fresh = trie_new_entry(map, key, val, atomic_load(&old->overflow));
        ok = fresh != NULL;
        if (ok) trie_chain_link(&place, before, fresh);
    } else {
        ok = trie_insert_locked(map, &place, key, hash, val);
    }
    go_mutex_unlock(&place.parent->mu);
    *loaded = ok && old;
    if (*loaded) {
        *previous = old->val;
        trie_retire(map, &old->node);
    }
    return ok;
}

/* HashTrieMap.LoadOrStore. False: out of memory. `actual` is what the map then holds; `loaded` says if it was
 * there. */
static bool trie_load_or_store(struct map *map, map_key key, map_val val, map_val *actual, bool *loaded) {
    bool ok = true;
    *loaded = map_load(map, key, actual);
    if (*loaded) return true;
    uint64_t hash = trie_hash(map, key);
    struct trie_place place = trie_lock_place(map, hash, NULL);
    const struct trie_entry *found = trie_chain_find((struct trie_entry *)place.node, key);
    *loaded = found != NULL;
    *actual = found ? found->val : val;
    if (!found) ok = trie_insert_locked(map, &place, key, hash, val);
    go_mutex_unlock(&place.parent->mu);
    return ok;
}

/* indirect.empty */
static bool trie_is_empty(struct trie_indirect *node) {
    for (size_t i = 0; i < TRIE_CHILDREN; i++)
        if (atomic_load(&node->children[i])) return false;
    return true;
}

/* The end of LoadAndDelete and CompareAndDelete: takes an entry out, then every node that this leaves empty,
 * and unlocks. */
static void trie_remove_unlock(struct map *map, struct trie_place *place, struct trie_entry *before,
                               struct trie_entry *entry, uint64_t hash) {
    struct trie_indirect *node = place->parent;
    unsigned shift = place->shift;
    trie_chain_link(place, before, atomic_load(&entry->overflow));
    while (node->parent && trie_is_empty(node)) {
        struct trie_indirect *parent = node->parent;
        shift += TRIE_CHILDREN_LOG2;
        go_mutex_lock(&parent->mu);
        atomic_store(&node->dead, true);
        atomic_store(&parent->children[(hash >> shift) & (TRIE_CHILDREN - 1)], NULL);
        go_mutex_unlock(&node->mu);
        go_counter_add(&map->nodes, (size_t)-1, map->shared);
        trie_retire(map, &node->node);
        node = parent;
    }
    go_mutex_unlock(&node->mu);
    go_counter_add(&map->len, (size_t)-1, map->shared);
    trie_retire(map, &entry->node);
}

/* HashTrieMap.LoadAndDelete and CompareAndDelete; `expected`: delete only if the value is that one, compared
 * as bytes. */
MAP_INLINE bool trie_delete(struct map *map, map_key key, const map_val *expected, map_val *val) {
    uint64_t hash = trie_hash(map, key);
    struct trie_place place = trie_lock_place(map, hash, &key);
    if (!place.parent) return false;
    struct trie_entry *before, *entry = trie_chain_locate(&place, key, &before);
    if (!entry || (expected && memcmp(&entry->val, expected, sizeof *expected) != 0)) {
        go_mutex_unlock(&place.parent->mu);
        return false;
    }
    *val = entry->val;
    trie_remove_unlock(map, &place, before, entry, hash);
    return true;
}

/* HashTrieMap.CompareAndSwap. False: out of memory. */
static bool trie_compare_and_swap(struct map *map, map_key key, map_val old, map_val val, bool *swapped) {
    struct trie_place place = trie_lock_place(map, trie_hash(map, key), &key);
    *swapped = false;
    if (!place.parent) return true;
    struct trie_entry *before, *fresh = NULL, *entry = trie_chain_locate(&place, key, &before);
    bool equal = entry && memcmp(&entry->val, &old, sizeof old) == 0;
    if (equal) fresh = trie_new_entry(map, key, val, atomic_load(&entry->overflow));
    if (fresh) trie_chain_link(&place, before, fresh);
    go_mutex_unlock(&place.parent->mu);
    if (fresh) trie_retire(map, &entry->node);
    *swapped = fresh != NULL;
    return fresh || !equal;
}

/* --- the suite's interface --- */

static void map_destroy(struct map *map);

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    GO_HASH_BIND(map);
    struct trie_indirect *root = trie_new_indirect(map, NULL);
    if (!root) {
        HEAP_FREE(heap, map);
        return NULL;
    }
    atomic_store(&map->root, root);
    return map;
}

/* Entries and nodes from here down. */
static void trie_count(struct trie_indirect *node, size_t *entries, size_t *nodes) {
    ++*nodes;
    for (size_t i = 0; i < TRIE_CHILDREN; i++) {
        struct trie_node *child = atomic_load(&node->children[i]);
        if (!child) continue;
        if (!child->is_entry) {
            trie_count((struct trie_indirect *)child, entries, nodes);
            continue;
        }
        for (struct trie_entry *e = (struct trie_entry *)child; e; e = atomic_load(&e->overflow)) ++*entries;
    }
}

/* Other threads may use the map from now on; sync.h. */
static void map_share(struct map *map) {
    map->shared = true;
}

/* All other threads are out of the map: frees what they may have been reading, and counts again, as stores
 * beside a clear may have gone into the old trie. */
static void map_quiesce(struct map *map) {
    size_t entries = 0, nodes = 0;
    struct go_retired *node = atomic_exchange(&map->retired_nodes, NULL), *next;
    map->shared = false;
    for (; node; node = next) {
        next = node->next;
        HEAP_FREE(HEAP_OF(map), node);
    }
    for (node = atomic_exchange(&map->retired_roots, NULL); node; node = next) {
        next = node->next;
        trie_free(map, (struct trie_node *)node);
    }
    trie_count(atomic_load(&map->root), &entries, &nodes);
    atomic_store(&map->len, entries);
    atomic_store(&map->nodes, nodes);
}

static void map_destroy(struct map *map) {
    map_quiesce(map);
    trie_free(map, &atomic_load(&map->root)->node);
    HEAP_FREE(HEAP_OF(map), map);
}

MAP_INLINE bool map_store(struct map *map, map_key key, map_val val) {
    map_val previous;
    bool loaded;
    return trie_swap(map, key, val, &previous, &loaded);
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    map_val val;
    return trie_delete(map, key, NULL, &val);
}

MAP_INLINE size_t map_len(const struct map *map) {
    return go_counter_read(&map->len);
}

/* Child slots of all nodes: changes with every node that comes or goes. */
MAP_INLINE size_t map_capacity(const struct map *map) {
    return go_counter_read(&map->nodes) * TRIE_CHILDREN;
}

#include "maps/go/hashtrie_walk.h"
