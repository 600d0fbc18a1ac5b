/* What TAGLINE_BOUNDED promises: no insert does more than one table's work, and growth takes no second copy;
 * hashes that are all equal, and seeds. Counted, not timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/base/rng.h"

/* Work of the insert that is running, and the memory held. */
static size_t hashes_asked, bytes_asked, held, held_most;

static uint64_t counted_hash(uint64_t key);

/* The bytes in front of a block say how many it has. */
enum { HEAD = 64 };
static void *take(size_t bytes, bool zeroed) {
    char *block = zeroed ? calloc(1, HEAD + bytes) : malloc(HEAD + bytes);
    assert_non_null(block);
    memcpy(block, &bytes, sizeof bytes);
    bytes_asked += bytes;
    held += bytes;
    if (held > held_most) held_most = held;
    return block + HEAD;
}
static void give_back(void *memory) {
    size_t bytes;
    if (!memory) return;
    memcpy(&bytes, (char *)memory - HEAD, sizeof bytes);
    held -= bytes;
    free((char *)memory - HEAD);
}

#define TAGLINE_BOUNDED
#define TAGLINE_NAME counted
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH counted_hash
#define TAGLINE_NEW(map, type, count) ((type *)take((count) * sizeof(type), false))
#define TAGLINE_NEW_ZEROED(map, type, count) ((type *)take((count) * sizeof(type), true))
#define TAGLINE_DELETE(map, address) give_back(address)
#include "maps/tagline/tagline.h"

static bool draw(void *bytes, size_t count) {
    static uint64_t drawn;
    memset(bytes, 0, count);
    drawn++;
    memcpy(bytes, &drawn, sizeof drawn);
    return true;
}
#define TAGLINE_RANDOM draw
#define TAGLINE_BOUNDED
#define TAGLINE_NAME guarded
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_SEEDED_HASH(key, seed) tagline_seeded_u64(key, seed)
#include "maps/tagline/tagline.h"

static uint64_t hash_mask; /* of bits that hashes have */

static uint64_t counted_hash(uint64_t key) {
    hashes_asked++;
    return tagline_hash_u64(key) & hash_mask;
}

static void begin_counting(void) {
    hashes_asked = bytes_asked = held = held_most = 0;
    hash_mask = UINT64_MAX;
}

/* A split asks for the hash of each entry of a table twice at most, and once more to see whether it can be
 * split; it takes a table, a chunk of places, and the list of chunks. */
static void test_bounds(void **state) {
    enum { N = 600000 };
    const size_t list = 16384, table = TAGLINE_TABLE_SLOTS * sizeof(struct counted_entry), chunk = 256 * 32;
    struct counted map = counted_make();
    uint64_t rng = rng_derive(1, 1);
    size_t most_hashes = 0, most_bytes = 0;
    (void)state;
    begin_counting();
    for (size_t i = 0; i < N; i++) {
        hashes_asked = bytes_asked = 0;
        held_most = held;
        uint64_t *value = counted_put(&map, rng_next(&rng));
        assert_non_null(value);
        *value = i;
        if (hashes_asked > most_hashes) most_hashes = hashes_asked;
        if (bytes_asked > most_bytes) most_bytes = bytes_asked;
        /* From some tables on; while there is one it doubles. */
        if (i > 4 * TAGLINE_TABLE_SLOTS && held_most > held + held / 10)
            fail_msg("%zu bytes at the peak of insert %zu, %zu after it", held_most, i, held);
    }
    printf("at most %zu hashes and %zu bytes an insert, of %d entries\n", most_hashes, most_bytes, N);
    assert_in_range(most_hashes, TAGLINE_TABLE_SLOTS, 3 * TAGLINE_TABLE_SLOTS);
    assert_in_range(most_bytes, table, table + chunk + list + 2048);
    assert_int_equal(counted_len(&map), N);
    counted_free(&map);
    assert_int_equal(held, 0);
}

/* Beginning a walk and deleting what comes first takes no longer at the end than at the beginning, in which
 * the parts emptied before would be passed over. */
static void test_drain(void **state) {
    enum { N = 200000 };
    struct counted map = counted_make();
    uint64_t rng = rng_derive(3, 1);
    (void)state;
    begin_counting();
    for (size_t i = 0; i < N; i++) *counted_put(&map, rng_next(&rng)) = i;
    for (size_t left = N; left > 0; left--) {
        size_t passed = 0;
        struct counted_walk walk = counted_begin(&map);
        for (const struct counted_part *part = map.from; part && part->table.len == 0; part = part->following)
            passed++;
        assert_true(counted_next(&walk));
        assert_in_range(passed, 0, 1);
        if (left % 2)
            counted_del_entry(&map, walk.entry);
        else
            assert_true(counted_del(&map, walk.entry->key));
    }
    assert_int_equal(counted_len(&map), 0);
    /* What comes back is met, wherever it goes. */
    for (size_t i = 0; i < 1000; i++) {
        *counted_put(&map, i) = i;
        struct counted_walk walk = counted_begin(&map);
        size_t met = 0;
        while (counted_next(&walk)) met++;
        assert_int_equal(met, i + 1);
    }
    counted_free(&map);
    assert_int_equal(held, 0);
}

/* Room for about so many: few tables are split before, and no more memory than twice what they need. */
static void test_reserve(void **state) {
    (void)state;
    for (size_t n = 1; n < 300000; n = n * 3 + 1) {
        struct counted map = counted_make();
        uint64_t rng = rng_derive(2, n);
        begin_counting();
        assert_true(counted_reserve(&map, n));
        size_t capacity = counted_capacity(&map);
        for (size_t i = 0; i < n; i++) *counted_put(&map, rng_next(&rng)) = i;
        assert_in_range(capacity, n, n < 16 ? 15 : 4 * n);
        assert_in_range(counted_capacity(&map), capacity, capacity + capacity / 50);
        counted_free(&map);
    }
    struct counted map = counted_make();
    assert_false(counted_reserve(&map, SIZE_MAX));
    assert_int_equal(held, 0);
}

/* Hashes that no bit tells apart make one table grow; others still split it. */
static void test_equal_hashes(void **state) {
    struct counted map = counted_make();
    (void)state;
    begin_counting();
    hash_mask = 0;
    for (uint64_t i = 0; i < 1500; i++) *counted_put(&map, i) = i;
    assert_null(map.first->following);
    assert_true(counted_capacity(&map) < 8192);
    for (uint64_t i = 0; i < 1500; i++) assert_int_equal(*counted_get(&map, i), i);
    assert_null(counted_get(&map, 1500));
    struct counted copy = counted_make();
    assert_true(counted_clone(&copy, &map));
    for (uint64_t i = 0; i < 1500; i++) assert_true(counted_del(&map, i));
    assert_int_equal(counted_len(&copy), 1500);
    counted_free(&map), counted_free(&copy);
    hash_mask = (uint64_t)3 << 62; /* the last bits that can tell them */
    map = counted_make();
    for (uint64_t i = 0; i < 1000; i++) *counted_put(&map, i) = i;
    assert_non_null(map.first->following);
    for (uint64_t i = 0; i < 1000; i++) assert_int_equal(*counted_get(&map, i), i);
    counted_free(&map);
    assert_int_equal(held, 0);
}

/* Tables of a map have its seed; a clone the same, another map another. */
static void test_seeds(void **state) {
    struct guarded map = guarded_make(), other = guarded_make(), copy = guarded_make();
    (void)state;
    assert_memory_not_equal(&map.seed, &other.seed, sizeof map.seed);
    for (uint64_t i = 0; i < 5000; i++) *guarded_put(&map, i) = i;
    assert_true(guarded_clone(&copy, &map));
    assert_memory_equal(&map.seed, &copy.seed, sizeof map.seed);
    for (uint64_t i = 0; i < 5000; i++) {
        assert_int_equal(*guarded_get(&map, i), i);
        assert_int_equal(*guarded_get(&copy, i), i);
        if (i % 3) assert_true(guarded_del(&map, i));
    }
    assert_true(guarded_shrink(&map));
    for (uint64_t i = 0; i < 5000; i++) assert_int_equal(guarded_get(&map, i) != NULL, i % 3 == 0);
    guarded_free(&map), guarded_free(&other), guarded_free(&copy);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds), cmocka_unit_test(test_drain),
                                       cmocka_unit_test(test_reserve), cmocka_unit_test(test_equal_hashes),
                                       cmocka_unit_test(test_seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
