/* go_hashtrie: Go 1.24's HashTrieMap, which sync.Map then is: a hash trie with a lock in every inner node.
 *
 * Words:      an INDIRECT node has 16 CHILDREN, chosen by the next 4 bits of the hash from the top; a
 *             child is nothing, an indirect node or an ENTRY: one key and its value, never changed but
 *             replaced. Entries of equal hashes form a chain, their OVERFLOW. An indirect node that
 *             has lost its last child is taken out of its parent and DEAD: who still locks it must
 *             start over.
 *
 *             root [ . . I . E . . . ]      hash bits 63..60
 *                        |   '-> k v -> k' v'          (k and k' have the same hash)
 *                        [ E . . E ... ]    hash bits 59..56
 *
 * Source:     Go 1.24.4, internal/sync/hashtriemap.go (The Go Authors, BSD licence), written anew;
 *             each function names its original. sync.Map is a HashTrieMap[any, any]:
 *             sync/hashtriemap.go.
 * Differs:    keys and values have the shape's types where sync.Map boxes each as any; entries and
 *             nodes are counted; the root is made with the map, so no operation asks whether it is
 *             there; the seed is fixed; replaced entries and dead nodes are freed as sync.h says.
 * Invariants: every entry lies on the path of its hash, its chain shares that hash, no key twice; no
 *             indirect node but the root is empty, dead, or has another parent than the node it hangs
 *             in; length and number of nodes recounted.
 * Cost:       a lookup reads a child pointer per level, log16(n) of them, and the entry; no lock. A
 *             store or a delete takes one lock; a store allocates the new entry. Per entry its size
 *             and 24 bytes, and 160 bytes of node for about 2 to 4 entries.
 */
#define MAP_COPIES 1

#include "maps/by_entry.h"
#include "maps/go/sync.h"

static const struct map_facts map_facts = {
    .summary = "Go 1.24's sync.Map: a 16-way hash trie, lock-free lookups, a lock per node",
    .source = "Go 1.24.4 internal/sync/hashtriemap.go",
    .invariants = "entries on their hash's path; no empty or dead node; parents, length and node count right",
    .cost = "a hit reads one pointer per level and the entry; a store allocates an entry",
    .options = "16 children a node",
    .fairness = "safe for many threads, which the others are not; replaced entries are freed at once, where "
                "Go leaves them to its collector",
    .package = NULL,
    .traits = TRAIT_IGNORES_HINT | TRAIT_SHRINKS,
};

enum {
    TRIE_CHILDREN_LOG2 = 4, /* nChildrenLog2 */
    TRIE_CHILDREN = 1 << TRIE_CHILDREN_LOG2,
    TRIE_HASH_BITS = 64,
    TRIE_DEPTH_MAX = TRIE_HASH_BITS / TRIE_CHILDREN_LOG2
};

struct trie_node { /* node */
    struct go_retired retired;
    bool is_entry;
};

struct trie_entry { /* entry */
    struct trie_node node;
    _Atomic(struct trie_entry *) overflow;
    map_key key;
    map_val val;
};

struct trie_indirect { /* indirect */
    struct trie_node node;
    _Atomic(bool) dead;
    struct go_mutex mu; /* for changes of children, and of the chains that begin there */
    struct trie_indirect *parent;
    _Atomic(struct trie_node *) children[TRIE_CHILDREN];
};

typedef _Atomic(struct trie_node *) trie_slot;

struct map {
    _Atomic(struct trie_indirect *) root;
    bool shared; /* other threads may be inside; sync.h */
    _Atomic(size_t) len;
    _Atomic(size_t) nodes; /* indirect ones */
    go_retired_list retired_nodes, retired_roots;
    GO_HASH_FIELD
    HEAP_FIELD
};

static inline uint64_t trie_hash(const struct map *map, map_key key) {
    return GO_KEY_HASH(map, key);
}

/* --- memory --- */

static void trie_retire(struct map *map, struct trie_node *node) {
    if (__builtin_expect(map->shared, 0))
        go_retired_push(&map->retired_nodes, &node->retired);
    else
        HEAP_FREE(HEAP_OF(map), node);
}

/* newIndirectNode */
static struct trie_indirect *trie_new_indirect(struct map *map, struct trie_indirect *parent) {
    struct trie_indirect *node = HEAP_NEW_ZEROED(HEAP_OF(map), struct trie_indirect, 1);
    if (!node) return NULL;
    node->parent = parent;
    go_counter_add(&map->nodes, 1, map->shared);
    return node;
}

/* newEntryNode */
static struct trie_entry *trie_new_entry(struct map *map, map_key key, map_val val,
                                         struct trie_entry *overflow) {
    (void)map; /* for heaps without a HEAP_FIELD */
    struct trie_entry *entry = HEAP_NEW(HEAP_OF(map), struct trie_entry, 1);
    if (!entry) return NULL;
    entry->node.is_entry = true;
    atomic_init(&entry->overflow, overflow);
    entry->key = key;
    entry->val = val;
    return entry;
}

/* Frees a chain or a node with all below it. */
static void trie_free(struct map *map, struct trie_node *node) {
    if (!node->is_entry) {
        struct trie_indirect *indirect = (struct trie_indirect *)node;
        for (size_t i = 0; i < TRIE_CHILDREN; i++) {
            struct trie_node *child = atomic_load(&indirect->children[i]);
            if (child) trie_free(map, child);
        }
        HEAP_FREE(HEAP_OF(map), node);
        return;
    }
    for (struct trie_entry *entry = (struct trie_entry *)node, *next; entry; entry = next) {
        next = atomic_load(&entry->overflow);
        HEAP_FREE(HEAP_OF(map), entry);
    }
}

/* --- chains --- */

/* entry.lookup */
static inline const struct trie_entry *trie_chain_find(struct trie_entry *entry, map_key key) {
    for (; entry; entry = atomic_load(&entry->overflow))
        if (__builtin_expect(key_equal(entry->key, key), 1)) return entry;
    return NULL;
}

/* How a locked operation found its place. */
struct trie_place {
    struct trie_indirect *parent; /* locked */
    trie_slot *slot;              /* one of its children */
    struct trie_node *node;       /* what is there: an entry or NULL */
    unsigned shift;               /* the slot is chosen by hash >> shift */
};

/* The pointer to the key's entry in a chain: the slot's own or an overflow. NULL: the chain lacks the key.
 * The caller holds the lock. */
static struct trie_entry *trie_chain_locate(struct trie_place *place, map_key key,
                                            struct trie_entry **before) {
    *before = NULL;
    for (struct trie_entry *entry = (struct trie_entry *)place->node; entry;
         entry = atomic_load(&entry->overflow)) {
        if (key_equal(entry->key, key)) return entry;
        *before = entry;
    }
    return NULL;
}

/* Puts `with` where the entry after `before` is, which may be the first of the chain. */
static void trie_chain_link(struct trie_place *place, struct trie_entry *before, struct trie_entry *with) {
    if (before)
        atomic_store(&before->overflow, with);
    else
        atomic_store(place->slot, with ? &with->node : NULL);
}

/* --- the trie --- */

/* The walk and the lock of HashTrieMap.Swap, LoadOrStore and find. For a `wanted` key that is not there it
 * may give up without the lock: parent is NULL then. */
static struct trie_place trie_lock_place(struct map *map, uint64_t hash, const map_key *wanted) {
    for (;;) {
        struct trie_place place = {.parent = atomic_load(&map->root),
                                   .shift = TRIE_HASH_BITS - TRIE_CHILDREN_LOG2};
        for (;; place.shift -= TRIE_CHILDREN_LOG2) {
            place.slot = &place.parent->children[(hash >> place.shift) & (TRIE_CHILDREN - 1)];
            place.node = atomic_load(place.slot);
            if (!place.node || place.node->is_entry) break;
            place.parent = (struct trie_indirect *)place.node;
        }
        if (wanted && !(place.node && trie_chain_find((struct trie_entry *)place.node, *wanted)))
            return (struct trie_place){.parent = NULL};
        go_mutex_lock(&place.parent->mu);
        place.node = atomic_load(place.slot);
        if ((!place.node || place.node->is_entry) && !atomic_load(&place.parent->dead)) return place;
        go_mutex_unlock(&place.parent->mu);
    }
}

/* HashTrieMap.expand: a subtree for two entries whose hashes agree down to `shift`, which is the place's.
 * NULL: out of memory, nothing is left over. */
static struct trie_node *trie_expand(struct map *map, const struct trie_place *place,
                                     struct trie_entry *fresh, uint64_t hash) {
    struct trie_entry *old = (struct trie_entry *)place->node;
    uint64_t old_hash = trie_hash(map, old->key);
    if (old_hash == hash) {
        atomic_store(&fresh->overflow, old);
        return &fresh->node;
    }
    struct trie_indirect *top = NULL, *node = NULL;
    for (unsigned shift = place->shift;;) {
        struct trie_indirect *next = trie_new_indirect(map, node ? node : place->parent);
        if (!next) {
            while (node && node != place->parent) { /* each holds the one below it, and no entry yet */
                struct trie_indirect *above = node->parent;
                HEAP_FREE(HEAP_OF(map), node);
                go_counter_add(&map->nodes, (size_t)-1, map->shared);
                node = above;
            }
            return NULL;
        }
        if (node) atomic_store(&node->children[(hash >> shift) & (TRIE_CHILDREN - 1)], &next->node);
        if (!top) top = next;
        node = next;
        shift -= TRIE_CHILDREN_LOG2; /* the children of `node`; the hashes differ, so it never passes 0 */
        size_t old_child = (old_hash >> shift) & (TRIE_CHILDREN - 1);
        size_t child = (hash >> shift) & (TRIE_CHILDREN - 1);
        if (old_child == child) continue;
        atomic_store(&node->children[old_child], &old->node);
        atomic_store(&node->children[child], &fresh->node);
        return &top->node;
    }
}

/* HashTrieMap.Load */
MAP_INLINE bool map_load(struct map *map, map_key key, map_val *val) {
    uint64_t hash = trie_hash(map, key);
    struct trie_indirect *node = atomic_load(&map->root);
    for (unsigned shift = TRIE_HASH_BITS - TRIE_CHILDREN_LOG2;; shift -= TRIE_CHILDREN_LOG2) {
        struct trie_node *child = atomic_load(&node->children[(hash >> shift) & (TRIE_CHILDREN - 1)]);
        if (!child) return false;
        if (child->is_entry) {
            const struct trie_entry *entry = trie_chain_find((struct trie_entry *)child, key);
            if (entry) *val = entry->val;
            return entry != NULL;
        }
        node = (struct trie_indirect *)child;
    }
}

/* --- changes. "False: out of memory" is not in Go, where that ends the process --- */

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

/* --- walks over the whole map --- */

/* HashTrieMap.iter, whose recursion is a stack here. An entry that is replaced meanwhile stays readable as
 * sync.h says. */
struct map_iter {
    struct trie_indirect *node[TRIE_DEPTH_MAX];
    uint8_t next[TRIE_DEPTH_MAX]; /* child that comes next, of the node at each depth */
    unsigned depth;
    struct trie_entry *chain;
};

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->node[0] = atomic_load(&map->root);
    iter->next[0] = 0;
    iter->depth = 0;
    iter->chain = NULL;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    while (!iter->chain) {
        if (iter->next[iter->depth] == TRIE_CHILDREN) {
            if (iter->depth == 0) return false;
            iter->depth--;
            continue;
        }
        struct trie_node *child = atomic_load(&iter->node[iter->depth]->children[iter->next[iter->depth]++]);
        if (!child) continue;
        if (child->is_entry) {
            iter->chain = (struct trie_entry *)child;
        } else {
            iter->node[++iter->depth] = (struct trie_indirect *)child;
            iter->next[iter->depth] = 0;
        }
    }
    *key = iter->chain->key;
    *val = &iter->chain->val;
    iter->chain = atomic_load(&iter->chain->overflow);
    return true;
}

/* One by one, which needs no memory. */
static void trie_delete_all(struct map *map) {
    struct map_iter iter;
    map_key key;
    const map_val *val;
    map_val deleted;
    map_iter_start(map, &iter);
    while (map_iter_next(&iter, &key, &val)) trie_delete(map, key, NULL, &deleted);
}

/* HashTrieMap.Clear: a new root. Go drops the old one on the floor. A map that is alone keeps its root and
 * empties it; a shared one that gets no memory for a new root loses its entries one by one. */
static void map_clear(struct map *map) {
    struct trie_indirect *root = atomic_load(&map->root);
    if (map->shared) {
        size_t entries = 0, nodes = 0;
        struct trie_indirect *fresh = trie_new_indirect(map, NULL);
        if (!fresh) {
            trie_delete_all(map);
            return;
        }
        root = atomic_exchange(&map->root, fresh);
        trie_count(root, &entries, &nodes);
        go_counter_add(&map->len, -entries, true);
        go_counter_add(&map->nodes, -nodes, true);
        go_retired_push(&map->retired_roots, &root->node.retired);
        return;
    }
    for (size_t i = 0; i < TRIE_CHILDREN; i++) {
        struct trie_node *child = atomic_exchange(&root->children[i], NULL);
        if (child) trie_free(map, child);
    }
    atomic_store(&map->len, 0);
    atomic_store(&map->nodes, 1);
}

/* Not in Go, where a program would range over one map and store into another. */
MAP_COPY_BY_ENTRY(map_create(HEAP_OF(map), 0))

/* --- invariants and structure --- */

/* `path`: the hash bits that lead here, above `shift`. */
static const char *trie_check_chain(const struct map *map, struct trie_entry *head, uint64_t path,
                                    unsigned shift) {
    uint64_t hash = trie_hash(map, head->key);
    if (hash >> shift != path) return "an entry does not lie on the path of its hash";
    for (struct trie_entry *e = head; e; e = atomic_load(&e->overflow)) {
        if (!e->node.is_entry) return "an entry does not say that it is one";
        if (trie_hash(map, e->key) != hash) return "entries of a chain have different hashes";
        if (trie_chain_find(head, e->key) != e) return "a key is stored twice";
    }
    return NULL;
}

static const char *trie_check_node(const struct map *map, struct trie_indirect *node, uint64_t path,
                                   unsigned shift) {
    if (atomic_load(&node->dead)) return "a node in the trie is dead";
    if (atomic_load(&node->mu.state) != GO_MUTEX_FREE) return "a node is locked";
    if (node->parent && trie_is_empty(node)) return "a node is empty";
    if (shift == 0) return "the trie is deeper than the hash has bits";
    for (size_t i = 0; i < TRIE_CHILDREN; i++) {
        struct trie_node *child = atomic_load(&node->children[i]);
        if (!child) continue;
        struct trie_indirect *below = child->is_entry ? NULL : (struct trie_indirect *)child;
        if (below && below->parent != node) return "a node's parent is not the node it hangs in";
        uint64_t child_path = path << TRIE_CHILDREN_LOG2 | i;
        unsigned child_shift = shift - TRIE_CHILDREN_LOG2;
        const char *fault = below
                                ? trie_check_node(map, below, child_path, child_shift)
                                : trie_check_chain(map, (struct trie_entry *)child, child_path, child_shift);
        if (fault) return fault;
    }
    return NULL;
}

static const char *map_check(struct map *map) {
    size_t entries = 0, nodes = 0;
    struct trie_indirect *root = atomic_load(&map->root);
    if (root->parent) return "the root has a parent";
    const char *fault = trie_check_node(map, root, 0, TRIE_HASH_BITS);
    if (fault) return fault;
    trie_count(root, &entries, &nodes);
    if (entries != map_len(map)) return "the length is not the number of entries";
    return nodes * TRIE_CHILDREN == map_capacity(map) ? NULL : "the number of nodes is miscounted";
}

/* Steps: nodes and entries that a lookup reads. */
static void trie_describe_node(struct trie_indirect *node, size_t depth, size_t *steps, size_t *longest) {
    for (size_t i = 0; i < TRIE_CHILDREN; i++) {
        struct trie_node *child = atomic_load(&node->children[i]);
        if (!child) continue;
        if (!child->is_entry) {
            trie_describe_node((struct trie_indirect *)child, depth + 1, steps, longest);
            continue;
        }
        size_t length = depth + 1;
        for (struct trie_entry *e = (struct trie_entry *)child; e; e = atomic_load(&e->overflow)) {
            *steps += length;
            if (length > *longest) *longest = length;
            length++;
        }
    }
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    out->array_bytes = go_counter_read(&map->nodes) * sizeof(struct trie_indirect);
    trie_describe_node(atomic_load(&map->root), 1, &steps, &out->probe_max);
    if (map_len(map)) out->probe_mean = (double)steps / (double)map_len(map);
}
