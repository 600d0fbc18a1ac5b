/* The plan of a case: one scenario, variant, map and heap, with the numbers that it is run with. */
#ifndef MAPBENCH_RETENTION_CASE_PLAN_H
#define MAPBENCH_RETENTION_CASE_PLAN_H

#include "harness/retention/retention.h"

/* The snapshots of a case that are asked for; only gosim has an object graph. */
struct requested_snapshots {
    const char *folder;    /* for the files; NULL: none are written */
    const char *at;        /* list of checkpoint labels, or of "verdict" and "all" */
    const char *from, *to; /* labels of the checkpoints to compare, the last of each; NULL: none */
};

struct case_plan {
    const struct scenario *scenario;
    const struct variant *variant;
    const struct map_unit *unit; /* NULL: no map */
    const char *map;             /* the name it runs by, which may be an alias of a release; NULL: no map */
    int release;                 /* of Go, of the map and the collector: 124 for 1.24; 0: neither is Go's */
    enum case_heap heap;
    size_t n;
    uint64_t seed;
    struct requested_snapshots snapshots;
    bool check; /* red zones and verification */
    unsigned limit_s;
};

const char *role_name(enum variant_role role);
const char *case_heap_name(enum case_heap heap);
/* Whether it is about the map, of whichever release. */
bool scenario_tells_of(const struct scenario *scenario, const char *map);
bool scenario_has_label(const struct scenario *scenario, const char *label);

/* Makes a line with the names that every line of the case has, without numbers. New reference. */
json_t *case_line(const struct case_plan *plan);

#endif
