#include "harness/retention/program/go_hashtrie_program.h"

#include <stddef.h>

enum {
    CHILDREN_LOG2 = 4, /* nChildrenLog2 */
    CHILDREN = 1 << CHILDREN_LOG2,
    HASH_BITS = 64,
};

struct go_trie_node { /* node */
    bool is_entry;
};
struct go_trie_entry { /* entry */
    struct go_trie_node node;
    struct go_trie_entry *overflow;
    struct any key, value;
};
struct go_trie_indirect { /* indirect */
    struct go_trie_node node;
    uint32_t dead;
    uint64_t mutex;
    struct go_trie_indirect *parent;
    struct go_trie_node *children[CHILDREN];
};
_Static_assert(sizeof(struct go_trie_entry) == 48 && sizeof(struct go_trie_indirect) == 152,
               "the sizes that Go's compiler gives them");

static const struct gosim_field entry_fields[] = {{"overflow", offsetof(struct go_trie_entry, overflow)},
                                                  {"key", offsetof(struct go_trie_entry, key.data)},
                                                  {"value", offsetof(struct go_trie_entry, value.data)}};
#define CHILD(i)                                                                                             \
    { "children[" #i "]", offsetof(struct go_trie_indirect, children) + (i) * sizeof(void *) }
static const struct gosim_field indirect_fields[] = {{"parent", offsetof(struct go_trie_indirect, parent)},
                                                     CHILD(0),
                                                     CHILD(1),
                                                     CHILD(2),
                                                     CHILD(3),
                                                     CHILD(4),
                                                     CHILD(5),
                                                     CHILD(6),
                                                     CHILD(7),
                                                     CHILD(8),
                                                     CHILD(9),
                                                     CHILD(10),
                                                     CHILD(11),
                                                     CHILD(12),
                                                     CHILD(13),
                                                     CHILD(14),
                                                     CHILD(15)};
#undef CHILD
static const struct gosim_type type_entry = {"HashTrieMap.entry", sizeof(struct go_trie_entry), entry_fields,
                                             sizeof entry_fields / sizeof *entry_fields, 0};
static const struct gosim_type type_indirect = {"HashTrieMap.indirect", sizeof(struct go_trie_indirect),
                                                indirect_fields,
                                                sizeof indirect_fields / sizeof *indirect_fields, 0};

/* Each map has a seed of its own; here it is the case's. */
static uint64_t hash_of(const struct go_hashtrie *m, struct any key) {
    return hash_u64(any_hash(key) + case_seed(m->r));
}

/* newIndirectNode */
static struct go_trie_indirect *new_indirect(struct go_hashtrie *m, struct go_trie_indirect *parent) {
    struct go_trie_indirect *node = program_new(m->r, &type_indirect, 1);
    if (node) gosim_store(case_gosim(m->r), &node->parent, parent);
    return node;
}

/* newEntryNode */
static struct go_trie_entry *new_entry(struct go_hashtrie *m, struct any key, struct any value,
                                       struct go_trie_entry *overflow) {
    struct go_trie_entry *e = program_new(m->r, &type_entry, 1);
    if (!e) return NULL;
    e->node.is_entry = true;
    e->key.type = key.type;
    e->value.type = value.type;
    gosim_store(case_gosim(m->r), &e->key.data, key.data);
    gosim_store(case_gosim(m->r), &e->value.data, value.data);
    gosim_store(case_gosim(m->r), &e->overflow, overflow);
    return e;
}

static struct go_trie_node **child_of(struct go_trie_indirect *node, uint64_t hash, unsigned shift) {
    return &node->children[(hash >> shift) & (CHILDREN - 1)];
}

/* The place where a key is or would be: a child that is an entry or NULL. */
struct place {
    struct go_trie_indirect *parent;
    struct go_trie_node **slot;
    unsigned shift; /* the slot is chosen by hash >> shift */
};

static struct place find_place(const struct go_hashtrie *m, uint64_t hash) {
    struct place at = {.parent = m->root, .shift = HASH_BITS - CHILDREN_LOG2};
    for (;; at.shift -= CHILDREN_LOG2) {
        at.slot = child_of(at.parent, hash, at.shift);
        if (!*at.slot || (*at.slot)->is_entry) return at;
        at.parent = (struct go_trie_indirect *)*at.slot;
    }
}

/* The pointer to a key's entry: the slot itself or an entry's overflow. NULL: the chain lacks it. */
static struct go_trie_entry **find_link(struct place *at, struct any key) {
    struct go_trie_entry **link = (struct go_trie_entry **)at->slot;
    for (; *link; link = &(*link)->overflow)
        if (any_equal((*link)->key, key)) return link;
    return NULL;
}

/* HashTrieMap.expand: nodes for two entries whose hashes agree down to the place. NULL: out of memory. */
static struct go_trie_node *expand(struct go_hashtrie *m, const struct place *at, struct go_trie_entry *fresh,
                                   uint64_t hash) {
    struct gosim *heap = case_gosim(m->r);
    struct go_trie_entry *old = (struct go_trie_entry *)*at->slot;
    uint64_t old_hash = hash_of(m, old->key);
    if (old_hash == hash) {
        gosim_store(heap, &fresh->overflow, old);
        return &fresh->node;
    }
    struct go_trie_indirect *node = new_indirect(m, at->parent), *top = node;
    for (unsigned shift = at->shift - CHILDREN_LOG2; node; shift -= CHILDREN_LOG2) {
        struct go_trie_node **old_slot = child_of(node, old_hash, shift),
                            **slot = child_of(node, hash, shift);
        if (old_slot != slot) {
            gosim_store(heap, old_slot, old);
            gosim_store(heap, slot, fresh);
            return &top->node;
        }
        struct go_trie_indirect *next = new_indirect(m, node);
        gosim_store(heap, slot, next);
        node = next;
    }
    return NULL;
}

void go_hashtrie_open(struct go_hashtrie *m, struct retention *r) {
    *m = (struct go_hashtrie){.r = r};
    gosim_root(case_gosim(r), &m->root, "sync.Map.root");
}

void go_hashtrie_close(struct go_hashtrie *m) {
    gosim_unroot(case_gosim(m->r), &m->root);
}

/* HashTrieMap.init: the first operation makes the root, whichever it is. */
static bool begin(struct go_hashtrie *m) {
    if (!m->root) m->root = new_indirect(m, NULL);
    return m->root != NULL;
}

/* HashTrieMap.Swap with entry.swap: a value is replaced by a new entry, which holds the new key too. */
bool go_hashtrie_store(struct go_hashtrie *m, struct any key, struct any value) {
    if (!begin(m)) return false;
    uint64_t hash = hash_of(m, key);
    struct place at = find_place(m, hash);
    struct go_trie_entry **link = find_link(&at, key);
    struct go_trie_entry *fresh = new_entry(m, key, value, link ? (*link)->overflow : NULL);
    if (!fresh) return false;
    if (link) {
        gosim_store(case_gosim(m->r), link, fresh);
        return true;
    }
    struct go_trie_node *node = *at.slot ? expand(m, &at, fresh, hash) : &fresh->node;
    if (node) gosim_store(case_gosim(m->r), at.slot, node);
    return node != NULL;
}

/* HashTrieMap.Load */
bool go_hashtrie_load(struct go_hashtrie *m, struct any key, bool *found) {
    if (!begin(m)) return false;
    struct place at = find_place(m, hash_of(m, key));
    *found = find_link(&at, key) != NULL;
    return true;
}

/* indirect.empty */
static bool is_empty(const struct go_trie_indirect *node) {
    for (size_t i = 0; i < CHILDREN; i++)
        if (node->children[i]) return false;
    return true;
}

/* HashTrieMap.LoadAndDelete: with its last child a node goes too, up to the root, which stays. */
bool go_hashtrie_delete(struct go_hashtrie *m, struct any key) {
    if (!begin(m)) return false;
    struct gosim *heap = case_gosim(m->r);
    uint64_t hash = hash_of(m, key);
    struct place at = find_place(m, hash);
    struct go_trie_entry **link = find_link(&at, key);
    if (!link) return true;
    gosim_store(heap, link, (*link)->overflow);
    for (struct go_trie_indirect *node = at.parent; node->parent && is_empty(node); node = node->parent) {
        at.shift += CHILDREN_LOG2;
        node->dead = 1;
        gosim_store(heap, child_of(node->parent, hash, at.shift), NULL);
    }
    return true;
}

static size_t count_below(const struct go_trie_indirect *node) {
    size_t entries = 0;
    for (size_t i = 0; i < CHILDREN; i++) {
        const struct go_trie_node *child = node->children[i];
        if (!child) continue;
        if (!child->is_entry) {
            entries += count_below((const struct go_trie_indirect *)child);
            continue;
        }
        for (const struct go_trie_entry *e = (const struct go_trie_entry *)child; e; e = e->overflow)
            entries++;
    }
    return entries;
}

size_t go_hashtrie_len(const struct go_hashtrie *m) {
    return m->root ? count_below(m->root) : 0;
}
