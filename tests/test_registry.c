/* The registry, its own file included so that its checks can be shown broken tables; the build's table is
 * const. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "harness/plan/registry.c"

static const struct map_unit *sound_unit(void) {
    const struct map_unit *unit = registry_find("linear", "u64_u64", "common", "malloc");
    assert_non_null(unit);
    assert_int_equal(registry_prepare(&unit, 1), 0);
    assert_null(unit->unavailable);
    return unit;
}

static void test_build_is_sound(void **state) {
    const char *fault = registry_validate();
    (void)state;
    if (fault) fail_msg("%s", fault);
}

static void test_baseline_is_first(void **state) {
    (void)state;
    assert_true(registry_count() > 0);
    assert_true(registry_at(0)->facts->traits & TRAIT_BASELINE);
    assert_string_equal(registry_map_name(0), registry_at(0)->map);
}

/* Each unit is found by its own four names, and each map by its first unit. */
static void test_find(void **state) {
    (void)state;
    for (size_t i = 0; i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        assert_ptr_equal(registry_find(unit->map, unit->shape, unit->hash, unit->heap), unit);
    }
    for (size_t i = 0; i < registry_map_count(); i++) {
        assert_non_null(registry_map_unit(i));
        assert_string_equal(registry_map_unit(i)->map, registry_map_name(i));
    }
    assert_null(registry_find("no such map", "u64_u64", "common", "malloc"));
    assert_null(registry_find("linear", "no such shape", "common", "malloc"));
    assert_null(registry_find("linear", "u64_u64", "common", "no such heap"));
}

/* A map compiled for one hash policy is found under either. */
static void test_find_other_policy(void **state) {
    const struct map_unit *unit = registry_find("linear", "u64_u64", "native", "malloc");
    (void)state;
    assert_non_null(unit);
    assert_string_equal(unit->hash, "common");
}

static void test_shapes(void **state) {
    (void)state;
    assert_true(shape_count() > 0);
    for (size_t i = 0; i < shape_count(); i++) {
        const struct shape *shape = shape_at(i);
        assert_ptr_equal(shape_find(shape->name), shape);
        assert_true(shape->key_size <= SHAPE_KEY_SIZE_MAX && shape->val_size <= SHAPE_VAL_SIZE_MAX);
        assert_non_null(shape_summary(i));
    }
    assert_null(shape_find("no such shape"));
}

/* --- broken tables --- */

#define EXPECT_TABLE_FAULT(change, words)                                                                    \
    do {                                                                                                     \
        struct map_unit unit = *sound_unit();                                                                \
        struct map_facts facts = *unit.facts;                                                                \
        unit.facts = &facts;                                                                                 \
        assert_null(table_fault(&unit));                                                                     \
        change;                                                                                              \
        const char *fault = table_fault(&unit);                                                              \
        assert_non_null(fault);                                                                              \
        assert_non_null(strstr(fault, words));                                                               \
    } while (0)

static void test_incomplete_tables_are_found(void **state) {
    (void)state;
    EXPECT_TABLE_FAULT(unit.shape = "no such shape", "shape that does not exist");
    EXPECT_TABLE_FAULT(unit.facts = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.summary = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.source = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.invariants = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.cost = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.options = NULL, "fact");
    EXPECT_TABLE_FAULT(facts.fairness = "", "fairness");
    EXPECT_TABLE_FAULT(unit.unavailable = "no header"; facts.package = NULL, "package");
    EXPECT_TABLE_FAULT(unit.key_size = 4, "size");
    EXPECT_TABLE_FAULT(unit.val_size = 4, "size");
    EXPECT_TABLE_FAULT(unit.shape = "u32_u32", "size");
#define EXPECT_OP(name) EXPECT_TABLE_FAULT(unit.op.name = NULL, "operation")
    EXPECT_OP(create);
    EXPECT_OP(destroy);
    EXPECT_OP(get);
    EXPECT_OP(put);
    EXPECT_OP(del);
    EXPECT_OP(len);
    EXPECT_OP(capacity);
    EXPECT_OP(clear);
    EXPECT_OP(copy);
    EXPECT_OP(each);
    EXPECT_OP(check);
    EXPECT_OP(structure);
#define X(loop) EXPECT_TABLE_FAULT(unit.run.loop = NULL, "loop");
    MAP_LOOPS(X)
#undef X
#define X(loop) EXPECT_TABLE_FAULT(unit.run.loop##_timed = NULL, "timed loop");
    MAP_TIMED_LOOPS(X)
#undef X
#define X(loop) EXPECT_TABLE_FAULT(unit.run.loop##_open = NULL, "open loop");
    MAP_OPEN_LOOPS(X)
#undef X
}

static void *no_map(struct heap *heap, size_t hint) {
    (void)heap, (void)hint;
    return NULL;
}
static bool always(void *map, const void *key, void *val) {
    (void)map, (void)key, (void)val;
    return true;
}
static bool stores_nothing(void *map, const void *key, const void *val) {
    (void)map, (void)key, (void)val;
    return true;
}
static bool cannot_store(void *map, const void *key, const void *val) {
    (void)map, (void)key, (void)val;
    return false;
}
static size_t long_by_one(const void *map) {
    return sound_unit()->op.len(map) + 1;
}
static bool deletes_nothing(void *map, const void *key) {
    (void)map, (void)key;
    return true;
}

static void test_unsound_maps_are_found(void **state) {
    const struct {
        size_t offset;
        void (*function)(void);
        const char *words;
    } broken[] = {
#define BROKEN(member, function, words) {offsetof(struct map_ops, member), (void (*)(void))(function), words}
        BROKEN(create, no_map, "create"),   BROKEN(get, always, "empty map"),
        BROKEN(put, cannot_store, "store"), BROKEN(put, stores_nothing, "does not find"),
        BROKEN(len, long_by_one, "length"), BROKEN(del, deletes_nothing, "delete"),
    };
    (void)state;
    assert_null(smoke_fault(sound_unit()));
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct map_unit unit = *sound_unit();
        memcpy((char *)&unit.op + broken[i].offset, &broken[i].function, sizeof broken[i].function);
        const char *fault = smoke_fault(&unit);
        assert_non_null(fault);
        assert_non_null(strstr(fault, broken[i].words));
    }
}

/* Every alias leads to a map, and is not one itself; a release is selected by its name, an alias or its
 * number. */
static void test_releases(void **state) {
    (void)state;
    for (size_t a = 0; a < registry_alias_count(); a++) {
        const struct map_alias *alias = registry_alias(a);
        size_t targets = 0, same = 0;
        for (size_t i = 0; i < registry_map_count(); i++) {
            targets += strcmp(registry_map_name(i), alias->map) == 0;
            same += strcmp(registry_map_name(i), alias->name) == 0;
        }
        assert_int_equal(targets, 1);
        assert_int_equal(same, 0);
        assert_true(registry_map_named(alias->name, alias->map));
    }
    assert_string_equal(registry_name_resolved("go_hmap_load6"), "go_hmap@1.21");
    assert_true(registry_map_is_version("go_swiss@1.24"));
    assert_false(registry_map_is_version("go_swiss"));
    assert_true(registry_map_named("linear,go_swiss@1.27", "go_swiss"));
    assert_false(registry_map_named("linear,go_swiss@1.27", "go_swiss@1.24"));
    assert_false(registry_map_named(NULL, "go_swiss"));
    assert_true(registry_map_of_release("1.24,1.26", "go_swiss@1.25"));
    assert_true(registry_map_of_release("1.27", "go_swiss"));
    assert_false(registry_map_of_release("1.24", "go_swiss"));
    assert_true(registry_map_of_release("all", "go_swiss@1.24") && registry_map_of_release("all", "go_hmap"));
    assert_false(registry_map_of_release("all", "linear"));
    assert_false(registry_map_of_release(NULL, "go_swiss"));
    static const struct {
        const char *map;
        int release;
    } expected[] = {{"go_swiss", 127},     {"go_swiss@1.24", 124}, {"go_swiss@1.26", 126},
                    {"go_hmap", 123},      {"go_hmap@1.22", 122},  {"go_hmap_load6", 121},
                    {"go_hmap@1.21", 121}, {"go_syncmap", 123},    {"go_hashtrie", 127},
                    {"linear", 0},         {"go_hmap_notop", 0},   {"real_go_swiss", 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_int_equal(registry_map_release(expected[i].map), expected[i].release);
    assert_string_equal(registry_name_resolved("go_swiss@1.26"), "go_swiss@1.25");
    assert_string_equal(registry_name_resolved("linear"), "linear");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build_is_sound),
        cmocka_unit_test(test_baseline_is_first),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_find_other_policy),
        cmocka_unit_test(test_releases),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_incomplete_tables_are_found),
        cmocka_unit_test(test_unsound_maps_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
