/* The orders in which keys are touched: permutations, passes, misses, zipf and hot sets. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/keys/permute.h"
#include "harness/keys/zipf.h"
#include "tests/support/keys_support.h"

enum { SEED = 42 };

static uint64_t *draw(const struct keys *keys, struct keys_cursor *cursor, size_t count, unsigned hit_percent,
                      bool insertion_order) {
    uint64_t *index = malloc(count * sizeof *index);
    assert_non_null(index);
    for (size_t done = 0; done < count;) {
        size_t block = count - done < KEYS_BLOCK ? count - done : KEYS_BLOCK;
        keys_draw(keys, cursor, block, hit_percent, insertion_order, index + done);
        done += block;
    }
    return index;
}

/* --- permutations --- */

static void assert_permutation(uint64_t n, uint64_t seed) {
    struct permute p = permute_make(n, seed);
    uint8_t *seen = calloc(n, 1);
    assert_non_null(seen);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = permute_at(&p, i);
        if (at >= n || seen[at])
            fail_msg("n %llu, seed %llu: %llu", (unsigned long long)n, (unsigned long long)seed,
                     (unsigned long long)at);
        seen[at] = 1;
    }
    free(seen);
}

static void permute_is_one_to_one(void **state) {
    (void)state;
    static const uint64_t large[] = {65535, 65536, 65537, 131073, 1000003};
    for (uint64_t n = 1; n <= 700; n++)
        for (uint64_t seed = 0; seed < 3; seed++) assert_permutation(n, seed);
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) assert_permutation(large[i], SEED);
    struct permute huge = permute_make(UINT64_MAX, SEED);
    assert_true(permute_at(&huge, 0) != permute_at(&huge, 1));
}

/* Over many seeds each position is equally often first and equally often next to another. */
static void permute_positions_are_even(void **state) {
    (void)state;
    enum { N = 100, SEEDS = 200000 };
    static const uint64_t looked_at[] = {0, 1, 57, 99};
    for (size_t k = 0; k < sizeof looked_at / sizeof looked_at[0]; k++) {
        unsigned at[N] = {0}, step[N] = {0};
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            struct permute p = permute_make(N, seed);
            uint64_t here = permute_at(&p, looked_at[k]), next = permute_at(&p, (looked_at[k] + 1) % N);
            at[here]++;
            step[(next + N - here) % N]++;
        }
        double at_sum = 0, step_sum = 0;
        for (int i = 0; i < N; i++) {
            at_sum += pow(at[i] - (double)SEEDS / N, 2) / ((double)SEEDS / N);
            if (i > 0) step_sum += pow(step[i] - (double)SEEDS / (N - 1), 2) / ((double)SEEDS / (N - 1));
        }
        assert_true(at_sum < chi_square_bound(N - 1));
        assert_true(step_sum < chi_square_bound(N - 2));
        assert_int_equal(step[0], 0);
    }
}

/* --- passes --- */

/* Draws in blocks of odd sizes; each pass must hold every key once, in an order that no other pass has. */
static void each_pass_holds_every_key_once(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 7, 100, 5000, 40000};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s], total = 3 * n, block = 1;
        struct keys *keys = open_keys("sequential", "u64_u64", n, SEED);
        struct keys_cursor cursor;
        keys_cursor_init(&cursor, SEED);
        uint64_t *index = malloc(total * sizeof *index);
        uint8_t *seen = malloc(n);
        assert_non_null(index);
        assert_non_null(seen);
        for (size_t done = 0; done < total; done += block) {
            block = block * 3 % 4099 + 1;
            if (block > total - done) block = total - done;
            keys_draw(keys, &cursor, block, 100, false, index + done);
        }
        for (size_t pass = 0; pass < 3; pass++) {
            memset(seen, 0, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(index[pass * n + i] < n);
                assert_int_equal(seen[index[pass * n + i]]++, 0);
            }
        }
        if (n >= 100) {
            size_t in_place = 0, as_before = 0;
            for (size_t i = 0; i < n; i++) {
                in_place += index[i] == i;
                as_before += index[i] == index[n + i];
            }
            assert_true(in_place < 12); /* 1 expected whatever n is */
            assert_true(as_before < 12);
        }
        assert_int_equal(cursor.pass, 3);
        free(seen);
        free(index);
        keys_close(keys);
    }
}

static void pass_agrees_with_draw(void **state) {
    (void)state;
    enum { N = 10007 };
    struct keys *keys = open_keys("uniform", "u64_u64", N, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, 5);
    uint64_t *drawn = draw(keys, &cursor, 2 * N, 100, false), *passed = malloc(2 * N * sizeof *passed);
    assert_non_null(passed);
    for (uint64_t pass = 0; pass < 2; pass++) {
        keys_pass(keys, 5, pass, 0, 4000, passed + pass * N);
        keys_pass(keys, 5, pass, 4000, N - 4000, passed + pass * N + 4000);
    }
    assert_memory_equal(drawn, passed, 2 * N * sizeof *passed);
    free(passed);
    free(drawn);
    keys_close(keys);
}

static void insertion_order_ascends(void **state) {
    (void)state;
    static const char *const specs[] = {"uniform", "zipf", "hotset"};
    for (size_t s = 0; s < 3; s++) {
        struct keys *keys = open_keys(specs[s], "u64_u64", 1000, SEED);
        struct keys_cursor cursor;
        keys_cursor_init(&cursor, SEED);
        uint64_t *index = draw(keys, &cursor, 2500, 100, true);
        for (size_t i = 0; i < 2500; i++) assert_int_equal(index[i], i % 1000);
        free(index);
        keys_close(keys);
    }
}

static void a_seed_fixes_the_draws(void **state) {
    (void)state;
    enum { COUNT = 2000 };
    static const char *const specs[] = {"uniform", "zipf", "hotset"};
    for (size_t s = 0; s < 3; s++) {
        struct keys *keys = open_keys(specs[s], "u64_u64", 5000, SEED),
                    *again = open_keys(specs[s], "u64_u64", 5000, SEED);
        struct keys_cursor a, b, c;
        keys_cursor_init(&a, 1);
        keys_cursor_init(&b, 1);
        keys_cursor_init(&c, 2);
        uint64_t *x = draw(keys, &a, COUNT, 50, false), *y = draw(again, &b, COUNT, 50, false),
                 *z = draw(keys, &c, COUNT, 50, false);
        assert_memory_equal(x, y, COUNT * sizeof *x);
        assert_memory_not_equal(x, z, COUNT * sizeof *x);
        free(x);
        free(y);
        free(z);
        keys_close(keys);
        keys_close(again);
    }
}

/* --- misses --- */

static void hit_percent_is_kept(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    static const unsigned percents[] = {0, 25, 50, 75, 100};
    struct keys *keys = open_keys("uniform", "u64_u64", 1000, SEED);
    for (size_t p = 0; p < 5; p++) {
        struct keys_cursor cursor;
        keys_cursor_init(&cursor, SEED);
        uint64_t *index = draw(keys, &cursor, COUNT, percents[p], false);
        double hits = 0, share = percents[p] / 100.0, turns = 0;
        for (size_t i = 0; i < COUNT; i++) {
            hits += index[i] < 1000;
            turns += i > 0 && (index[i] < 1000) != (index[i - 1] < 1000);
        }
        assert_true(fabs(hits - COUNT * share) <= 5 * sqrt(COUNT * share * (1 - share)));
        double expected_turns = 2 * share * (1 - share) * (COUNT - 1); /* independent of each other */
        assert_true(fabs(turns - expected_turns) <= 5 * sqrt(expected_turns));
        free(index);
    }
    keys_close(keys);
}

/* Computed streams: every miss is new. Each window of n misses is a shuffled run of absent indices. */
static void misses_are_new(void **state) {
    (void)state;
    enum { N = 3000, COUNT = 10000 };
    struct keys *keys = open_keys("sequential", "u64_u64", N, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    uint64_t *index = draw(keys, &cursor, COUNT, 0, false);
    uint8_t seen[COUNT + N] = {0};
    size_t ascents = 0;
    for (size_t i = 0; i < COUNT; i++) {
        assert_in_range(index[i], N + i / N * N, N + (i / N + 1) * N - 1);
        assert_int_equal(seen[index[i] - N]++, 0);
        ascents += i > 0 && index[i] == index[i - 1] + 1;
    }
    assert_true(ascents < 20);
    free(index);
    keys_cursor_init(&cursor, SEED);
    index = draw(keys, &cursor, COUNT, 0, true);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(index[i], N + i);
    free(index);
    keys_close(keys);
}

/* A stream with an end: the absent keys come round, each as often as any other. */
static void misses_come_round_at_the_limit(void **state) {
    (void)state;
    struct keys *keys = open_keys("masked:0x3ff", "u64_u64", 300, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    enum { ABSENT = 1024 - 300 };
    uint64_t *index = draw(keys, &cursor, 5 * ABSENT, 0, false);
    unsigned times[1024] = {0};
    for (size_t i = 0; i < 5 * ABSENT; i++) {
        assert_in_range(index[i], 300, 1023);
        assert_int_equal(times[index[i]]++, i / ABSENT);
    }
    free(index);
    keys_close(keys);
}

/* A window of indices that slides past the limit goes on with the first keys. */
static void keys_begin_again_past_the_limit(void **state) {
    (void)state;
    struct keys *keys = open_keys("strided:3", "u32_u32", 100, SEED);
    uint32_t key[2];
    keys_store(keys, (uint64_t[]){5, keys_limit(keys) + 5}, 2, key);
    assert_int_equal(key[0], 15);
    assert_int_equal(key[1], 15);
    keys_close(keys);
}

/* --- distributions --- */

/* Draws against the probabilities k^-theta / sum; ranks too rare for the test are put together. */
static void assert_zipf(uint64_t n, double theta) {
    enum { DRAWS = 400000, RARE = 20 };
    struct zipf z = zipf_make(n, theta);
    uint64_t rng = SEED;
    unsigned *times = calloc(n + 1, sizeof *times);
    assert_non_null(times);
    for (size_t i = 0; i < DRAWS; i++) {
        uint64_t rank = zipf_draw(&z, &rng);
        assert_in_range(rank, 1, n);
        times[rank]++;
    }
    double sum = 0, chi_square = 0, expected = 0, seen = 0;
    for (uint64_t k = n; k >= 1; k--) sum += pow((double)k, -theta);
    size_t bins = 0;
    for (uint64_t k = 1; k <= n; k++) {
        expected += DRAWS * pow((double)k, -theta) / sum;
        seen += times[k];
        if (expected < RARE && k < n) continue;
        chi_square += (seen - expected) * (seen - expected) / expected;
        expected = seen = 0;
        bins++;
    }
    if (bins > 1 && chi_square > chi_square_bound((double)bins - 1))
        fail_msg("n %llu, theta %g: chi-square %g of %zu bins", (unsigned long long)n, theta, chi_square,
                 bins);
    free(times);
}

static void zipf_follows_its_law(void **state) {
    (void)state;
    static const uint64_t n[] = {1, 2, 3, 10, 1000, 300000};
    static const double theta[] = {0.01, 0.5, 0.99, 1, 1 + 1e-12, 1.5, 5};
    for (size_t i = 0; i < sizeof n / sizeof n[0]; i++)
        for (size_t t = 0; t < sizeof theta / sizeof theta[0]; t++) assert_zipf(n[i], theta[t]);
}

static int descending(const void *a, const void *b) {
    const unsigned *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

/* The popular keys are as popular as the law says, and lie anywhere in the order of insertion. */
static void zipf_keys_are_scattered(void **state) {
    (void)state;
    enum { N = 10000, DRAWS = 1000000, TOP = 100 };
    struct keys *keys = open_keys("zipf", "u64_u64", N, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    uint64_t *index = draw(keys, &cursor, DRAWS, 100, false);
    unsigned times[N] = {0};
    for (size_t i = 0; i < DRAWS; i++) times[index[i]]++;
    size_t popular_late = 0;
    double sum = 0;
    for (int k = 1; k <= N; k++) sum += pow(k, -0.99);
    for (size_t i = 0; i < N; i++) popular_late += i >= N / 2 && times[i] > DRAWS * pow(TOP, -0.99) / sum;
    assert_in_range(popular_late, 25, 75);
    qsort(times, N, sizeof *times, descending);
    for (int k = 1; k <= 10; k++) {
        double expected = DRAWS * pow(k, -0.99) / sum;
        assert_true(fabs(times[k - 1] - expected) < 5 * sqrt(expected));
    }
    free(index);
    keys_close(keys);
}

static void assert_hotset(const char *spec, size_t n, size_t hot, double share) {
    enum { DRAWS = 400000 };
    struct keys *keys = open_keys(spec, "u64_u64", n, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    uint64_t *index = draw(keys, &cursor, DRAWS, 100, false);
    unsigned *times = calloc(n, sizeof *times);
    assert_non_null(times);
    for (size_t i = 0; i < DRAWS; i++) times[index[i]]++;
    qsort(times, n, sizeof *times, descending);
    double hot_sum = 0, hot_mean = DRAWS * share / (double)hot,
           cold_mean = DRAWS * (1 - share) / (double)(n - hot);
    double hot_chi = 0, cold_chi = 0;
    for (size_t i = 0; i < n; i++) {
        if (i < hot) hot_sum += times[i];
        if (i < hot)
            hot_chi += pow(times[i] - hot_mean, 2) / hot_mean;
        else
            cold_chi += pow(times[i] - cold_mean, 2) / cold_mean;
    }
    assert_true(fabs(hot_sum - DRAWS * share) < 5 * sqrt(DRAWS * share * (1 - share)));
    if (hot > 1) assert_true(hot_chi < chi_square_bound((double)hot - 1));
    assert_true(cold_chi < chi_square_bound((double)(n - hot) - 1));
    free(times);
    free(index);
    keys_close(keys);
}

static void hotset_keeps_its_share(void **state) {
    (void)state;
    assert_hotset("hotset", 1000, 100, 0.9);
    assert_hotset("hotset:1:50", 2000, 20, 0.5);
    assert_hotset("hotset:0.001:30", 500, 1, 0.3); /* at least one key is hot */
    struct keys *keys = open_keys("hotset", "u64_u64", 1, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    uint64_t *index = draw(keys, &cursor, 100, 100, false);
    for (size_t i = 0; i < 100; i++) assert_int_equal(index[i], 0);
    free(index);
    keys_close(keys);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(permute_is_one_to_one),
        cmocka_unit_test(permute_positions_are_even),
        cmocka_unit_test(each_pass_holds_every_key_once),
        cmocka_unit_test(pass_agrees_with_draw),
        cmocka_unit_test(insertion_order_ascends),
        cmocka_unit_test(a_seed_fixes_the_draws),
        cmocka_unit_test(hit_percent_is_kept),
        cmocka_unit_test(misses_are_new),
        cmocka_unit_test(misses_come_round_at_the_limit),
        cmocka_unit_test(keys_begin_again_past_the_limit),
        cmocka_unit_test(zipf_follows_its_law),
        cmocka_unit_test(zipf_keys_are_scattered),
        cmocka_unit_test(hotset_keeps_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
