/* What the workload copy copies, by release: maps.Clone of the classic map and of Go 1.24 makes a map for the
 * entries, since 1.25 it keeps the tables that deletions have left (tests/test_go_swiss_releases.c has the
 * structure). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "harness/plan/registry.h"

enum { FILLED = 100000, KEPT = 10 };

static const struct {
    const char *map;
    bool keeps; /* its size */
} cases[] = {
    {"go_hmap", false},      {"go_hmap@1.21", false}, {"go_swiss@1.24", false},
    {"go_swiss@1.25", true}, {"go_swiss", true},      {"go_swiss_split", true},
};
enum { CASES = sizeof cases / sizeof *cases };

static void check_copy(const struct map_unit *unit, bool keeps) {
    void *map = unit->op.create(NULL, 0);
    for (uint64_t key = 0; key < FILLED; key++) assert_true(unit->op.put(map, &key, &key));
    for (uint64_t key = KEPT; key < FILLED; key++) assert_true(unit->op.del(map, &key));
    void *copy = unit->op.copy(map);
    assert_non_null(copy);
    assert_int_equal(unit->op.len(copy), KEPT);
    for (uint64_t key = 0, found; key < KEPT; key++) {
        assert_true(unit->op.get(copy, &key, &found));
        assert_int_equal(found, key);
    }
    assert_null(unit->op.check(copy));
    assert_true(unit->op.capacity(map) >= FILLED);
    if (keeps)
        assert_int_equal(unit->op.capacity(copy), unit->op.capacity(map));
    else
        assert_true(unit->op.capacity(copy) <= 2 * KEPT);
    unit->op.destroy(copy);
    unit->op.destroy(map);
}

/* And `explain` says which of the two a map does. */
static void test_copies(void **state) {
    const struct map_unit *units[CASES];
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        units[i] = registry_find(cases[i].map, "u64_u64", "native", "malloc");
        assert_non_null(units[i]);
    }
    assert_int_equal(registry_prepare(units, CASES), 0);
    for (size_t i = 0; i < CASES; i++) {
        check_copy(units[i], cases[i].keeps);
        if (!strstr(units[i]->facts->options,
                    cases[i].keeps ? "a copy is of the tables, tombstones and all" : "maps.Clone"))
            fail_msg("%s does not say how it is copied: %s", cases[i].map, units[i]->facts->options);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
