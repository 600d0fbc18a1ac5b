/* Questions to a snapshot: how a root reaches an object, what an object retains, where bytes pile up. */
#ifndef MAPBENCH_SNAPSHOT_QUERY_H
#define MAPBENCH_SNAPSHOT_QUERY_H

#include "harness/retention/snapshot/dominators.h"
#include "harness/retention/snapshot/snapshot.h"

/* Builds the dominator tree of the whole snapshot, from its summit; weights are bytes. NULL: out of memory.
 */
struct dominators *snapshot_dominators(const struct snapshot *snapshot);

/* --- paths --- */

/* Shortest paths from the roots, by breadth-first search: for each node the one it is reached from and the
 * number of pointers from the summit: 1 for roots, 2 for what a root's variable points to. */
struct snapshot_paths {
    uint32_t *from;     /* SNAPSHOT_NONE: not reachable, or the summit */
    uint32_t *distance; /* SNAPSHOT_NONE: not reachable */
};
struct snapshot_paths *snapshot_paths_find(const struct snapshot *snapshot); /* NULL: out of memory */
void snapshot_paths_free(struct snapshot_paths *paths);

/* "global cache -> hmap.buckets (48 B) -> bmap[3].key (272 B) -> []byte (64.0 KiB)": each object with the
 * field and element it is left by, and its own bytes. Equal steps in a row are counted ("node.next x1000"),
 * and the middle of a path of many steps is left out with its number. To free; NULL: out of memory. */
char *snapshot_path_text(const struct snapshot *snapshot, const struct snapshot_paths *paths, uint32_t node);

/* "global cache", or a type and its address: "hmap at 0xc000012345". To free; NULL: out of memory. */
char *snapshot_node_text(const struct snapshot *snapshot, uint32_t node);

/* "48 B", "64.0 KiB", "11.6 MiB"; returns out. */
enum { SNAPSHOT_BYTES_TEXT = 24 };
char *snapshot_bytes_text(uint64_t bytes, char out[SNAPSHOT_BYTES_TEXT]);

/* The first edge from one node to another; SNAPSHOT_NONE: there is none. */
uint32_t snapshot_edge_between(const struct snapshot *snapshot, uint32_t from, uint32_t to);

/* --- where it piles up --- */

/* The accumulation point. A walk goes from the root that retains most down the tree of dominators, always to
 * the child that retains most; the point is the node below which retention falls most: it holds many things
 * that nothing larger holds. */
struct accumulation {
    uint32_t root; /* SNAPSHOT_NONE: nothing is reachable. A root, or an object that several roots share */
    uint32_t node;
    uint64_t root_retained_bytes, node_retained_bytes;
    uint64_t drop_bytes; /* to the child that retains most; all of it for a leaf */
    uint32_t children;   /* how many the node dominates directly */
};
/* False: out of memory. */
bool snapshot_accumulation(const struct dominators *dominators, struct accumulation *out);
/* The same down other sums: `value` by order (dominators_sum); the fields in bytes are those values. */
bool snapshot_accumulation_of(const struct dominators *dominators, const uint64_t *value,
                              struct accumulation *out);

/* --- difference --- */

struct type_change {
    char *type;
    uint64_t objects_before, objects_after, bytes_before, bytes_after;
    /* Objects are the same if address and type are: gosim does not move them. What was freed and allocated
     * again at the same address as the same type counts as the same. */
    uint64_t objects_new, bytes_new, objects_gone, bytes_gone;
};

struct snapshot_change {
    struct type_change *types; /* that changed; largest change of bytes first, growth before loss */
    size_t count;
    uint64_t bytes_new, bytes_gone, objects_new, objects_gone;
    /* The accumulation point of the new objects, in `after`. */
    struct accumulation gained;
    /* Bytes that gained.node retained before and retains now; before is 0 if it is itself new. */
    uint64_t retained_before_bytes, retained_after_bytes;
};
/* NULL: out of memory. */
struct snapshot_change *snapshot_compare(const struct snapshot *before, const struct dominators *before_tree,
                                         const struct snapshot *after, const struct dominators *after_tree);
void snapshot_change_free(struct snapshot_change *change);

#endif
