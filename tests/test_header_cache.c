/* The program of the scenario header_cache: a message's map has every header under its own name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "harness/retention/scenarios/header_cache.c"
#include "harness/retention/story.h"
#include "harness/retention/units.h"

static void test_message_has_every_name(void **state) {
    struct case_plan plan = {.scenario = &scenario_header_cache,
                             .variant = scenario_header_cache.variant,
                             .unit = retention_unit("linear", "str_slice"),
                             .map = "linear",
                             .heap = CASE_GOSIM,
                             .n = 1,
                             .seed = 1};
    struct retention r;
    struct program_map header;
    (void)state;
    assert_non_null(plan.unit);
    assert_true(story_open(&r, &plan, stderr));
    for (size_t message = 0; message < 3; message++) {
        assert_true(read_message(&r, message, &header));
        assert_int_equal(program_len(&header), NAMES);
        for (size_t i = 0; i < NAMES; i++) {
            char name[24];
            struct str key = {name_of(i, name, sizeof name), strlen(name_of(i, name, sizeof name))};
            struct slice list = {0};
            assert_true(program_get(&header, &key, &list));
            assert_int_equal(list.len, 1);
            assert_int_equal(((struct str *)list.data)->len, TEXT_BYTES);
        }
        program_map_drop(&header);
    }
    story_close(&r);
    /* In a case the end of its process does this. */
    json_decref(r.extra), json_decref(r.events);
    gosim_close(r.gosim);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_message_has_every_name)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
