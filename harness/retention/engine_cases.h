/* Scenarios run by an engine: real Go. */
#ifndef MAPBENCH_RETENTION_ENGINE_CASES_H
#define MAPBENCH_RETENTION_ENGINE_CASES_H

#include <jansson.h>

#include "harness/retention/options.h"
#include "harness/retention/retention.h"

/* Runs the selected variants that engine program `i` has of a scenario and appends their lines. Returns how
 * many failed; what the engine lacks goes to `skipped`. */
size_t engine_cases_run(size_t i, const struct scenario *s, const struct retain_options *options,
                        json_t *lines, json_t *skipped);

#endif
