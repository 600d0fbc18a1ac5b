/* The boehm heap: only what roots lead to is kept, nothing of the library's own pins an object, and a map
 * that lives on it. Without libgc-dev: that it says so. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "harness/heaps/fault.h"
#include "harness/selftest/selftest.h"

#if __has_include(<gc/gc.h>)

#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef MAPBENCH_FAULTS
#define MAPBENCH_FAULTS
#endif
#define UNIT_SYMBOL unit_on_boehm
#define UNIT_MAP "chained"
#define UNIT_MAP_FILE "maps/chained.h"
#define UNIT_SHAPE_FILE "harness/shapes/u64_u64.h"
#define UNIT_HEAP_FILE "harness/heaps/boehm.h"
#define UNIT_HASH "common"
#define UNIT_HASH_common
#include "harness/unit/map_unit.c"

enum { OBJECTS = 10000, OBJECT_BYTES = 40 };

static struct boehm_live live_now(void) {
    struct boehm_live now;
    boehm_collect();
    boehm_live(&now, NULL, NULL);
    return now;
}

static void make_garbage(void *unused) {
    (void)unused;
    for (size_t i = 0; i < OBJECTS; i++) assert_non_null(boehm_new(BOEHM_SCANNED, 1, OBJECT_BYTES));
}

/* Not one object is left: libgc's own last_addr would hold one. */
static void test_no_root_no_object(void **state) {
    (void)state;
    struct boehm_live before = live_now();
    assert_true(boehm_thread(make_garbage, NULL));
    assert_int_equal(live_now().objects, before.objects);
    assert_int_equal(live_now().bytes, before.bytes);
}

static void make_list(void *root) {
    for (size_t i = 0; i < OBJECTS; i++) {
        void **object = boehm_new(BOEHM_SCANNED, 1, OBJECT_BYTES);
        assert_non_null(object);
        *object = *(void **)root;
        *(void **)root = object;
    }
}

static void visit_list(void *count, const void *object, size_t bytes) {
    (void)object;
    assert_true(bytes >= OBJECT_BYTES);
    ++*(size_t *)count;
}

static void test_root(void **state) {
    (void)state;
    static void *root;
    struct boehm_live before = live_now(), now;
    size_t seen = 0;
    boehm_root(&root, sizeof root);
    assert_true(boehm_thread(make_list, &root));
    now = live_now();
    assert_int_equal(now.objects - before.objects, OBJECTS);
    /* 40 and the byte libgc adds, rounded up; some come from a free list of the next size. */
    assert_in_range(now.bytes - before.bytes, OBJECTS * 48, OBJECTS * 50);
    boehm_live(&now, visit_list, &seen);
    assert_int_equal(seen, now.objects);
    boehm_unroot(&root, sizeof root);
    assert_int_equal(live_now().objects, before.objects);
    root = NULL;
}

/* An address in atomic memory holds nothing. */
static void make_hidden(void *root) {
    void **atomic = boehm_new(BOEHM_ATOMIC, 1, sizeof(void *));
    for (size_t i = 0; i < sizeof(void *); i++) assert_int_equal(((unsigned char *)atomic)[i], 0);
    *atomic = boehm_new(BOEHM_SCANNED, 1, OBJECT_BYTES);
    *(void **)root = atomic;
}

static void test_atomic(void **state) {
    (void)state;
    static void *root;
    struct boehm_live before = live_now();
    boehm_root(&root, sizeof root);
    assert_true(boehm_thread(make_hidden, &root));
    assert_int_equal(live_now().objects - before.objects, 1);
    boehm_unroot(&root, sizeof root);
    root = NULL;
    assert_null(boehm_new(BOEHM_SCANNED, SIZE_MAX / 2, 4));
}

enum { STRAY_OBJECTS = 512 };

static uint64_t failures(void) {
    return fault_count();
}

static void run_selftest(void *why) {
    struct selftest_options options = {.seed = 5,
                                       .operations = 20000,
                                       .fail_after = fault_after,
                                       .failures = failures,
                                       .heap_macros_only = true};
    selftest_unit(&unit_on_boehm, &options, why);
}

static void test_map_is_right(void **state) {
    (void)state;
    struct why why = {""};
    struct boehm_live before = live_now();
    assert_true(boehm_thread(run_selftest, &why));
    if (why.text[0]) fail_msg("%s", why.text);
    /* Every map's root went with it. The collector is conservative: a word somewhere that looks like an
     * address may hold a map or two; one that was leaked in each of the selftest's hundreds would be
     * thousands of objects. */
    assert_in_range(live_now().objects, before.objects, before.objects + STRAY_OBJECTS);
}

/* The map's own pointer lies in memory that is not scanned: the map is its own root. Deletes free nothing,
 * the next collection does. */
static void fill_map(void *map_slot) {
    uint64_t key;
    void *map = unit_on_boehm.op.create(NULL, 0);
    for (key = 0; key < OBJECTS; key++) assert_true(unit_on_boehm.op.put(map, &key, &key));
    for (key = 0; key < OBJECTS; key += 2) assert_true(unit_on_boehm.op.del(map, &key));
    *(uintptr_t *)map_slot = ~(uintptr_t)map;
}

static void test_map_is_a_root(void **state) {
    (void)state;
    uintptr_t hidden;
    struct boehm_live before = live_now();
    assert_true(boehm_thread(fill_map, &hidden));
    size_t wanted = OBJECTS / 2 + 2; /* strays of the test before may come and go */
    assert_in_range(live_now().objects - before.objects, wanted - STRAY_OBJECTS, wanted + STRAY_OBJECTS);
    assert_null(unit_on_boehm.op.check((void *)~hidden));
    unit_on_boehm.op.destroy((void *)~hidden);
    assert_in_range(live_now().objects, 0,
                    before.objects + STRAY_OBJECTS); /* check may have left an address on this stack */
}

__attribute__((noinline)) static void leave_a_stray(void *volatile *word) {
    static void *held;
    boehm_root(&held, sizeof held);
    assert_true(boehm_thread(make_hidden, &held));
    *word = held;
    boehm_unroot(&held, sizeof held);
    held = NULL;
}

__attribute__((noinline)) static void count_from_here(uint64_t *objects) {
    boehm_stack_begins(__builtin_frame_address(0));
    *objects = live_now().objects;
}

/* A word that looks like an address, as calls leave them behind in their frames: it holds the object until
 * the stack is said to begin below it. The last test: the stack stays cut. */
static void test_older_frames(void **state) {
    (void)state;
    void *volatile stray[8] = {0};
    uint64_t before = live_now().objects, cut;
    leave_a_stray(&stray[4]);
    assert_int_equal(live_now().objects, before + 1);
    count_from_here(&cut);
    assert_int_equal(cut, before);
    assert_non_null(stray[4]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_root_no_object),
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_atomic),
        cmocka_unit_test(test_map_is_right),
        cmocka_unit_test(test_map_is_a_root),
        cmocka_unit_test(test_older_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "harness/heaps/boehm_heap.h"

static void test_says_so(void **state) {
    (void)state;
    assert_non_null(strstr(boehm_unavailable(), "libgc-dev"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_says_so)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed) return failed;
    puts("libgc-dev is not installed: the boehm heap is not tested");
    return 77;
}

#endif
