/* Event counters of this thread around measured loops, by perf_event_open.
 *
 * profiles/events.def lists the events in small groups, each of which fits a PMU at once. Groups are opened
 * disabled and count only between counters_start and counters_stop (about 2 us each way a group, so: per
 * phase, never per operation); what they count adds up until counters_reset. Hardware events count user space
 * only; software events also the kernel's share where that is allowed.
 *
 * An event this machine does not have has no value and a reason, never a zero and never a substitute: here
 * `cycles` is absent on a machine without a PMU, where perf record would count cpu-clock under that
 * name.
 */
#ifndef MAPBENCH_COUNTERS_H
#define MAPBENCH_COUNTERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct counters;

/* Opens every event that can be had, for the calling thread only. NULL: out of memory. When not a single
 * event can be opened the result is still valid: every event has its reason. */
struct counters *counters_open(void);
void counters_close(struct counters *counters); /* accepts NULL */

void counters_reset(struct counters *counters); /* forget what was counted; only while stopped */
void counters_start(struct counters *counters);
void counters_stop(struct counters *counters);

/* Events in the order of events.def, available or not. */
size_t counters_count(const struct counters *counters);
const char *counters_name(const struct counters *counters, size_t i);

/* The total since the last reset, as of the last counters_stop; scaled up when the PMU was shared and the
 * event ran for only part of the time (time_enabled / time_running). False: not available, counters_why says
 * why. */
bool counters_value(const struct counters *counters, size_t i, double *value);

/* NULL, or in words why event i has no value and what to do about it. */
const char *counters_why(const struct counters *counters, size_t i);

/* {"name": null (usable) | "why not"} for run.json. New reference; NULL: out of memory. */
json_t *counters_probe(void);

#endif
