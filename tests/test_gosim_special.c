/* gosim's finalizers, cleanups, weak pointers and ephemerons. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/support/gosim_support.h"

/* --- finalizers, cleanups, weak pointers, ephemerons --- */

struct seen {
    int calls;
    void *last;
};
static struct seen *finalizer_sees; /* a finalizer is given its object and nothing else */
static void finalize(void *object) {
    finalizer_sees->calls++;
    finalizer_sees->last = object;
}
static void note(void *argument) {
    ++*(int *)argument;
}

static void test_finalizer_takes_two_cycles(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct seen seen = {0};
    finalizer_sees = &seen;
    struct node *held = new_node(g, NULL, NULL), *object = new_node(g, held, NULL);
    assert_true(gosim_set_finalizer(g, object, finalize));
    assert_false(gosim_set_finalizer(g, object, finalize));
    gosim_collect(g);
    assert_int_equal(seen.calls, 1);
    assert_ptr_equal(seen.last, object);
    assert_int_equal(objects(g), 2); /* revived for the call, with all it refers to */
    gosim_collect(g);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(objects(g), 0);
    /* In a cycle with itself the object is always reachable from what is kept for it: never finalized. */
    struct node *one = new_node(g, NULL, NULL), *two = new_node(g, one, NULL);
    gosim_store(g, &one->next, two);
    assert_true(gosim_set_finalizer(g, one, finalize));
    for (int i = 0; i < 4; i++) gosim_collect(g);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(objects(g), 2);
    assert_true(gosim_set_finalizer(g, one, NULL));
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

struct collecting {
    struct gosim *g;
    int calls;
};
static void collect_within(void *argument) {
    struct collecting *collecting = argument;
    collecting->calls++;
    gosim_collect(collecting->g);
}

/* A call that collects: what becomes due meanwhile runs after it, each once. */
static void test_collecting_in_a_call(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct collecting collecting = {.g = g};
    for (int i = 0; i < 20; i++)
        assert_true(gosim_add_cleanup(g, new_node(g, NULL, NULL), collect_within, &collecting) != 0);
    gosim_collect(g);
    assert_int_equal(collecting.calls, 20);
    assert_int_equal(gosim_run_due(g), 0);
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

static void test_cleanups(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct node *root = NULL;
    int ran = 0, stopped = 0;
    gosim_root(g, &root, "root");
    root = new_node(g, NULL, NULL);
    assert_true(gosim_add_cleanup(g, root, note, &ran) != 0);
    assert_true(gosim_add_cleanup(g, root, note, &ran) != 0);
    uint64_t id = gosim_add_cleanup(g, root, note, &stopped);
    assert_int_equal(gosim_add_cleanup(g, root, note, root), 0);
    assert_int_equal(objects(g), 1 + 3 * 2); /* a closure and the argument each */
    gosim_stop_cleanup(g, id);
    gosim_stop_cleanup(g, id);
    gosim_collect(g);
    assert_int_equal(ran, 0);
    /* A cycle does not matter to a cleanup. */
    gosim_store(g, &root->next, root);
    root = NULL;
    gosim_collect(g);
    assert_int_equal(ran, 2);
    assert_int_equal(stopped, 0);
    gosim_collect(g);
    assert_int_equal(ran, 2);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

static void test_weak(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct seen seen = {0};
    struct {
        struct node *object;
        struct gosim_weak *weak;
    } root = {0};
    finalizer_sees = &seen;
    gosim_root(g, &root.object, "object");
    gosim_root(g, &root.weak, "weak");
    root.object = new_node(g, NULL, NULL);
    root.weak = gosim_weak_make(g, root.object);
    assert_ptr_equal(gosim_weak_make(g, root.object), root.weak);
    assert_null(gosim_weak_make(g, &root.object->id));
    assert_int_equal(objects(g), 2);
    gosim_collect(g);
    assert_ptr_equal(gosim_weak_value(g, root.weak), root.object);
    gosim_set_finalizer(g, root.object, finalize);
    root.object = NULL;
    gosim_collect(g);
    assert_int_equal(seen.calls, 1);
    assert_null(
        gosim_weak_value(g, root.weak)); /* before the finalizer ran, though the object still exists */
    assert_int_equal(objects(g), 2);
    gosim_collect(g);
    assert_int_equal(objects(g), 1);
    root.weak = NULL;
    gosim_collect(g);
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    /* Freed by hand. */
    root.object = new_node(g, NULL, NULL);
    root.weak = gosim_weak_make(g, root.object);
    gosim_free(g, root.object);
    root.object = NULL;
    assert_null(gosim_weak_value(g, root.weak));
    gosim_close(g);
}

/* Values that refer to their own keys die with them; a chain of pairs is followed to its end. */
static void test_ephemerons(void **state) {
    (void)state;
    enum { CHAIN = 200000 };
    struct gosim *g = open_heap(false);
    struct node *key = NULL;
    gosim_root(g, &key, "key");
    key = new_node(g, NULL, NULL);
    gosim_ephemeron(g, key, new_node(g, key, NULL));
    gosim_collect(g);
    assert_int_equal(objects(g), 2);
    key = NULL;
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    struct node *last = key = new_node(g, NULL, NULL);
    for (size_t i = 0; i < CHAIN; i++) {
        struct node *value = new_node(g, last, NULL);
        assert_true(gosim_ephemeron(g, last, value));
        last = value;
    }
    gosim_collect(g);
    assert_int_equal(objects(g), CHAIN + 1);
    assert_true(stats_of(g).mark_ns < 2000000000u); /* linear: a quadratic one takes minutes */
    key = NULL;
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finalizer_takes_two_cycles),
        cmocka_unit_test(test_collecting_in_a_call),
        cmocka_unit_test(test_cleanups),
        cmocka_unit_test(test_weak),
        cmocka_unit_test(test_ephemerons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
