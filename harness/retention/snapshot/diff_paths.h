/* The difference of two snapshots by who holds what: objects with the same types and fields on the way down
 * the tree of dominators are one path, and paths of the same text are compared. */
#ifndef MAPBENCH_RETENTION_DIFF_PATHS_H
#define MAPBENCH_RETENTION_DIFF_PATHS_H

#include "harness/retention/snapshot/query.h"

struct path_side {
    uint64_t objects, bytes;
    uint64_t retained_bytes; /* by those of its objects that are not below others of the type */
};

struct path_change {
    char *path;       /* "global users -> hmap.buckets -> bmap.value -> User" */
    const char *type; /* the last of the path; within `path`, or of a root its name */
    struct path_side before, after;
};

struct path_changes {
    struct path_change
        *change; /* objects or bytes differ; largest change of bytes first, growth before loss */
    size_t count;
};

/* Indices of fields and elements are left out of the texts. NULL: out of memory. */
struct path_changes *diff_paths_find(const struct snapshot *before, const struct dominators *before_tree,
                                     const struct snapshot *after, const struct dominators *after_tree);
void diff_paths_free(struct path_changes *changes);

/* "added", "removed", "grew" or "shrank". */
const char *diff_paths_kind(const struct path_change *change);

#endif
