/* gosim's allocator under load: contents, sums, running out of memory, giving pages back, the memory limit.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim/sizeclass.h"
#include "harness/base/rng.h"
#include "tests/support/gosim_support.h"

/* --- the allocator under load --- */

struct shadow {
    unsigned char *object;
    size_t bytes;
    unsigned char fill;
};

static void check_shadow(const struct shadow *s) {
    for (size_t i = 0; i < s->bytes; i++) assert_int_equal(s->object[i], s->fill);
}

/* Random sizes live and die, some freed by hand; contents stay, new objects are zeroed, the sums are right.
 */
static void test_random_life(void **state) {
    (void)state;
    enum { SLOTS = 600, STEPS = 40000 };
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = 100});
    struct shadow *shadow = calloc(SLOTS, sizeof *shadow);
    void **root = NULL;
    uint64_t rng = 7;
    assert_non_null(shadow);
    gosim_root(g, &root, "root");
    root = gosim_new(g, &pointer_type, SLOTS);
    uint64_t base = stats_of(g).heap_alloc;
    for (size_t step = 0; step < STEPS; step++) {
        size_t at = rng_below(&rng, SLOTS);
        struct shadow *s = &shadow[at];
        check_shadow(s);
        if (s->object && rng_below(&rng, 3) == 0) gosim_free(g, s->object);
        gosim_store(g, &root[at], NULL);
        s->bytes = 1 + rng_below(&rng, rng_below(&rng, 50) == 0 ? 100000 : 700);
        s->object = gosim_new(g, &byte_type, s->bytes);
        assert_non_null(s->object);
        gosim_store(g, &root[at], s->object);
        s->fill = 0;
        check_shadow(s);
        s->fill = (unsigned char)(step % 251 + 1);
        memset(s->object, s->fill, s->bytes);
        if (step % 5000 == 4999) gosim_collect(g);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (shadow[i].bytes >= 16) sum += gs_booked_bytes(shadow[i].bytes, true, true);
    gosim_collect(g);
    gosim_collect(g);
    struct gosim_stats stats = stats_of(g);
    assert_true(stats.num_gc > 18); /* some were natural */
    assert_in_range(stats.heap_alloc - base, sum, sum + SLOTS * 16);
    root = NULL;
    gosim_collect(g);
    gosim_collect(g);
    assert_int_equal(stats_of(g).heap_alloc, 0);
    assert_int_equal(stats_of(g).heap_inuse, 0);
    free(shadow);
    gosim_close(g);
}

static void test_out_of_memory(void **state) {
    (void)state;
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .address_bytes = 1 << 20});
    assert_non_null(g);
    void **list = NULL;
    size_t made = 0;
    gosim_root(g, &list, "list");
    for (void **node; (node = gosim_new(g, &pointer_type, 128)); made++) {
        gosim_store(g, node, list);
        list = node;
    }
    assert_int_equal(made, 128 * 7); /* of 1152 bytes, seven a page */
    assert_non_null(strstr(gosim_why(g), "out of memory"));
    assert_null(gosim_new(g, &byte_type, 200000));
    assert_null(gosim_new(g, &pointer_type, SIZE_MAX / 4));
    assert_non_null(strstr(gosim_why(g), "too large"));
    size_t met = 0;
    for (void **node = list; node; node = *node) met++;
    assert_int_equal(met, made);
    /* What is dropped can be used again, once collected. */
    list = NULL;
    gosim_collect(g);
    assert_non_null(gosim_new(g, &byte_type, 1 << 20));
    gosim_close(g);
}

/* With a percentage set, running out collects first. */
static void test_collects_before_giving_up(void **state) {
    (void)state;
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = 100, .address_bytes = 1 << 20});
    assert_non_null(g);
    for (int i = 0; i < 10000; i++) assert_non_null(gosim_new(g, &byte_type, 3000));
    for (int i = 0; i < 100; i++) assert_non_null(gosim_new(g, &byte_type, 700000));
    assert_true(stats_of(g).num_gc > 20);
    gosim_close(g);
}

static void test_scavenge(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    unsigned char *object = gosim_new(g, &byte_type, 32 << 20);
    assert_non_null(object);
    memset(object, 1, 32 << 20);
    assert_true(stats_of(g).resident_bytes >= 32 << 20);
    gosim_collect(g);
    struct gosim_stats before = stats_of(g);
    assert_int_equal(before.heap_inuse, 0);
    assert_int_equal(before.heap_idle - before.heap_released, 32 << 20);
    gosim_scavenge(g);
    struct gosim_stats after = stats_of(g);
    assert_int_equal(after.heap_released, after.heap_idle);
    assert_int_equal(after.heap_sys, before.heap_sys);
    assert_true(after.resident_bytes < 1 << 20);
    object = gosim_new(g, &byte_type, 16 << 20);
    for (size_t i = 0; i < 16 << 20; i += 4096) assert_int_equal(object[i], 0);
    gosim_close(g);
}

static void test_memory_limit(void **state) {
    (void)state;
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .memory_limit = 24 << 20});
    void **kept = NULL;
    gosim_root(g, &kept, "kept");
    kept = gosim_new(g, &pointer_type, 8192);
    for (size_t i = 0; i < 8192; i++) gosim_store(g, &kept[i], gosim_new(g, &byte_type, 1024));
    for (size_t i = 0; i < 200000; i++) gosim_new(g, &byte_type, 1024);
    struct gosim_stats stats = stats_of(g);
    assert_in_range(stats.num_gc, 10, 60); /* 195 MB of garbage, some 14 MB of room */
    assert_true(stats.heap_sys <= 28 << 20);
    gosim_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_life),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_collects_before_giving_up),
        cmocka_unit_test(test_scavenge),
        cmocka_unit_test(test_memory_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
