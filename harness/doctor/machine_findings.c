/* Findings that follow from what the machine is and does: clocks, events, processor, memory, conditions. */
#include <stdio.h>
#include <string.h>

#include "harness/doctor/findings.h"
#include "harness/base/sizes.h"

/* A reading of the wall clock that takes longer is a system call. */
static const double vdso_most_ns = 120;
static const double pressure_most_percent = 10;
static const double memory_least_bytes = 1024.0 * 1024 * 1024;

/* NULL: absent or null. */
static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static double number_of(const json_t *object, const char *name) {
    return json_number_value(json_object_get(object, name));
}

static bool is_word(const char *text, const char *word) {
    return text && strcmp(text, word) == 0;
}

/* --- clocks --- */

static void findings_of_source(json_t *list, const struct clock_facts *c, const json_t *machine) {
    const char *source = text_of(machine, "clocksource"), *flags = text_of(machine, "tsc");
    bool slow = c->wall_cost_ns > vdso_most_ns;
    finding_add(list, "clocks", "clocksource", slow ? FINDING_WARN : FINDING_OK,
                slow ? "each reading of the clock is a system call: short segments carry it"
                     : "the kernel's clock is read without a system call",
                slow ? "as root: echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource"
                     : NULL,
                "%s", source ? source : "the kernel does not say");
    if (!flags) return; /* not x86: the architecture's generic counter is constant */
    bool steady = strstr(flags, "constant_tsc") && strstr(flags, "nonstop_tsc");
    finding_add(list, "clocks", "TSC", steady ? FINDING_OK : FINDING_WARN,
                steady ? "runs at one rate whatever the core does: a clock, not a counter of cycles"
                       : "its rate may change with the core's: latencies and short segments may be wrong",
                steady ? NULL : "compare rows with clock thread_cpu only",
                c->ns_per_tick > 0 ? "%s, %.4g GHz" : "%s, rate unknown",
                flags[0] ? flags : "no flag says that it is constant", 1 / c->ns_per_tick);
}

void findings_of_clocks(json_t *list, const struct clock_facts *c, const json_t *machine) {
    finding_add(list, "clocks", "ticks", FINDING_OK,
                "times single operations and segments below 0.1 ms; its cost is contained in every latency, "
                "and nothing shorter than a step can be told apart",
                NULL, "a pair of readings costs %.0f ns, steps of %.3g ns", c->ticks_cost_ns,
                c->ticks_step_ns);
    finding_add(list, "clocks", "thread CPU", FINDING_OK,
                "times segments of 0.1 ms and more; stands still while the thread is put aside", NULL,
                "a reading costs %.0f ns, steps of %.3g ns", c->thread_cpu_cost_ns, c->thread_cpu_step_ns);
    finding_add(list, "clocks", "wall", FINDING_OK, "says how long things took on the clock on the wall",
                NULL, "a reading costs %.0f ns, steps of %.3g ns", c->wall_cost_ns, c->wall_step_ns);
    findings_of_source(list, c, machine);
}

/* --- perf events --- */

static bool is_refusal(const char *why) {
    return strncmp(why, "EACCES", 6) == 0 || strncmp(why, "EPERM", 5) == 0;
}

void findings_of_events(json_t *list, const json_t *probe, long paranoid) {
    const char *name;
    json_t *value;
    bool refused = false;
    json_object_foreach((json_t *)probe, name, value) {
        const char *why = json_string_value(value);
        refused |= why && is_refusal(why);
        if (!why)
            finding_add(list, "perf events", name, FINDING_OK, "its column in counters rows has numbers",
                        NULL, "counts");
        else if (is_refusal(why))
            finding_add(list, "perf events", name, FINDING_NO, "its column in counters rows is null",
                        paranoid > -2
                            ? "as root: sysctl -w kernel.perf_event_paranoid=1"
                            : "start the container with --cap-add PERFMON, or allow perf_event_open",
                        "refused: %s", why);
        else
            finding_add(
                list, "perf events", name, FINDING_NO, "its column in counters rows is null",
                strncmp(why, "ENOENT", 6) == 0
                    ? "give the virtual machine a PMU, or use bare metal; simulated: mapbench gate count"
                    : NULL,
                "absent: %s", why);
    }
    if (paranoid > -2)
        finding_add(list, "perf events", "perf_event_paranoid", refused ? FINDING_WARN : FINDING_OK,
                    refused ? "the kernel refuses events to this user" : "no event is refused because of it",
                    refused ? "as root: sysctl -w kernel.perf_event_paranoid=1" : NULL, "%ld", paranoid);
}

/* --- processor --- */

static void findings_of_frequency(json_t *list, const json_t *machine) {
    const char *governor = text_of(machine, "governor");
    const json_t *boost = json_object_get(machine, "boost");
    bool drifts = governor && strcmp(governor, "performance") != 0;
    finding_add(list, "processor", "governor", drifts ? FINDING_WARN : FINDING_OK,
                drifts ? "the clock follows the load: the first batches of a cell may be slower"
                       : "nothing here lowers the clock between batches",
                drifts ? "as root: cpupower frequency-set -g performance" : NULL, "%s",
                governor ? governor : "none to be seen (usual in virtual machines)");
    if (json_is_boolean(boost))
        finding_add(list, "processor", "boost", json_is_true(boost) ? FINDING_WARN : FINDING_OK,
                    json_is_true(boost) ? "the clock rises and falls with heat and with what other cores do"
                                        : "the clock does not rise above its nominal rate",
                    json_is_true(boost)
                        ? "as root: echo 0 >/sys/devices/system/cpu/cpufreq/boost, or with Intel's "
                          "driver echo 1 >/sys/devices/system/cpu/intel_pstate/no_turbo"
                        : NULL,
                    "%s", json_is_true(boost) ? "on" : "off");
}

static void findings_of_sharing(json_t *list, const json_t *machine) {
    const char *smt = text_of(machine, "smt"), *virtual_name = text_of(machine, "virtual");
    bool shared = number_of(machine, "threads_per_core") > 1;
    finding_add(list, "processor", "SMT", shared ? FINDING_WARN : FINDING_OK,
                shared ? "a thread beside the measured one takes half of its core"
                       : "no other thread shares the core, as far as this system can see",
                shared ? "as root: echo off >/sys/devices/system/cpu/smt/control" : NULL,
                "%g thread%s a core (%s)", number_of(machine, "threads_per_core"), shared ? "s" : "",
                smt ? smt : "control unknown");
    finding_add(list, "processor", "virtual machine", virtual_name ? FINDING_WARN : FINDING_OK,
                virtual_name ? "caches and memory are shared with strangers: trust ratios within a run, not "
                               "nanoseconds across runs"
                             : "nobody else has this machine's caches",
                virtual_name ? "for nanoseconds to quote, measure on bare metal" : NULL, "%s",
                virtual_name ? virtual_name : "no");
}

static void finding_of_quota(json_t *list, const json_t *machine) {
    const json_t *quota = json_object_get(machine, "cpu_quota");
    const char *group = text_of(machine, "cpu_quota_group"), *why = text_of(machine, "cpu_quota_why");
    if (json_is_number(quota))
        finding_add(list, "processor", "CPU quota", FINDING_WARN,
                    "a batch that is throttled loses its caches: its row is marked unstable",
                    "lift it (docker: --cpus; kubernetes: limits.cpu; systemd: CPUQuota=)",
                    "%.2f processors, by the control group %s", json_number_value(quota),
                    group ? group : "of this process");
    else if (why)
        finding_add(list, "processor", "CPU quota", FINDING_WARN,
                    "a control group may stop batches without a trace in their rows",
                    "mount the control groups where this runs, at /sys/fs/cgroup", "unknown: %s", why);
    else
        finding_add(list, "processor", "CPU quota", FINDING_OK,
                    "no control group limits the time of this process", NULL, "none");
}

static void finding_of_caches(json_t *list, const json_t *machine) {
    char text[256] = "", size[24];
    const char *doubt = text_of(machine, "caches_doubted");
    size_t i, used = 0;
    json_t *cache;
    json_array_foreach(json_object_get(machine, "caches"), i, cache) {
        if (is_word(text_of(cache, "type"), "Instruction") || used > sizeof text - 64) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%slevel %g %s", used ? ", " : "",
                                 number_of(cache, "level"),
                                 size_bytes_text(number_of(cache, "bytes"), size, sizeof size));
    }
    finding_add(list, "processor", "caches", FINDING_OK,
                "figures mark them, and cold lookups evict twice the last: of those that are known", NULL,
                "%s%s%s", used ? text : "unknown", doubt ? "; not believed: " : "", doubt ? doubt : "");
}

static void findings_of_processor(json_t *list, const json_t *machine) {
    const char *cpu = text_of(machine, "cpu"), *microcode = text_of(machine, "microcode");
    const char *mitigations = text_of(machine, "mitigations");
    double cpus = number_of(machine, "cpus"), usable = number_of(machine, "cpus_usable");
    finding_add(list, "processor", "processor", FINDING_OK, "runs are compared within one model only", NULL,
                "%s, %g logical processors, %g of them usable", cpu ? cpu : "unknown", cpus, usable);
    finding_add(list, "processor", "microcode", FINDING_OK,
                "an update may change times: it is part of each run", NULL, "%s",
                microcode ? microcode : "the kernel does not say");
    findings_of_frequency(list, machine);
    findings_of_sharing(list, machine);
    finding_of_quota(list, machine);
    finding_of_caches(list, machine);
    finding_add(list, "processor", "mitigations", FINDING_OK,
                "cost time at system calls and page faults: compare only runs with the same", NULL, "%s",
                mitigations ? mitigations : "the kernel does not say");
}

/* --- memory --- */

void findings_of_machine(json_t *list, const json_t *machine) {
    const char *thp = text_of(machine, "thp"), *defrag = text_of(machine, "thp_defrag");
    const json_t *aslr = json_object_get(machine, "aslr"),
                 *reserved = json_object_get(machine, "huge_pages_reserved");
    findings_of_processor(list, machine);
    bool always = is_word(thp, "always"), off = json_is_integer(aslr) && json_integer_value(aslr) == 0;
    finding_add(list, "memory", "huge pages",
                !thp     ? FINDING_NO
                : always ? FINDING_WARN
                         : FINDING_OK,
                !thp ? "this kernel has none: --thp huge measures nothing"
                : always
                    ? "resident memory is rounded up to 2 MiB, and large maps are faster than with madvise"
                    : "maps get small pages unless they ask: large ones pay for TLB misses",
                always ? "as root: echo madvise >/sys/kernel/mm/transparent_hugepage/enabled" : NULL,
                json_is_number(reserved) ? "transparent %s, defragmentation %s, reserved %g"
                                         : "transparent %s, defragmentation %s, reserved unknown",
                thp ? thp : "absent", defrag ? defrag : "unknown", json_number_value(reserved));
    finding_add(list, "memory", "ASLR", off ? FINDING_WARN : FINDING_OK,
                off ? "every process has one placement: the spread between processes is understated"
                    : "every process has a placement of its own, as programs in use have",
                off ? "as root: sysctl -w kernel.randomize_va_space=2; run without setarch -R" : NULL,
                json_is_integer(aslr) ? "%g" : "the kernel does not say", json_number_value(aslr));
}

/* --- conditions --- */

void findings_of_conditions(json_t *list, const json_t *conditions) {
    const json_t *pressure = json_object_get(conditions, "pressure_cpu_avg10");
    const json_t *throttled_us = json_object_get(conditions, "throttled_us");
    const char *bound = text_of(conditions, "memory_bound");
    double available = number_of(conditions, "memory_available_bytes");
    bool busy = json_number_value(pressure) > pressure_most_percent;
    bool known = json_is_number(json_object_get(conditions, "memory_available_bytes"));
    bool little = known && available < memory_least_bytes;
    bool throttled = json_number_value(throttled_us) > 0;
    char size[24];
    finding_add(list, "now", "load", FINDING_OK, "tasks that run or want to, over the last minute", NULL,
                json_is_number(json_object_get(conditions, "loadavg_1m")) ? "%.2f"
                                                                          : "the kernel does not say",
                number_of(conditions, "loadavg_1m"));
    finding_add(list, "now", "CPU pressure", busy ? FINDING_WARN : FINDING_OK,
                busy ? "others run: intervals get wider, and rows may be marked unstable"
                     : "tasks seldom wait for a processor",
                busy ? "stop what runs beside, or measure at night" : NULL,
                json_is_number(pressure) ? "%.0f %% of the last 10 s a task waited"
                                         : "the kernel does not say",
                json_number_value(pressure));
    size_bytes_text(available, size, sizeof size);
    finding_add(list, "now", "memory available", little ? FINDING_WARN : FINDING_OK,
                "a map that does not fit is refused; swapping would be measured as the map",
                !little ? NULL
                : bound ? "raise the limit, or choose a smaller --n"
                        : "close programs, or choose a smaller --n",
                "%s%s%s", known ? size : "the kernel does not say", bound ? ": " : "", bound ? bound : "");
    finding_add(list, "now", "throttled", throttled ? FINDING_WARN : FINDING_OK,
                throttled                      ? "control groups have taken this time away since they began"
                : json_is_number(throttled_us) ? "no control group has taken time away"
                                               : "the line CPU quota says why",
                throttled ? "lift the quota" : NULL, json_is_number(throttled_us) ? "%.1f s" : "unknown",
                json_number_value(throttled_us) * 1e-6);
}
