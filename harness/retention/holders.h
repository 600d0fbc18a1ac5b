/* Who holds what is kept: the snapshot part of a checkpoint. */
#ifndef MAPBENCH_RETENTION_HOLDERS_H
#define MAPBENCH_RETENTION_HOLDERS_H

#include <jansson.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/case.h"

/* What a case keeps of its snapshots: the two to compare. Starts as zeroes. */
struct holders {
    struct kept_snapshot {
        struct snapshot *snapshot; /* NULL: the checkpoint was not reached */
        struct dominators *tree;
        size_t step;
    } from, to;
};

/* At the checkpoint that the verdict is about, sets "path" and "dominator" of its line from the heap's object
 * graph; writes the snapshot's files, and keeps it, where the case asks for that. Elsewhere no snapshot is
 * taken. */
void holders_checkpoint(struct holders *holders, struct gosim *heap, const struct case_plan *plan,
                        const char *label, size_t step, json_t *line);
/* Prints and writes the difference that the case asks for, if both checkpoints were reached; frees all. */
void holders_finish(struct holders *holders, const struct case_plan *plan);

#endif
