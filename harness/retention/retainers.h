/* The snapshot part of a checkpoint: who retains what is kept. */
#ifndef MAPBENCH_RETENTION_RETAINERS_H
#define MAPBENCH_RETENTION_RETAINERS_H

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/case_plan.h"

/* The two snapshots of a case that are to be compared. Starts as zeroes. */
struct compared_snapshots {
    struct compared_snapshot {
        struct snapshot *snapshot; /* NULL: the checkpoint was not reached */
        struct dominators *tree;
        size_t step;
    } from, to;
};

/* At the checkpoint that the verdict is about, sets "path" and "dominator" of its line from the heap's object
 * graph; writes the snapshot's files, and keeps it for the comparison, where the case asks for that.
 * Elsewhere no snapshot is taken. */
void retainers_checkpoint(struct compared_snapshots *compared, struct gosim *heap,
                          const struct case_plan *plan, const char *label, size_t step, json_t *line);
/* Prints and writes the difference that the case asks for, if both checkpoints were reached; frees all. */
void retainers_finish(struct compared_snapshots *compared, const struct case_plan *plan);

#endif
