#include "harness/machine/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/sizes.h"
#include "harness/base/sysfile.h"

/* Version 1 writes "no limit" as the largest multiple of a page. */
static const uint64_t v1_no_limit_bytes = UINT64_C(1) << 62;

static bool list_has(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length)
        if ((at == list || at[-1] == ',') && (at[length] == ',' || at[length] == '\0')) return true;
    return false;
}

/* --- the own group --- */

/* Reads "ID:CONTROLLERS:PATH" lines; version 2 has no controllers there. A controller that version 1 has is
 * not in version 2. */
static enum cgroup_kind own_path(FILE *file, const char *controller, char *path, size_t size) {
    enum cgroup_kind kind = CGROUP_NONE;
    char *line = NULL;
    size_t room = 0;
    while (kind != CGROUP_V1 && getline(&line, &room, file) > 0) {
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        *group++ = '\0';
        controllers++;
        group[strcspn(group, "\n")] = '\0';
        if (controllers[0] != '\0' && !list_has(controllers, controller)) continue;
        kind = controllers[0] == '\0' ? CGROUP_V2 : CGROUP_V1;
        snprintf(path, size, "%s", group);
    }
    free(line);
    return kind;
}

/* Undoes mountinfo's escapes: a blank is \040. */
static void unescape(char *text) {
    char *to = text;
    for (const char *from = text; *from; to++) {
        if (from[0] == '\\' && isdigit((unsigned char)from[1]) && isdigit((unsigned char)from[2]) &&
            isdigit((unsigned char)from[3])) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* One line of mountinfo, cut in place (proc(5)): "ID PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE
 * SUPER_OPTIONS". */
struct mount {
    char *root, *point, *type, *options;
};

static bool mount_parse(char *line, struct mount *mount) {
    char *rest = strstr(line, " - "), *field[5];
    if (!rest) return false;
    *rest = '\0';
    rest += 3;
    for (size_t i = 0; i < 5; i++)
        if (!(field[i] = strsep(&line, " "))) return false;
    mount->root = field[3], mount->point = field[4];
    mount->type = strsep(&rest, " ");
    strsep(&rest, " ");
    mount->options = strsep(&rest, " \n");
    unescape(mount->root), unescape(mount->point);
    return mount->options;
}

/* The part of a group's path below the root of a mount; NULL: it is not below it. */
static const char *below(const char *path, const char *root) {
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0')) return NULL;
    return strcmp(path + length, "/") == 0 ? "" : path + length;
}

/* Of several mounts of a hierarchy the one that shows most of it, which has the shortest root. */
static void find_folder(FILE *file, const char *controller, const char *path, struct cgroup *group) {
    char *line = NULL;
    size_t room = 0, best = SIZE_MAX;
    while (getline(&line, &room, file) > 0) {
        struct mount mount;
        if (!mount_parse(line, &mount)) continue;
        if (strcmp(mount.type, group->kind == CGROUP_V2 ? "cgroup2" : "cgroup") != 0) continue;
        if (group->kind == CGROUP_V1 && !list_has(mount.options, controller)) continue;
        const char *rest = below(path, mount.root);
        if (!rest || strlen(mount.root) >= best) continue;
        best = strlen(mount.root);
        group->top = strlen(mount.point);
        snprintf(group->folder, sizeof group->folder, "%s%s", mount.point, rest);
        snprintf(group->root, sizeof group->root, "%s", best > 1 ? mount.root : "");
    }
    free(line);
}

void cgroup_find(const char *controller, struct cgroup *group) {
    char path[PATH_MAX] = "", procs[PATH_MAX + 16];
    *group = (struct cgroup){.kind = CGROUP_HIDDEN};
    FILE *own = sysfile_open("/proc/self/cgroup"), *mounts = sysfile_open("/proc/self/mountinfo");
    if (!mounts) {
        why_say(&group->why, "/proc is not mounted");
    } else {
        group->kind = own ? own_path(own, controller, path, sizeof path) : CGROUP_NONE;
        /* A path with ".." leads out of what this control group namespace shows. */
        if (group->kind != CGROUP_NONE && !strstr(path, "/..")) find_folder(mounts, controller, path, group);
    }
    if (own) fclose(own);
    if (mounts) fclose(mounts);
    if (group->kind == CGROUP_NONE || group->why.text[0]) return;
    snprintf(procs, sizeof procs, "%s/cgroup.procs", group->folder);
    if (group->folder[0] && sysfile_exists(procs)) return;
    why_say(&group->why, "the control group %.120s of this process is not mounted here", path);
    group->kind = CGROUP_HIDDEN;
}

/* --- one level after the other --- */

/* A level of the walk from the own group upwards. */
struct level {
    const struct cgroup *group;
    char folder[PATH_MAX];
};

static struct level level_first(const struct cgroup *group) {
    struct level level = {.group = group};
    memcpy(level.folder, group->folder, sizeof level.folder);
    return level;
}

/* False: the mount point was the last. */
static bool level_up(struct level *level) {
    if (strlen(level->folder) <= level->group->top) return false;
    *strrchr(level->folder, '/') = '\0';
    return true;
}

static void level_name(const struct level *level, char *name, size_t size) {
    snprintf(name, size, "%s%s", level->group->root, level->folder + level->group->top);
    if (!name[0]) snprintf(name, size, "/");
}

enum reading { READ, ABSENT, UNREADABLE };

/* A controller may not reach down to a group: then its file is absent, and the group limits nothing. */
static enum reading level_read(const struct level *level, const char *file, char *text, size_t size,
                               struct why *why) {
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", level->folder, file);
    if (sysfile_read(path, text, size)) return READ;
    if (errno == ENOENT) return ABSENT;
    why_say(why, "%s: %s", path, strerror(errno));
    return UNREADABLE;
}

static bool nonsense(const struct level *level, const char *file, const char *text, struct why *why) {
    return why_say(why, "%s/%s says '%.40s'", level->folder, file, text);
}

/* Reads a number; "max", no limit, is UINT64_MAX, and so is an absent file. */
static bool level_number(const struct level *level, const char *file, uint64_t *number, struct why *why) {
    char text[64];
    *number = UINT64_MAX;
    enum reading got = level_read(level, file, text, sizeof text, why);
    if (got != READ) return got == ABSENT;
    if (strcmp(text, "max") == 0) return true;
    if (!isdigit((unsigned char)text[0])) return nonsense(level, file, text, why);
    *number = strtoull(text, NULL, 10);
    return true;
}

static bool is_readable(const struct cgroup *group, struct why *why) {
    if (group->kind != CGROUP_HIDDEN) return true;
    return why_say(why, "%s", group->why.text);
}

/* --- processor time --- */

/* "20000 100000" or "max 100000" in one file (version 2), two files with -1 for none (version 1). */
static bool level_quota(const struct level *level, double *quota, struct why *why) {
    bool v2 = level->group->kind == CGROUP_V2;
    const char *file = v2 ? "cpu.max" : "cpu.cfs_quota_us";
    char text[64], period[32] = "";
    long long quota_us, period_us;
    *quota = 0;
    enum reading got = level_read(level, file, text, sizeof text, why);
    if (got != READ) return got == ABSENT;
    if (strncmp(text, "max", 3) == 0 || text[0] == '-') return true;
    if (!v2) {
        got = level_read(level, "cpu.cfs_period_us", period, sizeof period, why);
        if (got == UNREADABLE) return false;
        strcat(strcat(text, " "), period);
    }
    if (sscanf(text, "%lld %lld", &quota_us, &period_us) != 2 || quota_us <= 0 || period_us <= 0)
        return nonsense(level, file, text, why);
    *quota = (double)quota_us / (double)period_us;
    return true;
}

bool cgroup_cpu_quota(const struct cgroup *cpu, double *quota, char *by, size_t by_size, struct why *why) {
    *quota = 0;
    by[0] = '\0';
    if (!is_readable(cpu, why)) return false;
    if (cpu->kind == CGROUP_NONE) return true;
    struct level level = level_first(cpu);
    bool known = true;
    do {
        double here;
        known = level_quota(&level, &here, why) && known;
        if (here <= 0 || (*quota > 0 && here >= *quota)) continue;
        *quota = here;
        level_name(&level, by, by_size);
    } while (level_up(&level));
    return known || *quota > 0;
}

bool cgroup_throttled(const struct cgroup *cpu, struct cgroup_throttled *throttled, struct why *why) {
    *throttled = (struct cgroup_throttled){0};
    if (!is_readable(cpu, why)) return false;
    if (cpu->kind == CGROUP_NONE) return true;
    struct level level = level_first(cpu);
    do {
        char text[2048];
        uint64_t times, time;
        enum reading got = level_read(&level, "cpu.stat", text, sizeof text, why);
        if (got == UNREADABLE) return false;
        /* A group that the controller does not reach has no such lines. */
        if (got == ABSENT || !sysfile_field(text, "nr_throttled", &times)) continue;
        throttled->times += times;
        if (sysfile_field(text, "throttled_usec", &time)) throttled->us += time;
        if (sysfile_field(text, "throttled_time", &time)) throttled->us += time / 1000; /* version 1: ns */
    } while (level_up(&level));
    return true;
}

/* --- memory --- */

/* Bytes of cached files in a group and below it. */
static uint64_t level_cached(const struct level *level) {
    static const char *const fields[2][2] = {{"inactive_file", "active_file"},
                                             {"total_inactive_file", "total_active_file"}};
    char text[8192];
    uint64_t sum = 0, bytes;
    if (level_read(level, "memory.stat", text, sizeof text, NULL) != READ) return 0;
    for (size_t i = 0; i < 2; i++)
        if (sysfile_field(text, fields[level->group->kind == CGROUP_V1][i], &bytes)) sum += bytes;
    return sum;
}

/* Takes one of a level's limits into account. */
static bool level_limit(const struct level *level, const char *limit_file, uint64_t *bytes, char *by,
                        size_t by_size, struct why *why) {
    uint64_t limit, used;
    char name[256], text[32];
    bool v2 = level->group->kind == CGROUP_V2;
    if (!level_number(level, limit_file, &limit, why)) return false;
    if (limit == UINT64_MAX || (!v2 && limit >= v1_no_limit_bytes)) return true;
    if (!level_number(level, v2 ? "memory.current" : "memory.usage_in_bytes", &used, why)) return false;
    uint64_t cached = level_cached(level), kept = used > cached ? used - cached : 0;
    uint64_t left = limit > kept ? limit - kept : 0;
    if (left >= *bytes) return true;
    *bytes = left;
    level_name(level, name, sizeof name);
    size_bytes_text((double)limit, text, sizeof text);
    snprintf(by, by_size, "the control group %s has %s in %s", name, text, limit_file);
    return true;
}

bool cgroup_memory_left(const struct cgroup *memory, uint64_t *bytes, char *by, size_t by_size,
                        struct why *why) {
    *bytes = UINT64_MAX;
    by[0] = '\0';
    if (!is_readable(memory, why)) return false;
    if (memory->kind == CGROUP_NONE) return true;
    struct level level = level_first(memory);
    bool v2 = memory->kind == CGROUP_V2, known = true;
    do {
        known = level_limit(&level, v2 ? "memory.max" : "memory.limit_in_bytes", bytes, by, by_size, why) &&
                known;
        if (v2) known = level_limit(&level, "memory.high", bytes, by, by_size, why) && known;
    } while (level_up(&level));
    return known || *bytes != UINT64_MAX;
}
