/* Computed key streams, permutations and the orders in which keys are touched. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#if __has_include(<htslib/khash.h>)
#include <htslib/khash.h>
#endif

#include "harness/keys/keygen.h"
#include "harness/keys/keyspec.h"

#include "tests/support/keys_support.h"

enum { SEED = 42 };
static const char *const shape_names[] = {"u32_u32", "u64_u64", "str_u64"};
static const char *const computed[] = {
    "uniform",   "zipf",   "hotset", "sequential",       "reverse",
    "strided:8", "masked", "attack", "strided:0x100000", "masked:0x5555555555555554"};

/* --- keys --- */

/* Stores `count` <= 2n keys from index `first` on. */
static void *store_all(struct keys *keys, const struct shape *shape, uint64_t first, size_t count) {
    char *out = malloc(count * shape->key_size);
    uint64_t *index = malloc(KEYS_BLOCK * sizeof *index);
    assert_non_null(out);
    assert_non_null(index);
    for (size_t done = 0; done < count;) {
        size_t block = count - done < KEYS_BLOCK ? count - done : KEYS_BLOCK;
        for (size_t i = 0; i < block; i++) index[i] = first + done + i;
        keys_store(keys, index, block, out + done * shape->key_size);
        done += block;
    }
    free(index);
    return out;
}

static void assert_distinct(const struct shape *shape, void *key, size_t count) {
    if (shape->key_bits == 0) {
        struct str *text = key;
        qsort(text, count, sizeof *text, compare_str);
        for (size_t i = 1; i < count; i++) assert_true(compare_str(&text[i - 1], &text[i]) < 0);
        return;
    }
    uint64_t *number = malloc(count * sizeof *number);
    assert_non_null(number);
    for (size_t i = 0; i < count; i++)
        number[i] = shape->key_bits == 32 ? ((uint32_t *)key)[i] : ((uint64_t *)key)[i];
    qsort(number, count, sizeof *number, compare_u64);
    for (size_t i = 1; i < count; i++) assert_true(number[i - 1] < number[i]);
    free(number);
}

/* Present and absent keys together are distinct, wherever the window of indices lies. */
static void computed_keys_are_distinct(void **state) {
    (void)state;
    for (size_t s = 0; s < 3; s++)
        for (size_t c = 0; c < sizeof computed / sizeof computed[0]; c++) {
            const struct shape *shape = shape_find(shape_names[s]);
            struct why why;
            size_t limit = keys_available(computed[c], shape, &why), n = 60000;
            if (limit == 0) continue; /* a 64-bit parameter on a 32-bit shape: tested below */
            if (n > limit / 2) n = limit / 2;
            struct keys *keys = open_keys(computed[c], shape_names[s], n, SEED);
            assert_int_equal(keys_limit(keys), limit);
            static const uint64_t first[] = {0, 1000, (uint64_t)1 << 31};
            for (size_t f = 0; f < 3; f++) {
                void *key = store_all(keys, shape, first[f], 2 * n);
                assert_distinct(shape, key, 2 * n);
                free(key);
            }
            keys_close(keys);
        }
}

static void first_numbers(const char *spec, const char *shape, uint64_t seed, uint64_t out[3]) {
    struct keys *keys = open_keys(spec, shape, 100, seed);
    uint64_t index[3] = {0, 1, 2}, wide[3];
    uint32_t narrow[3];
    bool is_narrow = shape_find(shape)->key_bits == 32;
    keys_store(keys, index, 3, is_narrow ? (void *)narrow : (void *)wide);
    for (int i = 0; i < 3; i++) out[i] = is_narrow ? narrow[i] : wide[i];
    keys_close(keys);
}

/* Results of different days compare only while a seed gives the same keys. */
static void keys_are_fixed_by_the_seed(void **state) {
    (void)state;
    static const struct {
        const char *spec, *shape;
        uint64_t key[3];
    } expected[] = {
        {"uniform", "u64_u64", {0x16a20de25099013f, 0x647a26a3b8525035, 0xf6bc53291c706bb8}},
        {"zipf", "u64_u64", {0x16a20de25099013f, 0x647a26a3b8525035, 0xf6bc53291c706bb8}},
        {"uniform", "u32_u32", {0xeb93b729, 0x6bcf69e8, 0x76bb8724}},
        {"sequential", "u64_u64", {1, 2, 3}},
        {"reverse", "u32_u32", {0xffffffff, 0xfffffffe, 0xfffffffd}},
        {"strided", "u64_u64", {0, 4096, 8192}},
        {"masked:0xf0f0", "u32_u32", {0, 0x10, 0x20}},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        uint64_t key[3];
        first_numbers(expected[i].spec, expected[i].shape, SEED, key);
        assert_memory_equal(key, expected[i].key, sizeof key);
    }
    static const char *const seeded[] = {"uniform", "attack"};
    for (size_t i = 0; i < 2; i++)
        for (size_t s = 0; s < 2; s++) {
            uint64_t a[3], b[3], c[3];
            first_numbers(seeded[i], shape_names[s], 1, a);
            first_numbers(seeded[i], shape_names[s], 1, b);
            first_numbers(seeded[i], shape_names[s], 2, c);
            assert_memory_equal(a, b, sizeof a);
            assert_memory_not_equal(a, c, sizeof a);
        }
}

static void masked_and_strided_keep_their_form(void **state) {
    (void)state;
    const struct shape *shape = shape_find("u64_u64");
    struct keys *keys = open_keys("masked", "u64_u64", 5000, SEED);
    uint64_t *key = store_all(keys, shape, 0, 10000);
    for (int i = 1; i < 10000; i++) {
        assert_int_equal(key[i] & ~0xfff000fff000fff0u, 0);
        assert_true(key[i] > key[i - 1]);
    }
    assert_string_equal(keys_facts(keys)->name, "masked:0xfff000fff000fff0");
    assert_int_equal(keys_limit(keys), (size_t)1 << 36);
    free(key);
    keys_close(keys);
    keys = open_keys("masked:0xffffffffffffffff", "u64_u64", 10, SEED);
    uint64_t index = 0x123456789abcdef, whole;
    keys_store(keys, &index, 1, &whole);
    assert_int_equal(whole, index);
    keys_close(keys);
}

/* Every bit of uniform keys is set half the time, and no low 16 bits are preferred. */
static void uniform_keys_are_even(void **state) {
    (void)state;
    enum { COUNT = 1 << 19, BINS = 1 << 16 };
    for (size_t s = 0; s < 2; s++) {
        const struct shape *shape = shape_find(shape_names[s]);
        struct keys *keys = open_keys("uniform", shape_names[s], COUNT, SEED);
        void *key = store_all(keys, shape, 0, COUNT);
        unsigned ones[64] = {0}, *bin = calloc(BINS, sizeof *bin);
        assert_non_null(bin);
        for (size_t i = 0; i < COUNT; i++) {
            uint64_t k = shape->key_bits == 32 ? ((uint32_t *)key)[i] : ((uint64_t *)key)[i];
            for (unsigned b = 0; b < shape->key_bits; b++) ones[b] += k >> b & 1;
            bin[k % BINS]++;
        }
        for (unsigned b = 0; b < shape->key_bits; b++)
            assert_true(fabs(ones[b] - COUNT / 2.0) < 5 * sqrt(COUNT / 4.0));
        double sum = 0, mean = (double)COUNT / BINS;
        for (size_t i = 0; i < BINS; i++) sum += pow(bin[i] - mean, 2) / mean;
        assert_true(sum < chi_square_bound(BINS - 1));
        assert_true(sum > BINS - 1 - 5 * sqrt(2.0 * BINS));
        free(bin);
        free(key);
        keys_close(keys);
    }
}

/* khash's hashes; the third function is FNV-1a as published. */
static uint32_t khash_u64(uint64_t key) {
    return (uint32_t)(key >> 33 ^ key ^ key << 11);
}

static uint32_t x31(const char *text, size_t len) {
    uint32_t hash = 0;
    for (size_t i = 0; i < len; i++) hash = hash * 31 + (unsigned char)text[i];
    return hash;
}

static uint32_t fnv1a(const char *text, size_t len) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    return hash;
}

/* Whichever of its two hashes of strings the installed khash has: texts for each of them collide. */
static void attack_texts_collide_under_both_hashes(void **state) {
    (void)state;
    enum { N = 20000 };
    uint32_t (*const hash[])(const char *, size_t) = {[KHASH_X31] = x31, [KHASH_FNV1A] = fnv1a};
    for (int kind = KHASH_X31; kind <= KHASH_FNV1A; kind++) {
        struct keygen gen = keygen_make(&(struct keyspec){.kind = KEYSPEC_ATTACK}, 0, SEED);
        char text[KEYGEN_TEXT_MAX], other[KEYGEN_TEXT_MAX];
        gen.khash_text = kind;
        uint32_t expected = hash[kind](text, keygen_text(&gen, 0, text));
        struct str *all = calloc(N, sizeof *all);
        assert_non_null(all);
        for (size_t i = 0; i < N; i++) {
            size_t len = keygen_text(&gen, i, text);
            assert_true(len > 0 && len <= KEYGEN_TEXT_MAX);
            assert_int_equal(hash[kind](text, len), expected);
            all[i] = (struct str){memcpy(malloc(len), text, len), len};
        }
        gen.seed++;
        assert_memory_not_equal(text, other, keygen_text(&gen, N - 1, other));
        assert_distinct(shape_find("str_u64"), all, N);
        for (size_t i = 0; i < N; i++) free((char *)all[i].text);
        free(all);
    }
    assert_int_equal(fnv1a("a", 1), 0xe40c292c); /* the published value */
}

static void attack_keys_collide_under_khash(void **state) {
    (void)state;
#ifndef AC_VERSION_KHASH_H
    skip();
#else
    enum { N = 20000 };
    struct keys *keys = open_keys("attack", "u64_u64", N, SEED);
    uint64_t *wide = store_all(keys, shape_find("u64_u64"), 0, 2 * N);
    for (int i = 0; i < 2 * N; i++)
        assert_int_equal(kh_int64_hash_func(wide[i]), khash_u64(wide[0]));
    free(wide);
    keys_close(keys);

    size_t limit = keys_available("attack", shape_find("u32_u32"), NULL);
    keys = open_keys("attack", "u32_u32", limit / 2, SEED);
    uint32_t *narrow = store_all(keys, shape_find("u32_u32"), 0, limit);
    for (size_t i = 0; i < limit; i++)
        assert_int_equal(kh_int_hash_func(narrow[i]) & 0xfffff, kh_int_hash_func(narrow[0]) & 0xfffff);
    free(narrow);
    keys_close(keys);

    keys = open_keys("attack", "str_u64", N, SEED);
    struct str *text = store_all(keys, shape_find("str_u64"), 0, 2 * N);
    khint_t expected = 0;
    for (int i = 0; i < 2 * N; i++) {
        char terminated[64];
        kstring_t k = {text[i].len, sizeof terminated, terminated};
        assert_true(text[i].len > 0 && text[i].len < sizeof terminated);
        memcpy(terminated, text[i].text, text[i].len);
        terminated[text[i].len] = '\0';
        if (i == 0) expected = kh_kstr_hash_func(k);
        assert_int_equal(kh_kstr_hash_func(k), expected);
        assert_int_equal(kh_str_hash_func(terminated), expected);
    }
    free(text);
    keys_close(keys);
#endif
}

/* The same hashes tell uniform keys apart, so the test above can fail. */
static void uniform_keys_do_not_collide_under_khash(void **state) {
    (void)state;
    struct keys *keys = open_keys("uniform", "u64_u64", 100, SEED);
    uint64_t *key = store_all(keys, shape_find("u64_u64"), 0, 100);
    for (int i = 1; i < 100; i++)
        assert_int_not_equal(khash_u64(key[i]), khash_u64(key[0]));
    free(key);
    keys_close(keys);
}

/* --- texts --- */

static void texts_are_stable_and_probes_are_copies(void **state) {
    (void)state;
    enum { N = 50000 };
    const struct shape *shape = shape_find("str_u64");
    for (size_t c = 0; c < sizeof computed / sizeof computed[0]; c++) {
        struct keys *keys = open_keys(computed[c], "str_u64", N, SEED);
        struct str *stored = store_all(keys, shape, 0, N), *newer = store_all(keys, shape, N, N);
        struct str *probe = malloc(KEYS_BLOCK * sizeof *probe);
        uint64_t *index = malloc(KEYS_BLOCK * sizeof *index);
        assert_non_null(probe);
        assert_non_null(index);
        size_t bytes = 0;
        for (size_t i = 0; i < KEYS_BLOCK; i++) index[i] = N - 1 - i;
        keys_probe(keys, index, KEYS_BLOCK, probe);
        for (size_t i = 0; i < KEYS_BLOCK; i++) {
            const struct str *same = &stored[N - 1 - i];
            assert_true(shape->key_equal(&probe[i], same));
            assert_ptr_not_equal(probe[i].text, same->text);
            assert_in_range(same->len, 13, 28);
        }
        for (size_t i = 0; i < N; i++) bytes += stored[i].len;
        assert_true(fabs(keys_facts(keys)->mean_key_bytes - (double)bytes / N) < 0.001);
        /* The third generation may take the place of the first and leaves the second alone. */
        struct str *third = store_all(keys, shape, 2 * N, N);
        if (keys_limit(keys) == SIZE_MAX) assert_ptr_equal(third[0].text, stored[0].text);
        keys_probe(keys, (uint64_t[]){N + 7}, 1, probe);
        assert_true(shape->key_equal(&probe[0], &newer[7]));
        free(third);
        free(index);
        free(probe);
        free(newer);
        free(stored);
        keys_close(keys);
    }
}

/* Two generations of stored text stay good while the window of indices slides, also past the limit. */
static void texts_outlive_the_limit(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        size_t n;
    } cases[] = {{"masked:0xff", 100},
                 {"masked:0xff", 200},
                 {"masked:0xff", 33},
                 {"strided:0x0800000000000001", 9},
                 {"uniform", 100}};
    const struct shape *shape = shape_find("str_u64");
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        size_t n = cases[c].n;
        struct keys *keys = open_keys(cases[c].spec, "str_u64", n, SEED);
        struct str stored[400], probe;
        size_t window = 2 * n <= keys_limit(keys) ? 2 * n : keys_limit(keys);
        for (uint64_t i = 0; i < 700; i++) {
            uint64_t index = i % 3 ? i % keys_limit(keys) : i; /* callers may reduce it or not */
            keys_store(keys, &index, 1, &stored[i % window]);
            for (uint64_t j = i < window ? 0 : i - window + 1; j <= i; j++) {
                keys_probe(keys, &j, 1, &probe);
                assert_true(shape->key_equal(&probe, &stored[j % window]));
            }
        }
        keys_close(keys);
    }
}

static void texts_read_as_documented(void **state) {
    (void)state;
    static const struct {
        const char *spec, *text;
    } expected[] = {{"sequential", "key-000000000001"},
                    {"reverse", "key-004294967295"},
                    {"strided:10", "key-000000000000"},
                    {"masked", "0000000000000000"},
                    {"uniform", "7jasjij4nqinbofjpgpmjabkla"}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        struct keys *keys = open_keys(expected[i].spec, "str_u64", 10, SEED);
        struct str key;
        keys_store(keys, (uint64_t[]){0}, 1, &key);
        assert_int_equal(key.len, strlen(expected[i].text));
        assert_memory_equal(key.text, expected[i].text, key.len);
        keys_close(keys);
    }
}

/* --- refusals --- */

static void bad_specs_are_refused(void **state) {
    (void)state;
    static const char *const bad_zipf[] = {"zipf:",  "zipf:0",  "zipf:-1",  "zipf:5.1",
                                           "zipf:x", "zipf:1x", "zipf:nan", "zipf:1%"};
    static const char *const bad_hotset[] = {"hotset:10",  "hotset:0:90",    "hotset:100:90", "hotset:10:101",
                                             "hotset:a:b", "hotset:10:90:1", "hotset::"};
    static const char *const bad_strided[] = {"strided:", "strided:0", "strided:-4", "strided:4k",
                                              "strided:99999999999999999999"};
    for (size_t i = 0; i < sizeof bad_zipf / sizeof bad_zipf[0]; i++)
        assert_refused(bad_zipf[i], "u64_u64", 10, "THETA");
    for (size_t i = 0; i < sizeof bad_hotset / sizeof bad_hotset[0]; i++)
        assert_refused(bad_hotset[i], "u64_u64", 10, "percentages");
    for (size_t i = 0; i < sizeof bad_strided / sizeof bad_strided[0]; i++)
        assert_refused(bad_strided[i], "u64_u64", 10, "STRIDE");
    assert_refused("strided:0x100000000", "u32_u32", 10, "STRIDE");
    assert_refused("masked:0", "u64_u64", 10, "MASK");
    assert_refused("masked:0x", "u64_u64", 10, "MASK");
    assert_refused("masked:0x100000000", "u32_u32", 10, "MASK");
    assert_refused("unifrom", "u64_u64", 10, "uniform");
    assert_refused("", "u64_u64", 10, "unknown keys");
    assert_refused("uniform:3", "u64_u64", 10, "no parameter");
    assert_refused("file", "u64_u64", 10, "file:PATH");
    assert_refused("file:", "u64_u64", 10, "file:PATH");
    assert_refused("lines:", "u64_u64", 10, "lines:PATH");
    assert_refused("words", "u64_u64", 10, "--shapes str_u64");
    assert_refused("symbols", "u32_u32", 10, "--shapes str_u64");
}

static void sizes_beyond_the_keys_are_refused(void **state) {
    (void)state;
    assert_refused("uniform", "u64_u64", 0, "at least 1");
    assert_refused("uniform", "u32_u32", ((size_t)1 << 32) + 1, "at most 4294967296");
    assert_refused("strided", "u32_u32", (1 << 20) + 1, "at most 1048576");
    assert_refused("masked:0xff", "u64_u64", 257, "at most 256");
    assert_refused("attack", "u32_u32", 4097, "at most 4096");
    assert_refused("uniform", "str_u64", SIZE_MAX / 4, "smaller n");
    assert_refused("uniform", "str_u64", SIZE_MAX, "smaller n");
    keys_close(open_keys("strided", "u32_u32", 1 << 20, SEED));
    keys_close(open_keys("masked:0xff", "u64_u64", 256, SEED));
    keys_close(open_keys("attack", "u32_u32", 4096, SEED));
}

static void names_spell_the_parameters_out(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"zipf", "zipf:0.99"},          {"zipf:1", "zipf:1"},
        {"hotset", "hotset:10:90"},     {"hotset:0.5%:99%", "hotset:0.5:99"},
        {"strided:0x10", "strided:16"}, {"uniform", "uniform"},
        {"masked:240", "masked:0xf0"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct keys *keys = open_keys(pairs[i][0], "u64_u64", 10, SEED);
        assert_string_equal(keys_facts(keys)->name, pairs[i][1]);
        keys_close(keys);
    }
    assert_true(keys_skewed("zipf:0.5"));
    assert_true(keys_skewed("hotset"));
    assert_false(keys_skewed("uniform"));
    assert_false(keys_skewed("zipfian"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computed_keys_are_distinct),
        cmocka_unit_test(keys_are_fixed_by_the_seed),
        cmocka_unit_test(masked_and_strided_keep_their_form),
        cmocka_unit_test(uniform_keys_are_even),
        cmocka_unit_test(attack_texts_collide_under_both_hashes),
        cmocka_unit_test(attack_keys_collide_under_khash),
        cmocka_unit_test(uniform_keys_do_not_collide_under_khash),
        cmocka_unit_test(texts_are_stable_and_probes_are_copies),
        cmocka_unit_test(texts_outlive_the_limit),
        cmocka_unit_test(texts_read_as_documented),
        cmocka_unit_test(bad_specs_are_refused),
        cmocka_unit_test(sizes_beyond_the_keys_are_refused),
        cmocka_unit_test(names_spell_the_parameters_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
