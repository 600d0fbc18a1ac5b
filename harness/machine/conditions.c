#include "harness/machine/conditions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness/machine/cgroup.h"
#include "harness/machine/memory_left.h"
#include "harness/base/sysfile.h"
#include "harness/base/why.h"

static json_t *load_average(void) {
    double loads[1];
    return getloadavg(loads, 1) == 1 ? json_real(loads[0]) : json_null();
}

/* "some avg10=0.05 ...": the kernel may lack pressure stall information (CONFIG_PSI, psi=1). */
static json_t *cpu_pressure(void) {
    char text[256];
    double share;
    if (!sysfile_read("/proc/pressure/cpu", text, sizeof text)) return json_null();
    const char *field = strstr(text, "some avg10=");
    return field && sscanf(field, "some avg10=%lf", &share) == 1 ? json_real(share) : json_null();
}

/* Eighth number of the "cpu" line of /proc/stat (proc(5)). */
static json_t *steal_ticks(void) {
    char text[512];
    long long steal;
    if (!sysfile_read("/proc/stat", text, sizeof text)) return json_null();
    int found = sscanf(text, "cpu %*d %*d %*d %*d %*d %*d %*d %lld", &steal);
    return found == 1 ? json_integer(steal) : json_null();
}

static json_t *involuntary_switches(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? json_integer(usage.ru_nivcsw) : json_null();
}

static json_t *chosen(const char *path) {
    char word[32];
    return sysfile_choice(path, word, sizeof word) ? json_string(word) : json_null();
}

static json_t *whole(const char *path) {
    char text[64];
    return sysfile_read(path, text, sizeof text) ? json_string(text) : json_null();
}

json_t *conditions_now(void) {
    struct memory_left memory;
    struct cgroup cpu;
    struct cgroup_throttled throttled;
    struct why why;
    memory_left_now(&memory);
    cgroup_find("cpu", &cpu);
    bool counted = cgroup_throttled(&cpu, &throttled, &why);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "loadavg_1m", load_average(),
                     "pressure_cpu_avg10", cpu_pressure(), "memory_available_bytes",
                     memory.known ? json_integer((json_int_t)memory.bytes) : json_null(), "memory_bound",
                     memory.by[0] ? json_string(memory.by) : json_null(), "steal_ticks", steal_ticks(), "thp",
                     chosen("/sys/kernel/mm/transparent_hugepage/enabled"), "governor",
                     whole("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"), "throttled_us",
                     counted ? json_integer((json_int_t)throttled.us) : json_null(), "throttled_times",
                     counted ? json_integer((json_int_t)throttled.times) : json_null(),
                     "own_involuntary_switches", involuntary_switches());
}
