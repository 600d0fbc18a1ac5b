/* Snapshots as files that other programs open. */
#ifndef MAPBENCH_SNAPSHOT_EXPORT_H
#define MAPBENCH_SNAPSHOT_EXPORT_H

#include "harness/retention/snapshot/query.h"

struct export_report {
    bool ok;
    uint64_t written;  /* nodes, or samples */
    uint64_t left_out; /* nodes */
    char message[320]; /* !ok: what failed; ok: a warning, or empty */
};

/* Gzipped profile.proto, for `go tool pprof FILE`: a sample for each kind of path down the tree of
 * dominators, leaf first; frames are "type.field", the leaf is the type. So cum of inuse_space is what a
 * frame retains. Sample types: inuse_objects, inuse_space (the default) and retained: what the objects of the
 * leaf's type retain, those below another of the same type not counted again. Objects that nothing reaches
 * are below the frame "(not reachable)". */
struct export_report export_pprof(const struct snapshot *snapshot, const struct dominators *dominators,
                                  const char *path);

/* V8's .heapsnapshot, for the Memory panel of Chrome's developer tools. With more than max_nodes nodes (0:
 * EXPORT_CHROME_NODES) those that retain most are written, the others' bytes are added to their
 * dominators: what a written node retains is right. Objects that nothing reaches are left out. */
enum { EXPORT_CHROME_NODES = 2000000 };
struct export_report export_chrome(const struct snapshot *snapshot, const struct dominators *dominators,
                                   uint32_t max_nodes, const char *path);

/* A line for each object and root: id, kind ("object" or the root's), type (of a root: its name), address,
 * bytes, retained, dominator (an id; null: none), by (the field through which the dominator points to it;
 * null: only others do), path (pointers from the root; 0: a root; null: not reachable). */
struct export_report export_jsonl(const struct snapshot *snapshot, const struct dominators *dominators,
                                  const struct snapshot_paths *paths, const char *path);

/* Graphviz: the `count` nodes that retain most, below their dominators. */
enum { EXPORT_DOT_NODES = 30 };
struct export_report export_dot(const struct snapshot *snapshot, const struct dominators *dominators,
                                uint32_t count, const char *path);

/* Returns, by order, an edge by which the immediate dominator points to the node; SNAPSHOT_NONE: none does.
 * NULL: out of memory. */
uint32_t *export_holding_edges(const struct snapshot *snapshot, const struct dominators *dominators);
/* The `count` orders (not the summit's) that retain most, ascending: with each its dominators. NULL: out of
 * memory; *count falls to what there is. */
uint32_t *export_largest(const struct dominators *dominators, uint32_t *count);
struct export_report export_failed(const char *path, const char *what);

#endif
