/* go_hmap beyond what a trace shows: the sizes of presized maps, keys and values kept outside the buckets,
 * walks that outlive growth, and concurrent use, which Go dies of. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A shape of the test's own: both sides are above 128 bytes. */
typedef struct {
    uint64_t number, rest[16];
} map_key;
typedef struct {
    uint8_t byte[129];
} map_val;
static bool key_equal(map_key a, map_key b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

#define UNIT_HASH_native
#define MAP_INLINE static inline
#pragma GCC diagnostic ignored "-Wunused-function"
#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "maps/go/hmap.h"

enum { KEYS = 3000 };

static map_key make_key(uint64_t number) {
    map_key key = {number, {number * 3, 7}};
    return key;
}

static void store(struct map *map, uint64_t number) {
    map_val *val = map_put(map, make_key(number));
    assert_non_null(val);
    memset(val, (int)(number % 251), sizeof *val);
}

static bool has(struct map *map, uint64_t number) {
    map_val *val = map_get(map, make_key(number));
    return val && val->byte[0] == number % 251 && val->byte[128] == number % 251;
}

static void assert_sound(struct map *map) {
    const char *fault = map_check(map);
    if (fault) fail_msg("%s", fault);
}

/* The smallest B for a hint at a load of num/2 a bucket. */
static unsigned smallest_b(size_t hint, size_t num) {
    unsigned b = 0;
    while (hint > GO_SLOTS && hint > num * (((size_t)1 << b) / 2)) b++;
    return b;
}

/* One recorded line: B, spare buckets and bytes of the array, at either end of the hints. */
static void check_hint(const char *line) {
    size_t num, bucket_bytes, hint[2], b, spare, bytes;
    char type[64];
    int fields = sscanf(line, "%zu %63s %zu %zu %zu %zu %zu %zu", &num, type, &bucket_bytes, &hint[0],
                        &hint[1], &b, &spare, &bytes);
    assert_int_equal(fields, 8);
    bool noscan =
        num == 12 || (!strstr(type, "string") && !strstr(type, "[129]")); /* 1.21: no malloc headers */
    for (size_t i = 0; i < 2; i++)
        if (smallest_b(hint[i], num) != b)
            fail_msg("%s: B is %u for hint %zu", line, smallest_b(hint[i], num), hint[i]);
    if (b == 0) return; /* no array yet */
    size_t buckets = go_array_buckets((unsigned)b, bucket_bytes, noscan);
    if (buckets - ((size_t)1 << b) != spare) fail_msg("%s: %zu buckets", line, buckets);
    size_t allocated = go_allocated_bytes(buckets * bucket_bytes, noscan);
    if (allocated != bytes) fail_msg("%s: %zu bytes", line, allocated);
    if (num != GO_LOAD_NUM || bucket_bytes != sizeof(struct go_bmap) || hint[1] > 1 << 16 || noscan) return;
    struct map *map = map_create(NULL, hint[0]);
    assert_non_null(map);
    assert_int_equal(map->h.B, b);
    struct map_structure structure = {0};
    map_describe(map, &structure);
    assert_int_equal(structure.array_bytes, bytes + (spare ? sizeof(struct go_mapextra) : 0));
    map_destroy(map);
}

static void test_hints(void **state) {
    char line[256];
    size_t checked = 0;
    FILE *in = fopen("tests/fixtures/go/classic_hints.txt", "r");
    (void)state;
    if (!in) fail_msg("cannot open tests/fixtures/go/classic_hints.txt: run from the project's folder");
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        check_hint(line);
        checked++;
    }
    fclose(in);
    assert_true(checked > 250);
}

static void test_outside_cells(void **state) {
    struct map *map = map_create(NULL, 0);
    (void)state;
    assert_non_null(map);
    assert_int_equal(sizeof(struct go_bmap), 8 + 8 * 8 + 8 * 8 + 8);
    for (uint64_t n = 0; n < KEYS; n++) store(map, n);
    for (uint64_t n = 0; n < KEYS; n += 3) assert_true(map_del(map, make_key(n)));
    for (uint64_t n = 0; n < KEYS; n++) assert_int_equal(has(map, n), n % 3 != 0);
    assert_sound(map);
    struct map *copy = map_copy(map);
    assert_non_null(copy);
    map_clear(map);
    assert_int_equal(map_len(map), 0);
    assert_false(has(map, 1));
    for (uint64_t n = 0; n < KEYS; n++) assert_int_equal(has(copy, n), n % 3 != 0);
    assert_sound(copy);
    store(map, 1);
    assert_sound(map);
    map_destroy(map);
    map_destroy(copy);
}

/* Walks over a map while keys are added until it has grown twice and keys are deleted: each key that was
 * there all the time comes exactly once, a deleted one not after its deletion, a new one at most once. */
static void walk_while_growing(uint64_t start, bool same_size) {
    uint8_t seen[KEYS * 4] = {0};
    uint64_t added = start;
    struct map *map = map_create(NULL, 0);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    assert_non_null(map);
    map->h.hash0 = (uint32_t)(start * 77);
    for (uint64_t n = 0; n < start; n++) store(map, n);
    map_iter_start(map, &iter);
    for (size_t step = 0; map_iter_next(&iter, &key, &val); step++) {
        assert_true(key.number < KEYS * 4);
        assert_int_equal(val->byte[5], key.number % 251);
        assert_int_equal(seen[key.number]++, 0);
        for (int i = 0; i < 4 && added < start * 4; i++) store(map, added++);
        if (same_size && step == start / 2) { /* as if too many overflow buckets had come together */
            while (go_growing(map)) store(map, added++);
            map->h.noverflow = UINT16_MAX;
            uint8_t b = map->h.B;
            store(map, added++);
            if (map->h.B == b) assert_true(map->h.count > 0);
        }
        uint64_t victim = start - 1 - step % start;
        if (step < start / 4 && !seen[victim]) {
            assert_true(map_del(map, make_key(victim)));
            seen[victim] = 2;
        }
    }
    for (uint64_t n = 0; n < start; n++) assert_true(seen[n] == 1 || seen[n] == 2);
    assert_false(map_iter_next(&iter, &key, &val));
    assert_null(map->retired);
    assert_int_equal(map->walks, 0);
    map_destroy(map);
}

static void test_walks(void **state) {
    (void)state;
    for (uint64_t start = 1; start < 300; start += 7) {
        walk_while_growing(start, false);
        walk_while_growing(start, true);
    }
    walk_while_growing(KEYS - 100, false);
}

/* Two walks over an unchanged map begin in different places, sooner or later. */
static void test_walks_start_anywhere(void **state) {
    struct map *map = map_create(NULL, 0);
    struct map_iter iter;
    map_key key = {0};
    const map_val *val;
    uint64_t first = UINT64_MAX;
    bool differs = false;
    (void)state;
    for (uint64_t n = 0; n < 100; n++) store(map, n);
    for (int walk = 0; walk < 20; walk++) {
        map_iter_start(map, &iter);
        assert_true(map_iter_next(&iter, &key, &val));
        differs |= first != UINT64_MAX && first != key.number;
        first = key.number;
        map_iter_stop(&iter);
    }
    assert_true(differs);
    assert_int_equal(map->walks, 0);
    map_destroy(map);
}

static void test_concurrent_use(void **state) {
    struct map *map = map_create(NULL, 0);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    (void)state;
    store(map, 1);
    map_iter_start(map, &iter);
    map->h.flags |= GO_WRITING; /* as if another thread were in the middle of a store */
    assert_null(map_put(map, make_key(2)));
    assert_int_equal(map->fault, GO_CONCURRENT_WRITES);
    assert_null(map_get(map, make_key(1)));
    assert_int_equal(map->fault, GO_CONCURRENT_READ);
    assert_false(map_del(map, make_key(1)));
    assert_int_equal(map->fault, GO_CONCURRENT_WRITES);
    assert_false(map_iter_next(&iter, &key, &val));
    assert_int_equal(map->fault, GO_CONCURRENT_WALK);
    map_clear(map);
    assert_int_equal(map_len(map), 1);
    map->h.flags &= (uint8_t)~GO_WRITING;
    assert_true(has(map, 1));
    assert_sound(map);
    map_iter_stop(&iter);
    map_destroy(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hints),          cmocka_unit_test(test_outside_cells),
        cmocka_unit_test(test_walks),          cmocka_unit_test(test_walks_start_anywhere),
        cmocka_unit_test(test_concurrent_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
