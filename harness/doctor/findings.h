/* The findings of doctor: a list, each a fact with what it means for results and what can be done
 * about it.
 *
 * Findings follow from what machine_describe, counters_probe, conditions_now and the others say: they can be
 * made of any machine's facts, and of a stored run's.
 */
#ifndef MAPBENCH_FINDINGS_H
#define MAPBENCH_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "harness/doctor/noise.h"

/* OK: nothing to do. WARN: results are valid, and worse or harder to compare than need be. NO: something
 * cannot be measured here. */
enum finding_state { FINDING_OK, FINDING_WARN, FINDING_NO };

/* Appends {"group", "name", "state", "fact", "meaning", "advice"}. advice: NULL when nothing can or need be
 * done. The format gives the fact. */
void finding_add(json_t *findings, const char *group, const char *name, enum finding_state state,
                 const char *meaning, const char *advice, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* Cost and resolution of a clock, in ns. */
struct clock_facts {
    double ns_per_tick, ticks_cost_ns, ticks_step_ns;
    double thread_cpu_cost_ns, thread_cpu_step_ns, wall_cost_ns, wall_step_ns;
};

void findings_of_clocks(json_t *findings, const struct clock_facts *clocks, const json_t *machine);
/* probe: as counters_probe. paranoid: the setting of perf_event_paranoid, -2 where it cannot be read. */
void findings_of_events(json_t *findings, const json_t *probe, long paranoid);
void findings_of_machine(json_t *findings, const json_t *machine);
void findings_of_conditions(json_t *findings, const json_t *conditions);
/* noise NULL: the time recorder does not work, for the reason `why`. */
void findings_of_noise(json_t *findings, const struct noise *noise, const char *why);
/* Installed programs, and with `all` also what is slow to ask (Python's packages, real Go). */
void findings_of_tools(json_t *findings, bool all);
void findings_of_maps(json_t *findings);

/* One aligned line each, under their groups. */
void findings_print(const json_t *findings, FILE *out);
/* 4 if times cannot be measured here, otherwise 0. */
int findings_exit(const json_t *findings);

#endif
