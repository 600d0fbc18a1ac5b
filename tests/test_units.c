/* Every unit of the build against the model, its loops against their checksums, its allocations failing one
 * by one. test_units [FILTER [SEED [OPERATIONS]]]
 * Processor time: at most 900 s. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/base/exit.h"
#include "harness/plan/registry.h"
#include "harness/selftest/selftest.h"

struct request {
    const char *filter;
    uint64_t seed;
    size_t operations;
};

static void test_registry(void **state) {
    const char *fault = registry_validate();
    (void)state;
    if (fault) fail_msg("%s", fault);
}

static void test_all_units(void **state) {
    const struct request *request = *state;
    int status = selftest_run(request->filter, request->seed, request->operations, true);
#ifdef MAPBENCH_SANITIZED
    /* Some compilers cannot build a library's adapter with a sanitizer: tests/run_all.sh names those. */
    if (status == EXIT_CANNOT) status = EXIT_OK;
#endif
    assert_int_equal(status, EXIT_OK);
}

static void test_filter_that_matches_nothing(void **state) {
    (void)state;
    assert_int_equal(selftest_run("no-such-map/", 1, 100, false), 6);
    assert_int_equal(selftest_run("(", 1, 100, false), 2);
}

static void test_unavailable_units_fail(void **state) {
    const struct map_unit unit = {.map = "ghost", .unavailable = "no header"};
    struct selftest_options options = selftest_options_make(1, 100);
    struct why why = {""};
    (void)state;
    assert_false(selftest_unit(&unit, &options, &why));
    assert_string_equal(why.text, "unavailable: no header");
}

int main(int argc, char **argv) {
    selftest_preload(argv);
    struct request request = {.filter = argc > 1 ? argv[1] : NULL,
                              .seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20240229,
                              .operations = argc > 3 ? strtoull(argv[3], NULL, 0) : 30000};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),
        cmocka_unit_test_prestate(test_all_units, &request),
        cmocka_unit_test(test_filter_that_matches_nothing),
        cmocka_unit_test(test_unavailable_units_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
