#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "harness/base/hist.h"
#include "harness/base/rng.h"

static const uint64_t range_end = UINT64_C(1) << HIST_MAX_BITS;

static struct hist *hist_new(void) {
    struct hist *h = calloc(1, sizeof *h);
    assert_non_null(h);
    return h;
}

/* Every bucket's edges fall where hist_bucket says, and the next bucket begins where it ends. */
static void test_bounds_invert_buckets(void **state) {
    (void)state;
    assert_int_equal(hist_bucket_low(0), 0);
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        uint64_t low = hist_bucket_low(i), high = hist_bucket_high(i);
        assert_true(low < high);
        assert_int_equal(hist_bucket(low), i);
        assert_int_equal(hist_bucket(high - 1), i);
        if (i + 1 < HIST_BUCKETS) assert_int_equal(high, hist_bucket_low(i + 1));
    }
    assert_true(hist_bucket_high(HIST_BUCKETS - 1) == range_end);
}

static void test_resolution(void **state) {
    (void)state;
    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        uint64_t low = hist_bucket_low(i), width = hist_bucket_high(i) - low;
        assert_true(width == 1 || (double)width / (double)low <= 1.0 / (1 << HIST_SUB_BITS));
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Durations over ten powers of two, as a latency distribution with a tail has them. */
static uint64_t spread_value(uint64_t *rng) {
    return (uint64_t)exp2(4 + 20 * pow(rng_unit(rng), 3));
}

static void test_quantiles_against_sorted(void **state) {
    static const double shares[] = {0, 0.0001, 0.07, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1};
    (void)state;
    for (size_t n = 1; n <= 100000; n = n * 10 + 3) {
        struct hist *h = hist_new();
        uint64_t *value = calloc(n, sizeof *value), rng = n;
        assert_non_null(value);
        for (size_t i = 0; i < n; i++) hist_add(h, value[i] = spread_value(&rng));
        qsort(value, n, sizeof *value, compare);
        assert_true(h->max == value[n - 1]);
        for (size_t s = 0; s < sizeof shares / sizeof shares[0]; s++) {
            /* The rank in whole numbers: the shares are multiples of 1/10000. */
            uint64_t parts = (uint64_t)llround(shares[s] * 10000), rank = (parts * n + 9999) / 10000;
            uint64_t exact = value[rank ? rank - 1 : 0], got = hist_quantile(h, shares[s]);
            assert_true(got >= exact);
            assert_true(got < hist_bucket_high(hist_bucket(exact)));
            assert_true(got <= h->max);
        }
        free(value);
        free(h);
    }
}

/* Every rank of 1 to 100, where 0.07 * 100 is a hair above 7 in binary. */
static void test_whole_ranks(void **state) {
    struct hist *h = hist_new();
    (void)state;
    /* One value a bucket, so that the quantile names the rank. */
    for (unsigned i = 0; i < 100; i++) hist_add(h, hist_bucket_low(100 + i));
    for (unsigned percent = 1; percent <= 100; percent++)
        assert_int_equal(hist_bucket(hist_quantile(h, percent / 100.0)), 100 + percent - 1);
    free(h);
}

static void test_out_of_range_is_counted_above(void **state) {
    struct hist *h = hist_new();
    (void)state;
    hist_add(h, range_end - 1);
    assert_int_equal(h->above, 0);
    hist_add(h, range_end);
    hist_add(h, UINT64_MAX);
    assert_int_equal(h->above, 2);
    assert_int_equal(h->total, 3);
    assert_int_equal(h->count[HIST_BUCKETS - 1], 1);
    assert_true(h->max == UINT64_MAX);
    assert_true(hist_quantile(h, 0.3) == range_end - 1);
    assert_true(hist_quantile(h, 0.9) == UINT64_MAX);
    free(h);
}

static void test_empty(void **state) {
    struct hist *h = hist_new();
    (void)state;
    assert_int_equal(hist_quantile(h, 0.5), 0);
    hist_add(h, 17);
    hist_clear(h);
    assert_int_equal(h->total, 0);
    assert_int_equal(h->max, 0);
    assert_int_equal(hist_quantile(h, 1), 0);
    free(h);
}

/* Two halves merged equal the whole. */
static void test_merge(void **state) {
    struct hist *whole = hist_new(), *half[2] = {hist_new(), hist_new()};
    uint64_t rng = 5;
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        uint64_t value = i % 1000 == 0 ? range_end + i : spread_value(&rng);
        hist_add(whole, value);
        hist_add(half[rng_below(&rng, 2)], value);
    }
    hist_merge(half[0], half[1]);
    assert_memory_equal(half[0], whole, sizeof *whole);
    free(whole);
    free(half[0]);
    free(half[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_invert_buckets),
        cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_quantiles_against_sorted),
        cmocka_unit_test(test_whole_ranks),
        cmocka_unit_test(test_out_of_range_is_counted_above),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
