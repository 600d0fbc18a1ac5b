/* The header maps/tagline/tagline.h by itself, as another project takes it: with a strong hash, with hashes
 * that collide, beside a model; what a delete leaves; walks; promises of reserve; memory that runs out. The
 * suite's model test has the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "harness/base/rng.h"
#include "harness/shapes/hash.h"

/* Memory that fails when it is told to. */
static int allocations_left = -1; /* -1: as many as are wanted */
static void *take(size_t count, size_t size) {
    if (allocations_left == 0) return NULL;
    if (allocations_left > 0) allocations_left--;
    return calloc(count, size);
}
#define TAKE_NEW(map, type, count) ((type *)take(count, sizeof(type)))
#define TAKE_DELETE(map, address) free(address)
#define TAKE_SET(map, field, address) ((void)(*(field) = (address)))

#define TAGLINE_NAME numbers
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH hash_u64
#define TAGLINE_FIELDS
#define TAGLINE_NEW TAKE_NEW
#define TAGLINE_NEW_ZEROED TAKE_NEW
#define TAGLINE_DELETE TAKE_DELETE
#define TAGLINE_SET TAKE_SET
#include "maps/tagline/tagline.h"

/* Six bits of hash in one place: all keys of a residue have the same home, class and tag. */
static uint64_t hash_few(uint64_t key) {
    return (key % 8) << 36 | (key % 8) << 24;
}
#define TAGLINE_NAME few
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH hash_few
#include "maps/tagline/tagline.h"

static uint64_t hash_none(uint64_t key) {
    (void)key;
    return 0;
}
#define TAGLINE_NAME same
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH hash_none
#include "maps/tagline/tagline.h"

enum { SEED = 20261201, MODEL_KEYS = 3000 };

/* Random operations on a map and on an array that is indexed by key. */
#define AGREES_WITH_A_MODEL(NAME, keys, operations)                                                          \
    static void NAME##_agrees_with_a_model(void **state) {                                                   \
        (void)state;                                                                                         \
        static uint64_t model[MODEL_KEYS]; /* value + 1; 0: absent */                                        \
        memset(model, 0, sizeof model);                                                                      \
        struct NAME map = NAME##_make();                                                                     \
        uint64_t rng = SEED;                                                                                 \
        size_t len = 0;                                                                                      \
        for (size_t i = 0; i < (operations); i++) {                                                          \
            uint64_t key = rng_below(&rng, keys), what = rng_below(&rng, 100), *value;                       \
            bool added;                                                                                      \
            /* Phases that fill and phases that empty. */                                                    \
            if (what < (i / 4096 % 2 ? 30u : 60u)) {                                                         \
                value = NAME##_add(&map, key, &added);                                                       \
                assert_non_null(value);                                                                      \
                assert_int_equal(added, model[key] == 0);                                                    \
                if (!added) assert_int_equal(*value, model[key] - 1);                                        \
                len += added;                                                                                \
                *value = i;                                                                                  \
                model[key] = i + 1;                                                                          \
            } else if (what < 80) {                                                                          \
                assert_int_equal(NAME##_del(&map, key), model[key] != 0);                                    \
                len -= model[key] != 0;                                                                      \
                model[key] = 0;                                                                              \
            } else {                                                                                         \
                value = NAME##_get(&map, key);                                                               \
                assert_int_equal(value != NULL, model[key] != 0);                                            \
                if (value) assert_int_equal(*value, model[key] - 1);                                         \
            }                                                                                                \
            assert_int_equal(NAME##_len(&map), len);                                                         \
        }                                                                                                    \
        size_t met = 0;                                                                                      \
        for (struct NAME##_walk walk = NAME##_begin(&map); NAME##_next(&walk); met++)                        \
            assert_int_equal(walk.entry->value, model[walk.entry->key] - 1);                                 \
        assert_int_equal(met, len);                                                                          \
        NAME##_free(&map);                                                                                   \
    }
AGREES_WITH_A_MODEL(numbers, MODEL_KEYS, 200000)
AGREES_WITH_A_MODEL(few, 600, 60000)
AGREES_WITH_A_MODEL(same, 200, 20000)

/* Churn at constant size keeps the table as large as it is, and the spill bits bounded. */
static void churn_neither_grows_nor_fills_with_spill_bits(void **state) {
    (void)state;
    struct numbers map = numbers_make();
    uint64_t next = 0, oldest = 0;
    assert_true(numbers_reserve(&map, 800));
    size_t capacity = numbers_capacity(&map), most = 0;
    while (next < map.limit) *numbers_put(&map, next) = next, next++;
    for (int i = 0; i < 300000; i++, next++, oldest++) {
        assert_true(numbers_del(&map, oldest));
        *numbers_put(&map, next) = next;
        if (map.spilled > most) most = map.spilled;
    }
    assert_int_equal(numbers_capacity(&map), capacity);
    assert_in_range(most, 1, map.capacity / TAGLINE_SLOTS * 4 + 16);
    numbers_free(&map);
}

/* A table that was full once and is emptied from the front does not walk the same empty groups again and
 * again. */
static void a_drain_takes_constant_steps(void **state) {
    (void)state;
    struct numbers map = numbers_make();
    for (uint64_t key = 0; key < 20000; key++) *numbers_put(&map, key) = key;
    size_t skipped = 0;
    while (numbers_len(&map)) {
        struct numbers_walk walk = numbers_begin(&map);
        size_t from = walk.next;
        assert_true(numbers_next(&walk));
        skipped += (walk.next - from) / TAGLINE_BYTES;
        assert_true(numbers_del(&map, walk.entry->key));
    }
    assert_in_range(skipped, 1, 20000 * 5); /* of four groups at a time */
    *numbers_put(&map, 7) = 8;              /* wherever that is, a walk finds it */
    struct numbers_walk walk = numbers_begin(&map);
    assert_true(numbers_next(&walk));
    assert_int_equal(walk.entry->key, 7);
    assert_false(numbers_next(&walk));
    numbers_free(&map);
}

/* What merging two maps does: in the order of another map's walk nothing piles up, and what was reserved is
 * kept to. */
static void a_walk_of_another_map_fills_no_group_for_long(void **state) {
    (void)state;
    struct numbers from = numbers_make(), to = numbers_make(), reserved = numbers_make();
    for (uint64_t key = 0; key < 100000; key++) *numbers_put(&from, key) = key;
    assert_true(numbers_reserve(&reserved, 100000));
    size_t capacity = numbers_capacity(&reserved);
    for (struct numbers_walk walk = numbers_begin(&from); numbers_next(&walk);) {
        *numbers_put(&to, walk.entry->key) = walk.entry->value;
        *numbers_put(&reserved, walk.entry->key) = walk.entry->value;
        assert_in_range(to.spilled, 0, to.capacity / TAGLINE_SLOTS * 3 + 16);
    }
    assert_int_equal(numbers_capacity(&reserved), capacity);
    assert_int_equal(numbers_len(&to), 100000);
    numbers_free(&from), numbers_free(&to), numbers_free(&reserved);
}

static void get_batch_finds_what_get_finds(void **state) {
    (void)state;
    struct numbers map = numbers_make();
    uint64_t keys[TAGLINE_SLOTS * 2], *found[TAGLINE_SLOTS * 2];
    uint64_t rng = SEED;
    for (uint64_t key = 0; key < 5000; key += 2) *numbers_put(&map, key) = key;
    for (int i = 0; i < 1000; i++) {
        size_t count = 1 + rng_below(&rng, sizeof keys / sizeof *keys);
        for (size_t k = 0; k < count; k++) keys[k] = rng_below(&rng, 5000);
        numbers_get_batch(&map, keys, count, found);
        for (size_t k = 0; k < count; k++) assert_ptr_equal(found[k], numbers_get(&map, keys[k]));
    }
    numbers_free(&map);
}

/* At every allocation: the map is what it was. */
static void memory_that_runs_out_changes_nothing(void **state) {
    (void)state;
    struct numbers map = numbers_make(), copy = numbers_make();
    for (uint64_t key = 0; key < 4000; key++) {
        for (allocations_left = 0;; allocations_left = 2) {
            uint64_t *value = numbers_put(&map, key);
            if (value) {
                *value = key;
                break;
            }
            assert_int_equal(numbers_len(&map), key);
            if (key) assert_int_equal(*numbers_get(&map, key - 1), key - 1);
            allocations_left = 1;
            assert_null(numbers_put(&map, key)); /* one array of two */
            assert_null(numbers_get(&map, key));
        }
    }
    for (allocations_left = 0; allocations_left < 2; allocations_left++) {
        int left = allocations_left;
        assert_false(numbers_clone(&copy, &map));
        assert_int_equal(numbers_len(&copy), 0);
        allocations_left = left;
    }
    allocations_left = -1;
    assert_false(numbers_reserve(&map, SIZE_MAX / 2));
    assert_true(numbers_clone(&copy, &map));
    numbers_clear(&map);
    assert_int_equal(numbers_len(&map), 0);
    assert_null(numbers_get(&map, 1));
    assert_int_equal(numbers_len(&copy), 4000);
    for (uint64_t key = 0; key < 4000; key++) assert_int_equal(*numbers_get(&copy, key), key);
    numbers_free(&map), numbers_free(&copy);
}

int main(void) {
    printf("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_agrees_with_a_model),
        cmocka_unit_test(few_agrees_with_a_model),
        cmocka_unit_test(same_agrees_with_a_model),
        cmocka_unit_test(churn_neither_grows_nor_fills_with_spill_bits),
        cmocka_unit_test(a_drain_takes_constant_steps),
        cmocka_unit_test(a_walk_of_another_map_fills_no_group_for_long),
        cmocka_unit_test(get_batch_finds_what_get_finds),
        cmocka_unit_test(memory_that_runs_out_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
