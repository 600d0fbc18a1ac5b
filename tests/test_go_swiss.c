/* go_swiss where the traces do not reach: what make(map, hint) allocates, iteration while the map changes,
 * concurrent access, running out of the seed. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "harness/shapes/u64_u64.h"
#include "maps/go/sizeclass.h"

#define UNIT_HASH_native 1
#define MAP_INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/swiss.h"

/* Bytes of a map as Go's statistics count them: Map, directory, tables, groups, each block rounded up. The
 * structure does not depend on the type, the groups' size does; they are scanned if they hold pointers. */
static size_t go_bytes(const struct map *map, size_t group_bytes, bool noscan, size_t *blocks) {
    size_t bytes = go_allocated_bytes(48, false);
    *blocks = 1;
    if (map->dir_len == 0) return bytes;
    bytes += go_allocated_bytes((size_t)map->dir_len * 8, false);
    for (int64_t i = 0; i < map->dir_len; i++)
        bytes += go_allocated_bytes(32, false) +
                 go_allocated_bytes((go_directory(map)[i]->length_mask + 1) * group_bytes, noscan);
    *blocks = 2 + 2 * (size_t)map->dir_len;
    return bytes;
}

static void check_hint(size_t hint, const char *type, size_t group_bytes, const size_t *expected) {
    struct map *map = map_create(NULL, hint);
    size_t blocks;
    bool noscan = strcmp(type, "uint64:uint64") == 0 || strcmp(type, "uint64:struct{}") == 0 ||
                  strcmp(type, "uint64:[128]byte") == 0;
    assert_non_null(map);
    assert_null(map_check(map));
    assert_int_equal(map->dir_len, expected[0]);
    assert_int_equal(map->dir_len ? go_directory(map)[0]->capacity : 0, expected[1]);
    assert_int_equal(map_capacity(map), expected[2]);
    size_t bytes = go_bytes(map, group_bytes, noscan, &blocks);
    /* The record has a foreign 16-byte block in a row here and there. */
    size_t foreign = expected[4] - blocks;
    assert_true(foreign <= 1);
    if (bytes + 16 * foreign != expected[3])
        fail_msg("%s, hint %zu: %zu bytes, Go %zu", type, hint, bytes, expected[3]);
    map_destroy(map);
}

static void test_hints(void **state) {
    FILE *file = fopen("tests/fixtures/go/hintmem_swiss.csv", "r");
    char line[256], type[64];
    size_t group_bytes, first, last, expected[5], rows = 0;
    (void)state;
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    for (; fgets(line, sizeof line, file); rows++) {
        assert_int_equal(sscanf(line, "%63[^,],%zu,%zu,%zu,%zu,%zu,%zu,%zu,%zu", type, &group_bytes, &first,
                                &last, &expected[0], &expected[1], &expected[2], &expected[3], &expected[4]),
                         9);
        check_hint(first, type, group_bytes, expected);
        check_hint((first + last) / 2, type, group_bytes, expected);
        check_hint(last, type, group_bytes, expected);
    }
    fclose(file);
    assert_int_equal(rows, 194);
}

/* The types' groups have the sizes that Go gives them. */
static void test_layout(void **state) {
    (void)state;
    assert_int_equal(sizeof(struct go_group), 136);
    assert_int_equal(sizeof(struct go_table), 32);
    assert_null(map_create(NULL, SIZE_MAX));
}

enum { KEYS_MAX = 40000 };

/* Walks a map of `n` keys; after the first, inserts `grown` others, deletes each third of the first and gives
 * the rest another value. With 8 keys or fewer the map is small when the walk begins. */
static void walk_changing(size_t n, size_t grown) {
    struct map *map = map_create(NULL, 0);
    unsigned char *seen = calloc(KEYS_MAX, 1);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    bool changed = false;
    assert_non_null(seen);
    for (size_t k = 0; k < n; k++) *map_put(map, k) = 1;
    go_swiss_iter_open(map, &iter);
    while (map_iter_next(&iter, &key, &val)) {
        assert_in_range(key, 0, KEYS_MAX - 1);
        assert_int_equal(seen[key]++, 0);
        assert_int_equal(*val, changed && key < n ? 2 : 1);
        if (changed) {
            assert_true(key >= n || key % 3 != 0);
            continue;
        }
        for (size_t k = n; k < n + grown; k++) *map_put(map, k) = 1;
        for (size_t k = 0; k < n; k++) {
            if (k % 3 == 0)
                assert_true(map_del(map, k));
            else
                *map_put(map, k) = 2;
        }
        changed = true;
    }
    assert_true(changed);
    assert_null(map_check(map));
    go_swiss_iter_close(map);
    assert_null(map->stale);
    for (size_t k = 0; k < n; k++)
        if (k % 3) assert_int_equal(seen[k], 1); /* deleted keys may have come first, or not at all */
    map_destroy(map);
    free(seen);
}

static void test_iteration_survives_changes(void **state) {
    (void)state;
    walk_changing(8, 0);
    walk_changing(8, 20000);
    walk_changing(14, 1);
    walk_changing(600, 300);    /* the one table splits */
    walk_changing(3000, 30000); /* the directory doubles several times */
}

static void test_iteration_ends_after_clear(void **state) {
    struct map *map = map_create(NULL, 0);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    (void)state;
    for (size_t k = 0; k < 100; k++) *map_put(map, k) = k;
    go_swiss_iter_open(map, &iter);
    assert_true(map_iter_next(&iter, &key, &val));
    for (size_t k = 100; k < 2000; k++) *map_put(map, k) = k;
    map_clear(map);
    assert_false(map_iter_next(&iter, &key, &val));
    go_swiss_iter_close(map);
    assert_null(map_check(map));
    map_destroy(map);
}

static void test_iterations_begin_at_different_places(void **state) {
    struct map *map = map_create(NULL, 0);
    size_t different = 0;
    map_key first = 0, key = 0;
    (void)state;
    for (size_t k = 0; k < 1000; k++) *map_put(map, k) = k;
    for (size_t i = 0; i < 20; i++) {
        struct map_iter iter;
        const map_val *val;
        map_iter_start(map, &iter);
        assert_true(map_iter_next(&iter, &key, &val));
        different += i > 0 && key != first;
        first = key;
    }
    assert_true(different > 10);
    map_destroy(map);
}

/* What Go would end the process for is told by map_check, and the operation is not done. */
static void test_concurrent_access_is_told(void **state) {
    struct map *map = map_create(NULL, 0);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    (void)state;
    *map_put(map, 1) = 1;
    map->writing = 1;
    assert_null(map_get(map, 1));
    assert_string_equal(map_check(map), "concurrent map read and map write");
    map->fatal = NULL;
    assert_null(map_put(map, 2));
    assert_string_equal(map_check(map), "concurrent map writes");
    map->fatal = NULL;
    assert_false(map_del(map, 1));
    assert_string_equal(map_check(map), "concurrent map writes");
    map->fatal = NULL;
    map_iter_start(map, &iter);
    assert_false(map_iter_next(&iter, &key, &val));
    assert_string_equal(map_check(map), "concurrent map iteration and map write");
    map->fatal = NULL;
    map->writing = 0;
    assert_null(map_check(map));
    assert_int_equal(map_len(map), 1);
    map_destroy(map);
}

static void test_seed_is_redrawn_when_empty(void **state) {
    struct map *map = map_create(NULL, 0);
    uint64_t seed = map->seed;
    (void)state;
    *map_put(map, 1) = 1;
    assert_false(map_del(map, 2));
    assert_int_equal(map->seed, seed);
    assert_true(map_del(map, 1));
    assert_int_not_equal(map->seed, seed);
    seed = map->seed;
    map_clear(map);
    assert_int_equal(map->seed, seed); /* Go's Clear returns at once if there is nothing to clear */
    *map_put(map, 1) = 1;
    map_clear(map);
    assert_int_not_equal(map->seed, seed);
    map_destroy(map);
}

/* A full small map is stored over in place, and becomes a table with the ninth key. Up to 1.26 it did with
 * the first: tests/test_go_swiss_releases.c. */
static void test_full_small_map(void **state) {
    struct map *map = map_create(NULL, 0);
    (void)state;
    for (size_t k = 0; k < 8; k++) *map_put(map, k) = k;
    *map_put(map, 3) = 30;
    assert_int_equal(map_capacity(map), 8);
    assert_int_equal(map_len(map), 8);
    *map_put(map, 8) = 80;
    assert_int_equal(map_capacity(map), 16);
    assert_int_equal(map_len(map), 9);
    assert_int_equal(*map_get(map, 3), 30);
    assert_int_equal(*map_get(map, 8), 80);
    map_destroy(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_iteration_survives_changes),
        cmocka_unit_test(test_iteration_ends_after_clear),
        cmocka_unit_test(test_iterations_begin_at_different_places),
        cmocka_unit_test(test_concurrent_access_is_told),
        cmocka_unit_test(test_seed_is_redrawn_when_empty),
        cmocka_unit_test(test_full_small_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
