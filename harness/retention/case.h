/* A case: one scenario, variant, map and heap, run in a child process that writes a line per checkpoint. */
#ifndef MAPBENCH_RETENTION_CASE_H
#define MAPBENCH_RETENTION_CASE_H

#include "harness/retention/retention.h"

enum case_heap { CASE_GOSIM, CASE_BOEHM, CASE_MALLOC };

/* Which snapshots are wanted; only gosim has an object graph. */
struct snapshot_wish {
    const char *folder;    /* for the files; NULL: none are written */
    const char *at;        /* list of checkpoint labels, or of "verdict" and "all" */
    const char *from, *to; /* labels of the checkpoints to compare, the last of each; NULL: none */
};

struct case_plan {
    const struct scenario *scenario;
    const struct variant *variant;
    const struct map_unit *unit; /* NULL: no map */
    enum case_heap heap;
    size_t n;
    uint64_t seed;
    struct snapshot_wish wish;
    bool check; /* red zones and verification */
    unsigned limit_s;
};

const char *case_heap_name(enum case_heap heap);
const char *role_name(enum variant_role role);

/* The names that every line of the case has, without numbers. New reference. */
json_t *case_line(const struct case_plan *plan);
/* Runs it and appends its lines to `lines`. A case that fails leaves what it wrote and a last line with an
 * "error". False: it failed. */
bool case_run(const struct case_plan *plan, json_t *lines);

#endif
