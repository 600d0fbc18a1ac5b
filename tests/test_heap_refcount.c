/* The refcount heap: when an object goes and when it has to wait, and maps that leave nothing behind. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "harness/heaps/fault.h"
#include "harness/plan/registry.h"
#include "harness/selftest/parts.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef MAPBENCH_FAULTS
#define MAPBENCH_FAULTS
#endif
#define UNIT_SYMBOL unit_on_refcount
#define UNIT_MAP "chained"
#define UNIT_MAP_FILE "maps/chained.h"
#define UNIT_SHAPE_FILE "harness/shapes/u64_u64.h"
#define UNIT_HEAP_FILE "harness/heaps/refcount.h"
#define UNIT_HASH "common"
#define UNIT_HASH_common
#include "harness/unit/map_unit.c"

struct link {
    struct link *next;
    uint64_t number;
};

static struct refcount_stats stats(void) {
    struct refcount_stats now;
    refcount_stats(&now);
    return now;
}

static void expect(uint64_t objects, uint64_t waiting) {
    assert_int_equal(stats().objects, objects);
    assert_int_equal(stats().waiting, waiting);
}

static void test_waits_for_the_last_reference(void **state) {
    (void)state;
    struct link *holder = refcount_new(sizeof *holder), *held = refcount_new(sizeof *held);
    refcount_store(&holder->next, held);
    assert_int_equal(refcount_of(held), 1);
    refcount_store(&holder->next, held); /* the same again: one slot, one reference */
    assert_int_equal(refcount_of(held), 1);
    held->number = 7;
    refcount_free(held);
    expect(2, 1);
    assert_int_equal(stats().waiting_bytes, sizeof *held);
    assert_int_equal(holder->next->number, 7);
    refcount_store(&holder->next, NULL);
    expect(1, 0);
    refcount_free(holder);
    expect(0, 0);
}

static void test_drop(void **state) {
    (void)state;
    struct link *holder = refcount_new(sizeof *holder), *held = refcount_new(sizeof *held);
    refcount_store(&holder->next, held);
    holder->number = 99; /* no object's address: left alone */
    refcount_free(held);
    refcount_drop(holder, sizeof *holder);
    assert_null(holder->next);
    assert_int_equal(holder->number, 99);
    refcount_free(holder);
    expect(0, 0);
}

/* Its own references go with an object, however long the chain. */
static void test_long_chain(void **state) {
    (void)state;
    enum { LENGTH = 1000000 };
    struct link *first = NULL;
    for (size_t i = 0; i < LENGTH; i++) {
        struct link *link = refcount_new(sizeof *link);
        refcount_store(&link->next, first);
        if (first) refcount_free(first);
        first = link;
    }
    expect(LENGTH, LENGTH - 1);
    refcount_free(first);
    expect(0, 0);
}

static void test_ring_stays(void **state) {
    (void)state;
    struct link *a = refcount_new(sizeof *a), *b = refcount_new(sizeof *b);
    refcount_store(&a->next, b);
    refcount_store(&b->next, a);
    refcount_free(a);
    refcount_free(b);
    expect(2, 2);
    refcount_store(&a->next, NULL); /* broken by hand */
    expect(0, 0);
}

/* A number that equals an address never frees what is owned; addresses inside an object and outside the heap
 * are none. */
static void test_what_is_no_reference(void **state) {
    (void)state;
    uint64_t outside[4] = {0};
    struct link *numbers = refcount_new(sizeof *numbers), *object = refcount_new(4 * sizeof *object);
    numbers->number = (uintptr_t)object;
    refcount_free(numbers);
    assert_int_equal(refcount_of(object), 0);
    expect(1, 0);
    object[0].number = 5;
    struct link *holder = refcount_new(sizeof *holder);
    refcount_store(&holder->next, object + 1);
    refcount_store(&holder->next, outside);
    refcount_store(&holder->next, (void *)(UINTPTR_MAX - 15));
    assert_int_equal(refcount_of(outside), 0);
    refcount_free(holder);
    assert_int_equal(object[0].number, 5);
    refcount_free(object);
    refcount_free(NULL);
    expect(0, 0);
    assert_null(refcount_new(SIZE_MAX));
    assert_null(refcount_new(PTRDIFF_MAX));
}

static uint64_t failures(void) {
    return fault_count();
}

static void test_map_is_right(void **state) {
    (void)state;
    struct selftest_options options = {
        .seed = 5, .operations = 20000, .fail_after = fault_after, .failures = failures};
    struct why why = {""};
    if (!selftest_unit(&unit_on_refcount, &options, &why)) fail_msg("%s", why.text);
    expect(0, 0);
}

/* While a map lives, an object for itself, its buckets and each entry, and none that waits. */
static void test_map_holds_what_it_needs(void **state) {
    (void)state;
    enum { KEYS = 5000 };
    const struct map_ops *op = &unit_on_refcount.op;
    void *map = op->create(NULL, 0);
    for (uint64_t key = 0; key < KEYS; key++) assert_true(op->put(map, &key, &key));
    expect(KEYS + 2, 0);
    for (uint64_t key = 0; key < KEYS; key += 2) assert_true(op->del(map, &key));
    expect(KEYS / 2 + 2, 0);
    op->clear(map);
    expect(2, 0);
    op->destroy(map);
    expect(0, 0);
}

/* Every map that is compiled for this heap: while it grows and shrinks nothing it gives up has to wait, and
 * it leaves nothing behind. */
static void test_maps_of_the_build(void **state) {
    (void)state;
    enum { KEYS = 5000 };
    size_t units = 0;
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        struct selftest_keys keys;
        if (strcmp(unit->heap, "refcount") != 0 || registry_prepare(&unit, 1) > 0) continue;
        selftest_keys_make(&keys, shape_find(unit->shape), SELFTEST_KEYS_RANDOM, KEYS, 3);
        struct run_args args = {.keys = keys.stored, .n = KEYS}, half = {.keys = keys.asked, .n = KEYS / 2};
        void *map = unit->op.create(unit->own_heap, 0);
        unit->run.put(map, &args);
        if (stats().waiting) fail_msg("%s/%s: objects wait after growth", unit->map, unit->shape);
        unit->run.del(map, &half);
        void *copy = unit->op.copy(map);
        unit->op.clear(map);
        if (stats().waiting) fail_msg("%s/%s: objects wait after clear", unit->map, unit->shape);
        unit->op.destroy(map);
        unit->op.destroy(copy);
        if (stats().objects) fail_msg("%s/%s: objects are left", unit->map, unit->shape);
        selftest_keys_free(&keys);
        units++;
    }
    assert_in_range(units, 16, 64);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_for_the_last_reference),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_ring_stays),
        cmocka_unit_test(test_what_is_no_reference),
        cmocka_unit_test(test_map_is_right),
        cmocka_unit_test(test_map_holds_what_it_needs),
        cmocka_unit_test(test_maps_of_the_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
