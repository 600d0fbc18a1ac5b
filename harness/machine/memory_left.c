#include "harness/machine/memory_left.h"

#include <stdio.h>
#include <sys/resource.h>

#include "harness/machine/cgroup.h"
#include "harness/base/sizes.h"
#include "harness/base/sysfile.h"
#include "harness/base/why.h"

static void bound(struct memory_left *left, uint64_t bytes, const char *by) {
    if (left->known && bytes >= left->bytes) return;
    left->known = true;
    left->bytes = bytes;
    snprintf(left->by, sizeof left->by, "%s", by);
}

/* A limit of this process, against the field of /proc/self/status that counts towards it. */
static void bound_by_rlimit(struct memory_left *left, int resource, const char *field, const char *name) {
    char text[4096], size[24], by[128];
    struct rlimit limit;
    uint64_t used = 0;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
    if (sysfile_read("/proc/self/status", text, sizeof text) && sysfile_field(text, field, &used))
        used *= 1024;
    snprintf(by, sizeof by, "%s allows this process %s", name,
             size_bytes_text((double)limit.rlim_cur, size, sizeof size));
    bound(left, limit.rlim_cur > used ? limit.rlim_cur - used : 0, by);
}

void memory_left_now(struct memory_left *left) {
    char text[4096], by[sizeof left->by];
    struct why why;
    uint64_t kibibytes, bytes;
    struct cgroup group;
    *left = (struct memory_left){.known = false};
    if (sysfile_read("/proc/meminfo", text, sizeof text) && sysfile_field(text, "MemAvailable", &kibibytes))
        bound(left, kibibytes * 1024, "");
    cgroup_find("memory", &group);
    if (cgroup_memory_left(&group, &bytes, by, sizeof by, &why) && bytes != UINT64_MAX)
        bound(left, bytes, by);
    bound_by_rlimit(left, RLIMIT_AS, "VmSize", "ulimit -v");
    bound_by_rlimit(left, RLIMIT_DATA, "VmData", "ulimit -d");
}
