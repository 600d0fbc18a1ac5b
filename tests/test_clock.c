/* The clocks against each other. Nothing here says how fast a machine must be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "harness/base/clock.h"

static void spin_ns(uint64_t ns) {
    uint64_t start = wall_ns();
    while (wall_ns() - start < ns) {
    }
}

static void test_costs_are_plausible(void **state) {
    struct clock_costs costs = clock_calibrate();
    (void)state;
    assert_true(isfinite(costs.ns_per_tick) && costs.ns_per_tick > 0);
    assert_true(costs.ticks_empty_ns >= 0);
    assert_true(costs.thread_cpu_ns > 0);
    assert_true(costs.wall_ns > 0);
    /* A step is a whole number of ticks. */
    double ticks = costs.ticks_step_ns / costs.ns_per_tick;
    assert_true(ticks > 0.5);
    assert_true(fabs(ticks - round(ticks)) < 1e-6 * ticks + 1e-9);
}

static void test_calibrations_agree(void **state) {
    double first = clock_calibrate().ns_per_tick, second = clock_calibrate().ns_per_tick;
    (void)state;
    assert_true(fabs(first / second - 1) < 0.01);
}

/* Ticks converted to nanoseconds follow the wall clock. Of a few tries the best counts: a try that is
 * preempted between the reading of the two clocks says nothing. */
static void test_ticks_follow_wall_clock(void **state) {
    double ns_per_tick = clock_calibrate().ns_per_tick, best = INFINITY;
    (void)state;
    for (int i = 0; i < 20 && best > 0.01; i++) {
        uint64_t wall = wall_ns(), ticks = ticks_start();
        spin_ns(3000000);
        double by_ticks = (double)(ticks_stop() - ticks) * ns_per_tick, by_wall = (double)(wall_ns() - wall);
        best = fmin(best, fabs(by_ticks / by_wall - 1));
    }
    assert_true(best < 0.02);
}

static void test_clocks_do_not_run_backwards(void **state) {
    uint64_t ticks = ticks_start(), wall = wall_ns(), cpu = thread_cpu_ns();
    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint64_t next_ticks = i % 2 ? ticks_start() : ticks_stop(), next_wall = wall_ns(),
                 next_cpu = thread_cpu_ns();
        assert_true(next_ticks >= ticks && next_wall >= wall && next_cpu >= cpu);
        ticks = next_ticks, wall = next_wall, cpu = next_cpu;
    }
}

/* CPU time runs while the thread works, and not while it sleeps. */
static void test_thread_cpu_stands_still_in_sleep(void **state) {
    const struct timespec nap = {.tv_nsec = 50000000};
    (void)state;
    uint64_t cpu = thread_cpu_ns(), wall = wall_ns();
    nanosleep(&nap, NULL);
    uint64_t cpu_asleep = thread_cpu_ns() - cpu, wall_asleep = wall_ns() - wall;
    assert_true(cpu_asleep < wall_asleep / 4);
    cpu = thread_cpu_ns();
    spin_ns(5000000);
    assert_true(thread_cpu_ns() > cpu);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_costs_are_plausible),
        cmocka_unit_test(test_calibrations_agree),
        cmocka_unit_test(test_ticks_follow_wall_clock),
        cmocka_unit_test(test_clocks_do_not_run_backwards),
        cmocka_unit_test(test_thread_cpu_stands_still_in_sleep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
