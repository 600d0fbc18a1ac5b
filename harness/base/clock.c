#include "harness/base/clock.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    SLOPE_SEGMENTS = 13,
    SLOPE_SEGMENT_NS = 1000000,
    SLOPE_TRIES = 8,
    EMPTY_SAMPLES = 4001,
    COST_SAMPLES = 301,
    COST_CALLS = 8, /* per sample, so that the time stamps around them weigh little */
};

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int compare_double(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct moment {
    uint64_t wall, ticks;
};

/* Both clocks at the same moment, as nearly as can be: the tightest of a few brackets, which no interrupt
 * fell into. */
static struct moment moment_now(void) {
    struct moment best = {0, 0};
    uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < SLOPE_TRIES; i++) {
        uint64_t before = ticks_start();
        uint64_t wall = wall_ns();
        uint64_t after = ticks_stop();
        if (after - before < best_width) {
            best_width = after - before;
            best = (struct moment){wall, before + (after - before) / 2};
        }
    }
    return best;
}

static double measure_ns_per_tick(void) {
    double slope[SLOPE_SEGMENTS];
    for (int i = 0; i < SLOPE_SEGMENTS; i++) {
        struct moment start = moment_now();
        while (wall_ns() - start.wall < SLOPE_SEGMENT_NS) {
        }
        struct moment stop = moment_now();
        slope[i] = (double)(stop.wall - start.wall) / (double)(stop.ticks - start.ticks);
    }
    qsort(slope, SLOPE_SEGMENTS, sizeof slope[0], compare_double);
    return slope[SLOPE_SEGMENTS / 2];
}

/* The smallest distance between two of the sorted durations: the counter advances in multiples of it. When
 * all are equal, the duration itself. */
static uint64_t smallest_step(const uint64_t *sorted, size_t n) {
    uint64_t step = UINT64_MAX;
    for (size_t i = 1; i < n; i++)
        if (sorted[i] != sorted[i - 1] && sorted[i] - sorted[i - 1] < step) step = sorted[i] - sorted[i - 1];
    return step != UINT64_MAX ? step : sorted[0] ? sorted[0] : 1;
}

static double median_call_ticks(uint64_t (*read_clock)(void)) {
    uint64_t sample[COST_SAMPLES];
    for (size_t i = 0; i < COST_SAMPLES; i++) {
        uint64_t start = ticks_start();
        for (int call = 0; call < COST_CALLS; call++) (void)read_clock();
        sample[i] = ticks_stop() - start;
    }
    qsort(sample, COST_SAMPLES, sizeof sample[0], compare_u64);
    return (double)sample[COST_SAMPLES / 2] / COST_CALLS;
}

struct clock_costs clock_calibrate(void) {
    static const size_t middle = EMPTY_SAMPLES / 2;
    uint64_t empty[EMPTY_SAMPLES];
    for (size_t i = 0; i < EMPTY_SAMPLES; i++) {
        uint64_t start = ticks_start();
        empty[i] = ticks_stop() - start;
    }
    qsort(empty, EMPTY_SAMPLES, sizeof empty[0], compare_u64);

    struct clock_costs costs;
    costs.ns_per_tick = measure_ns_per_tick();
    costs.ticks_empty_ns = (double)empty[middle] * costs.ns_per_tick;
    costs.ticks_step_ns = (double)smallest_step(empty, EMPTY_SAMPLES) * costs.ns_per_tick;
    costs.thread_cpu_ns = median_call_ticks(thread_cpu_ns) * costs.ns_per_tick;
    costs.wall_ns = median_call_ticks(wall_ns) * costs.ns_per_tick;
    return costs;
}
