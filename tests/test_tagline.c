/* What the fuzz target of tagline.h cannot ask: its hashes against published values, seeds, keys made to
 * collide, and entries that malloc does not align. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t compared; /* keys */
static bool no_random;
static uint64_t drawn;

static bool draw(void *bytes, size_t count) {
    drawn++;
    memset(bytes, 0, count);
    memcpy(bytes, &drawn, sizeof drawn);
    return !no_random;
}

static bool texts_equal(const char *a, const char *b) {
    compared++;
    return strcmp(a, b) == 0;
}

static int seeds_missed;

#define TAGLINE_RANDOM draw
#define TAGLINE_NO_SEED(seed) ((void)(seeds_missed++, (seed)->low = 1, (seed)->high = 2))
#define TAGLINE_NAME guarded
#define TAGLINE_KEY const char *
#define TAGLINE_VALUE unsigned
#define TAGLINE_SEEDED_HASH(key, seed) tagline_seeded_string(key, seed)
#define TAGLINE_EQUAL texts_equal
#include "maps/tagline/tagline.h"

#define TAGLINE_NAME plain
#define TAGLINE_KEY const char *
#define TAGLINE_VALUE unsigned
#define TAGLINE_HASH tagline_hash_string
#define TAGLINE_EQUAL texts_equal
#include "maps/tagline/tagline.h"

struct line {
    _Alignas(128) uint64_t words[2];
};
#define TAGLINE_NAME lines
#define TAGLINE_KEY uint64_t
#define TAGLINE_VALUE struct line
#define TAGLINE_HASH tagline_hash_u64
#define TAGLINE_NEW(map, type, count) ((type *)aligned_alloc(_Alignof(type), (count) * sizeof(type)))
#define TAGLINE_NEW_ZEROED(map, type, count) ((type *)calloc((count), sizeof(type)))
#define TAGLINE_DELETE(map, address) free(address)
#include "maps/tagline/tagline.h"

/* --- hashes --- */

/* Source: the table of the reference implementation, for the key 00 01 .. 0f and the text 00 01 .. of that
 * length; that of 15 bytes stands in the paper, too (appendix A). */
static void test_siphash_2_4(void **state) {
    static const struct {
        size_t length;
        uint64_t hash;
    } table[] = {{0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {2, 0x0d6c8009d9a94f5a},
                 {7, 0xab0200f58b01d137},  {8, 0x93f5f5799a932462},  {9, 0x9e0082df0ba9e4b0},
                 {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb}, {63, 0x958a324ceb064572}};
    struct tagline_seed seed = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    unsigned char text[64];
    for (unsigned i = 0; i < sizeof text; i++) text[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(tagline_siphash(text, table[i].length, seed, 2, 4), table[i].hash);
    (void)state;
}

/* Source: hash(bytes(range(length))) of CPython 3.11 with PYTHONHASHSEED=0, which is SipHash-1-3 with the key
 * 0. */
static void test_siphash_1_3(void **state) {
    static const struct {
        size_t length;
        uint64_t hash;
    } table[] = {{1, 0x68a914128e01e473},  {2, 0x010bac45c41e3669},  {3, 0x4d4c9a4a8ef6e0ad},
                 {7, 0x2f098ab0c751325a},  {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362},
                 {15, 0xf30eb725bb91c9ea}, {16, 0x8972188433a5c5b7}, {63, 0x385d3e39e5f37359}};
    struct tagline_seed seed = {0, 0};
    unsigned char text[64];
    for (unsigned i = 0; i < sizeof text; i++) text[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_int_equal(tagline_seeded_bytes(text, table[i].length, seed), table[i].hash);
    assert_int_equal(tagline_seeded_u64(0x0706050403020100, seed), 0xead411e67ebe2eea);
    assert_int_equal(tagline_seeded_string("abc", seed), tagline_seeded_bytes("abc", 3, seed));
    (void)state;
}

/* The products were computed with integers of any size. */
static void test_fold(void **state) {
    assert_int_equal(tagline_fold(UINT64_MAX, UINT64_MAX), UINT64_MAX);
    assert_int_equal(tagline_fold(0xffffffff00000001, 0xfffffffeffffffff), 0x1ffffffff);
    assert_int_equal(tagline_fold(0x123456789abcdef0, 0xfedcba9876543210), 0x317228f48165bb22);
    assert_int_equal(tagline_hash_u64(0), 0xe18485764ba03644);
    assert_int_equal(tagline_hash_u64(1), 0x4fcdfcacca5aaa31);
    (void)state;
}

/* Every bit of a text, and its length, changes about half of the hash's bits: the mean over all of them. */
static void test_every_bit_counts(void **state) {
    unsigned char text[80];
    for (size_t length = 1; length <= sizeof text; length++) {
        for (unsigned i = 0; i < length; i++) text[i] = (unsigned char)(i * 37 + 11);
        uint64_t hash = tagline_hash_bytes(text, length);
        size_t changed = 0;
        for (size_t bit = 0; bit < 8 * length; bit++) {
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
            int bits = __builtin_popcountll(hash ^ tagline_hash_bytes(text, length));
            text[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_in_range(bits, 12, 52);
            changed += (size_t)bits;
        }
        assert_in_range(changed, 8 * length * 28, 8 * length * 36);
        assert_int_not_equal(hash, tagline_hash_bytes(text, length - 1));
    }
    (void)state;
}

/* --- seeds --- */

enum { TEXTS = 2000, TEXT = 32 };

/* Texts of 32 bytes that all have one hash unless it is seeded: their second word makes the fold over their
 * first 16 bytes a product with 0. */
static void make_colliding(char texts[TEXTS][TEXT + 1]) {
    uint64_t second = TAGLINE_E ^ TEXT;
    for (uint64_t i = 0; i < TEXTS; i++) {
        uint64_t first = 0x3030303030303030 + (i / 10 << 8) + i % 10;
        memset(texts[i], 'x', TEXT);
        memcpy(texts[i], &first, sizeof first);
        memcpy(texts[i] + 8, &second, sizeof second);
        texts[i][TEXT] = '\0';
    }
}

static void test_flood(void **state) {
    static char texts[TEXTS][TEXT + 1];
    struct plain plain = plain_make();
    struct guarded guarded = guarded_make();
    make_colliding(texts);
    compared = 0;
    for (unsigned i = 0; i < TEXTS; i++) {
        assert_int_equal(tagline_hash_string(texts[i]), tagline_hash_string(texts[0]));
        *plain_put(&plain, texts[i]) = i;
    }
    assert_int_equal(plain_len(&plain), TEXTS);
    assert_in_range(compared, TEXTS * (TEXTS - 1) / 2, SIZE_MAX); /* each with all before it */
    compared = 0;
    for (unsigned i = 0; i < TEXTS; i++) *guarded_put(&guarded, texts[i]) = i;
    for (unsigned i = 0; i < TEXTS; i++) assert_int_equal(*guarded_get(&guarded, texts[i]), i);
    assert_in_range(compared, TEXTS, 2 * TEXTS);
    plain_free(&plain);
    guarded_free(&guarded);
    (void)state;
}

/* The order of a walk, as a number. */
static uint64_t order_of(const struct guarded *map) {
    uint64_t order = 0;
    for (struct guarded_walk at = guarded_begin(map); guarded_next(&at);)
        order = order * 31 + at.entry->value;
    return order;
}

static struct guarded filled(struct tagline_seed seed) {
    static char texts[100][8];
    struct guarded map = guarded_make_seeded(seed);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(texts[i], sizeof texts[i], "%u", i);
        *guarded_put(&map, texts[i]) = i;
    }
    return map;
}

static void test_seeds(void **state) {
    struct guarded drawn_one = guarded_make(), drawn_two = guarded_make();
    struct tagline_seed one = guarded_seed(&drawn_one), two = guarded_seed(&drawn_two);
    struct guarded map = filled(one), again = filled(one), other = filled(two),
                   copy = guarded_make_seeded(two);
    assert_memory_not_equal(&one, &two, sizeof one);
    assert_int_equal(order_of(&map), order_of(&again));
    assert_int_not_equal(order_of(&map), order_of(&other));
    assert_true(guarded_clone(&copy, &map));
    assert_int_equal(order_of(&copy), order_of(&map));
    assert_int_equal(*guarded_get(&copy, "57"), 57);
    guarded_free(&map);
    two = guarded_seed(&map);
    assert_memory_equal(&one, &two, sizeof one);
    guarded_free(&again);
    guarded_free(&other);
    guarded_free(&copy);
    (void)state;
}

static void test_no_seed(void **state) {
    struct tagline_seed seed;
    no_random = true;
    assert_false(tagline_draw_seed(&seed));
    struct guarded map = guarded_make();
    no_random = false;
    assert_int_equal(seeds_missed, 1);
    assert_int_equal(guarded_seed(&map).high, 2);
    (void)state;
}

/* --- alignment --- */

static void test_lines(void **state) {
    struct lines map = lines_make();
    for (uint64_t i = 0; i < 1000; i++) {
        struct line *line = lines_put(&map, i);
        assert_non_null(line);
        assert_int_equal((uintptr_t)line % 128, 0);
        line->words[1] = i;
    }
    for (uint64_t i = 0; i < 1000; i++) assert_int_equal(lines_get(&map, i)->words[1], i);
    lines_free(&map);
    (void)state;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash_2_4), cmocka_unit_test(test_siphash_1_3),
        cmocka_unit_test(test_fold),        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_flood),       cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_no_seed),     cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
