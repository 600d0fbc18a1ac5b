/* gosim's slices, whose first elements are on the stack since Go 1.25, against what releases answered. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/gosim_answers.h"

static const struct gosim_type int_type = {.name = "int", .size = 8};

static void test_append(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    for (size_t i = rows_of("append", found, 13); i-- > 0;)
        for (int c = 0; c < COLUMNS; c++) {
            struct gosim *g = open_release(release_of[c]);
            uint64_t n = (uint64_t)found[i]->number[1];
            bool bytes = strcmp(found[i]->name, "bytes") == 0;
            for (size_t k = 0; k < MANY; k++) { /* two slices of one int share a block */
                struct gosim_slice slice;
                assert_true(
                    gosim_slice_begin(g, &slice, bytes ? &byte_type : &int_type, found[i]->number[0] != 0));
                for (uint64_t value = 0; value < n; value++) assert_true(gosim_append(g, &slice, &value));
                if (slice.leaves) assert_true(gosim_slice_leave(g, &slice));
                for (uint64_t value = 0; value < n; value++)
                    assert_int_equal(bytes ? ((uint8_t *)slice.data)[value] : ((uint64_t *)slice.data)[value],
                                     value);
                gosim_slice_end(g, &slice);
            }
            struct gosim_stats stats = stats_of(g);
            assert_int_equal(stats.total_alloc, found[i]->number[2 + 2 * c] * MANY);
            assert_int_equal(stats.mallocs, found[i]->number[3 + 2 * c] * MANY);
            gosim_close(g);
        }
}

/* Of pointers, what is on the stack holds what it points to. */
static void test_slices_are_roots(void **state) {
    (void)state;
    for (int c = 0; c < COLUMNS; c++) {
        struct gosim *g = open_heap_of(release_of[c], true);
        struct gosim_slice slice;
        assert_true(gosim_slice_begin(g, &slice, &pointer_type, true));
        for (int i = 0; i < 20; i++) {
            struct node *node = new_node(g, NULL, NULL);
            assert_true(gosim_append(g, &slice, &node));
            gosim_collect(g);
            assert_int_equal(objects(g), (uint64_t)(i + 1) + (slice.data != slice.stack));
        }
        assert_true(gosim_slice_leave(g, &slice));
        gosim_collect(g);
        assert_int_equal(objects(g), 21);
        gosim_slice_end(g, &slice);
        gosim_collect(g);
        assert_int_equal(objects(g), 0);
        gosim_close(g);
    }
}

static void test_make_on_the_stack(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    for (size_t i = rows_of("make", found, 4); i-- > 0;)
        for (int c = 0; c < COLUMNS; c++) {
            struct gosim *g = open_release(release_of[c]);
            struct gosim_slice slice;
            assert_true(gosim_slice_begin(g, &slice, &byte_type, false));
            assert_true(gosim_slice_make(g, &slice, (size_t)found[i]->number[0]));
            assert_int_equal(stats_of(g).total_alloc, found[i]->number[1 + 2 * c]);
            assert_int_equal(stats_of(g).mallocs, found[i]->number[2 + 2 * c]);
            gosim_slice_end(g, &slice);
            gosim_close(g);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append),
        cmocka_unit_test(test_slices_are_roots),
        cmocka_unit_test(test_make_on_the_stack),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
