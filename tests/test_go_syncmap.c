/* go_syncmap against the states of a real sync.Map, operation by operation (tests/fixtures/go/syncmap_g123.txt), and
 * what those do not reach: clear beside a dirty map, failing allocations. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/base/rng.h"
#include "harness/shapes/u64_u64.h"

/* The malloc heap, with a failure that can be planned in every build. */
static uint64_t allocations_left = UINT64_MAX;
static bool allocation_fails(void) {
    if (allocations_left == UINT64_MAX) return false;
    return allocations_left == 0 || allocations_left-- == 0;
}
#define HEAP_NAME "failing"
#define HEAP_FIELD
#define HEAP_BIND(map, h) ((void)(h))
#define HEAP_OF(map) ((struct heap *)NULL)
#define HEAP_NEW(h, type, n) ((type *)(allocation_fails() ? NULL : malloc((n) * sizeof(type))))
#define HEAP_NEW_ZEROED(h, type, n) ((type *)(allocation_fails() ? NULL : calloc((n), sizeof(type))))
#define HEAP_FREE(h, ptr) free(ptr)
#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_UNTRACED(name, type)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

#define MAP_INLINE static inline
#define UNIT_HASH_common
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/syncmap.h"

struct line {
    char op[32], keys[64], val[32], result[32], state[64];
};

/* False: a comment or the head of a scenario. */
static bool line_read(const char *text, struct line *line) {
    int at = 0;
    if (text[0] == '#' || strncmp(text, "scenario", 8) == 0) return false;
    if (sscanf(text, "%31s %63s %31s %31s %n", line->op, line->keys, line->val, line->result, &at) < 4 || !at)
        fail_msg("not a line of the fixture: %s", text);
    snprintf(line->state, sizeof line->state, "%s", text + at);
    line->state[strcspn(line->state, "\n")] = 0;
    return true;
}

static void put_result(char *out, size_t size, bool found, uint64_t val, bool flag) {
    if (found)
        snprintf(out, size, "%" PRIu64 ",%s", val, flag ? "true" : "false");
    else
        snprintf(out, size, "nil,%s", flag ? "true" : "false");
}

static size_t range_count(struct map *map) {
    struct map_iter iter;
    map_key key;
    const map_val *val;
    size_t met = 0;
    map_iter_start(map, &iter);
    while (map_iter_next(&iter, &key, &val)) met++;
    return met;
}

/* Performs one operation and writes its result as the fixture does. */
static void line_do(struct map *map, const struct line *line, uint64_t key, char *result, size_t size) {
    const char *op = line->op, *arrow = strchr(line->val, '>');
    uint64_t val = strcmp(line->val, "key") == 0 ? key : strtoull(line->val, NULL, 10), seen = 0;
    bool flag = false;
    snprintf(result, size, "-");
    if (strcmp(op, "Look") == 0) return;
    if (strcmp(op, "Store") == 0) {
        assert_true(map_store(map, key, val));
    } else if (strcmp(op, "Load") == 0) {
        flag = map_load(map, key, &seen);
        put_result(result, size, flag, seen, flag);
    } else if (strcmp(op, "Delete") == 0) {
        assert_true(map_del(map, key));
    } else if (strcmp(op, "LoadAndDelete") == 0) {
        flag = sync_load_and_delete(map, key, &seen);
        put_result(result, size, flag, seen, flag);
    } else if (strcmp(op, "Range") == 0) {
        snprintf(result, size, "%zu", range_count(map));
    } else if (strcmp(op, "LoadOrStore") == 0) {
        assert_true(sync_load_or_store(map, key, val, &seen, &flag));
        put_result(result, size, true, seen, flag);
    } else if (strcmp(op, "Swap") == 0) {
        assert_true(sync_swap(map, key, val, &seen, &flag));
        put_result(result, size, flag, seen, flag);
    } else if (strcmp(op, "CompareAndSwap") == 0) {
        assert_non_null(arrow);
        assert_true(sync_compare_and_swap(map, key, val, strtoull(arrow + 1, NULL, 10), &flag));
        snprintf(result, size, "%s", flag ? "true" : "false");
    } else if (strcmp(op, "CompareAndDelete") == 0) {
        snprintf(result, size, "%s", sync_compare_and_delete(map, key, val) ? "true" : "false");
    } else {
        fail_msg("unknown operation in the fixture: %s", op);
    }
}

static void line_replay(struct map *map, const struct line *line, const char *scenario) {
    char result[32] = "", state[64];
    uint64_t first = strtoull(line->keys, NULL, 10), last = first;
    const char *dots = strstr(line->keys, "..");
    if (dots) last = strtoull(dots + 2, NULL, 10);
    for (uint64_t key = first; key <= last; key++) line_do(map, line, key, result, sizeof result);
    struct sync_state s = sync_state_of(map);
    snprintf(state, sizeof state, "%zu %ld %s %zu %zu %zu", s.len_read, s.len_dirty,
             s.amended ? "true" : "false", s.misses, s.nil_entries, s.expunged_entries);
    if (strcmp(result, line->result) != 0)
        fail_msg("%s: %s %s: result %s, Go's is %s", scenario, line->op, line->keys, result, line->result);
    if (line->state[0] != '?' && strcmp(state, line->state) != 0)
        fail_msg("%s: %s %s: state %s, Go's is %s", scenario, line->op, line->keys, state, line->state);
    const char *fault = map_check(map);
    if (fault) fail_msg("%s: after %s %s: %s", scenario, line->op, line->keys, fault);
}

static void test_reference_states(void **unused) {
    FILE *file = fopen("tests/fixtures/go/syncmap_g123.txt", "r");
    char text[256], scenario[160] = "";
    struct map *map = NULL;
    size_t lines = 0, scenarios = 0;
    (void)unused;
    if (!file) fail_msg("cannot read tests/fixtures/go/syncmap_g123.txt: run from the project's folder");
    while (fgets(text, sizeof text, file)) {
        struct line line;
        if (line_read(text, &line)) {
            assert_non_null(map);
            line_replay(map, &line, scenario);
            lines++;
        } else if (text[0] == 's') {
            if (map) map_destroy(map);
            map = map_create(NULL, 0);
            snprintf(scenario, sizeof scenario, "%.11s", text);
            scenarios++;
        }
    }
    fclose(file);
    map_destroy(map);
    assert_int_equal(scenarios, 5);
    assert_true(lines >= 116);
}

/* sync.Map keeps an empty dirty through Clear, and the next store marks read as amended again. */
static void test_clear_keeps_dirty(void **unused) {
    struct map *map = map_create(NULL, 0);
    uint64_t val;
    (void)unused;
    for (uint64_t key = 0; key < 40; key++) assert_true(map_store(map, key, key));
    assert_int_equal(range_count(map), 40);
    for (uint64_t key = 0; key < 20; key++) assert_true(map_del(map, key));
    assert_true(map_store(map, 100, 1)); /* a dirty map, and 20 expunged entries */
    map_clear(map);
    struct sync_state s = sync_state_of(map);
    assert_int_equal(s.len_read, 0);
    assert_int_equal(s.len_dirty, 0);
    assert_false(s.amended);
    assert_null(map_check(map));
    assert_int_equal(map_len(map), 0);
    assert_false(map_load(map, 30, &val));
    assert_true(map_store(map, 30, 3));
    assert_true(sync_state_of(map).amended);
    assert_int_equal(sync_state_of(map).len_dirty, 1);
    assert_null(map_check(map));
    map_destroy(map);
}

/* Every operation of a random history, each of its allocations failing in turn: the map stays what it was,
 * also between a new dirty map and its publication, which a scan would tidy up. */
static void test_failing_allocations(void **unused) {
    enum { KEYS = 24, STEPS = 4000 };
    uint64_t rng = 20240229, expected[KEYS], failures = 0;
    bool there[KEYS] = {false};
    struct map *map = map_create(NULL, 0);
    (void)unused;
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint64_t key = rng_below(&rng, KEYS), seen = 0, dice = rng_below(&rng, 10);
        bool loaded, stored;
        allocations_left = rng_below(&rng, 5);
        if (dice < 5) {
            stored =
                dice < 4 ? map_store(map, key, step) : sync_load_or_store(map, key, step, &seen, &loaded);
            failures += !stored;
            if (stored && (dice < 4 || !there[key])) expected[key] = step;
            there[key] |= stored;
        } else if (dice < 7) {
            assert_int_equal(map_del(map, key), there[key]);
            there[key] = false;
        } else if (dice == 7 && rng_below(&rng, 20) == 0) {
            range_count(map);
        } else if (dice == 8 && rng_below(&rng, 50) == 0) {
            map_clear(map);
            memset(there, 0, sizeof there);
        }
        allocations_left = UINT64_MAX;
        const char *fault = map_check(map);
        if (fault) fail_msg("step %" PRIu64 ": %s", step, fault);
        bool found = map_load(map, key, &seen);
        assert_int_equal(found, there[key]);
        if (found) assert_int_equal(seen, expected[key]);
    }
    assert_true(failures > 100);
    map_destroy(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_states),
        cmocka_unit_test(test_clear_keeps_dirty),
        cmocka_unit_test(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
