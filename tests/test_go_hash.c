/* Go's hash functions against vectors read out of a process of Go 1.23.5 and one of 1.27.4. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "maps/go/hash.h"

enum { VECTORS = 2 * 588, LINE_MAX_CHARS = 512 };

static void read_hex(const char *text, uint8_t *out, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
}

/* In a block of its own, of just that size, so that a read beyond either end is found. */
static uint64_t hash_string(const struct go_hash_keys *keys, size_t len, uint64_t seed) {
    char *text = malloc(len ? len : 1);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) text[i] = (char)(i * 7 + len);
    uint64_t hash = go_strhash(keys, text, len, seed);
    free(text);
    return hash;
}

static bool check_line(const char *line, struct go_hash_keys *keys) {
    char kind[16], input[300];
    uint64_t seed, expected, hash, *key = keys->hashkey;
    if (line[0] == '#') return false;
    if (sscanf(line, "hashkey %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64, key, key + 1, key + 2,
               key + 3) == 4)
        return false;
    if (sscanf(line, "aeskeysched %299s", input) == 1) {
        assert_int_equal(strlen(input), 2 * sizeof keys->aeskeysched);
        read_hex(input, keys->aeskeysched, sizeof keys->aeskeysched);
        return false;
    }
    assert_int_equal(sscanf(line, "%15s %299s %" SCNx64 " %" SCNx64, kind, input, &seed, &expected), 4);
    if (strcmp(kind, "u64") == 0)
        hash = go_memhash64(keys, strtoull(input, NULL, 16), seed);
    else if (strcmp(kind, "u32") == 0)
        hash = go_memhash32(keys, (uint32_t)strtoull(input, NULL, 16), seed);
    else
        hash = hash_string(keys, strtoull(input, NULL, 10), seed);
    if (hash != expected) fail_msg("%s: got %016" PRIx64, line, hash);
    return true;
}

static void check_file(const char *path, bool aes) {
    struct go_hash_keys keys = {.aes = aes};
    char line[LINE_MAX_CHARS];
    size_t vectors = 0;
    FILE *in = fopen(path, "r");
    if (!in) fail_msg("cannot open %s: run from the project's folder", path);
    while (fgets(line, sizeof line, in)) vectors += check_line(line, &keys);
    fclose(in);
    assert_int_equal(vectors, VECTORS);
}

static void test_fallback(void **state) {
    (void)state;
    check_file("tests/fixtures/go/hash_vectors_fallback.txt", false);
}

static void test_aes(void **state) {
    (void)state;
    if (!go_hash_aes_available()) skip();
    check_file("tests/fixtures/go/hash_vectors_aes.txt", true);
}

/* Read out of a Go 1.24 with GODEBUG=cpu.aes=off. Both zeros are one key; a NaN has no hash of its own. */
static void test_floats(void **state) {
    const struct go_hash_keys keys = {
        .hashkey = {0x1d78e6804ae7fce2u, 0x90d9fecc2a4a2937u, 0x2b6a9400e5c9e859u, 0xd0c25c18ef141db0u}};
    const struct {
        double key;
        uint64_t unseeded, seeded; /* with seeds 0 and 0x123456789abcdef1 */
    } vector[] = {
        {0.0, 0x041fe719c053b59fu, 0x17c93aeed7d89330u},
        {-0.0, 0x041fe719c053b59fu, 0x17c93aeed7d89330u},
        {1, 0x666b63d42c3c1df2u, 0xed22c458c7944e85u},
        {-2.5, 0x4d0bfd0b2461de06u, 0xad2984d47faa44beu},
        {19999, 0x2bcefc9e25dd639fu, 0x1f0b8cc074f7cdc2u},
        {INFINITY, 0x1f78fef9c6992c94u, 0x266d94754ff32b56u},
    };
    (void)state;
    for (size_t i = 0; i < sizeof vector / sizeof *vector; i++) {
        assert_int_equal(go_f64hash(&keys, vector[i].key, 0), vector[i].unseeded);
        assert_int_equal(go_f64hash(&keys, vector[i].key, 0x123456789abcdef1u), vector[i].seeded);
    }
    assert_int_not_equal(go_f64hash(&keys, NAN, 1), go_f64hash(&keys, NAN, 1));
}

/* Maps keep pointers to the keys of units: always the same, and as the processor allows. */
static void test_unit_keys(void **state) {
    (void)state;
    assert_ptr_equal(go_hash_unit_keys(), go_hash_unit_keys());
    assert_int_equal(go_hash_unit_keys()->aes, go_hash_aes_available());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_aes),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_unit_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
