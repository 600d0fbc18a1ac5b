/* The catalogue in words: for run.json, `list scenarios` and `explain SCENARIO` (the latter two: retain.h).
 */
#ifndef MAPBENCH_RETENTION_DESCRIBE_H
#define MAPBENCH_RETENTION_DESCRIBE_H

#include <jansson.h>

#include "harness/retention/options.h"

/* Makes an array of the selected scenarios. New reference. */
json_t *retain_scenarios_json(const struct retain_options *options);

#endif
