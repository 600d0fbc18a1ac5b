/* gosim's books: what an object costs, and what a collection frees, against what Go recorded. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim/sizeclass.h"
#include "tests/support/gosim_support.h"

static const struct gosim_type string_type = {.name = "string", .size = 16, .pointer = at_0, .pointers = 1};

/* --- against recordings --- */

static void check_tiny(const char *name, size_t n, size_t bytes, uint64_t heap_alloc, uint64_t objects,
                       uint64_t mallocs) {
    struct gosim *g = open_heap(false);
    struct gosim_type type = {.name = name, .size = bytes};
    if (name[0] == '*') type.pointer = at_0, type.pointers = 1;
    for (size_t i = 0; i < n; i++) assert_non_null(gosim_new(g, &type, 1));
    struct gosim_stats stats = stats_of(g);
    assert_int_equal(stats.heap_alloc, heap_alloc);
    assert_int_equal(stats.heap_objects, objects);
    assert_int_equal(stats.mallocs, mallocs);
    assert_int_equal(stats.mallocs - stats.frees, stats.heap_objects);
    gosim_close(g);
}

static uint64_t cost(const struct gosim_type *type, size_t count) {
    struct gosim *g = open_heap(false);
    assert_non_null(gosim_new(g, type, count));
    struct gosim_stats stats = stats_of(g);
    assert_int_equal(stats.total_alloc, stats.heap_alloc);
    gosim_close(g);
    return stats.heap_alloc;
}

static void check_rounding(size_t request, uint64_t noscan, uint64_t scan) {
    const struct gosim_type with_pointer = {.name = "P", .size = request, .pointer = at_0, .pointers = 1};
    assert_int_equal(cost(&byte_type, request), noscan);
    if (scan) assert_int_equal(cost(&with_pointer, 1), scan);
}

/* Of 1600 pieces of a byte, every sixteenth is kept: it keeps the block. */
static void check_keep(uint64_t heap_alloc) {
    struct gosim *g = open_heap(false);
    void **kept = NULL;
    gosim_root(g, &kept, "kept");
    kept = gosim_new(g, &pointer_type, 100);
    uint64_t base = stats_of(g).heap_alloc;
    for (size_t i = 0; i < 1600; i++) {
        void *piece = gosim_new(g, &byte_type, 1);
        if (i % 16 == 5) gosim_store(g, &kept[i / 16], piece);
    }
    gosim_collect(g);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc - base, heap_alloc);
    gosim_close(g);
}

static void check_interior(uint64_t bytes) {
    struct gosim *g = open_heap(false);
    char *middle = NULL;
    gosim_root(g, &middle, "middle");
    middle = (char *)gosim_new(g, &byte_type, bytes) + bytes / 2;
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, bytes);
    middle = NULL;
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 0);
    gosim_close(g);
}

static void test_recorded_facts(void **state) {
    (void)state;
    FILE *in = fopen("tests/fixtures/go/gcfacts.txt", "r");
    if (!in) fail_msg("cannot open tests/fixtures/go/gcfacts.txt: run from the project's folder");
    char line[256], name[32];
    unsigned long long a, b, c, d, e;
    size_t rounds = 0, others = 0;
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "round %llu %llu %llu", &a, &b, &c) == 3) {
            check_rounding(a, b, c);
            rounds++;
        } else if (sscanf(line, "tiny %31s %llu %llu %llu %llu %llu", name, &a, &b, &c, &d, &e) == 6) {
            check_tiny(name, a, b, c, d, e);
            others++;
        } else if (sscanf(line, "keep %llu", &a) == 1) {
            check_keep(a);
            others++;
        } else if (sscanf(line, "interior %llu", &a) == 1) {
            check_interior(a);
            others++;
        }
    }
    fclose(in);
    assert_true(rounds >= 50);
    assert_int_equal(others, 9);
}

/* NextGC after a collection of the recorded heap. Go adds its stacks and globals to what the percentage is
 * taken of, 207 KB in those programs; here there are none. */
static void test_recorded_pacing(void **state) {
    (void)state;
    FILE *in = fopen("tests/fixtures/go/gcfacts.txt", "r");
    assert_non_null(in);
    char line[256];
    unsigned long long gogc, heap_alloc, next_gc;
    size_t seen = 0;
    while (fgets(line, sizeof line, in)) {
        if (sscanf(line, "pacing %llu %llu %llu", &gogc, &heap_alloc, &next_gc) != 3) continue;
        struct gosim *g = gosim_open(&(struct gosim_options){.gogc = (int)gogc});
        assert_non_null(g);
        void **list = NULL;
        gosim_root(g, &list, "list");
        for (unsigned long long i = 0; i < heap_alloc / 1024; i++) {
            gosim_hold(g);
            void **node = gosim_new(g, &pointer_type, 64);
            assert_non_null(gosim_new(g, &byte_type, 1));
            gosim_store(g, node, list);
            gosim_store(g, node + 1, gosim_new(g, &byte_type, 512));
            list = node;
            gosim_release(g);
        }
        gosim_collect(g);
        gosim_collect(g);
        uint64_t got = stats_of(g).next_gc, least = (4ull << 20) * gogc / 100, bytes = stats_of(g).heap_alloc;
        assert_true(bytes <= heap_alloc && bytes + 2048 > heap_alloc);
        if (next_gc == least)
            assert_int_equal(got, least);
        else if (next_gc < heap_alloc + (1 << 20) + 2048) /* as far as sweeping wants to go */
            assert_in_range(next_gc - got, 0, 2048);
        else
            assert_in_range(next_gc - got, 0,
                            215000 * gogc / 100 + (heap_alloc - bytes) * (100 + gogc) / 100 + 1024);
        gosim_close(g);
        seen++;
    }
    fclose(in);
    assert_int_equal(seen, 15);
}

/* The block that tiny objects are cut from survives a collection that finds it in use, and ends with it; it
 * ends with a look at the books, too. */
static void test_tiny_block_in_use(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    gosim_new(g, &byte_type, 1);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 16);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 0);
    gosim_new(g, &byte_type, 1);
    gosim_new(g, &byte_type, 1);
    assert_int_equal(stats_of(g).heap_objects, 1);
    gosim_new(g, &byte_type, 1);
    assert_int_equal(stats_of(g).heap_objects, 2);
    gosim_close(g);
}

/* --- by hand, from the size classes --- */

/* ptrvalue's objects: 10,000 keys of 16 bytes and values of 1032 without pointers, 1152 each as Go rounds. */
static void test_ptrvalue_objects(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    const struct gosim_type user = {.name = "User", .size = 1032};
    struct entry {
        void *key;
        uint64_t length;
        void *value;
    } *entry = NULL;
    static const struct gosim_field fields[] = {{"key", 0}, {"value", 16}};
    const struct gosim_type entries = {.name = "[]entry", .size = 24, .pointer = fields, .pointers = 2};
    gosim_root(g, &entry, "users");
    entry = gosim_new(g, &entries, 10000);
    uint64_t base = stats_of(g).heap_alloc;
    assert_int_equal(base, 245760); /* 240,000 in whole pages */
    for (size_t i = 0; i < 10000; i++) {
        gosim_store(g, &entry[i].key, gosim_new(g, &byte_type, 16));
        gosim_store(g, &entry[i].value, gosim_new(g, &user, 1));
        gosim_new(g, &byte_type, 16); /* the loop's own key: garbage */
    }
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc - base, 10000 * (16 + 1152));
    assert_int_equal(stats_of(g).heap_objects, 1 + 20000);
    for (size_t i = 0; i < 10000; i++) gosim_store(g, &entry[i].value, NULL);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc - base, 160000);
    entry = NULL;
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 0);
    assert_int_equal(stats_of(g).heap_objects, 0);
    assert_int_equal(stats_of(g).heap_inuse, 0);
    gosim_close(g);
}

/* A slice of one string keeps the array of a million: 16,000,000 bytes in whole pages. */
static void test_subslice(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    void *slice = NULL;
    gosim_root(g, &slice, "slice");
    slice = gosim_new(g, &string_type, 1000000);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 16007168);
    void *copy = gosim_new(g, &string_type, 1);
    slice = copy;
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 16);
    /* 64 slices of 10,000: 163,840 each. */
    void **all = NULL;
    gosim_root(g, &all, "all");
    all = gosim_new(g, &pointer_type, 64);
    for (int i = 0; i < 64; i++) gosim_store(g, &all[i], gosim_new(g, &string_type, 10000));
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 16 + 512 + 64 * 163840);
    gosim_close(g);
}

/* Keys cut from documents of 64 KiB: any pointer into one keeps all of it. */
static void test_substring(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    void **key = NULL;
    gosim_root(g, &key, "keys");
    key = gosim_new(g, &string_type, 256);
    uint64_t base = stats_of(g).heap_alloc;
    for (size_t i = 0; i < 256; i++) {
        gosim_new(g, &byte_type, 65536); /* the buffer that the string is made from */
        char *document = gosim_new(g, &byte_type, 65536);
        gosim_store(g, &key[i * 2], document + i * 200);
    }
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc - base, 256 * 65536);
    gosim_close(g);
}

/* The heaps of 2500, 5000, 7500 and 10,000 timers in the recorded afterfunc curve. */
static void test_slice_growth(void **state) {
    (void)state;
    static const size_t entries[] = {2500, 5000, 7500, 10000}, bytes[] = {40960, 81920, 139264, 180224};
    size_t capacity = 0;
    for (size_t i = 0; i < 4; i++) {
        while (capacity < entries[i]) capacity = gs_grown_capacity(capacity, 16, false, true);
        assert_int_equal(gs_booked_bytes(capacity * 16, false, true), bytes[i]);
    }
    /* 512 words become 832, 6656 bytes, a block of 6784; of pointers its header takes one. */
    assert_int_equal(gs_grown_capacity(512, 8, true, true), 848);
    assert_int_equal(gs_grown_capacity(512, 8, false, true), 847);
}

static void test_headers_since_122(void **state) {
    (void)state;
    const struct gosim_type type = {.name = "P", .size = 1024, .pointer = at_0, .pointers = 1};
    for (int since = 121; since <= 122; since++) {
        struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .release = since});
        assert_non_null(g);
        assert_non_null(gosim_new(g, &type, 1));
        assert_int_equal(stats_of(g).heap_alloc, since == 121 ? 1024 : 1152);
        gosim_close(g);
    }
}

/* The books count Go's size, the object has room for the C struct. */
static void test_random_numbers_follow_the_seed(void **state) {
    (void)state;
    uint64_t number[3];
    for (size_t i = 0; i < 3; i++) {
        struct gosim *g = gosim_open(&(struct gosim_options){.seed = i == 2 ? 8 : 7});
        number[i] = gosim_random(g);
        assert_int_not_equal(gosim_random(g), number[i]);
        gosim_close(g);
    }
    assert_int_equal(number[0], number[1]);
    assert_int_not_equal(number[0], number[2]);
}

static void test_hidden_bytes(void **state) {
    (void)state;
    const struct gosim_type hmap = {
        .name = "hmap", .size = 48, .pointer = at_0, .pointers = 1, .hidden_bytes = 200};
    const struct gosim_type large = {.name = "large", .size = 40000, .hidden_bytes = 9000};
    struct gosim *g = open_heap(false);
    void **kept = NULL;
    gosim_root(g, &kept, "kept");
    kept = gosim_new(g, &pointer_type, 1001);
    uint64_t base = stats_of(g).heap_alloc;
    for (size_t i = 0; i < 1000; i++) {
        char *object = gosim_new(g, &hmap, 1);
        assert_non_null(object);
        for (size_t at = 0; at < 248; at++) assert_int_equal(object[at], 0);
        memset(object + 8, 0xA5, 240);
        gosim_store(g, &kept[i], object + 247); /* the last hidden byte is part of it */
    }
    char *big = gosim_new(g, &large, 1);
    memset(big, 0xA5, 49000);
    gosim_store(g, &kept[1000], big);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc - base, 1000 * 48 + 40960);
    /* As many spans as Go's 170 objects a page need, and the two others' pages. */
    assert_int_equal(stats_of(g).heap_inuse - 8192 - 40960, 6 * 8192);
    for (size_t i = 0; i < 1000; i++) assert_int_equal(((unsigned char *)kept[i])[-40], 0xA5);
    assert_null(gosim_new(g, &hmap, 2));
    assert_non_null(strstr(gosim_why(g), "hidden"));
    gosim_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_facts),    cmocka_unit_test(test_recorded_pacing),
        cmocka_unit_test(test_tiny_block_in_use), cmocka_unit_test(test_ptrvalue_objects),
        cmocka_unit_test(test_subslice),          cmocka_unit_test(test_substring),
        cmocka_unit_test(test_slice_growth),      cmocka_unit_test(test_headers_since_122),
        cmocka_unit_test(test_hidden_bytes),      cmocka_unit_test(test_random_numbers_follow_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
