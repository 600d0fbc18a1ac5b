/* Sizes and names as people type them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "harness/base/names.h"
#include "harness/base/sizes.h"

static struct why why;

static struct sizes parsed(const char *text) {
    struct sizes s;
    if (!sizes_parse(text, &s, &why)) fail_msg("%s is refused: %s", text, why.text);
    return s;
}

static void refused(const char *text, const char *reason) {
    struct sizes s;
    why.text[0] = '\0';
    assert_false(sizes_parse(text, &s, &why));
    if (!strstr(why.text, reason)) fail_msg("%s is refused with '%s', not '%s'", text, why.text, reason);
}

static void test_numbers(void **state) {
    (void)state;
    struct sizes s = parsed("1, 64k,1m ,2g,1000");
    const size_t expected[] = {1, 65536, 1u << 20, 2ul << 30, 1000};
    assert_int_equal(s.count, 5);
    assert_memory_equal(s.n, expected, sizeof expected);
    assert_int_equal(parsed("7,7,7").count, 1);
    assert_true(parsed("all").n[0] == SIZE_ALL);
}

static void test_sweeps(void **state) {
    (void)state;
    struct sizes s = parsed("1k..1m*4");
    assert_int_equal(s.count, 6);
    assert_int_equal(s.n[0], 1024);
    assert_int_equal(s.n[5], 1u << 20);
    /* The upper end is measured even where the steps miss it. */
    s = parsed("10..100*3");
    const size_t expected[] = {10, 30, 90, 100};
    assert_int_equal(s.count, 4);
    assert_memory_equal(s.n, expected, sizeof expected);
    assert_int_equal(parsed("5..5").count, 1);
}

static void test_octave(void **state) {
    (void)state;
    struct sizes s = parsed("octave:1m");
    assert_int_equal(s.count, 8);
    assert_int_equal(s.n[7], 1u << 20);
    for (size_t i = 1; i < 8; i++) {
        double ratio = (double)s.n[i] / (double)s.n[i - 1];
        assert_true(ratio > 1.0904 && ratio < 1.0906); /* 2^(1/8) */
    }
    assert_true(s.n[0] > 512u << 10);
}

static void test_refusals(void **state) {
    (void)state;
    refused("0", "measures nothing");
    refused("-3", "negative");
    refused("", "no size");
    refused("1x", "not a number");
    refused("k", "not a number");
    refused("99999999999999999999", "too large");
    refused("999999999g", "too large");
    refused("2k..1k", "backwards");
    refused("1..9*1", "factor");
    refused("1..9*x", "factor");
    refused("1..2*1.0000000000000002", "factor"); /* would never end */
    refused("octave:15", "eight different sizes");
    refused("1..1m*1.01", "more than 256");
}

static void test_text(void **state) {
    char text[24];
    (void)state;
    assert_string_equal(size_text(1000, text), "1000");
    assert_string_equal(size_text(1024, text), "1k");
    assert_string_equal(size_text(3u << 20, text), "3m");
    assert_string_equal(size_text(1536, text), "1536");
    assert_string_equal(size_text(SIZE_ALL, text), "all");
}

static void test_nearest(void **state) {
    static const char *const names[] = {"linear", "robin_hood", "swiss_flat", "absl_flat"};
    (void)state;
    assert_string_equal(names_nearest("swis_flat", names, 4), "swiss_flat");
    assert_string_equal(names_nearest("robin", names, 4), "robin_hood");
    assert_string_equal(names_nearest("linaer", names, 4), "linear");
    assert_null(names_nearest("zzzzzzzz", names, 4));
    char longer[200];
    memset(longer, 'z', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(names_nearest(longer, names, 4));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),  cmocka_unit_test(test_sweeps), cmocka_unit_test(test_octave),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_text),   cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
