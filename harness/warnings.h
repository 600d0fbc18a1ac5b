/* Everything a run may have to warn of, each with advice. The report shows them on top. */
#ifndef MAPBENCH_WARNINGS_H
#define MAPBENCH_WARNINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* W(id, text, advice): text says what was found, advice what it means and what to do. The id is part of the results. */
#define WARNINGS(W)                                                                                                    \
    W(no_hardware_counters, "this machine offers no hardware counters",                                                \
      "cycles, misses and the like are null, with the reason in counters_why; software events and times are not "     \
      "affected; on a virtual machine ask for a virtual PMU, or run on bare metal")                                    \
    W(counters_forbidden, "event counters are forbidden here",                                                         \
      "run: sysctl -w kernel.perf_event_paranoid=1 (as root), or run as root")                                         \
    W(perf_failed, "perf did not deliver", "times and memory are not affected; the line says what to install or allow") \
    W(virtual_machine, "this is a virtual machine",                                                                    \
      "caches and memory bandwidth are shared with strangers: trust ratios of maps measured in one run, not "          \
      "nanoseconds across runs")                                                                                       \
    W(busy_machine, "other work ran on this machine",                                                                  \
      "stop it and measure again; intervals are wider than they need be, and rows may be marked unstable")             \
    W(noisy_steal, "the hypervisor took CPU time away during the run",                                                 \
      "measure again when the host is quieter; times are thread CPU time, but caches were disturbed")                  \
    W(cpu_quota, "a control group limits this process's CPU time",                                                     \
      "a throttled batch loses its caches: lift the quota (docker: --cpus, kubernetes: limits.cpu) to measure")        \
    W(governor_not_performance, "the processor's clock is not held at its highest",                                    \
      "run: cpupower frequency-set -g performance; until then the first batches of a cell may be slower")              \
    W(thp_always, "transparent huge pages are always on",                                                              \
      "resident memory is rounded up to 2 MiB pages and large maps look faster than with the usual setting madvise")   \
    W(aslr_off, "address space randomisation is off",                                                                  \
      "every run has the same page placement, so the spread between runs is understated")                              \
    W(low_memory, "memory is short", "close programs or choose a smaller --n; swapping would be measured as the map")  \
    W(gbench_debug, "Google Benchmark was built as DEBUG (Debian ships it so)",                                        \
      "harmless here: C owns the measured loop, the library is entered once per batch of about 1 ms")                  \
    W(single_round, "only one round was measured",                                                                     \
      "rows have no interval and ratios no significance: use --repeat 5 or more")                                      \
    W(unstable_rows, "some rows are unstable",                                                                         \
      "their why_unstable says why; do not quote them, measure again with more rounds or on a quieter machine")        \
    W(unmeasured_cells, "some cells could not be measured", "the rows' error says why, for each")                      \
    W(interrupted, "the run was interrupted", "finish it with --resume")                                               \
    W(sanitized_build, "this is a sanitizer build", "its times and memory mean nothing: build without SANITIZE")       \
    W(unoptimised_build, "the maps were not compiled with -O2 or -O3", "its times mean nothing: use the Makefile's flags")

enum warning_id {
#define W(id, text, advice) WARNING_##id,
    WARNINGS(W)
#undef W
        WARNING_COUNT
};

struct warnings {
    struct {
        bool raised;
        char detail[200]; /* facts of this run, "" for none */
    } of[WARNING_COUNT];
};

/* Raises a warning; the detail (printf, NULL for none) is what was measured. Raising again replaces the detail. Start
 * with a zeroed struct. */
void warnings_add(struct warnings *warnings, enum warning_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool warnings_raised(const struct warnings *warnings, enum warning_id id);

/* Those that follow from machine_describe, counters_probe and build flags (any may be NULL). */
void warnings_from_machine(struct warnings *warnings, const json_t *machine, const json_t *probe, const char *unit_flags);
/* Those that follow from conditions_now at the start and at the end (after may be NULL: not yet); a load of up to
 * `own_threads` at the end is this program's own. */
void warnings_from_conditions(struct warnings *warnings, const json_t *before, const json_t *after, unsigned own_threads);

/* [{"id", "text", "advice"}] in the order above; the detail is part of the text. New reference. */
json_t *warnings_json(const struct warnings *warnings);
/* "warning: text (detail): advice", one line each. */
void warnings_print(const struct warnings *warnings, FILE *out);

#endif
