/* The per-operation recorder: a latency histogram, and the operations at which the map changed its capacity.
 *
 * A histogram is an instrument for the tail: reading the counter twice costs tens of nanoseconds per
 * operation, which are part of every value (struct clock_costs has them; they are never subtracted).
 * Percentiles miss growth - a million inserts grow a map twenty times - so growth events are listed one by
 * one.
 */
#ifndef MAPBENCH_RECORDER_H
#define MAPBENCH_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/clock.h"
#include "harness/base/hist.h"
#include "harness/unit/schedule.h"

struct growth_event {
    uint64_t op;    /* index of the operation, from 0 */
    uint64_t ticks; /* its duration; in an open loop, from its arrival */
    size_t old_capacity, new_capacity;
};

enum { RECORDER_EVENTS_MAX = 4096, RECORDER_SLOTS = 512 };

struct recorder {
    struct hist hist;         /* ticks */
    struct schedule schedule; /* of an open loop's arrivals */
    uint64_t op;              /* operations recorded so far */
    size_t capacity;          /* of the map after the last operation */
    size_t n_events;          /* events seen; those past RECORDER_EVENTS_MAX are counted but not kept */
    struct growth_event event[RECORDER_EVENTS_MAX];
    /* The slowest of each `slot_ops` operations in a row, so that a queue can be seen to build up and drain.
     * All that come after the last slot is full, or all when slot_ops is 0, count for the slot they find. */
    uint64_t slot_ops, in_slot;
    size_t slot;
    uint64_t slot_max[RECORDER_SLOTS];
};

/* Forgets everything; interval_ticks: between two arrivals of an open loop, 0 for a closed one. */
static inline void recorder_reset(struct recorder *r, double interval_ticks) {
    memset(r, 0, sizeof *r);
    r->schedule = schedule_make(interval_ticks);
}

/* The moment an operation's time counts from: now, or, scheduled, its arrival, which is waited for. */
static inline __attribute__((always_inline)) uint64_t recorder_begin(struct recorder *r, bool scheduled) {
    return scheduled ? schedule_await(&r->schedule, ticks_start) : ticks_start();
}

static inline void recorder_add(struct recorder *r, uint64_t ticks, size_t capacity) {
    hist_add(&r->hist, ticks);
    if (ticks > r->slot_max[r->slot]) r->slot_max[r->slot] = ticks;
    if (++r->in_slot == r->slot_ops) {
        r->in_slot = 0;
        if (r->slot + 1 < RECORDER_SLOTS) r->slot++;
    }
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
