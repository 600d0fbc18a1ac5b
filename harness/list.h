/* The list and explain commands. Both print to stdout and return an exit code. */
#ifndef MAPBENCH_LIST_H
#define MAPBENCH_LIST_H

#include <stdbool.h>

/* what: maps (default), shapes, workloads, keys, heaps, profiles, engines; NULL: an overview of all. */
int list_command(const char *what, bool json);
/* Everything known of a map, shape, workload, key stream or profile. */
int explain_command(const char *name);

#endif
