/* The statistics of result rows against closed forms and scipy 1.10's values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "harness/base/stats.h"

static void close_to(double got, double expected, double tolerance) {
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%.8f, expected %.8f", got, expected);
}

static void test_median(void **state) {
    const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2};
    (void)state;
    close_to(stats_median(odd, 3), 3, 0);
    close_to(stats_median(even, 4), 2.5, 0);
    close_to(stats_median(odd, 1), 5, 0);
    close_to(stats_median(NULL, 0), 0, 0);
    assert_true(odd[0] == 5); /* the caller's order is kept */
}

/* scipy.stats.t.ppf(0.975, df) */
static void test_t_quantiles(void **state) {
    static const struct {
        size_t df;
        double t;
    } expected[] = {{1, 12.706205}, {2, 4.302653},  {4, 2.776445},  {10, 2.228139},  {11, 2.200985},
                    {15, 2.131450}, {20, 2.085963}, {30, 2.042272}, {100, 1.983972}, {999, 1.962341}};
    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        close_to(stats_t975(expected[i].df), expected[i].t, 2e-4);
}

static void test_interval(void **state) {
    /* Logarithms -1, 0, 1: mean 0, standard deviation 1. */
    const double values[] = {exp(-1), 1, exp(1)}, same[] = {2, 2, 2, 2}, bad[] = {1, 0};
    double low, high, half = 4.302653 / sqrt(3);
    (void)state;
    assert_true(stats_interval95(values, 3, &low, &high));
    close_to(log(low), -half, 1e-4);
    close_to(log(high), half, 1e-4);
    assert_true(stats_interval95(same, 4, &low, &high));
    close_to(low, 2, 1e-12);
    close_to(high, 2, 1e-12);
    assert_false(stats_interval95(values, 1, &low, &high));
    assert_false(stats_interval95(bad, 2, &low, &high));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_median), cmocka_unit_test(test_t_quantiles),
                                       cmocka_unit_test(test_interval)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
