#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "harness/unit/recorder.h"

static struct recorder *recorder_new(size_t capacity) {
    struct recorder *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->capacity = capacity;
    return r;
}

/* Capacity doubles at operations 3, 7 and 15, and shrinks at 20. */
static void test_growth_events(void **state) {
    static const struct growth_event wanted[] = {
        {3, 103, 4, 8}, {7, 107, 8, 16}, {15, 115, 16, 32}, {20, 120, 32, 16}};
    struct recorder *r = recorder_new(4);
    (void)state;
    for (uint64_t op = 0; op < 30; op++)
        recorder_add(r, 100 + op, op < 3 ? 4 : op < 7 ? 8 : op < 15 ? 16 : op < 20 ? 32 : 16);
    assert_int_equal(r->op, 30);
    assert_int_equal(r->hist.total, 30);
    assert_int_equal(r->hist.max, 129);
    assert_int_equal(r->capacity, 16);
    assert_int_equal(r->n_events, sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < r->n_events; i++) {
        assert_int_equal(r->event[i].op, wanted[i].op);
        assert_int_equal(r->event[i].ticks, wanted[i].ticks);
        assert_int_equal(r->event[i].old_capacity, wanted[i].old_capacity);
        assert_int_equal(r->event[i].new_capacity, wanted[i].new_capacity);
    }
    free(r);
}

static void test_no_event_without_change(void **state) {
    struct recorder *r = recorder_new(64);
    (void)state;
    for (int i = 0; i < 1000; i++) recorder_add(r, 1, 64);
    assert_int_equal(r->n_events, 0);
    assert_int_equal(r->op, 1000);
    free(r);
}

/* More events than there is room for: the first ones are kept, all are counted. */
static void test_more_events_than_room(void **state) {
    struct recorder *r = recorder_new(0);
    const size_t events = RECORDER_EVENTS_MAX + 1000;
    (void)state;
    for (size_t i = 1; i <= events; i++) recorder_add(r, 7, i);
    assert_int_equal(r->n_events, events);
    assert_int_equal(r->capacity, events);
    assert_int_equal(r->event[RECORDER_EVENTS_MAX - 1].new_capacity, RECORDER_EVENTS_MAX);
    assert_int_equal(r->hist.total, events);
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth_events),
        cmocka_unit_test(test_no_event_without_change),
        cmocka_unit_test(test_more_events_than_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
