#include "harness/machine/conditions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "harness/machine/machine.h"
#include "harness/base/sysfile.h"

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

/* Version 2 control groups give microseconds; the root of a container is where its own group is mounted. */
static json_t *throttled_us(void) {
    char text[1024];
    uint64_t us;
    if (!sysfile_read("/sys/fs/cgroup/cpu.stat", text, sizeof text) ||
        !sysfile_field(text, "throttled_usec", &us))
        return json_null();
    return json_integer((json_int_t)us);
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
    uint64_t available = machine_memory_available();
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "loadavg_1m", load_average(),
                     "pressure_cpu_avg10", cpu_pressure(), "memory_available_bytes",
                     available ? json_integer((json_int_t)available) : json_null(), "steal_ticks",
                     steal_ticks(), "thp", chosen("/sys/kernel/mm/transparent_hugepage/enabled"), "governor",
                     whole("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"), "throttled_us",
                     throttled_us(), "own_involuntary_switches", involuntary_switches());
}
