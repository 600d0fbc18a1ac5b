#include "harness/machine/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/base/sysfile.h"
#include "harness/base/why.h"

#define CACHE_READ(cache, result)                                                                            \
    (PERF_COUNT_HW_CACHE_##cache | PERF_COUNT_HW_CACHE_OP_READ << 8 |                                        \
     PERF_COUNT_HW_CACHE_RESULT_##result << 16)

enum scope { USER, BOTH, KERNEL };

static const struct event {
    const char *name, *group;
    uint32_t type;
    uint64_t config;
    enum scope scope;
} events[] = {
#define EVENT(name, group, type, config, scope) {#name, #group, type, config, scope},
#include "profiles/events.def"
#undef EVENT
};

enum { EVENTS = sizeof events / sizeof events[0], GROUP_MAX = 8 };

/* The layout of what read(2) returns of a group opened with the read_format of open_event. */
struct group_reading {
    uint64_t events, time_enabled, time_running, value[GROUP_MAX];
};

struct counters {
    int fd[EVENTS];                                 /* -1: not opened */
    int leader[EVENTS];                             /* index of the event that leads the group of event i */
    unsigned slot[EVENTS];                          /* place in the group's reading */
    bool idle[EVENTS];                              /* opened, but does not count */
    struct group_reading base[EVENTS], now[EVENTS]; /* of leaders: at the last reset, at the last stop */
    struct why why[EVENTS];
};

static bool is_leader(const struct counters *counters, size_t i) {
    return counters->fd[i] >= 0 && counters->leader[i] == (int)i;
}

static int open_event(const struct event *event, int group_fd, bool with_kernel) {
    struct perf_event_attr attr = {
        .size = sizeof attr,
        .type = event->type,
        .config = event->config,
        .disabled = group_fd < 0, /* members follow their leader */
        .exclude_kernel = !with_kernel,
        .exclude_hv = 1,
        .read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, group_fd, PERF_FLAG_FD_CLOEXEC);
}

static void explain_failure(const struct event *event, int error, struct why *why) {
    uint64_t level = 0;
    bool level_known = sysfile_number("/proc/sys/kernel/perf_event_paranoid", &level);
    switch (error) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
    case ENXIO:
    case EINVAL:
        why_say(why, "%s: this machine has no such event%s", error == ENOENT ? "ENOENT" : strerror(error),
                event->type == PERF_TYPE_SOFTWARE
                    ? ""
                    : " (no PMU, as in most virtual machines, or a PMU without it)");
        break;
    case EACCES:
    case EPERM:
        if (level_known)
            why_say(why,
                    "%s: /proc/sys/kernel/perf_event_paranoid is %llu; run sysctl -w "
                    "kernel.perf_event_paranoid=%d as root",
                    error == EACCES ? "EACCES" : "EPERM", (unsigned long long)level,
                    event->scope == KERNEL ? 1 : 2);
        else
            why_say(why, "%s: perf_event_open is forbidden here (a container's seccomp filter?)",
                    error == EACCES ? "EACCES" : "EPERM");
        break;
    case ENOSYS:
        why_say(why, "ENOSYS: this kernel was built without perf events");
        break;
    case EMFILE:
        why_say(why, "EMFILE: too many open files; raise ulimit -n");
        break;
    default:
        why_say(why, "perf_event_open: %s", strerror(error));
        break;
    }
}

static void open_one(struct counters *counters, size_t i) {
    const struct event *event = &events[i];
    int leader = -1;
    unsigned members = 0;
    for (size_t j = 0; j < i; j++)
        if (counters->fd[j] >= 0 && strcmp(events[j].group, event->group) == 0) {
            leader = counters->leader[j];
            members++;
        }
    if (members == GROUP_MAX) {
        why_say(&counters->why[i], "its group in events.def has more than %d events", GROUP_MAX);
        return;
    }
    int group_fd = leader < 0 ? -1 : counters->fd[leader];
    int fd = open_event(event, group_fd, event->scope != USER);
    if (fd < 0 && (errno == EACCES || errno == EPERM) && event->scope == BOTH)
        fd = open_event(event, group_fd, false);
    if (fd < 0) {
        explain_failure(event, errno, &counters->why[i]);
        return;
    }
    counters->fd[i] = fd;
    counters->leader[i] = leader < 0 ? (int)i : leader;
    counters->slot[i] = members;
}

static void read_groups(struct counters *counters, struct group_reading *into) {
    for (size_t i = 0; i < EVENTS; i++)
        if (is_leader(counters, i) && read(counters->fd[i], &into[i], sizeof into[i]) <= 0)
            memset(&into[i], 0, sizeof into[i]);
}

/* Some virtual PMUs accept an event and never count it. A short loop finds these out: a group that did not
 * run, or one of the three events that no loop can leave at zero. */
static void find_idle(struct counters *counters) {
    counters_start(counters);
    for (volatile unsigned i = 0; i < 200000; i++) continue;
    counters_stop(counters);
    for (size_t i = 0; i < EVENTS; i++) {
        double value;
        if (counters->fd[i] < 0 || events[i].type == PERF_TYPE_SOFTWARE) continue;
        bool must_count =
            events[i].type == PERF_TYPE_HARDWARE &&
            (events[i].config == PERF_COUNT_HW_CPU_CYCLES || events[i].config == PERF_COUNT_HW_INSTRUCTIONS ||
             events[i].config == PERF_COUNT_HW_BRANCH_INSTRUCTIONS);
        bool ran = counters_value(counters, i, &value);
        if (ran && (value > 0 || !must_count)) continue;
        counters->idle[i] = true;
        why_say(&counters->why[i], "%s",
                ran ? "the event can be opened but counts nothing (an incomplete virtual PMU)"
                    : "the event can be opened but is never scheduled (the PMU is taken, perhaps by the NMI "
                      "watchdog)");
    }
    counters_reset(counters);
}

struct counters *counters_open(void) {
    struct counters *counters = calloc(1, sizeof *counters);
    if (!counters) return NULL;
    for (size_t i = 0; i < EVENTS; i++) counters->fd[i] = -1;
    for (size_t i = 0; i < EVENTS; i++) open_one(counters, i);
    find_idle(counters);
    return counters;
}

void counters_close(struct counters *counters) {
    if (!counters) return;
    for (size_t i = EVENTS; i-- > 0;) /* members before their leader */
        if (counters->fd[i] >= 0) close(counters->fd[i]);
    free(counters);
}

/* PERF_EVENT_IOC_RESET would clear the counts but not the times, which scaling needs: keep a base instead. */
void counters_reset(struct counters *counters) {
    read_groups(counters, counters->base);
    memcpy(counters->now, counters->base, sizeof counters->now);
}

/* Hardware groups are switched on first and off last: the kernel's work in between falls on the software
 * events' few microseconds a phase, not on user-space counts that may be read per operation. events.def lists
 * software first. */
void counters_start(struct counters *counters) {
    for (size_t i = EVENTS; i-- > 0;)
        if (is_leader(counters, i)) ioctl(counters->fd[i], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

void counters_stop(struct counters *counters) {
    for (size_t i = 0; i < EVENTS; i++)
        if (is_leader(counters, i)) ioctl(counters->fd[i], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
    read_groups(counters, counters->now);
}

size_t counters_count(const struct counters *counters) {
    (void)counters;
    return EVENTS;
}

const char *counters_name(const struct counters *counters, size_t i) {
    (void)counters;
    return events[i].name;
}

bool counters_value(const struct counters *counters, size_t i, double *value) {
    if (counters->fd[i] < 0 || counters->idle[i]) return false;
    const struct group_reading *base = &counters->base[counters->leader[i]],
                               *now = &counters->now[counters->leader[i]];
    uint64_t enabled = now->time_enabled - base->time_enabled,
             running = now->time_running - base->time_running;
    if (running == 0) return false;
    unsigned slot = counters->slot[i];
    *value = (double)(now->value[slot] - base->value[slot]) * ((double)enabled / (double)running);
    return true;
}

const char *counters_why(const struct counters *counters, size_t i) {
    double value;
    if (counters->why[i].text[0]) return counters->why[i].text;
    return counters_value(counters, i, &value) ? NULL
                                               : "not counted: the event never ran between start and stop";
}

json_t *counters_probe(void) {
    struct counters *counters = counters_open();
    json_t *probe = json_object();
    if (!counters || !probe) {
        counters_close(counters);
        json_decref(probe);
        return NULL;
    }
    for (size_t i = 0; i < EVENTS; i++)
        json_object_set_new(probe, events[i].name,
                            counters->why[i].text[0] ? json_string(counters->why[i].text) : json_null());
    counters_close(counters);
    return probe;
}
