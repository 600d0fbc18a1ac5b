/* The cases of a selection, to be run in any order: two at a time where there are two processors. Their lines
 * come out in the order in which they were queued. */
#ifndef MAPBENCH_RETENTION_QUEUE_H
#define MAPBENCH_RETENTION_QUEUE_H

#include <jansson.h>
#include <signal.h>

#include "harness/retention/case_plan.h"

struct case_queue {
    struct queued_case *at;
    size_t count, room;
};

/* Takes a case; an array for its lines is appended to `lines`, an array of arrays. */
void queue_add(struct case_queue *queue, const struct case_plan *plan, json_t *lines);
/* Runs them all. Returns how many failed. Starts no more once *interrupted is set. */
size_t queue_run(struct case_queue *queue, const volatile sig_atomic_t *interrupted);
void queue_free(struct case_queue *queue);

#endif
