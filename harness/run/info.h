/* run.json: everything about a run that is not a measurement. */
#ifndef MAPBENCH_RUNINFO_H
#define MAPBENCH_RUNINFO_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>

#include "harness/base/clock.h"
#include "harness/plan/job.h"
#include "harness/keys/keys.h"
#include "harness/unit/map.h"
#include "harness/plan/plan.h"

enum { RUN_SCHEMA = 1 };

/* The object as known before measuring: command, profile, options in effect, machine, build, timers,
 * conditions, provenance, and what doctor finds. work_s: how long the run is thought to take; where it
 * measures times, the machine's noise is watched first for a part of that, at most a second, or until *stop.
 */
json_t *runinfo_begin(const char *id, const char *command, const struct profile *profile,
                      const struct plan *plan, const struct clock_costs *clock, double work_s,
                      const volatile sig_atomic_t *stop);
/* False when the run.json of an interrupted run is known to be by another executable. */
bool runinfo_same_executable(const json_t *info, const json_t *before);
/* Takes over from the run.json of an interrupted run what its beginning was: id, command, time, conditions,
 * key streams, and how long it measured (returned in seconds). */
double runinfo_resume(json_t *info, const json_t *before);
/* Adds a key stream once (by name and shape). False: the interrupted run had another set under this name. */
bool runinfo_add_keys(json_t *info, const struct shape *shape, const struct keys_facts *facts);
/* Adds a map that takes part, once. */
void runinfo_add_map(json_t *info, const char *name, const struct map_facts *facts);
/* Adds what is known at the end: conditions, duration, memory. */
void runinfo_end(json_t *info, double duration_s, bool complete);
/* "2026-11-20T08:15:00Z" (extended) or "20261120T081500Z"; writes and returns `out` (at least 24 bytes). */
char *utc_text(bool extended, char *out);

#endif
