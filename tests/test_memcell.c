/* Memory cells: measured by the mapbench beside this test's folder, in children, and held against what must
 * be true. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/memory/memcell.h"
#include "harness/plan/registry.h"
#include "tests/support/ready_unit.h"

enum { SLACK_BYTES = 256 * 1024 }; /* glibc keeps up to 128 KiB at the top of its heap; pages are rounded */

static const char *mapbench(char *path) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 16);
    assert_true(length > 0);
    path[length] = '\0';
    strcpy(strrchr(path, '/'), "/../mapbench");
    if (access(path, X_OK) != 0) fail_msg("%s is not built: run make build", path);
    return path;
}

static json_t *measure_on(const char *heap, const char *map, const char *shape, const char *keys, size_t n,
                          const char *workload, unsigned limit_s, struct why *why) {
    char path[PATH_MAX];
    const struct map_unit *unit = ready_unit(map, shape, "common", heap);
    assert_non_null(unit);
    struct memcell_args args = {
        .unit = unit, .keys_spec = keys, .n = n, .seed = 7, .workload = workload, .limit_s = limit_s};
    return memcell_measure(&args, mapbench(path), why);
}

static json_t *measure(const char *map, const char *shape, const char *keys, size_t n, const char *workload,
                       unsigned limit_s, struct why *why) {
    return measure_on("malloc", map, shape, keys, n, workload, limit_s, why);
}

static json_t *measured(const char *map, const char *shape, const char *keys, size_t n,
                        const char *workload) {
    struct why why = {""};
    json_t *cell = measure(map, shape, keys, n, workload, 60, &why);
    if (!cell) fail_msg("%s %s %s %zu: %s", map, shape, keys, n, why.text);
    return cell;
}

static int64_t number(const json_t *cell, const char *name) {
    const json_t *value = json_object_get(cell, name);
    if (!json_is_integer(value)) fail_msg("%s is not an integer", name);
    return json_integer_value(value);
}

static int64_t column(const json_t *curve, size_t i, size_t which) {
    return json_integer_value(json_array_get(json_array_get(curve, i), which));
}

/* Ends of the curve, its order, and the 16 sizes an octave. `garbage`: points may hold some, bytes_live does
 * not. */
static void check_curve(const json_t *cell, size_t n, bool garbage) {
    const json_t *curve = json_object_get(cell, "curve");
    size_t points = json_array_size(curve), at = 0;
    assert_true(points >= 1);
    assert_int_equal(column(curve, 0, 0), 1);
    assert_int_equal(column(curve, points - 1, 0), n);
    if (garbage)
        assert_true(column(curve, points - 1, 1) >= number(cell, "bytes_live"));
    else
        assert_int_equal(column(curve, points - 1, 1), number(cell, "bytes_live"));
    for (size_t i = 1; i < points; i++) assert_true(column(curve, i, 0) > column(curve, i - 1, 0));
    for (uint64_t base = 16; base <= n; base *= 2)
        for (uint64_t step = 0; step < 16 && base + step * base / 16 <= n; step++) {
            while (at < points && (uint64_t)column(curve, at, 0) < base + step * base / 16) at++;
            assert_true(at < points);
            assert_int_equal(column(curve, at, 0), base + step * base / 16);
        }
}

/* bytes_per_entry, peak, resident peak and the octave against the curve. */
static void check_totals(const json_t *cell, size_t n, bool garbage) {
    const json_t *curve = json_object_get(cell, "curve"), *octave = json_object_get(cell, "octave");
    double least = json_number_value(json_object_get(octave, "min")),
           most = json_number_value(json_object_get(octave, "max"));
    double mean = json_number_value(json_object_get(octave, "mean"));
    double per_entry = json_number_value(json_object_get(cell, "bytes_per_entry"));
    assert_true(fabs(per_entry * (double)n - (double)number(cell, "bytes_live")) < 0.5);
    assert_true(least <= mean && mean <= most && per_entry <= most);
    assert_true(garbage || least <= per_entry);
    for (size_t i = 0; i < json_array_size(curve); i++) {
        double entries = (double)column(curve, i, 0), bytes = (double)column(curve, i, 1);
        assert_true(number(cell, "bytes_peak") >= column(curve, i, 1));
        assert_true(number(cell, "rss_peak_delta") >= column(curve, i, 2));
        if (entries > (double)(n / 2))
            assert_true(bytes / entries > least - 1e-6 && bytes / entries < most + 1e-6);
    }
}

static json_t *collected(const char *map, size_t n, const char *workload) {
    struct why why = {""};
    json_t *cell = measure_on("gosim", map, "u64_u64", "uniform", n, workload, 60, &why);
    if (!cell) fail_msg("%s on gosim, %zu entries: %s", map, n, why.text);
    check_curve(cell, n, true);
    check_totals(cell, n, true);
    return cell;
}

/* A map of arrays: growth is a jump between two neighbouring sizes, never hidden in a longer stretch. */
static void test_linear(void **state) {
    (void)state;
    enum { N = 50000 };
    json_t *cell = measured("linear", "u64_u64", "uniform", N, "put_grow"),
           *curve = json_object_get(cell, "curve");
    check_curve(cell, N, false);
    check_totals(cell, N, false);
    size_t jumps = 0;
    for (size_t i = 1; i < json_array_size(curve); i++) {
        if (column(curve, i, 1) == column(curve, i - 1, 1)) continue;
        jumps++;
        assert_int_equal(column(curve, i, 0), column(curve, i - 1, 0) + 1);
        assert_true(column(curve, i, 1) > column(curve, i - 1, 1));
    }
    assert_in_range(jumps, 8, 20); /* doublings from a few entries to 50,000 */
    assert_true(number(cell, "bytes_live") >= N * 16);
    assert_true(number(cell, "bytes_peak") >
                number(cell, "bytes_live")); /* the old array is there until the new one is filled */
    assert_int_equal(number(cell, "blocks_live"), 2);
    json_decref(cell);
}

/* Growth at sizes that are no regular points: libstdc++'s bucket counts are primes. Every stretch in which
 * bytes grow by more than the nodes is one entry long. A node may get up to 16 bytes more than it asked for,
 * when it is the rest of a freed block. */
static void test_growth_at_odd_sizes(void **state) {
    (void)state;
    enum { N = 50000, REST_BYTES = 16 };
    json_t *cell = measured("std_umap", "u64_u64", "uniform", N, "put_grow"),
           *curve = json_object_get(cell, "curve");
    int64_t node_bytes = column(curve, 2, 1) - column(curve, 1, 1);
    size_t changes = 0;
    assert_in_range(node_bytes, 24, 64);
    for (size_t i = 3; i < json_array_size(curve); i++) {
        int64_t entries = column(curve, i, 0) - column(curve, i - 1, 0);
        int64_t bytes = column(curve, i, 1) - column(curve, i - 1, 1);
        if (bytes <= entries * (node_bytes + REST_BYTES)) continue;
        changes++;
        assert_int_equal(entries, 1);
    }
    assert_in_range(changes, 8, 20);
    json_decref(cell);
}

/* A map of nodes: one block an entry. What is resident is what was allocated, within pages and allocator
 * slack. */
static void test_chained(void **state) {
    (void)state;
    enum { N = 200000 };
    json_t *cell = measured("chained", "u64_u64", "uniform", N, "put_grow");
    check_curve(cell, N, false);
    check_totals(cell, N, false);
    assert_in_range(number(cell, "blocks_live"), N + 1, N + 4);
    assert_in_range(number(cell, "allocations"), N + 1, N + 60);
    int64_t live = number(cell, "bytes_live"), rss = number(cell, "rss_delta");
    assert_true(rss > live - live / 20 - SLACK_BYTES && rss < live + live / 20 + SLACK_BYTES);
    json_decref(cell);
}

/* The map that holds nothing shows what the harness adds: nothing, not even the text of string keys. */
static void test_floor(void **state) {
    (void)state;
    static const char *const shapes[] = {"u64_u64", "str_u64"};
    for (size_t i = 0; i < 2; i++) {
        json_t *cell = measured("null", shapes[i], "uniform", 300000, "put_grow");
        assert_in_range(number(cell, "bytes_live"), 1, 256);
        assert_int_equal(number(cell, "blocks_live"), 1);
        assert_in_range(number(cell, "rss_delta") + 65536, 0, 2 * 65536);
        assert_in_range(number(cell, "rss_peak_delta") + 65536, 0, 65536 + SLACK_BYTES);
        json_decref(cell);
    }
}

static void test_repeats_to_the_byte(void **state) {
    (void)state;
    static const char *const counted[] = {"bytes_live", "bytes_peak", "blocks_live", "allocations"};
    json_t *first = measured("linear", "str_u64", "sequential", 3000, "put_grow");
    /* Another library preloaded already must stay, behind the counter. */
    setenv("LD_PRELOAD", "libm.so.6", 1);
    json_t *second = measured("linear", "str_u64", "sequential", 3000, "put_grow");
    unsetenv("LD_PRELOAD");
    for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
        assert_int_equal(number(first, counted[i]), number(second, counted[i]));
    json_decref(first);
    json_decref(second);
}

/* Maps of 1..64 entries, 32.5 on average: two blocks a map and one an entry. */
static void test_small_maps(void **state) {
    (void)state;
    enum { N = 20000 };
    json_t *cell = measured("chained", "u64_u64", "uniform", N, "small_put");
    check_curve(cell, N, false);
    check_totals(cell, N, false);
    assert_in_range(number(cell, "blocks_live"), N + 2 * N / 40, N + 2 * N / 26);
    json_decref(cell);
}

static void test_tiny(void **state) {
    (void)state;
    for (size_t n = 1; n <= 3; n++) {
        json_t *cell = measured("chained", "u64_u64", "uniform", n, "put_grow");
        check_curve(cell, n, false);
        check_totals(cell, n, false);
        json_decref(cell);
    }
}

/* On the collecting heap what is dead does not count: a node of 24 bytes an entry, 2^15 buckets, the map. Nor
 * do the old arrays, except in the peak. */
static void test_collecting_heap(void **state) {
    (void)state;
    enum { N = 20000, BUCKET_BYTES = 8 << 15, MAP_BYTES = 256 };
    json_t *cell = collected("chained", N, "put_grow");
    assert_int_equal(number(cell, "blocks_live"), N + 2);
    assert_in_range(number(cell, "bytes_live"), N * 24 + BUCKET_BYTES, N * 24 + BUCKET_BYTES + MAP_BYTES);
    assert_in_range(number(cell, "requested_bytes"), N * 24 + BUCKET_BYTES, number(cell, "bytes_live"));
    json_t *again = collected("chained", N, "put_grow");
    assert_true(json_equal(json_object_get(cell, "octave"), json_object_get(again, "octave")));
    assert_int_equal(number(cell, "bytes_peak"), number(again, "bytes_peak"));
    json_decref(cell);
    json_decref(again);

    cell = collected("linear", N, "put_grow");
    assert_int_equal(number(cell, "blocks_live"), 2);
    assert_in_range(number(cell, "bytes_peak"), number(cell, "bytes_live") * 3 / 2 - MAP_BYTES,
                    number(cell, "bytes_live") * 2);
    json_decref(cell);

    cell = collected("chained", N, "small_put");
    assert_in_range(number(cell, "blocks_live"), N + 2 * N / 40, N + 2 * N / 26);
    json_decref(cell);
    cell = collected("null", 3000, "put_grow");
    assert_int_equal(number(cell, "blocks_live"), 1);
    assert_in_range(number(cell, "bytes_live"), 1, 64);
    json_decref(cell);
}

static void expect_why(const char *map, const char *keys, size_t n, const char *workload, unsigned limit_s,
                       const char *expected) {
    struct why why = {""};
    json_t *cell = measure(map, "u64_u64", keys, n, workload, limit_s, &why);
    assert_null(cell);
    if (!strstr(why.text, expected)) fail_msg("\"%s\" lacks \"%s\"", why.text, expected);
}

static void test_reasons(void **state) {
    (void)state;
    struct why why = {""};
    expect_why("linear", "no-such-stream", 1000, "put_grow", 60, "no-such-stream");
    expect_why("linear", "uniform", 1000, "scan", 60, "use put_grow or small_put");
    expect_why("linear", "uniform", 0, "put_grow", 60, "number of entries is 0");
    expect_why("chained", "uniform", 2000000000, "put_grow", 1,
               "the child that counted bytes took longer than 1 s and was stopped after ");
    struct memcell_args args = {.unit = ready_unit("linear", "u64_u64", "common", "malloc"),
                                .keys_spec = "uniform",
                                .n = 10,
                                .seed = 1,
                                .workload = "put_grow"};
    assert_null(memcell_measure(&args, "/no/such/mapbench", &why));
    assert_string_equal(why.text, "memory cannot be measured: /no/such/mapbench: No such file or directory");
}

/* The children inherit an address-space limit that their map outgrows. */
static void test_out_of_memory(void **state) {
    (void)state;
    struct rlimit before, tight;
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    tight = before;
    tight.rlim_cur = 300u << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    expect_why("linear", "uniform", 20000000, "put_grow", 60, "out of memory after ");
    const struct map_unit *glib = ready_unit("ghash", "u64_u64", "common", "malloc");
    if (glib && !glib->unavailable) /* a library that ends the process instead of saying no */
        expect_why("ghash", "uniform", 20000000, "put_grow", 60, "was ended by SIG");
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
}

static void test_refused_in_sanitizer_build(void **state) {
    (void)state;
    expect_why("linear", "uniform", 1000, "put_grow", 60, "sanitizer build");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_growth_at_odd_sizes),
        cmocka_unit_test(test_chained),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_repeats_to_the_byte),
        cmocka_unit_test(test_small_maps),
        cmocka_unit_test(test_tiny),
        cmocka_unit_test(test_collecting_heap),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_out_of_memory),
    };
    const struct CMUnitTest sanitized_tests[] = {cmocka_unit_test(test_refused_in_sanitizer_build)};
#ifdef MAPBENCH_SANITIZED
    (void)tests;
    return cmocka_run_group_tests(sanitized_tests, NULL, NULL);
#else
    (void)sanitized_tests;
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
