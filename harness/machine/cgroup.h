/* The control groups this process is in: what they allow, and what they have taken away.
 *
 * A group's limits hold for everything below it, so each answer is over the own group and all above it that
 * can be seen from here. /proc/self/cgroup names the own group and /proc/self/mountinfo the folder its files
 * are in. Version 1 has a hierarchy per controller, version 2 one for all; a hybrid machine has both, and
 * each controller in one of them. */
#ifndef MAPBENCH_CGROUP_H
#define MAPBENCH_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"

enum cgroup_kind {
    CGROUP_NONE,   /* the kernel has no control groups, or none of this controller: nothing is limited */
    CGROUP_HIDDEN, /* there is one, but its files cannot be reached: nothing is known */
    CGROUP_V1,
    CGROUP_V2,
};

struct cgroup {
    enum cgroup_kind kind;
    char folder[PATH_MAX]; /* of the own group */
    size_t top;            /* length of the part that is the mount point */
    char root[256];        /* the group that is mounted there, "" for the root of all */
    struct why why;        /* CGROUP_HIDDEN: the reason, in words */
};

/* Finds the own group of a controller ("cpu", "memory"). */
void cgroup_find(const char *controller, struct cgroup *group);

/* Each of the following is false with a reason in `why` where a file cannot be read. */

/* The tightest CPU quota, in processors' worth of time; 0: none. `by`: the name of the group that has it. */
bool cgroup_cpu_quota(const struct cgroup *cpu, double *quota, char *by, size_t by_size, struct why *why);

/* How often and for how long CPU quotas stopped the groups so far, summed over the groups. */
struct cgroup_throttled {
    uint64_t times, us;
};
bool cgroup_throttled(const struct cgroup *cpu, struct cgroup_throttled *throttled, struct why *why);

/* What the tightest memory limit leaves: its group may still take so many bytes, cached files not counted,
 * which the kernel drops first. UINT64_MAX: no limit. `by`: the group and its limit, in words. */
bool cgroup_memory_left(const struct cgroup *memory, uint64_t *bytes, char *by, size_t by_size,
                        struct why *why);

#endif
