/* Clocks. All functions are cheap to call, none allocates.
 *
 * ticks_*     the cycle-independent time stamp counter between fences (x86) or the generic counter (ARM): for
 * single operations and short segments. A tick is not a core cycle; clock_ns_per_tick converts. thread_cpu
 * CPU time of this thread: does not run while the thread is preempted, but costs 0.4 us to read, so only
 *             around segments of 100 us and more.
 * wall        CLOCK_MONOTONIC.
 */
#ifndef MAPBENCH_CLOCK_H
#define MAPBENCH_CLOCK_H

#include <stdint.h>
#include <sys/resource.h>
#include <time.h>

#if defined(__x86_64__)
#include <x86intrin.h>
static inline uint64_t ticks_start(void) {
    _mm_lfence();
    uint64_t t = __rdtsc();
    _mm_lfence();
    return t;
}
static inline uint64_t ticks_stop(void) {
    unsigned cpu;
    uint64_t t = __rdtscp(&cpu); /* waits for the operations before it */
    _mm_lfence();                /* and lets none after it begin */
    return t;
}
#elif defined(__aarch64__)
static inline uint64_t ticks_start(void) {
    uint64_t t;
    __asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(t)::"memory");
    return t;
}
static inline uint64_t ticks_stop(void) {
    return ticks_start();
}
#else
static inline uint64_t ticks_start(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static inline uint64_t ticks_stop(void) {
    return ticks_start();
}
#endif

static inline uint64_t clock_read_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static inline uint64_t wall_ns(void) {
    return clock_read_ns(CLOCK_MONOTONIC);
}
static inline uint64_t thread_cpu_ns(void) {
    return clock_read_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Counts the times the kernel has taken the CPU away from this thread. */
static inline long thread_preemptions(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

/* Costs and resolution of the clocks on this machine, measured once by clock_calibrate (about 20 ms). */
struct clock_costs {
    double ns_per_tick;
    double ticks_empty_ns; /* median of an empty ticks_start .. ticks_stop */
    double ticks_step_ns;  /* smallest nonzero difference seen: the counter's step */
    double thread_cpu_ns;  /* median cost of one thread_cpu_ns() */
    double wall_ns;        /* median cost of one wall_ns() */
};
struct clock_costs clock_calibrate(void);

#endif
