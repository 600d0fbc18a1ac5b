/* go_swiss with keys and elements above 128 bytes, which it stores in cells of their own, and with the
 * control words compared by plain arithmetic: against an array, with every allocation failing in turn, no
 * cell lost or freed twice. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/base/rng.h"
#include "harness/shapes/hash.h"

/* A heap that counts its blocks and fails on request. */
struct heap {
    size_t live, until_failure; /* until_failure: allocations that still succeed */
};
static void *heap_new(struct heap *heap, size_t count, size_t bytes) {
    if (heap->until_failure == 0) return NULL;
    if (heap->until_failure != SIZE_MAX) heap->until_failure--;
    heap->live++;
    return calloc(count, bytes);
}
static void heap_free(struct heap *heap, void *block) {
    if (!block) return;
    heap->live--;
    free(block);
}
#define HEAP_FIELD struct heap *heap;
#define HEAP_BIND(map, h) ((map)->heap = (h))
#define HEAP_OF(map) ((map)->heap)
#define HEAP_NEW(h, type, n) ((type *)heap_new((h), (n), sizeof(type)))
#define HEAP_NEW_ZEROED(h, type, n) HEAP_NEW(h, type, n)
#define HEAP_FREE(h, ptr) heap_free((h), (ptr))
#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_UNTRACED(name, type)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

typedef struct big_key {
    uint64_t word[17];
} map_key;
typedef struct big_val {
    uint64_t word[17];
} map_val;
static uint64_t key_hash(map_key key) {
    return hash_u64(key.word[16]);
}
static bool key_equal(map_key a, map_key b) {
    return memcmp(&a, &b, sizeof a) == 0;
}
static map_key key_of(uint64_t number) {
    map_key key = {{number}};
    key.word[16] = number;
    return key;
}

#define GO_SWISS_PORTABLE 1
#define MAP_INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/swiss.h"

enum { KEYS = 4000 };

static bool put(struct map *map, uint64_t number, uint64_t value) {
    map_val *val = map_put(map, key_of(number));
    if (!val) return false;
    memset(val, 0, sizeof *val);
    val->word[16] = value;
    return true;
}

static void assert_same(struct map *map, const uint64_t *model) {
    size_t live = 0;
    assert_null(map_check(map));
    for (size_t k = 0; k < KEYS; k++) {
        const map_val *val = map_get(map, key_of(k));
        assert_true((val != NULL) == (model[k] != 0));
        if (val) assert_int_equal(val->word[16], model[k]);
        live += val != NULL;
    }
    assert_int_equal(map_len(map), live);
}

static void test_types_are_indirect(void **state) {
    (void)state;
    assert_true(GO_KEY_INDIRECT && GO_ELEM_INDIRECT);
    assert_int_equal(sizeof(struct go_group), 8 + 8 * 16); /* two pointers a slot, as Go has such types */
    assert_int_equal(GO_BITSET_STRIDE, 8);
}

/* Random operations, one allocation in 40 failing: what fails changes nothing. */
static void test_against_a_model(void **state) {
    struct heap heap = {.until_failure = SIZE_MAX};
    struct map *map = map_create(&heap, 20);
    uint64_t *model = calloc(KEYS, sizeof *model), random = 42;
    size_t refused = 0;
    (void)state;
    assert_non_null(model);
    for (uint64_t i = 1; i <= 40000; i++) {
        uint64_t key = rng_below(&random, KEYS);
        if (rng_below(&random, 3) == 0) {
            assert_int_equal(map_del(map, key_of(key)), model[key] != 0);
            model[key] = 0;
        } else {
            heap.until_failure = rng_below(&random, 40) ? SIZE_MAX : rng_below(&random, 3);
            size_t capacity = map_capacity(map);
            if (put(map, key, i))
                model[key] = i;
            else
                refused++;
            if (heap.until_failure == 0) assert_true(map_capacity(map) >= capacity);
            heap.until_failure = SIZE_MAX;
        }
        if (i % 5000 == 0) assert_same(map, model);
    }
    assert_true(refused > 50);
    assert_same(map, model);
    struct map *copy = map_copy(map);
    assert_same(copy, model);
    map_clear(map);
    memset(model, 0, KEYS * sizeof *model);
    assert_same(map, model);
    map_destroy(map);
    map_destroy(copy);
    assert_int_equal(heap.live, 0);
    free(model);
}

/* An open iterator reads keys that have been deleted since, of tables that have been replaced since. */
static void test_iterator_outlives_cells(void **state) {
    struct heap heap = {.until_failure = SIZE_MAX};
    (void)state;
    for (size_t n = 5; n < 2000; n = n * 3 + 1) {
        struct map *map = map_create(&heap, 0);
        struct map_iter iter;
        map_key key;
        const map_val *val;
        size_t seen = 0;
        for (size_t k = 0; k < n; k++) assert_true(put(map, k, k + 1));
        go_swiss_iter_open(map, &iter);
        assert_true(map_iter_next(&iter, &key, &val));
        for (size_t k = n; k < 4 * n; k++) assert_true(put(map, k, k + 1));
        for (size_t k = 0; k < n; k += 2) assert_true(map_del(map, key_of(k)));
        while (map_iter_next(&iter, &key, &val)) {
            assert_true(key.word[0] >= n || key.word[0] % 2 == 1);
            assert_int_equal(val->word[16], key.word[0] + 1);
            seen += key.word[0] < n;
        }
        assert_in_range(seen, n / 2 - 1, n / 2);
        go_swiss_iter_close(map);
        assert_null(map_check(map));
        map_destroy(map);
        assert_int_equal(heap.live, 0);
    }
}

/* A map that cannot be made complete leaves nothing behind. */
static void test_create_and_copy_leak_nothing(void **state) {
    (void)state;
    for (size_t allowed = 0; allowed < 12; allowed++) {
        struct heap heap = {.until_failure = allowed};
        struct map *map = map_create(&heap, 2000);
        assert_true((map != NULL) == (allowed >= 10)); /* Map, directory, 4 tables with their groups */
        if (map) map_destroy(map);
        assert_int_equal(heap.live, 0);
    }
    struct heap heap = {.until_failure = SIZE_MAX};
    struct map *map = map_create(&heap, 0);
    for (size_t k = 0; k < 50; k++) assert_true(put(map, k, 1));
    size_t live = heap.live;
    for (size_t allowed = 0; allowed < 100; allowed += 7) {
        heap.until_failure = allowed;
        assert_null(map_copy(map));
        assert_int_equal(heap.live, live);
    }
    map_destroy(map);
    assert_int_equal(heap.live, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_are_indirect),
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_iterator_outlives_cells),
        cmocka_unit_test(test_create_and_copy_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
