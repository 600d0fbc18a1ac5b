/* go_hashtrie with a hash that collides: chains, deep paths, nodes that come and go; and threads on one map.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/shapes/hash.h"
#include "harness/heaps/malloc.h"

/* A shape whose hash is bad on purpose. Of eight keys four share all 64 bits, and the others differ from them
 * in the lowest bit only, so that paths are as long as they can be; every third key has a good hash. */
#define SHAPE_NAME "colliding"
#define SHAPE_KEY_INT 1
#define SHAPE_KEY_BITS 64
typedef uint64_t map_key;
typedef uint64_t map_val;
static inline uint64_t key_hash(map_key key) {
    return key % 3 == 0 ? hash_u64(key) : hash_u64(key >> 3 | 1) << 1 | (key >> 2 & 1);
}
static inline bool key_equal(map_key a, map_key b) {
    return a == b;
}

#define MAP_INLINE static inline
#define UNIT_HASH_common
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/hashtrie.h"

#define stress_swap trie_swap
#define stress_load_or_store trie_load_or_store
#define stress_compare_and_swap trie_compare_and_swap
static bool stress_delete(struct map *map, map_key key, map_val *val) {
    return trie_delete(map, key, NULL, val);
}
static bool stress_compare_and_delete(struct map *map, map_key key, map_val old) {
    map_val val;
    return trie_delete(map, key, &old, &val);
}
#include "tests/support/go_sync_threads.h"

/* Two keys whose hashes differ in the lowest bit lie 16 levels deep; without one of them the nodes go. */
static void test_longest_path(void **unused) {
    struct map *map = map_create(NULL, 0);
    const uint64_t a = 8, b = 13; /* 8 % 3, 13 % 3 != 0; same bits above 3, another bit 2 */
    uint64_t val;
    (void)unused;
    assert_int_equal(key_hash(a) ^ key_hash(b), 1);
    assert_true(map_store(map, a, 1));
    assert_int_equal(map_capacity(map), TRIE_CHILDREN);
    assert_true(map_store(map, b, 2));
    assert_int_equal(map_capacity(map), TRIE_DEPTH_MAX * TRIE_CHILDREN);
    assert_null(map_check(map));
    assert_true(map_load(map, a, &val));
    assert_int_equal(val, 1);
    assert_true(map_del(map, b));
    assert_int_equal(map_capacity(map),
                     TRIE_DEPTH_MAX * TRIE_CHILDREN); /* Go keeps them for the one entry left */
    assert_true(map_del(map, a));
    assert_int_equal(map_capacity(map), TRIE_CHILDREN);
    assert_null(map_check(map));
    map_destroy(map);
}

/* Entries at the head, in the middle and at the end of a chain replaced, compared and deleted. */
static void test_chain(void **unused) {
    const uint64_t keys[] = {16, 17, 19}; /* equal hashes */
    uint64_t val;
    bool flag;
    (void)unused;
    for (size_t victim = 0; victim < 3; victim++) {
        struct map *map = map_create(NULL, 0);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(key_hash(keys[i]), key_hash(keys[0]));
            assert_true(map_store(map, keys[i], i));
        }
        assert_int_equal(map_capacity(map), TRIE_CHILDREN);
        assert_true(trie_swap(map, keys[victim], 10, &val, &flag));
        assert_true(flag && val == victim);
        assert_true(trie_compare_and_swap(map, keys[victim], 11, 12, &flag));
        assert_false(flag);
        assert_true(trie_compare_and_swap(map, keys[victim], 10, 12, &flag));
        assert_true(flag);
        assert_false(stress_compare_and_delete(map, keys[victim], 10));
        assert_true(trie_load_or_store(map, keys[victim], 13, &val, &flag));
        assert_true(flag && val == 12);
        assert_null(map_check(map));
        assert_true(stress_compare_and_delete(map, keys[victim], 12));
        for (size_t i = 0; i < 3; i++) assert_int_equal(map_load(map, keys[i], &val), i != victim);
        assert_int_equal(map_len(map), 2);
        assert_null(map_check(map));
        map_destroy(map);
    }
}

/* A random history against an array. */
static void test_colliding_history(void **unused) {
    enum { KEYS = 400, STEPS_ALONE = 60000 };
    static uint64_t expected[KEYS];
    uint64_t rng = 7;
    size_t len = 0;
    struct map *map = map_create(NULL, 0);
    (void)unused;
    for (uint64_t step = 1; step <= STEPS_ALONE; step++) {
        uint64_t key = rng_below(&rng, KEYS), val = 0;
        bool filling = step / 5000 % 2 == 0;
        if (rng_below(&rng, 10) < (filling ? 6u : 2u)) {
            assert_true(map_store(map, key, step));
            len += expected[key] == 0;
            expected[key] = step;
        } else {
            assert_int_equal(map_del(map, key), expected[key] != 0);
            len -= expected[key] != 0;
            expected[key] = 0;
        }
        key = rng_below(&rng, KEYS);
        assert_int_equal(map_load(map, key, &val), expected[key] != 0);
        assert_int_equal(val, expected[key]);
        assert_int_equal(map_len(map), len);
        if (step % 500 == 0) assert_null(map_check(map));
    }
    map_destroy(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_longest_path),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_colliding_history),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
