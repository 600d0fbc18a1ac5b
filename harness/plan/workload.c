#include "harness/plan/workload.h"

#include <string.h>

enum {
#define WORKLOAD(name, kind, hit_percent, summary) NUMBER_##name,
#include "harness/plan/workloads.def"
#undef WORKLOAD
    LISTED,
    NAMED_MOST = 64 /* more than a list of names has words */
};

/* Those of workloads.def, then those that name a map, as they are asked for. */
static struct workload workloads[LISTED + NAMED_MOST] = {
#define WORKLOAD(name, kind, hit_percent, summary)                                                           \
    {#name, WORKLOAD_##kind, hit_percent, summary, NUMBER_##name, NULL},
#include "harness/plan/workloads.def"
#undef WORKLOAD
};
static size_t named;

size_t workload_count(void) {
    return LISTED + named;
}

const struct workload *workload_at(size_t i) {
    return &workloads[i];
}

const struct workload *workload_find(const char *name) {
    for (size_t i = 0; i < workload_count(); i++)
        if (strcmp(workloads[i].name, name) == 0) return &workloads[i];
    const char *colon = strchr(name, ':');
    if (!colon || colon[1] == '\0' || named == NAMED_MOST) return NULL;
    for (size_t i = 0; i < LISTED; i++) {
        const struct workload *listed = &workloads[i];
        if (!workload_takes_map(listed) || strlen(listed->name) != (size_t)(colon - name) ||
            strncmp(listed->name, name, (size_t)(colon - name)) != 0)
            continue;
        struct workload *made = &workloads[LISTED + named];
        *made = *listed;
        made->name = strdup(name);
        if (!made->name) return NULL;
        made->map = made->name + (colon - name) + 1;
        named++;
        return made;
    }
    return NULL;
}

enum trait {
    TOUCHES_KEYS = 1 << 0,
    KEEPS_KEYS = 1 << 1,
    REPLACES_KEYS = 1 << 2,
    RECORDS = 1 << 3,
    OPEN = 1 << 4,
    FILLS = 1 << 5,
    USES_UP = 1 << 6,
    IN_PASSES = 1 << 7,
    HERE_ONLY = 1 << 8,
    CLIFF = 1 << 9,
    TAKES_MAP = 1 << 10,
};

static const struct {
    const char *loop;
    size_t loop_at; /* in struct map_runs */
    unsigned traits;
} kinds[] = {
#define KIND(kind, loop, function, segment, traits)                                                          \
    [WORKLOAD_##kind] = {#loop, offsetof(struct map_runs, loop), traits},
#include "harness/plan/kinds.def"
#undef KIND
};

static bool has(const struct workload *workload, unsigned traits) {
    return kinds[workload->kind].traits & traits;
}

bool workload_follows_skew(const struct workload *workload) {
    return has(workload, TOUCHES_KEYS);
}
bool workload_keeps_keys(const struct workload *workload) {
    return has(workload, KEEPS_KEYS);
}
bool workload_has_latency(const struct workload *workload) {
    return has(workload, RECORDS);
}
bool workload_has_open(const struct workload *workload) {
    return has(workload, OPEN);
}
bool workload_fills(const struct workload *workload) {
    return has(workload, FILLS);
}
bool workload_uses_up(const struct workload *workload) {
    return has(workload, USES_UP);
}
bool workload_of_engines(const struct workload *workload) {
    return !has(workload, HERE_ONLY);
}
bool workload_has_budget(const struct workload *workload) {
    return has(workload, CLIFF);
}
bool workload_takes_map(const struct workload *workload) {
    return has(workload, TAKES_MAP);
}
bool workload_in_passes(const struct workload *workload) {
    return has(workload, USES_UP | IN_PASSES);
}

size_t workload_extra_keys(const struct workload *workload, size_t n) {
    if (has(workload, REPLACES_KEYS)) return n;
    return has(workload, TOUCHES_KEYS) && workload->hit_percent < 100;
}

struct workload_loop workload_loop(const struct map_unit *unit, const struct workload *workload) {
    run_fn *run;
    memcpy(&run, (const char *)&unit->run + kinds[workload->kind].loop_at, sizeof run);
    return (struct workload_loop){kinds[workload->kind].loop, run};
}
