#include "harness/doctor/doctor.h"

#include <stdlib.h>

#include "harness/machine/conditions.h"
#include "harness/machine/counters.h"
#include "harness/engines/engine.h"
#include "harness/doctor/findings.h"
#include "harness/machine/machine.h"
#include "harness/doctor/noise.h"
#include "harness/plan/registry.h"
#include "harness/base/exit.h"
#include "harness/base/sysfile.h"
#include "harness/base/why.h"

enum { DOCTOR_SCHEMA = 1, STEP_SAMPLES = 2000 };
static const double noise_s = 10, noise_quick_s = 1;

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest distance between two different durations that a clock shows: it advances in multiples of it.
 */
static double clock_step_ns(uint64_t (*now)(void)) {
    uint64_t took[STEP_SAMPLES], step = UINT64_MAX, before = now();
    for (size_t i = 0; i < STEP_SAMPLES; i++) {
        uint64_t after = now();
        took[i] = after - before;
        before = after;
    }
    qsort(took, STEP_SAMPLES, sizeof took[0], by_number);
    for (size_t i = 1; i < STEP_SAMPLES; i++)
        if (took[i] != took[i - 1] && took[i] - took[i - 1] < step) step = took[i] - took[i - 1];
    return step == UINT64_MAX ? (double)took[0] : (double)step;
}

static struct clock_facts clock_facts_now(const struct clock_costs *c) {
    return (struct clock_facts){.ns_per_tick = c->ns_per_tick,
                                .ticks_cost_ns = c->ticks_empty_ns,
                                .ticks_step_ns = c->ticks_step_ns,
                                .thread_cpu_cost_ns = c->thread_cpu_ns,
                                .thread_cpu_step_ns = clock_step_ns(thread_cpu_ns),
                                .wall_cost_ns = c->wall_ns,
                                .wall_step_ns = clock_step_ns(wall_ns)};
}

/* -2: it cannot be read. The value may be -1. */
static long paranoid_level(void) {
    char text[32], *end;
    if (!sysfile_read("/proc/sys/kernel/perf_event_paranoid", text, sizeof text)) return -2;
    long level = strtol(text, &end, 10);
    return end == text ? -2 : level;
}

/* seconds 0: noise is not asked for, and null. */
static json_t *record(const json_t *machine, const json_t *events, const json_t *conditions,
                      const struct clock_facts *clocks, double seconds, bool all,
                      const volatile sig_atomic_t *stop) {
    json_t *findings = json_array(), *noise_object = json_null();
    struct noise noise;
    struct why why;
    bool quiet = seconds > 0 && noise_measure(seconds, stop, &noise, &why);
    if (quiet) noise_object = noise_json(&noise);
    findings_of_clocks(findings, clocks, machine);
    findings_of_events(findings, events, paranoid_level());
    findings_of_machine(findings, machine);
    findings_of_conditions(findings, conditions);
    if (seconds > 0 && !(stop && *stop)) findings_of_noise(findings, quiet ? &noise : NULL, why.text);
    findings_of_tools(findings, all);
    findings_of_maps(findings);
    return json_pack("{s:o, s:o}", "findings", findings, "noise", noise_object);
}

json_t *doctor_record(const json_t *info, const struct clock_costs *clock, double noise_seconds,
                      const volatile sig_atomic_t *stop) {
    struct clock_facts clocks = clock_facts_now(clock);
    return record(json_object_get(info, "machine"), json_object_get(json_object_get(info, "probe"), "events"),
                  json_object_get(json_object_get(info, "conditions"), "before"), &clocks, noise_seconds,
                  false, stop);
}

static json_t *clocks_json(const struct clock_facts *c) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "ns_per_tick", c->ns_per_tick, "ticks_cost_ns",
                     c->ticks_cost_ns, "ticks_step_ns", c->ticks_step_ns, "thread_cpu_cost_ns",
                     c->thread_cpu_cost_ns, "thread_cpu_step_ns", c->thread_cpu_step_ns, "wall_cost_ns",
                     c->wall_cost_ns, "wall_step_ns", c->wall_step_ns);
}

int doctor_command(bool json, bool quick) {
    const char *broken = registry_validate();
    if (broken) return complain(EXIT_CHECK_FAILED, broken);
    struct clock_costs costs = clock_calibrate();
    struct clock_facts clocks = clock_facts_now(&costs);
    json_t *machine = machine_describe(), *events = counters_probe(), *conditions = conditions_now();
    json_t *whole = record(machine, events, conditions, &clocks, quick ? noise_quick_s : noise_s, true, NULL);
    json_t *findings = json_object_get(whole, "findings");
    int code = findings_exit(findings);
    if (json) {
        json_object_set_new(whole, "schema", json_integer(DOCTOR_SCHEMA));
        json_object_set(whole, "machine", machine);
        json_object_set(whole, "events", events);
        json_object_set(whole, "conditions", conditions);
        json_object_set_new(whole, "clocks", clocks_json(&clocks));
        json_dumpf(whole, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        putchar('\n');
    } else {
        findings_print(findings, stdout);
    }
    json_decref(whole), json_decref(machine), json_decref(events), json_decref(conditions);
    engines_close();
    return code;
}
