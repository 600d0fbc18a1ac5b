#include "harness/machine/machine.h"

#include <dirent.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "harness/base/sysfile.h"

#define CPU_FOLDER "/sys/devices/system/cpu"

enum { TEXT_SIZE = 512, CACHES_MAX = 16 };

static json_t *text_or_null(const char *text) {
    return text[0] ? json_string(text) : json_null();
}

static json_t *number_or_null(uint64_t number) {
    return number ? json_integer((json_int_t)number) : json_null();
}

/* The value of the first "NAME : value" line of /proc/cpuinfo. */
static bool cpuinfo_field(const char *name, char *value, size_t size) {
    char text[4096];
    value[0] = '\0';
    sysfile_read("/proc/cpuinfo", text, sizeof text);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, name, strlen(name)) != 0) continue;
        const char *colon = strchr(line, ':');
        if (!colon) return false;
        colon += 1 + strspn(colon + 1, " \t");
        size_t length = strcspn(colon, "\n");
        if (length >= size) length = size - 1;
        memcpy(value, colon, length);
        value[length] = '\0';
        return length > 0;
    }
    return false;
}

/* ARM kernels give numbers instead of a name; they still tell two processors apart. */
static json_t *cpu_name(void) {
    char name[TEXT_SIZE], implementer[32], part[32];
    struct utsname system;
    if (cpuinfo_field("model name", name, sizeof name) || cpuinfo_field("Model", name, sizeof name))
        return json_string(name);
    if (cpuinfo_field("CPU implementer", implementer, sizeof implementer) &&
        cpuinfo_field("CPU part", part, sizeof part))
        return json_sprintf("CPU implementer %s part %s", implementer, part);
    return uname(&system) == 0 ? json_string(system.machine) : json_null();
}

/* Processors that share a core list the same siblings: a core is counted at the first of them. */
static unsigned physical_cores(unsigned online) {
    unsigned cores = 0;
    for (unsigned cpu = 0, seen = 0; seen < online && cpu < CPU_SETSIZE; cpu++) {
        char path[128];
        uint64_t first;
        snprintf(path, sizeof path, CPU_FOLDER "/cpu%u/topology/thread_siblings_list", cpu);
        if (!sysfile_number(path, &first)) continue; /* offline, or a gap in the numbering */
        seen++;
        cores += first == cpu;
    }
    return cores ? cores : online;
}

struct cache {
    unsigned level, shared_by;
    char type[16];
    uint64_t bytes;
};

/* Counts the processors that a list as "0-3,8" names. */
static unsigned cpu_list_length(const char *list) {
    unsigned length = 0;
    while (*list) {
        char *end;
        unsigned long first = strtoul(list, &end, 10), last = first;
        if (end == list) break;
        if (*end == '-') last = strtoul(end + 1, &end, 10);
        length += (unsigned)(last - first) + 1;
        list = *end == ',' ? end + 1 : end;
    }
    return length;
}

static bool read_cache(unsigned index, struct cache *cache) {
    char path[128], text[TEXT_SIZE];
    uint64_t number;
#define CACHE_FILE(name) (snprintf(path, sizeof path, CPU_FOLDER "/cpu0/cache/index%u/" name, index), path)
    if (!sysfile_number(CACHE_FILE("level"), &number)) return false;
    cache->level = (unsigned)number;
    sysfile_read(CACHE_FILE("type"), text, sizeof text);
    snprintf(cache->type, sizeof cache->type, "%.15s", text);
    if (!sysfile_read(CACHE_FILE("size"), text, sizeof text)) return false;
    char *unit;
    cache->bytes = strtoull(text, &unit, 10);
    cache->bytes <<= *unit == 'K' ? 10 : *unit == 'M' ? 20 : *unit == 'G' ? 30 : 0;
    sysfile_read(CACHE_FILE("shared_cpu_list"), text, sizeof text);
    cache->shared_by = cpu_list_length(text);
#undef CACHE_FILE
    return true;
}

/* The C library's own idea (from cpuid), for kernels that do not export the caches. */
static uint64_t cache_bytes_sysconf(unsigned level) {
    long bytes = -1;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    bytes = level == 1   ? sysconf(_SC_LEVEL1_DCACHE_SIZE)
            : level == 2 ? sysconf(_SC_LEVEL2_CACHE_SIZE)
            : level == 3 ? sysconf(_SC_LEVEL3_CACHE_SIZE)
                         : -1;
#else
    (void)level;
#endif
    return bytes > 0 ? (uint64_t)bytes : 0;
}

size_t machine_cache_bytes(unsigned level) {
    struct cache cache;
    for (unsigned i = 0; i < CACHES_MAX && read_cache(i, &cache); i++)
        if (cache.level == level && strcmp(cache.type, "Instruction") != 0) return cache.bytes;
    return cache_bytes_sysconf(level);
}

static json_t *describe_caches(void) {
    json_t *caches = json_array();
    struct cache cache;
    for (unsigned i = 0; i < CACHES_MAX && read_cache(i, &cache); i++)
        json_array_append_new(caches, json_pack("{s:i, s:s, s:I, s:o}", "level", (int)cache.level, "type",
                                                cache.type, "bytes", (json_int_t)cache.bytes, "shared_by",
                                                number_or_null(cache.shared_by)));
    for (unsigned level = 1; json_array_size(caches) < level && level <= 3; level++) {
        uint64_t bytes = cache_bytes_sysconf(level);
        if (bytes == 0) break;
        json_array_append_new(caches, json_pack("{s:i, s:s, s:I, s:n}", "level", (int)level, "type",
                                                level == 1 ? "Data" : "Unified", "bytes", (json_int_t)bytes,
                                                "shared_by"));
    }
    return caches;
}

uint64_t machine_memory_available(void) {
    char text[4096];
    uint64_t kibibytes, limit, used, available = 0;
    if (sysfile_read("/proc/meminfo", text, sizeof text) && sysfile_field(text, "MemAvailable", &kibibytes))
        available = kibibytes * 1024;
    /* "max", no limit, is not a number. */
    if (sysfile_number("/sys/fs/cgroup/memory.max", &limit) &&
        sysfile_number("/sys/fs/cgroup/memory.current", &used)) {
        uint64_t left = limit > used ? limit - used : 1;
        if (available == 0 || left < available) available = left;
    }
    return available;
}

#if defined(__x86_64__) || defined(__i386__)
/* cpuid leaf 0x40000000: twelve letters by which a hypervisor names itself. */
static void hypervisor_name(char *name, size_t size) {
    static const struct {
        const char *signature, *name;
    } known[] = {{"KVMKVMKVM", "KVM"},           {"Microsoft Hv", "Hyper-V"}, {"VMwareVMware", "VMware"},
                 {"XenVMMXenVMM", "Xen"},        {"TCGTCGTCGTCG", "QEMU"},    {"bhyve bhyve ", "bhyve"},
                 {"VBoxVBoxVBox", "VirtualBox"}, {"ACRNACRNACRN", "ACRN"}};
    unsigned eax, ebx, ecx, edx;
    char signature[13] = "";
    name[0] = '\0';
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & 1u << 31)) return; /* the hypervisor bit */
    __cpuid(0x40000000, eax, ebx, ecx, edx);
    memcpy(signature, &ebx, 4);
    memcpy(signature + 4, &ecx, 4);
    memcpy(signature + 8, &edx, 4);
    snprintf(name, size, "%s", signature[0] ? signature : "unnamed hypervisor");
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(signature, known[i].signature) == 0) snprintf(name, size, "%s", known[i].name);
}
#else
static void hypervisor_name(char *name, size_t size) {
    char text[TEXT_SIZE];
    name[0] = '\0';
    if (sysfile_read("/sys/hypervisor/type", text, sizeof text) ||
        sysfile_read("/proc/device-tree/hypervisor/compatible", text, sizeof text) ||
        (sysfile_read("/sys/class/dmi/id/sys_vendor", text, sizeof text) && strstr(text, "QEMU")))
        snprintf(name, size, "%s", text);
}
#endif

static json_t *operating_system(void) {
    char text[4096];
    if (!sysfile_read("/etc/os-release", text, sizeof text)) return json_null();
    const char *name = strstr(text, "PRETTY_NAME=");
    if (!name) return json_null();
    name += strlen("PRETTY_NAME=");
    name += *name == '"';
    return json_stringn(name, strcspn(name, "\"\n"));
}

/* Tells what the kernel does about the processor's faults, those that do not concern it left out. */
static json_t *mitigations(void) {
    char all[4096] = "";
    struct dirent **files;
    int count = scandir(CPU_FOLDER "/vulnerabilities", &files, NULL, alphasort);
    if (count < 0) return json_null();
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        char path[320], text[TEXT_SIZE];
        snprintf(path, sizeof path, CPU_FOLDER "/vulnerabilities/%s", files[i]->d_name);
        if (files[i]->d_name[0] != '.' && sysfile_read(path, text, sizeof text) &&
            strcmp(text, "Not affected") != 0 &&
            used + strlen(files[i]->d_name) + strlen(text) + 8 < sizeof all)
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s: %s", used ? "; " : "",
                                     files[i]->d_name, text);
        free(files[i]);
    }
    free(files);
    return json_string(used ? all : "none needed");
}

/* The kernel's setting, unless this very process was started without randomisation (setarch -R, a debugger).
 */
static json_t *randomisation(void) {
    uint64_t level;
    int persona = personality(0xffffffff);
    if (persona != -1 && (persona & ADDR_NO_RANDOMIZE)) return json_integer(0);
    return sysfile_number("/proc/sys/kernel/randomize_va_space", &level) ? json_integer((json_int_t)level)
                                                                         : json_null();
}

/* Processors' worth of time that a control group allows ("150000 100000": 1.5); null: no limit. */
static json_t *cpu_quota(void) {
    char text[64];
    double quota_us, period_us;
    if (!sysfile_read("/sys/fs/cgroup/cpu.max", text, sizeof text)) return json_null();
    if (sscanf(text, "%lf %lf", &quota_us, &period_us) != 2 || period_us <= 0) return json_null();
    return json_real(quota_us / period_us);
}

/* Names the properties of the time stamp counter that decide whether it can be a clock: x86 flags, in one
 * string; null elsewhere.
 */
static json_t *tsc_flags(void) {
    static const char *const wanted[] = {"constant_tsc", "nonstop_tsc", "tsc_reliable", "tsc_known_freq"};
    char flags[4096], found[128] = "";
    if (!cpuinfo_field("flags", flags, sizeof flags)) return json_null();
    for (char *rest = flags, *flag; (flag = strsep(&rest, " ")) != NULL;)
        for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
            if (strcmp(flag, wanted[i]) == 0) {
                strcat(found, found[0] ? " " : "");
                strcat(found, flag);
            }
    return json_string(found);
}

/* Tells whether the clock may rise above its nominal rate; null where the kernel does not say. */
static json_t *boost(void) {
    uint64_t number;
    if (sysfile_number(CPU_FOLDER "/intel_pstate/no_turbo", &number)) return json_boolean(number == 0);
    if (sysfile_number(CPU_FOLDER "/cpufreq/boost", &number)) return json_boolean(number != 0);
    return json_null();
}

static json_t *whole_file(const char *path) {
    char text[TEXT_SIZE];
    sysfile_read(path, text, sizeof text);
    return text_or_null(text);
}

/* Adds facts that came after the first version of the results: a run of before lacks them. */
static void describe_more(json_t *machine) {
    char text[64];
    uint64_t number;
    cpuinfo_field("microcode", text, sizeof text);
    json_object_set_new(machine, "microcode", text_or_null(text));
    json_object_set_new(machine, "clocksource",
                        whole_file("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
    json_object_set_new(machine, "tsc", tsc_flags());
    json_object_set_new(machine, "smt", whole_file(CPU_FOLDER "/smt/control"));
    json_object_set_new(machine, "boost", boost());
    sysfile_choice("/sys/kernel/mm/transparent_hugepage/defrag", text, sizeof text);
    json_object_set_new(machine, "thp_defrag", text_or_null(text));
    bool known = sysfile_number("/proc/sys/vm/nr_hugepages", &number);
    json_object_set_new(machine, "huge_pages_reserved",
                        known ? json_integer((json_int_t)number) : json_null());
}

json_t *machine_describe(void) {
    char virtual_name[64], thp[32], governor[64];
    struct utsname system = {0};
    cpu_set_t allowed;
    uname(&system);
    hypervisor_name(virtual_name, sizeof virtual_name);
    sysfile_choice("/sys/kernel/mm/transparent_hugepage/enabled", thp, sizeof thp);
    sysfile_read(CPU_FOLDER "/cpu0/cpufreq/scaling_governor", governor, sizeof governor);
    long online = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES),
         page_bytes = sysconf(_SC_PAGESIZE);
    unsigned cpus = online > 0 ? (unsigned)online : 1, cores = physical_cores(cpus);
    int usable = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : (int)cpus;
#if defined(__GLIBC__)
    json_t *libc = json_sprintf("glibc %s", gnu_get_libc_version());
#else
    json_t *libc = json_null();
#endif
    json_t *machine =
        json_pack("{s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                  "cpu", cpu_name(), "cores", (int)cores, "threads_per_core", (int)(cpus / cores), "cpus",
                  (int)cpus, "cpus_usable", usable, "cpu_quota", cpu_quota(), "caches", describe_caches(),
                  "memory_bytes", (json_int_t)pages * page_bytes, "page_bytes", (json_int_t)page_bytes,
                  "kernel", text_or_null(system.release), "os", operating_system(), "libc", libc, "virtual",
                  text_or_null(virtual_name), "thp", text_or_null(thp), "governor", text_or_null(governor),
                  "aslr", randomisation(), "mitigations", mitigations());
    if (machine) describe_more(machine);
    return machine;
}
