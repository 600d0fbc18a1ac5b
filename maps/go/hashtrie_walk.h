/* What walks over a whole go_hashtrie: Range, Clear, copy and the invariants. Included by hashtrie_ops.h.
 */

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
