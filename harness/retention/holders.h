/* Who holds what is kept: the snapshot part of a checkpoint. */
#ifndef MAPBENCH_RETENTION_HOLDERS_H
#define MAPBENCH_RETENTION_HOLDERS_H

#include <jansson.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/case.h"

/* Sets "path" and "dominator" of a checkpoint's line from the heap's object graph, and writes the snapshot's
 * files where the case asks for them. */
void holders_describe(struct gosim *heap, const struct case_plan *plan, const char *label, size_t step,
                      json_t *line);

#endif
