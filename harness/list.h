/* The list and explain commands. Both print to stdout and return an exit code. */
#ifndef MAPBENCH_LIST_H
#define MAPBENCH_LIST_H

#include <stdbool.h>

/* what: maps, shapes, workloads, keys, heaps, scenarios, profiles or engines; NULL: all of them, not as JSON.
 */
int list_command(const char *what, bool json);
/* Everything known of what has this name: a map, shape, workload, key stream, heap, scenario, engine or
 * profile. */
int explain_command(const char *name);

#endif
