/* A unit's walk over go_hmap that ends early: the map must not go on keeping replaced arrays for it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define UNIT_SYMBOL go_hmap_walked
#define UNIT_MAP "go_hmap"
#define UNIT_MAP_FILE "maps/go/hmap.h"
#define UNIT_SHAPE_FILE "harness/shapes/u64_u64.h"
#define UNIT_HEAP_FILE "harness/heaps/malloc.h"
#define UNIT_HASH "native"
#define UNIT_HASH_native 1
#include "harness/unit/map_unit.c"

enum { ENTRIES = 1000 };

static struct map *filled(void) {
    struct map *map = map_create(NULL, 0);
    assert_non_null(map);
    for (uint64_t key = 0; key < ENTRIES; key++) assert_true(op_put(map, &key, &key));
    return map;
}

/* Grows the map and finishes the evacuation: without a walk, nothing of the old arrays is left. */
static void grow_once(struct map *map) {
    size_t capacity = map_capacity(map);
    uint64_t key = ENTRIES;
    for (; map_capacity(map) == capacity; key++) assert_true(op_put(map, &key, &key));
    for (; go_growing(map); key++) assert_true(op_put(map, &key, &key));
}

static bool visit_until(void *context, const void *key, const void *val) {
    size_t *left = (size_t *)context;
    (void)key;
    (void)val;
    return --*left > 0;
}

static void test_visits_that_stop_keep_nothing(void **state) {
    (void)state;
    for (size_t visits = 1; visits <= ENTRIES; visits += 333) {
        struct map *map = filled();
        size_t left = visits;
        go_hmap_walked.op.each(map, visit_until, &left);
        assert_int_equal(left, 0);
        assert_int_equal(map->walks, 0);
        grow_once(map);
        assert_null(map->retired);
        assert_null(go_hmap_walked.op.check(map));
        map_destroy(map);
    }
}

static void test_checks_that_fail_keep_nothing(void **state) {
    struct map *map = filled();
    (void)state;
    /* The key of the first slot becomes one that hashes elsewhere: a scan meets it, a lookup does not. */
    for (size_t n = 0; n <= go_mask(map->h.B); n++)
        if (map->h.buckets[n].top[0] >= GO_TOP_MIN) {
            map->h.buckets[n].key[0] = UINT64_MAX;
            break;
        }
    assert_non_null(go_hmap_walked.op.check(map));
    assert_int_equal(map->walks, 0);
    map_destroy(map);
}

static void test_an_open_walk_keeps_the_array(void **state) {
    struct map *map = filled();
    struct map_iter iter;
    (void)state;
    map_iter_start(map, &iter);
    grow_once(map);
    assert_non_null(map->retired); /* so the tests above would see what a walk left behind */
    map_iter_stop(&iter);
    assert_null(map->retired);
    map_destroy(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visits_that_stop_keep_nothing),
        cmocka_unit_test(test_checks_that_fail_keep_nothing),
        cmocka_unit_test(test_an_open_walk_keeps_the_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
