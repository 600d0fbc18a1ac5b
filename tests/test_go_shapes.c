/* The shapes that stand for kinds of Go's map types, in units: which of them prune tombstones in which
 * release, as the assignment that their type gets says (tests/test_go_assignment.c). A window of 1,000 keys
 * slides 100 times its width. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plan/registry.h"
#include "harness/shapes/any.h"
#include "harness/shapes/shape.h"

enum { WIDTH = 1000, SLIDES = 100 * WIDTH, SLOTS_FILLED = 2048 };

static const struct {
    const char *shape, *hash;
    unsigned prunes_since; /* 125 for 1.25; 0: never */
} kinds[] = {
    {"u64_u64", "native", 125}, {"u32_u32", "native", 125}, {"u64_unit", "native", 125},
    {"ptr_u64", "native", 127}, {"s16_u64", "native", 0},   {"f64_u64", "native", 0},
    {"any_u64", "common", 0},   {"u64_b129", "native", 0},
};
static const struct {
    const char *map;
    unsigned release;
} maps[] = {{"go_swiss@1.24", 124}, {"go_swiss@1.25", 125}, {"go_swiss", 127}};
enum { KINDS = sizeof kinds / sizeof *kinds, MAPS = sizeof maps / sizeof *maps };

/* Keys as the shape makes them, with their rooms. */
struct made {
    const struct shape *shape;
    unsigned char *keys, *rooms;
};

static const void *key_at(const struct made *made, size_t i) {
    return made->keys + i * made->shape->key_size;
}

static struct made make_keys(const struct shape *shape, size_t count) {
    struct made made = {shape, calloc(count, shape->key_size), calloc(count, SHAPE_KEY_ROOM_MAX)};
    assert_non_null(made.keys);
    assert_non_null(made.rooms);
    assert_true(shape->key_room <= SHAPE_KEY_ROOM_MAX);
    for (size_t i = 0; i < count; i++)
        shape->key_make(i, made.rooms + i * SHAPE_KEY_ROOM_MAX, made.keys + i * shape->key_size);
    return made;
}

/* Slots once the window has gone by. */
static size_t slide(const struct map_unit *unit, const struct made *made) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    void *map = unit->op.create(NULL, 0);
    made->shape->val_make(1, val);
    for (size_t i = 0; i < WIDTH; i++) assert_true(unit->op.put(map, key_at(made, i), val));
    assert_int_equal(unit->op.capacity(map), SLOTS_FILLED);
    for (size_t i = 0; i < SLIDES; i++) {
        assert_true(unit->op.del(map, key_at(made, i)));
        assert_true(unit->op.put(map, key_at(made, WIDTH + i), val));
    }
    assert_null(unit->op.check(map));
    assert_int_equal(unit->op.len(map), WIDTH);
    size_t slots = unit->op.capacity(map);
    unit->op.destroy(map);
    return slots;
}

static void test_kinds(void **state) {
    const struct map_unit *units[KINDS * MAPS];
    (void)state;
    for (size_t i = 0; i < KINDS * MAPS; i++) {
        units[i] = registry_find(maps[i % MAPS].map, kinds[i / MAPS].shape, kinds[i / MAPS].hash, "malloc");
        assert_non_null(units[i]);
        assert_string_equal(units[i]->hash, kinds[i / MAPS].hash);
    }
    assert_int_equal(registry_prepare(units, KINDS * MAPS), 0);
    for (size_t k = 0; k < KINDS; k++) {
        struct made made = make_keys(shape_find(kinds[k].shape), WIDTH + SLIDES);
        for (size_t m = 0; m < MAPS; m++) {
            bool prunes = kinds[k].prunes_since && maps[m].release >= kinds[k].prunes_since;
            size_t slots = slide(units[k * MAPS + m], &made);
            if ((slots == SLOTS_FILLED) != prunes)
                fail_msg("%s %s: %zu slots", maps[m].map, kinds[k].shape, slots);
        }
        free(made.keys), free(made.rooms);
    }
}

/* Equal keys are equal wherever they are, and have one word and hash; others have not. */
static void test_keys(void **state) {
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        const struct shape *shape = shape_find(kinds[k].shape);
        struct made made = make_keys(shape, WIDTH), again = make_keys(shape, WIDTH);
        for (size_t i = 0; i < WIDTH; i++) {
            assert_true(shape->key_equal(key_at(&made, i), key_at(&again, i)));
            assert_int_equal(shape->key_hash(key_at(&made, i)), shape->key_hash(key_at(&again, i)));
            assert_int_equal(shape->key_word(key_at(&made, i)), shape->key_word(key_at(&again, i)));
            for (size_t j = 0; j < i; j++)
                if (shape->key_equal(key_at(&made, i), key_at(&made, j)) ||
                    shape->key_word(key_at(&made, i)) == shape->key_word(key_at(&made, j)))
                    fail_msg("%s: keys %zu and %zu are alike", shape->name, j, i);
        }
        free(made.keys), free(made.rooms), free(again.keys), free(again.rooms);
    }
}

struct taken {
    size_t key_size;
    struct any key; /* large enough for the other keys, too */
};

static bool take_key(void *context, const void *key, const void *val) {
    struct taken *taken = context;
    (void)val;
    memcpy(&taken->key, key, taken->key_size);
    return false;
}

/* A map of each release and of the classic one, with a key and then an equal one put into it: which one is
 * stored. */
static void last_key(const char *shape, const char *hash, const void *first, const void *second,
                     void (*check)(const void *key, const char *map)) {
    static const char *const of[] = {"go_hmap", "go_swiss@1.24", "go_swiss@1.25", "go_swiss"};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        const struct map_unit *unit = registry_find(of[i], shape, hash, "malloc");
        struct taken taken = {.key_size = shape_find(shape)->key_size};
        uint64_t val = 1;
        assert_non_null(unit);
        assert_int_equal(registry_prepare(&unit, 1), 0);
        void *map = unit->op.create(NULL, 0);
        assert_true(unit->op.put(map, first, &val) && unit->op.put(map, second, &val));
        assert_int_equal(unit->op.len(map), 1);
        unit->op.each(map, take_key, &taken);
        check(&taken.key, of[i]);
        unit->op.destroy(map);
    }
}

static void is_minus_zero(const void *key, const char *map) {
    double stored;
    memcpy(&stored, key, sizeof stored);
    if (stored != 0 || !signbit(stored)) fail_msg("%s keeps the first zero", map);
}

static uint64_t box[2] = {1000, 1000};
static void is_second_box(const void *key, const char *map) {
    if (((const struct any *)key)->data != &box[1]) fail_msg("%s keeps the first box", map);
}

/* Real Go 1.23 to 1.27: the key that was assigned last is the stored one, for floating point and interface
 * values. */
static void test_equal_keys_are_stored_again(void **state) {
    static const struct any_type number = {"uint64", sizeof(uint64_t), false};
    double zero = 0, minus_zero = -0.0;
    struct any first = {&number, &box[0]}, second = {&number, &box[1]};
    (void)state;
    last_key("f64_u64", "native", &zero, &minus_zero, is_minus_zero);
    last_key("any_u64", "common", &first, &second, is_second_box);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_keys), cmocka_unit_test(test_kinds),
                                       cmocka_unit_test(test_equal_keys_are_stored_again)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
