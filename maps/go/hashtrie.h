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

#include "maps/go/hashtrie_ops.h"
