/* gosim by release of Go, against what four of them answered (tests/fixtures/go/answers.txt). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim/sizeclass.h"
#include "tests/support/gosim_answers.h"

/* --- spans --- */

static uint64_t pages_of(struct gosim *g, size_t size, bool pointers, size_t n) {
    const struct gosim_type type = {
        .name = "T", .size = size, .pointer = pointers ? at_0 : NULL, .pointers = pointers};
    uint64_t before = stats_of(g).heap_inuse;
    for (size_t i = 0; i < n; i++) assert_non_null(gosim_new(g, &type, 1));
    return stats_of(g).heap_inuse - before;
}

/* HeapInuse of many objects: Go found places for up to two pages of them in spans that it had. */
static bool spans_fit(const struct row *row, int release, double recorded) {
    struct gosim *g = open_release(release);
    /* Pointer-free objects of 8 bytes share blocks of 16. */
    double got = (double)pages_of(g, row->number[0] == 8 ? 16 : (size_t)row->number[0], false,
                                  (size_t)(row->number[1] / (row->number[0] == 8 ? 2 : 1)));
    gosim_close(g);
    double most = recorded * 1.01 > recorded + 16384 ? recorded * 1.01 : recorded + 16384;
    return got >= recorded * 0.99 && got <= most;
}

static void test_heap_inuse(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    size_t told_apart = 0;
    for (size_t i = rows_of("spans", found, 10); i-- > 0;) {
        const double *recorded = found[i]->number + 2;
        for (int c = 0; c < COLUMNS; c++)
            if (!spans_fit(found[i], release_of[c], recorded[c]))
                fail_msg("%g objects of %g bytes in Go %d", found[i]->number[1], found[i]->number[0],
                         release_of[c]);
        /* The rules of one release are wrong for another's record. */
        told_apart += !spans_fit(found[i], 124, recorded[3]) && !spans_fit(found[i], 127, recorded[0]);
    }
    assert_true(told_apart >= 3);
}

static void test_objects_of_a_span(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    for (size_t i = rows_of("per_span", found, 10); i-- > 0;) {
        size_t size = (size_t)found[i]->number[0];
        for (int c = 0; c < COLUMNS; c++)
            for (int scan = 0; scan < 2; scan++) {
                size_t expected = (size_t)found[i]->number[1 + scan * COLUMNS + c];
                if (size == 8 && !scan) continue; /* shares the spans of 16 */
                struct gosim *g = open_release(release_of[c]);
                assert_int_equal(pages_of(g, size, scan, 3 * expected), 3 * 8192);
                assert_int_equal(pages_of(g, size, scan, 1), 8192);
                gosim_close(g);
            }
    }
    /* Before 1.22 there was no bitmap in a span. */
    struct gosim *g = open_release(121);
    assert_int_equal(pages_of(g, 64, true, 128), 8192);
    gosim_close(g);
}

/* A release that the table lacks follows the next one that it has; one that is newer than all, and none, the
 * newest. */
static void test_other_releases(void **state) {
    (void)state;
    static const struct {
        int release;
        size_t channel, in_span; /* of objects of 512 bytes */
    } expected[] = {{121, 112, 16}, {122, 112, 16}, {123, 112, 16}, {125, 128, 16},
                    {126, 128, 15}, {128, 128, 15}, {0, 128, 15}};
    const struct gosim_type element = {.name = "int", .size = 8};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        struct gosim *g = open_release(expected[i].release);
        assert_non_null(gosim_make_channel(g, &element, 1));
        assert_int_equal(stats_of(g).heap_alloc, expected[i].channel);
        assert_int_equal(pages_of(g, 512, false, expected[i].in_span), 8192);
        assert_int_equal(pages_of(g, 512, false, 1), 8192);
        gosim_close(g);
    }
    assert_int_equal(gosim_releases[0], 123);
    assert_int_equal(gosim_releases[gosim_release_count - 1], 127);
}

/* In a whole program the runtime has small spans already, and room in them. */
static void test_in_program(void **state) {
    (void)state;
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .in_program = true});
    assert_non_null(g);
    assert_true(stats_of(g).heap_inuse > 0);
    assert_int_equal(stats_of(g).heap_alloc, 0);
    assert_int_equal(pages_of(g, 48, true, 165), 0);
    assert_int_equal(pages_of(g, 48, true, 1), 8192);
    assert_non_null(gosim_new(g, &pointer_type, 64)); /* 512 bytes: a span of its own */
    uint64_t before = stats_of(g).heap_inuse;
    gosim_collect(g); /* nothing of ours is left; the runtime's is */
    assert_int_equal(before - stats_of(g).heap_inuse, 2 * 8192);
    gosim_close(g);
}

/* --- what things cost --- */

static void ignored(void *argument) {
    (void)argument;
}
static void ignored_closure(void *captured, void *argument) {
    (void)captured, (void)argument;
}

static void **held; /* a root that everything hangs on */

static void hold_on(struct gosim *g, size_t i, void *object) {
    assert_non_null(object);
    gosim_store(g, &held[i], object);
}

static const struct gosim_type int_type = {.name = "int", .size = 8};
static const struct gosim_type four_type = {.name = "[4]uint64", .size = 32};
static const struct gosim_type empty_type = {.name = "struct{}"};

static void cleanup_of(struct gosim *g, size_t i, const struct gosim_type *type, bool closure) {
    static const uint64_t argument[4] = {1, 2, 3, 4};
    struct gosim_closure *function = closure ? gosim_closure_make(g, ignored_closure, NULL) : NULL;
    assert_true(gosim_add_cleanup_of(g, held[i], ignored, function, type, argument) != 0);
}

static void make_one(struct gosim *g, const char *what, size_t i) {
    if (strcmp(what, "cleanup_int") == 0) {
        cleanup_of(g, i, &int_type, false);
    } else if (strcmp(what, "cleanup_pointer") == 0) {
        assert_true(gosim_add_cleanup(g, held[i], ignored, held[(i + 1) % MANY]) != 0);
    } else if (strcmp(what, "cleanup_closure") == 0) {
        cleanup_of(g, i, &int_type, true);
    } else if (strcmp(what, "cleanup_empty") == 0) {
        cleanup_of(g, i, NULL, false);
    } else if (strcmp(what, "cleanup_array") == 0) {
        cleanup_of(g, i, &four_type, false);
    } else if (strcmp(what, "finalizer") == 0) {
        assert_true(gosim_set_finalizer(g, held[i], ignored));
    } else if (strcmp(what, "finalizer_closure") == 0) {
        assert_true(gosim_set_finalizer_closure(g, held[i], gosim_closure_make(g, ignored_closure, NULL)));
    } else if (strncmp(what, "weak", 4) == 0) {
        hold_on(g, MANY + i, gosim_weak_make(g, held[i]));
        if (strcmp(what, "weak_twice") == 0) assert_ptr_equal(gosim_weak_make(g, held[i]), held[MANY + i]);
    } else if (strcmp(what, "new_timer") == 0) {
        hold_on(g, MANY + i, gosim_new_timer(g, 1000));
    } else if (strcmp(what, "make_chan_int") == 0) {
        hold_on(g, MANY + i, gosim_make_channel(g, &int_type, 1));
    } else if (strcmp(what, "make_chan_string") == 0) {
        hold_on(g, MANY + i, gosim_make_channel(g, &string_type, 1));
    } else if (strcmp(what, "make_chan_empty") == 0) {
        hold_on(g, MANY + i, gosim_make_channel(g, &empty_type, 4));
    } else if (strcmp(what, "goroutine") == 0) {
        assert_non_null(gosim_go(g, "waits", 0));
    } else if (strcmp(what, "blocked") == 0) {
        assert_true(gosim_receive(g, gosim_go(g, "waits", 0), held[2 * MANY]));
    } else if (strcmp(what, "after_func") == 0) {
        assert_non_null(gosim_after_func(g, 1000, ignored, NULL));
    } else {
        fail_msg("cost %s?", what);
    }
}

struct cost {
    double bytes, objects, mallocs;
};

/* What a slice of the scheduler takes once MANY elements were appended to it. */
static struct cost slice_of(size_t elem_bytes) {
    size_t capacity = 0;
    struct cost cost = {0, 1, 0};
    for (; capacity < MANY; cost.mallocs++) capacity = gs_grown_capacity(capacity, elem_bytes, false, true);
    cost.bytes = (double)gs_booked_bytes(capacity * elem_bytes, false, true);
    return cost;
}

/* The cost of one of MANY after a collection that everything survives, without the slice that the scheduler
 * has them in. */
static struct cost cost_of(const char *what, int release) {
    struct gosim *g = open_release(release);
    gosim_root(g, &held, "held");
    held = gosim_new(g, &pointer_type, 2 * MANY + 1);
    for (size_t i = 0; i < MANY; i++) hold_on(g, i, gosim_new(g, &words_type, 8));
    hold_on(g, 2 * MANY, gosim_make_channel(g, &empty_type, 0));
    gosim_collect(g);
    struct gosim_stats before = stats_of(g);
    for (size_t i = 0; i < MANY; i++) make_one(g, what, i);
    uint64_t mallocs = stats_of(g).mallocs;
    gosim_collect(g);
    struct gosim_stats after = stats_of(g);
    struct cost slice = {0};
    if (strcmp(what, "goroutine") == 0 || strcmp(what, "blocked") == 0) slice = slice_of(8);
    if (strcmp(what, "after_func") == 0) slice = slice_of(16);
    gosim_close(g);
    return (struct cost){((double)(after.heap_alloc - before.heap_alloc) - slice.bytes) / MANY,
                         ((double)(after.heap_objects - before.heap_objects) - slice.objects) / MANY,
                         ((double)(mallocs - before.mallocs) - slice.mallocs) / MANY};
}

static void test_costs(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    for (size_t i = rows_of("cost", found, 16); i-- > 0;)
        for (int c = 0; c < COLUMNS; c++) {
            const double *expected = found[i]->number + 3 * c;
            struct cost cost = cost_of(found[i]->name, release_of[c]);
            if (cost.bytes != expected[0] || cost.objects != expected[1] || cost.mallocs != expected[2])
                fail_msg("%s in Go %d: %g bytes, %g objects, %g mallocs, expected %g, %g, %g", found[i]->name,
                         release_of[c], cost.bytes, cost.objects, cost.mallocs, expected[0], expected[1],
                         expected[2]);
        }
}

/* The handle of a weak pointer outlives its object as long as somebody has it. */
static void test_weak_handles(void **state) {
    (void)state;
    const struct row *found[ROWS_MAX];
    rows_of("weak_dead", found, 1);
    for (int c = 0; c < COLUMNS; c++) {
        struct gosim *g = open_release(release_of[c]);
        gosim_root(g, &held, "held");
        held = gosim_new(g, &pointer_type, 2 * MANY);
        uint64_t base = stats_of(g).heap_alloc;
        for (size_t i = 0; i < MANY; i++) {
            hold_on(g, i, gosim_new(g, &words_type, 8));
            hold_on(g, MANY + i, gosim_weak_make(g, held[i]));
        }
        gosim_collect(g);
        assert_int_equal((stats_of(g).heap_alloc - base) / MANY, found[0]->number[2 * c]);
        for (size_t i = 0; i < MANY; i++) gosim_store(g, &held[i], NULL);
        gosim_collect(g);
        assert_int_equal((stats_of(g).heap_alloc - base) / MANY, found[0]->number[2 * c + 1]);
        assert_null(gosim_weak_value(g, held[MANY]));
        gosim_close(g);
    }
}

/* --- what functions are given --- */

struct told {
    int calls;
    uint64_t argument;
    void *captured, *object;
};
static struct told told;
static void tell_number(void *argument) {
    told.calls++;
    told.argument = *(uint64_t *)argument;
}
static void tell_captured(void *captured, void *argument) {
    told.calls++;
    told.captured = captured;
    told.object = argument;
}

static void test_functions_get_their_arguments(void **state) {
    (void)state;
    for (int c = 0; c < COLUMNS; c++) {
        struct gosim *g = open_heap_of(release_of[c], true);
        uint64_t number = 42;
        struct node *object = new_node(g, NULL, NULL), *captured = new_node(g, NULL, NULL);
        captured->id = 7;
        told = (struct told){0};
        assert_true(gosim_add_cleanup_of(g, object, tell_number, NULL, &int_type, &number) != 0);
        number = 0; /* it was copied */
        gosim_collect(g);
        assert_int_equal(told.calls, 1);
        assert_int_equal(told.argument, 42);
        gosim_collect(g);
        assert_int_equal(objects(g), 0);
        /* A closure keeps what it captures until it has been called. */
        object = new_node(g, NULL, NULL), captured = new_node(g, NULL, NULL);
        captured->id = 7;
        gosim_hold(g);
        struct gosim_closure *closure = gosim_closure_make(g, tell_captured, captured);
        assert_true(gosim_set_finalizer_closure(g, object, closure));
        gosim_root(g, &object, "object");
        gosim_release(g);
        gosim_collect(g);
        assert_int_equal(objects(g), 3);
        gosim_unroot(g, &object);
        gosim_collect(g);
        assert_int_equal(told.calls, 2);
        assert_ptr_equal(told.captured, captured);
        assert_int_equal(((struct node *)told.captured)->id, 7);
        assert_ptr_equal(told.object, object);
        gosim_collect(g);
        assert_int_equal(objects(g), 0);
        /* A cleanup that is stopped lets everything go. */
        object = new_node(g, NULL, NULL);
        gosim_root(g, &object, "object");
        closure = gosim_closure_make(g, tell_captured, NULL);
        gosim_stop_cleanup(g, gosim_add_cleanup_of(g, object, ignored, closure, &int_type, &number));
        stats_of(g); /* ends the tiny block that the number may be in */
        gosim_collect(g);
        assert_int_equal(objects(g), 1);
        assert_null(gosim_verify(g));
        gosim_close(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap_inuse),
        cmocka_unit_test(test_objects_of_a_span),
        cmocka_unit_test(test_other_releases),
        cmocka_unit_test(test_in_program),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_weak_handles),
        cmocka_unit_test(test_functions_get_their_arguments),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
