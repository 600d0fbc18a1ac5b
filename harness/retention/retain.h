/* The command `mapbench retain`. */
#ifndef MAPBENCH_RETENTION_RETAIN_H
#define MAPBENCH_RETENTION_RETAIN_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/plan/arguments.h"

/* The command; returns the exit code. */
int retain_command(const struct arguments *a);

/* The catalogue for `list scenarios`: an array of objects with name, summary, available, reason and more. */
json_t *retain_list(void);

/* `explain SCENARIO`: false if there is none of that name. */
bool retain_explain(const char *name);

#endif
