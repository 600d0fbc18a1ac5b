#include "harness/plan/workload.h"

#include <string.h>

static const struct workload workloads[] = {
#define WORKLOAD(name, kind, hit_percent, summary) {#name, WORKLOAD_##kind, hit_percent, summary},
#include "harness/plan/workloads.def"
#undef WORKLOAD
};

size_t workload_count(void) {
    return sizeof workloads / sizeof workloads[0];
}

const struct workload *workload_at(size_t i) {
    return &workloads[i];
}

const struct workload *workload_find(const char *name) {
    for (size_t i = 0; i < workload_count(); i++)
        if (strcmp(workloads[i].name, name) == 0) return &workloads[i];
    return NULL;
}

bool workload_follows_skew(const struct workload *workload) {
    switch (workload->kind) {
    case WORKLOAD_OVERWRITE:
    case WORKLOAD_GET:
    case WORKLOAD_GET_CHAIN:
    case WORKLOAD_GET_CALL:
    case WORKLOAD_GET_COLD:
        return true;
    default:
        return false;
    }
}

bool workload_has_latency(const struct workload *workload) {
    switch (workload->kind) {
    case WORKLOAD_PUT:
    case WORKLOAD_OVERWRITE:
    case WORKLOAD_GET:
    case WORKLOAD_GET_COLD:
    case WORKLOAD_DEL:
    case WORKLOAD_CHURN:
    case WORKLOAD_MIXED:
        return true;
    default:
        return false;
    }
}

/* Cold lookups empty the caches every few operations: that is no stream of requests. */
bool workload_has_open(const struct workload *workload) {
    return workload_has_latency(workload) && workload->kind != WORKLOAD_DEL &&
           workload->kind != WORKLOAD_GET_COLD;
}

size_t workload_extra_keys(const struct workload *workload, size_t n) {
    if (workload->kind == WORKLOAD_CHURN || workload->kind == WORKLOAD_MIXED) return n;
    return workload->kind == WORKLOAD_GET && workload->hit_percent < 100;
}

bool workload_uses_up(const struct workload *workload) {
    switch (workload->kind) {
    case WORKLOAD_PUT:
    case WORKLOAD_DEL:
    case WORKLOAD_CLEAR:
    case WORKLOAD_COPY:
    case WORKLOAD_SMALL_PUT:
        return true;
    default:
        return false;
    }
}

struct workload_loop workload_loop(const struct map_unit *unit, const struct workload *workload) {
    switch (workload->kind) {
#define LOOP(kind, loop)                                                                                     \
    case WORKLOAD_##kind:                                                                                    \
        return (struct workload_loop){#loop, unit->run.loop};
        LOOP(PUT, put)
        LOOP(OVERWRITE, put)
        LOOP(GET, get)
        LOOP(GET_COLD, get)
        LOOP(GET_CHAIN, get_chain)
        LOOP(GET_CALL, get_call)
        LOOP(DEL, del)
        LOOP(CHURN, churn)
        LOOP(MIXED, mixed)
        LOOP(SCAN, scan)
        LOOP(CLEAR, clear)
        LOOP(COPY, copy)
        LOOP(SMALL_PUT, small_put)
        LOOP(SMALL_GET, small_get)
#undef LOOP
    }
    return (struct workload_loop){"", NULL};
}
