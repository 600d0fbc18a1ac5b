#include "harness/machine/machine.h"

#include <dirent.h>
#include <limits.h>
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

#include "harness/machine/caches.h"
#include "harness/machine/cgroup.h"
#include "harness/base/sysfile.h"
#include "harness/base/why.h"

#define CPU_FOLDER "/sys/devices/system/cpu"

enum { TEXT_SIZE = 512 };

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

static unsigned cpus_online(void) {
    char list[TEXT_SIZE];
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (sysfile_read(CPU_FOLDER "/online", list, sizeof list) && cpu_list_length(list) > 0)
        return cpu_list_length(list);
    return online > 0 ? (unsigned)online : 1;
}

size_t machine_last_cache_bytes(void) {
    struct caches caches;
    caches_read(&caches, cpus_online(), sysconf);
    return caches_last_bytes(&caches);
}

static json_t *describe_caches(const struct caches *caches) {
    json_t *list = json_array();
    for (size_t i = 0; i < caches->count; i++) {
        const struct cache *cache = &caches->cache[i];
        json_array_append_new(list, json_pack("{s:i, s:s, s:I, s:o}", "level", (int)cache->level, "type",
                                              cache->type, "bytes", (json_int_t)cache->bytes, "shared_by",
                                              number_or_null(cache->shared_by)));
    }
    return list;
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
    char all[4096] = "", folder[PATH_MAX];
    struct dirent **files;
    int count =
        scandir(sysfile_path(CPU_FOLDER "/vulnerabilities", folder, sizeof folder), &files, NULL, alphasort);
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

/* Sets cpu_quota: processors' worth of time that control groups allow, null: no limit, with the group that
 * has it; or why that is not known. */
static void describe_quota(json_t *machine) {
    char by[256];
    struct why why;
    double quota;
    struct cgroup group;
    cgroup_find("cpu", &group);
    bool known = cgroup_cpu_quota(&group, &quota, by, sizeof by, &why);
    json_object_set_new(machine, "cpu_quota", quota > 0 ? json_real(quota) : json_null());
    json_object_set_new(machine, "cpu_quota_group", text_or_null(by));
    json_object_set_new(machine, "cpu_quota_why", known ? json_null() : json_string(why.text));
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
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    unsigned cpus = cpus_online(), cores = physical_cores(cpus);
    int usable = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : (int)cpus;
    struct caches caches;
    caches_read(&caches, cpus, sysconf);
#if defined(__GLIBC__)
    json_t *libc = json_sprintf("glibc %s", gnu_get_libc_version());
#else
    json_t *libc = json_null();
#endif
    json_t *machine = json_pack(
        "{s:o, s:i, s:i, s:i, s:i, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "cpu", cpu_name(),
        "cores", (int)cores, "threads_per_core", (int)(cpus / cores), "cpus", (int)cpus, "cpus_usable",
        usable, "caches", describe_caches(&caches), "memory_bytes", (json_int_t)pages * page_bytes,
        "page_bytes", (json_int_t)page_bytes, "kernel", text_or_null(system.release), "os",
        operating_system(), "libc", libc, "virtual", text_or_null(virtual_name), "thp", text_or_null(thp),
        "governor", text_or_null(governor), "aslr", randomisation(), "mitigations", mitigations());
    if (!machine) return NULL;
    describe_quota(machine);
    json_object_set_new(machine, "caches_doubted", text_or_null(caches.doubt));
    describe_more(machine);
    return machine;
}
