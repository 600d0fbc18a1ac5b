/* The tree of dominators folded by names: objects with the same types and fields above them are one node. */
#ifndef MAPBENCH_SNAPSHOT_TRIE_H
#define MAPBENCH_SNAPSHOT_TRIE_H

#include "harness/retention/snapshot/query.h"

enum { TRIE_SUMMIT, TRIE_UNREACHABLE, TRIE_FIRST }; /* the first two stand for no object */
enum { TRIE_DEPTH = 64 };

struct trie_node {
    uint32_t parent, depth;
    uint32_t field;    /* by which the parent's objects hold these: a name; SNAPSHOT_NONE: not directly */
    uint32_t type;     /* a name */
    uint8_t root_kind; /* ROOT_KINDS: objects */
    bool outermost;    /* no node above has the type */
    uint64_t objects, bytes;
    uint64_t retained; /* by those of its objects that are not below others of the type */
};

/* A run of one type through one field (a list) is one node; below TRIE_DEPTH nodes all go side by side. */
struct trie {
    struct trie_node *node;
    uint32_t count;
    size_t room;
    uint32_t *slot; /* open addressing: number + 1 */
    size_t slots;   /* a power of two */
};

/* NULL: out of memory. */
struct trie *trie_build(const struct snapshot *snapshot, const struct dominators *dominators);
void trie_free(struct trie *trie);

#endif
