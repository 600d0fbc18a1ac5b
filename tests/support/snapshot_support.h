/* Object graphs for the tests of snapshots: one made by hand, whose sizes are worked out here, and random
 * ones. */
#ifndef SNAPSHOT_SUPPORT_H
#define SNAPSHOT_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>

#include "harness/retention/snapshot/snapshot.h"
#include "harness/base/rng.h"

/*  global cache -> HMAP -buckets-> BUCKETS -[3].key-> DOCUMENT
 *                                          -[3].value-> SHARED <-[5].value- BUCKETS
 *  stack main.item -> SHARED                             (two roots: held by neither alone)
 *  global list -> NODES -next-> ... LIST_NODES of them, each with a "prev" back
 *  ORPHAN -> DOCUMENT                                    (nothing points to it)
 */
enum { HMAP, BUCKETS, DOCUMENT, SHARED, ORPHAN, NODES, LIST_NODES = 1000 };
enum {
    HMAP_BYTES = 48,
    BUCKETS_BYTES = 2176,
    DOCUMENT_BYTES = 65536,
    SHARED_BYTES = 96,
    ORPHAN_BYTES = 32,
    NODE_BYTES = 24,
    CACHE_RETAINS = HMAP_BYTES + BUCKETS_BYTES + DOCUMENT_BYTES,
    LIST_RETAINS = LIST_NODES * NODE_BYTES,
    REACHABLE_BYTES = CACHE_RETAINS + SHARED_BYTES + LIST_RETAINS,
};

static inline void hand_edge(struct snapshot_builder *b, uint32_t from, uint32_t to, const char *field,
                             uint32_t element) {
    snapshot_add_edge(b, from, to, snapshot_name(b, field), element);
}

/* `later`: the document has been replaced by two, one of them held from a new bucket. */
static inline struct snapshot *snapshot_by_hand(bool later) {
    struct snapshot_builder *b = snapshot_begin();
    uint64_t at = 0xc000000000;
    static const struct {
        const char *type;
        uint32_t bytes;
    } objects[] = {{"hmap", HMAP_BYTES},
                   {"[]bmap", BUCKETS_BYTES},
                   {"[]byte", DOCUMENT_BYTES},
                   {"entry", SHARED_BYTES},
                   {"orphan", ORPHAN_BYTES}};
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++, at += 0x20000)
        snapshot_add_object(b, at, objects[i].bytes, snapshot_name(b, objects[i].type));
    for (uint32_t i = 0; i < LIST_NODES; i++, at += 0x100)
        snapshot_add_object(b, at, NODE_BYTES, snapshot_name(b, "node"));
    if (later) snapshot_add_object(b, at, 3 * DOCUMENT_BYTES, snapshot_name(b, "[]byte"));
    hand_edge(b, HMAP, BUCKETS, "buckets", SNAPSHOT_NONE);
    hand_edge(b, BUCKETS, DOCUMENT, "key", 3);
    hand_edge(b, BUCKETS, SHARED, "value", 3);
    hand_edge(b, BUCKETS, SHARED, "value", 5);
    if (later) hand_edge(b, BUCKETS, NODES + LIST_NODES, "key", 7);
    hand_edge(b, ORPHAN, DOCUMENT, "document", SNAPSHOT_NONE);
    for (uint32_t i = NODES; i < NODES + LIST_NODES; i++) {
        if (i + 1 < NODES + LIST_NODES) hand_edge(b, i, i + 1, "next", SNAPSHOT_NONE);
        if (i > NODES) hand_edge(b, i, i - 1, "prev", SNAPSHOT_NONE);
    }
    snapshot_add_root(b, ROOT_GLOBAL, "cache", HMAP);
    snapshot_add_root(b, ROOT_STACK, "main.item", SHARED);
    snapshot_add_root(b, ROOT_GLOBAL, "list", NODES);
    struct why why = {""};
    struct snapshot *s = snapshot_finish(b, &why);
    if (!s) fprintf(stderr, "%s\n", why.text);
    return s;
}

/* Any objects, any pointers, a few roots; names that JSON, Graphviz and paths must quote. */
static inline struct snapshot *snapshot_at_random(uint64_t seed, uint32_t objects) {
    static const char *const types[] = {"hmap",      "[]bmap", "say \"hi\"",     "back\\slash",
                                        "tab\there", "Größe",  "std::pair<a, b>"};
    static const char *const fields[] = {"next", "key", "", "with \"quotes\""};
    struct snapshot_builder *b = snapshot_begin();
    uint64_t at = 0xc000000000;
    for (uint32_t i = 0; i < objects; i++) {
        uint64_t bytes = 16 * (1 + rng_below(&seed, 100));
        snapshot_add_object(b, at, bytes, snapshot_name(b, types[rng_below(&seed, 7)]));
        at += bytes;
    }
    for (uint32_t i = 0; i < objects; i++)
        for (uint64_t e = rng_below(&seed, 4); e-- > 0;)
            hand_edge(b, i, (uint32_t)rng_below(&seed, objects), fields[rng_below(&seed, 4)],
                      rng_below(&seed, 2) ? (uint32_t)rng_below(&seed, 9) : SNAPSHOT_NONE);
    for (uint64_t r = 1 + objects / 100; r-- > 0;) {
        static const char *const names[] = {"cache", "list", "a \"root\""};
        enum snapshot_root_kind kind = (enum snapshot_root_kind)rng_below(&seed, ROOT_KINDS);
        snapshot_add_root(b, kind, names[rng_below(&seed, 3)], (uint32_t)rng_below(&seed, objects));
    }
    return snapshot_finish(b, NULL);
}

#endif
