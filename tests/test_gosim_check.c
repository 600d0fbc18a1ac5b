/* Checking heaps: each kind of corruption is found, and told with type and owner; sound programs pass. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/base/rng.h"

static const struct gosim_field at_0[] = {{"next", 0}};
static const struct gosim_type node_type = {.name = "node", .size = 24, .pointer = at_0, .pointers = 1};
static const struct gosim_type bytes_type = {.name = "[]byte", .size = 1};
static const struct gosim_type header_type = {
    .name = "hmap", .size = 48, .pointer = at_0, .pointers = 1, .hidden_bytes = 40};

/* A heap with a root to everything that a test makes. */
struct heap {
    struct gosim *g;
    void **kept;
    size_t count;
};

static struct heap *open_checking(void) {
    static const struct gosim_type pointers = {
        .name = "[]pointer", .size = 8, .pointer = at_0, .pointers = 1};
    struct heap *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->g = gosim_open(&(struct gosim_options){.gogc = -1, .check = true});
    assert_non_null(h->g);
    gosim_root(h->g, &h->kept, "kept");
    h->kept = gosim_new(h->g, &pointers, 64);
    assert_true(gosim_owner(h->g, "linear"));
    return h;
}

static char *make(struct heap *h, const struct gosim_type *type, size_t count) {
    char *object = gosim_new(h->g, type, count);
    assert_non_null(object);
    gosim_store(h->g, &h->kept[h->count++], object);
    return object;
}

/* The heap is found corrupt in these words, and stays so; then it is closed. */
static void expect(struct heap *h, const char *what, const char *type, const char *owner) {
    const char *told = gosim_verify(h->g);
    assert_non_null(told);
    if (!strstr(told, what) || !strstr(told, type) || !strstr(told, owner)) fail_msg("told: %s", told);
    assert_string_equal(gosim_verify(h->g), told);
    gosim_close(h->g);
    free(h);
}

static void test_write_past_the_end(void **state) {
    (void)state;
    static const size_t sizes[] = {16, 17, 100, 500, 513, 8000, 32768, 40000, 40960, 1000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t beyond = 0; beyond < 32; beyond += 31) {
            struct heap *h = open_checking();
            char *object = make(h, &bytes_type, sizes[i]);
            memset(object, 1, sizes[i]);
            assert_null(gosim_verify(h->g));
            object[sizes[i] + beyond] = 1;
            expect(h, "written past the end", "[]byte", "linear");
        }
}

static void test_hidden_bytes_belong_to_the_object(void **state) {
    (void)state;
    struct heap *h = open_checking();
    char *object = make(h, &header_type, 1);
    memset(object + 8, 1, 80);
    assert_null(gosim_verify(h->g));
    object[88] = 1;
    expect(h, "written past the end: hmap[1]", "byte 88", "linear");
}

/* Noticed at the end of the object's life too, when no verification has come between. */
static void test_past_the_end_of_the_dead(void **state) {
    (void)state;
    struct heap *h = open_checking();
    char *object = gosim_new(h->g, &node_type, 1);
    object[24] = 1;
    gosim_collect(h->g);
    expect(h, "written past the end", "node", "linear");
    h = open_checking();
    object = make(h, &node_type, 1);
    object[24] = 1;
    h->kept[0] = NULL;
    gosim_free(h->g, object);
    expect(h, "written past the end", "node", "linear");
}

static void test_write_after_free(void **state) {
    (void)state;
    struct heap *h = open_checking();
    make(h, &node_type, 1);
    char *object = make(h, &node_type, 1);
    h->kept[1] = NULL;
    gosim_free(h->g, object);
    assert_null(gosim_verify(h->g));
    object[9] = 1;
    expect(h, "written after it was freed", "node", "byte 9");
}

static void test_freed_twice(void **state) {
    (void)state;
    struct heap *h = open_checking();
    make(h, &node_type, 1);
    char *object = make(h, &node_type, 1);
    h->kept[1] = NULL;
    gosim_free(h->g, object);
    gosim_free(h->g, object);
    expect(h, "freed twice", "node", "linear");
    h = open_checking();
    object = make(h, &bytes_type, 100);
    gosim_free(h->g, object + 3);
    expect(h, "freed by an address inside", "[]byte", "byte 3");
    h = open_checking();
    object = malloc(1);
    gosim_free(h->g, object);
    free(object);
    expect(h, "not of this heap", "", "");
}

/* Without checks the books at least do not suffer. */
static void test_bad_frees_without_checks(void **state) {
    (void)state;
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1});
    char *keep = gosim_new(g, &node_type, 1), *object = gosim_new(g, &node_type, 1);
    struct gosim_stats stats;
    gosim_free(g, object);
    gosim_free(g, object);
    assert_non_null(strstr(gosim_why(g), "not the start of a live object"));
    gosim_free(g, keep + 8);
    gosim_free(g, NULL);
    gosim_stats(g, &stats);
    assert_int_equal(stats.heap_objects, 1);
    assert_int_equal(stats.heap_alloc, 24);
    gosim_close(g);
}

static void test_pointer_to_freed(void **state) {
    (void)state;
    struct heap *h = open_checking();
    char *from = make(h, &node_type, 1), *to = make(h, &node_type, 1);
    gosim_store(h->g, from, to + 8);
    assert_null(gosim_verify(h->g));
    h->kept[1] = NULL;
    gosim_free(h->g, to);
    expect(h, "field next points to freed memory", "node", "linear");
}

static void test_hidden_pointer(void **state) {
    (void)state;
    struct heap *h = open_checking();
    char *object = make(h, &bytes_type, 64), *other = make(h, &node_type, 1);
    uintptr_t inside = (uintptr_t)other + 8, start = (uintptr_t)other;
    uint64_t rng = 1;
    /* No number is taken for a pointer: counters, hashes, lengths, an interior address. */
    for (int i = 0; i < 1000; i++) {
        uint64_t words[4] = {(uint64_t)i, rng_next(&rng), ~(uint64_t)i, inside};
        memcpy(object, words, sizeof words);
        assert_null(gosim_verify(h->g));
    }
    memcpy(object + 40, &start, sizeof start);
    gosim_collect(h->g);
    expect(h, "a pointer in an object without pointer fields", "[]byte", "byte 40");
}

/* The owner is who was named when the object was made, and the trace says it at once. */
static void test_owner_and_trace(void **state) {
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .check = true, .trace = out});
    char *nobody = gosim_new(g, &node_type, 1);
    assert_true(gosim_owner(g, "chained"));
    char *object = gosim_new(g, &node_type, 1);
    assert_true(gosim_owner(g, "robin_hood"));
    gosim_new(g, &node_type, 1);
    object[30] = 7;
    assert_non_null(strstr(gosim_verify(g), "chained"));
    gosim_close(g);
    fclose(out);
    assert_non_null(strstr(text, "gosim: written past the end: node[1]"));
    free(text);
    g = gosim_open(&(struct gosim_options){.gogc = -1, .check = true});
    nobody = gosim_new(g, &node_type, 1);
    nobody[24] = 7;
    assert_non_null(strstr(gosim_verify(g), "nobody named"));
    gosim_close(g);
}

/* The same program on a heap with and without checks has the same books. */
static struct gosim_stats live_and_die(bool check) {
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .check = check});
    static const struct gosim_type pointers = {
        .name = "[]pointer", .size = 8, .pointer = at_0, .pointers = 1};
    void **root = NULL;
    uint64_t rng = 11;
    struct gosim_stats stats;
    gosim_root(g, &root, "root");
    root = gosim_new(g, &pointers, 300);
    for (int i = 0; i < 6000; i++) {
        size_t at = rng_below(&rng, 300), bytes = 1 + rng_below(&rng, rng_below(&rng, 40) ? 900 : 90000);
        void *old = root[at];
        bool noscan = rng_below(&rng, 2);
        /* Only slots of the first half are referred to by others as well. */
        if (old && at >= 150 && rng_below(&rng, 4) == 0) gosim_free(g, old);
        gosim_store(g, &root[at], NULL);
        void *made = noscan ? gosim_new(g, &bytes_type, bytes) : gosim_new(g, &pointers, (bytes + 7) / 8);
        gosim_store(g, &root[at], made);
        if (!noscan) gosim_store(g, made, root[rng_below(&rng, 150)]);
        if (i % 500 == 499) gosim_collect(g);
    }
    gosim_collect(g);
    gosim_stats(g, &stats);
    gosim_close(g);
    return stats;
}

static void test_books_do_not_see_the_checks(void **state) {
    (void)state;
    struct gosim_stats plain = live_and_die(false), checked = live_and_die(true);
    assert_int_equal(plain.heap_alloc, checked.heap_alloc);
    assert_int_equal(plain.heap_objects, checked.heap_objects);
    assert_int_equal(plain.total_alloc, checked.total_alloc);
    assert_int_equal(plain.mallocs, checked.mallocs);
    assert_int_equal(plain.heap_inuse, checked.heap_inuse);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_past_the_end),
        cmocka_unit_test(test_hidden_bytes_belong_to_the_object),
        cmocka_unit_test(test_past_the_end_of_the_dead),
        cmocka_unit_test(test_write_after_free),
        cmocka_unit_test(test_freed_twice),
        cmocka_unit_test(test_bad_frees_without_checks),
        cmocka_unit_test(test_pointer_to_freed),
        cmocka_unit_test(test_hidden_pointer),
        cmocka_unit_test(test_owner_and_trace),
        cmocka_unit_test(test_books_do_not_see_the_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
