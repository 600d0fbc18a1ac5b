/* Finalizers, cleanups, weak pointers and ephemerons on the boehm heap: what runs after which collection,
 * what is held and for how long, and that everything is gone, to the object, when it should be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/boehm_special.h"

#if __has_include(<gc/gc.h>)

enum { OBJECTS = 1000, OBJECT_BYTES = 1000, COLLECTIONS = 3 };

struct object {
    struct object *to, *and_to;
    size_t *calls; /* outside the heap */
    char data[OBJECT_BYTES];
};

/* What the program holds: outside the heap, a root while a test runs. */
struct held {
    struct object *object[OBJECTS];
};
static struct held held;
static size_t calls;

static struct boehm_live base, now;

static void count_call(void *unused) {
    (void)unused;
    calls++;
}

static struct object *new_object(struct object *to) {
    struct object *o = boehm_new(BOEHM_SCANNED, 1, sizeof *o);
    assert_non_null(o);
    o->to = to;
    return o;
}

/* The collector's tables are as large as they get before a test counts: they never shrink. */
static void grow_tables(void *unused) {
    (void)unused;
    for (size_t i = 0; i < 4 * OBJECTS; i++) {
        struct object *o = boehm_new(BOEHM_SCANNED, 1, sizeof(void *));
        assert_true(boehm_set_finalizer(o, BOEHM_UNORDERED, count_call) && boehm_weak_make(o));
    }
}

static int set_up(void **state) {
    (void)state;
    boehm_start();
    memset(&held, 0, sizeof held);
    boehm_root(&held, sizeof held);
    if (!boehm_thread(grow_tables, NULL)) return 1;
    for (size_t i = 0; i < COLLECTIONS; i++)
        if (!boehm_collect_and_run()) return 1;
    boehm_live(&base, NULL, NULL);
    calls = 0;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    boehm_unroot(&held, sizeof held);
    return 0;
}

static uint64_t objects_after_collection(void) {
    assert_true(boehm_collect_and_run());
    boehm_live(&now, NULL, NULL);
    return now.objects - base.objects;
}

/* The program lets go, on the test's own thread, which has never seen an address. */
static void drop(void) {
    memset(held.object, 0, sizeof held.object);
}

static void nothing_is_left(void) {
    assert_int_equal(objects_after_collection(), 0);
    assert_int_equal(now.bytes, base.bytes);
}

/* A call for each; its object goes with the collection after. */
static void make_finalized(void *unused) {
    (void)unused;
    for (size_t i = 0; i < OBJECTS; i++)
        assert_true(boehm_set_finalizer(held.object[i] = new_object(NULL), BOEHM_ORDERED, count_call));
}

static void test_finalizer(void **state) {
    (void)state;
    assert_true(boehm_thread(make_finalized, NULL));
    assert_in_range(objects_after_collection(), OBJECTS, 2 * OBJECTS);
    assert_int_equal(calls, 0);
    drop();
    assert_in_range(objects_after_collection(), OBJECTS, 2 * OBJECTS);
    assert_int_equal(calls, OBJECTS);
    nothing_is_left();
    assert_int_equal(calls, OBJECTS);
}

/* The holder first; what it holds a collection later. */
static void make_ordered(void *unused) {
    (void)unused;
    struct object *inner = new_object(NULL), *outer = new_object(inner);
    assert_true(boehm_set_finalizer(inner, BOEHM_ORDERED, count_call));
    assert_true(boehm_set_finalizer(outer, BOEHM_ORDERED, count_call));
}

static void test_order(void **state) {
    (void)state;
    assert_true(boehm_thread(make_ordered, NULL));
    for (size_t i = 1; i <= 2; i++) {
        objects_after_collection();
        assert_int_equal(calls, i);
    }
    nothing_is_left();
}

static void make_cycles(void *order) {
    for (size_t i = 0; i < OBJECTS; i++) {
        struct object *o = new_object(NULL);
        o->to = new_object(o);
        assert_true(boehm_set_finalizer(o, *(enum boehm_order *)order, count_call));
    }
}

static void test_cycle_without_order(void **state) {
    (void)state;
    enum boehm_order order = BOEHM_UNORDERED;
    assert_true(boehm_thread(make_cycles, &order));
    objects_after_collection();
    assert_int_equal(calls, OBJECTS);
    nothing_is_left();
}

/* Last of all tests, for what it makes never goes. */
static void test_cycle_with_order(void **state) {
    (void)state;
    enum boehm_order order = BOEHM_ORDERED;
    assert_true(boehm_thread(make_cycles, &order));
    for (size_t i = 0; i < COLLECTIONS; i++) assert_int_equal(objects_after_collection(), 3 * OBJECTS);
    assert_int_equal(calls, 0);
}

/* --- cleanups --- */

static void count_held(void *argument) {
    ++*((struct object *)argument)->calls;
}

static void make_cleaned(void *unused) {
    (void)unused;
    for (size_t i = 0; i < OBJECTS; i++) {
        struct object *argument = new_object(NULL);
        argument->calls = &calls;
        assert_true(boehm_add_cleanup(held.object[i] = new_object(NULL), count_held, argument));
    }
}

struct search {
    uintptr_t hidden;
    bool found;
};
static void look_for(void *opaque, const void *object, size_t bytes) {
    struct search *search = opaque;
    (void)bytes;
    search->found |= (uintptr_t)object == ~search->hidden;
}

/* The argument is kept for the call, and the object gone by then. */
static void test_cleanup(void **state) {
    (void)state;
    assert_true(boehm_thread(make_cleaned, NULL));
    objects_after_collection();
    assert_int_equal(calls, 0);
    struct search search = {.hidden = ~(uintptr_t)held.object[0]};
    boehm_live(&now, look_for, &search);
    assert_true(search.found);
    drop();
    boehm_collect_once();
    search.found = false;
    boehm_live(&now, look_for, &search);
    assert_false(search.found);
    assert_int_equal(calls, 0);
    assert_true(boehm_collect_and_run());
    assert_int_equal(calls, OBJECTS);
    nothing_is_left();
}

static void make_half(void *unused) {
    (void)unused;
    make_cleaned(NULL);
    for (size_t i = 0; i < OBJECTS; i += 2) held.object[i] = NULL;
}

/* Those that are not due stay in the list. */
static void test_cleanup_of_some(void **state) {
    (void)state;
    assert_true(boehm_thread(make_half, NULL));
    objects_after_collection();
    assert_int_equal(calls, OBJECTS / 2);
    drop();
    objects_after_collection();
    assert_int_equal(calls, OBJECTS);
    nothing_is_left();
}

/* --- weak pointers --- */

static struct boehm_weak *weak_at(size_t i) {
    return (struct boehm_weak *)held.object[i];
}

static void make_weak(void *unused) {
    (void)unused;
    held.object[0] = new_object(NULL);
    held.object[1] = (struct object *)boehm_weak_make(held.object[0]);
    held.object[2] = (struct object *)boehm_weak_make(new_object(NULL));
    assert_ptr_not_equal(boehm_weak_value(weak_at(2)), NULL);
}

static void test_weak(void **state) {
    (void)state;
    assert_true(boehm_thread(make_weak, NULL));
    objects_after_collection();
    assert_true(boehm_weak_value(weak_at(1)) == held.object[0]);
    assert_null(boehm_weak_value(weak_at(2)));
    held.object[0] = NULL;
    objects_after_collection();
    assert_null(boehm_weak_value(weak_at(1)));
    drop();
    nothing_is_left();
}

/* --- ephemerons --- */

enum { WEAK_FROM = OBJECTS / 2 };

/* Half the room is for the keys, half for weak pointers to the values, which lead back to their keys. */
static void make_ephemerons(void *unused) {
    (void)unused;
    for (size_t i = 0; i < WEAK_FROM; i++) {
        struct object *key = held.object[i] = new_object(NULL), *value = new_object(key);
        assert_true(boehm_ephemeron(key, value));
        held.object[WEAK_FROM + i] = (struct object *)boehm_weak_make(key);
    }
}

static size_t keys_alive(void) {
    size_t alive = 0;
    for (size_t i = WEAK_FROM; i < 2 * WEAK_FROM; i++) alive += boehm_weak_value(weak_at(i)) != NULL;
    return alive;
}

/* Values live as long as their keys, through as many collections as there are, and no longer. */
static void test_ephemeron(void **state) {
    (void)state;
    assert_true(boehm_thread(make_ephemerons, NULL));
    uint64_t with_all = objects_after_collection();
    for (size_t i = 0; i < COLLECTIONS; i++) assert_int_equal(objects_after_collection(), with_all);
    assert_true(with_all >= 5 * WEAK_FROM); /* key, value, two weak pointers, a finalizer */
    assert_int_equal(keys_alive(), WEAK_FROM);
    for (size_t i = 0; i < WEAK_FROM; i += 2) held.object[i] = NULL;
    objects_after_collection();
    assert_int_equal(keys_alive(), WEAK_FROM / 2);
    uint64_t with_half = objects_after_collection(); /* of the others only the weak pointers of this test */
    for (size_t i = 0; i < COLLECTIONS; i++) assert_int_equal(objects_after_collection(), with_half);
    assert_true(with_half < with_all * 2 / 3);
    drop();
    objects_after_collection();
    nothing_is_left();
}

/* The value of the first is the key of the second. */
static void make_chain(void *unused) {
    (void)unused;
    struct object *key = held.object[0] = new_object(NULL), *between = new_object(NULL);
    assert_true(boehm_ephemeron(key, between) && boehm_ephemeron(between, new_object(NULL)));
    held.object[1] = (struct object *)boehm_weak_make(between);
}

/* What it is not, as the header says: a collector with ephemerons would keep the second value. */
static void test_ephemeron_chain(void **state) {
    (void)state;
    assert_true(boehm_thread(make_chain, NULL));
    uint64_t with_all = objects_after_collection();
    assert_null(boehm_weak_value(weak_at(1)));
    assert_true(objects_after_collection() < with_all);
    drop();
    objects_after_collection();
    nothing_is_left();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finalizer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cycle_without_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cleanup, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cleanup_of_some, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_weak, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ephemeron, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ephemeron_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cycle_with_order, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    printf("%s\n", boehm_unavailable());
    return 77;
}

#endif
