/* Rates as --rate names them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/plan/rate.h"

static void test_what_is_taken(void **state) {
    struct rates rates;
    struct why why;
    (void)state;
    assert_true(rates_parse("closed, 50%,same:12.5%,250k/s,2m/s,7/s,50%", &rates, &why));
    static const double per_s[] = {0, 500, 12.5, 250e3, 2e6, 7};
    assert_int_equal(rates.count, 6); /* what is asked for twice is measured once */
    for (size_t i = 0; i < rates.count; i++) assert_true(rate_per_s(&rates.rate[i], 1000, 100) == per_s[i]);
    assert_int_equal(rates.rate[0].kind, RATE_CLOSED);
    assert_string_equal(rates.rate[2].text, "same:12.5%");
}

static void test_what_is_refused(void **state) {
    static const char *const wrong[] = {"",
                                        ",",
                                        "fast",
                                        "50",
                                        "50 %",
                                        "0%",
                                        "-5%",
                                        "401%",
                                        "nan%",
                                        "inf%",
                                        "0x10%",
                                        "%",
                                        "same:",
                                        "same:2m/s",
                                        "same:closed",
                                        "2m",
                                        "2g/s",
                                        "1001m/s",
                                        "1e99/s",
                                        "/s",
                                        "50%%",
                                        "1%,oops",
                                        "1%,2%,3%,4%,5%,6%,7%,8%,9%",
                                        "0.00000000000000000000000000000000000001%"};
    struct rates rates;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct why why = {""};
        if (rates_parse(wrong[i], &rates, &why)) fail_msg("'%s' was taken", wrong[i]);
        assert_non_null(strstr(why.text, "--rate"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_taken),
                                       cmocka_unit_test(test_what_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
