/* The per-operation recorder: a latency histogram, and the operations at which the map changed its capacity.
 *
 * A histogram is an instrument for the tail: reading the counter twice costs tens of nanoseconds per
 * operation, which are part of every value (struct clock_costs has them; they are never subtracted).
 * Percentiles miss growth - a million inserts grow a map twenty times - so growth events are listed one by
 * one.
 */
#ifndef MAPBENCH_RECORDER_H
#define MAPBENCH_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#include "harness/hist.h"

struct growth_event {
    uint64_t op;    /* index of the operation, from 0 */
    uint64_t ticks; /* its duration */
    size_t old_capacity, new_capacity;
};

enum { RECORDER_EVENTS_MAX = 4096 };

struct recorder {
    struct hist hist; /* ticks */
    uint64_t op;      /* operations recorded so far */
    size_t capacity;  /* of the map after the last operation */
    size_t n_events;  /* events seen; those past RECORDER_EVENTS_MAX are counted but not kept */
    struct growth_event event[RECORDER_EVENTS_MAX];
};

static inline void recorder_add(struct recorder *r, uint64_t ticks, size_t capacity) {
    hist_add(&r->hist, ticks);
    if (__builtin_expect(capacity != r->capacity, 0)) {
        if (r->n_events < RECORDER_EVENTS_MAX) {
            struct growth_event *e = &r->event[r->n_events];
            e->op = r->op;
            e->ticks = ticks;
            e->old_capacity = r->capacity;
            e->new_capacity = capacity;
        }
        r->n_events++;
        r->capacity = capacity;
    }
    r->op++;
}

#endif
