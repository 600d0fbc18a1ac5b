/* When the operations of an open loop arrive: at a fixed rate, whatever the map is doing.
 *
 * A program that serves requests does not choose when they come. One slow operation delays those that arrive
 * meanwhile; their time counts from their arrival, so the delay shows in each of them. (A closed loop, which
 * starts an operation when the last has ended, leaves it out: coordinated omission.) Arrivals are counted in
 * ticks with a binary fraction, so that a rate is met exactly over any number of operations.
 *
 * Nothing here allocates or enters the kernel. Moments are arguments, and the clock is too: tests have their
 * own.
 */
#ifndef MAPBENCH_SCHEDULE_H
#define MAPBENCH_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

struct schedule {
    uint64_t arrival_ticks;                       /* of the next operation */
    uint64_t interval_ticks;                      /* between two arrivals */
    uint32_t arrival_fraction, interval_fraction; /* 2^-32 ticks */
    bool begun;
    uint64_t resumed_ticks, paused_ticks; /* the last moments it was set going and stopped */
    uint64_t elapsed_ticks;               /* while it was going */
    uint64_t idle_ticks;                  /* of these, waited for an arrival */
    uint64_t late;                        /* operations that could not start when they arrived */
};

/* A schedule that has not begun. 1 <= interval < 2^53 ticks. */
static inline struct schedule schedule_make(double interval_ticks) {
    struct schedule s = {0, (uint64_t)interval_ticks, 0, 0, false, 0, 0, 0, 0, 0};
    s.interval_fraction = (uint32_t)((interval_ticks - (double)s.interval_ticks) * 0x1p32);
    return s;
}

/* Moves the next arrival one interval on. */
static inline void schedule_advance(struct schedule *s) {
    uint64_t fraction = (uint64_t)s->arrival_fraction + s->interval_fraction;
    s->arrival_fraction = (uint32_t)fraction;
    s->arrival_ticks += s->interval_ticks + (fraction >> 32);
}

/* Sets it going. The first arrival is one interval after the first `now`; after a pause every arrival is
 * later by the length of the pause, so a queue is neither longer nor shorter for it. */
static inline void schedule_resume(struct schedule *s, uint64_t now) {
    if (s->begun) {
        s->arrival_ticks += now - s->paused_ticks;
    } else {
        s->arrival_ticks = now;
        schedule_advance(s);
        s->begun = true;
    }
    s->resumed_ticks = now;
}

static inline void schedule_pause(struct schedule *s, uint64_t now) {
    s->elapsed_ticks += now - s->resumed_ticks;
    s->paused_ticks = now;
}

/* Waits until the next operation has arrived, not at all if it is late, and returns its arrival. */
static inline __attribute__((always_inline)) uint64_t schedule_await(struct schedule *s,
                                                                     uint64_t (*clock)(void)) {
    uint64_t arrival = s->arrival_ticks, now = clock(), first = now;
    schedule_advance(s);
    if (now > arrival) {
        s->late++;
        return arrival;
    }
    while (now < arrival) now = clock();
    s->idle_ticks += now - first;
    return arrival;
}

#endif
