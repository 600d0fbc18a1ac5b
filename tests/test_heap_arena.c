/* The arena heap: what a block costs, what a delete gives back (nothing), when all goes, and a map that lives
 * on it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "harness/heaps/fault.h"
#include "harness/selftest/selftest.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#ifndef MAPBENCH_FAULTS
#define MAPBENCH_FAULTS
#endif
#define UNIT_SYMBOL unit_on_arena
#define UNIT_MAP "chained"
#define UNIT_MAP_FILE "maps/chained.h"
#define UNIT_SHAPE_FILE "harness/shapes/u64_u64.h"
#define UNIT_HEAP_FILE "harness/heaps/arena.h"
#define UNIT_HASH "common"
#define UNIT_HASH_common
#include "harness/unit/map_unit.c"

static void test_blocks(void **state) {
    (void)state;
    struct arena arena = {0};
    unsigned char *small = arena_new(&arena, 1), *next = arena_new(&arena, 17);
    assert_non_null(small);
    assert_int_equal((uintptr_t)small % 16, 0);
    assert_ptr_equal(next, small + 16);
    assert_int_equal(arena.taken_bytes, 16 + 32);
    unsigned char *large = arena_new(&arena, 1 << 20), *after = arena_new(&arena, 8);
    assert_non_null(large);
    memset(large, 1, 1 << 20);
    assert_ptr_equal(after, next + 32); /* the large block took a chunk of its own */
    memset(small, 0xff, 16);
    arena_free(&arena, small);
    unsigned char *zeroed = arena_new_zeroed(&arena, 16);
    assert_ptr_not_equal(zeroed, small); /* what is freed is not handed out again */
    for (size_t i = 0; i < 16; i++) assert_int_equal(zeroed[i], 0);
    assert_int_equal(arena.live_blocks, 4);
    arena_free(&arena, NULL);
    arena_free(&arena, next), arena_free(&arena, large), arena_free(&arena, after);
    assert_true(arena.reserved_bytes > 1 << 20);
    arena_free(&arena, zeroed);
    assert_int_equal(arena.reserved_bytes, 0);
    assert_null(arena.chunks);
}

static void test_out_of_memory(void **state) {
    (void)state;
    struct arena arena = {0};
    assert_non_null(arena_new(&arena, 100));
    size_t taken = arena.taken_bytes, reserved = arena.reserved_bytes;
    assert_null(arena_new(&arena, SIZE_MAX));
    assert_null(arena_new(&arena, SIZE_MAX - 14));
    assert_null(arena_new(&arena, PTRDIFF_MAX));
    assert_int_equal(arena.taken_bytes, taken);
    assert_int_equal(arena.reserved_bytes, reserved);
    assert_non_null(arena_new(&arena, 100));
    arena_release(&arena);
}

static size_t chunks_of_growth(size_t blocks) {
    struct arena arena = {0};
    size_t chunks = 0;
    for (size_t i = 0, reserved = 0; i < blocks; i++) {
        assert_non_null(arena_new(&arena, 32));
        chunks += arena.reserved_bytes != reserved;
        reserved = arena.reserved_bytes;
    }
    assert_in_range(arena.reserved_bytes, blocks * 32, 2 * blocks * 32 + 4096);
    arena_release(&arena);
    return chunks;
}

static void test_few_chunks(void **state) {
    (void)state;
    assert_int_equal(chunks_of_growth(100), 1);
    assert_in_range(chunks_of_growth(100000), 8, 16);
}

static uint64_t failures(void) {
    return fault_count();
}

static void test_map_is_right(void **state) {
    (void)state;
    struct selftest_options options = {
        .seed = 5, .operations = 20000, .fail_after = fault_after, .failures = failures};
    struct why why = {""};
    if (!selftest_unit(&unit_on_arena, &options, &why)) fail_msg("%s", why.text);
    assert_int_equal(heap_unit_arena.live_blocks, 0);
    assert_int_equal(heap_unit_arena.reserved_bytes, 0);
}

/* Constant length, and yet more memory with every turnover; the last map gone, all of it goes. */
static void test_deletes_give_nothing_back(void **state) {
    (void)state;
    enum { KEYS = 1000, TURNOVERS = 10 };
    const struct map_ops *op = &unit_on_arena.op;
    void *map = op->create(NULL, 0), *other = op->create(NULL, 0);
    size_t after_first = 0;
    for (uint64_t key = 0; key < KEYS * (TURNOVERS + 1); key++) {
        uint64_t victim = key - KEYS;
        if (key >= KEYS) assert_true(op->del(map, &victim));
        assert_true(op->put(map, &key, &key));
        if (key == KEYS - 1) after_first = heap_unit_arena.taken_bytes;
    }
    assert_int_equal(op->len(map), KEYS);
    assert_int_equal(heap_unit_arena.taken_bytes - after_first,
                     KEYS * TURNOVERS * ((sizeof(struct node) + 15) / 16 * 16));
    op->destroy(map);
    assert_true(heap_unit_arena.reserved_bytes > 0); /* the other map is still there */
    op->destroy(other);
    assert_int_equal(heap_unit_arena.reserved_bytes, 0);
}

/* An arena of the caller's: nothing of it is shared, and it can be given back with the map still in it. */
static void test_own_arena(void **state) {
    (void)state;
    struct arena arena = {0};
    const struct map_ops *op = &unit_on_arena.op;
    void *map = op->create((struct heap *)&arena, 100);
    for (uint64_t key = 0; key < 100; key++) assert_true(op->put(map, &key, &key));
    assert_int_equal(heap_unit_arena.reserved_bytes, 0);
    assert_int_equal(arena.live_blocks, 102);
    arena_release(&arena);
    assert_int_equal(arena.live_blocks, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_few_chunks),
        cmocka_unit_test(test_map_is_right),
        cmocka_unit_test(test_deletes_give_nothing_back),
        cmocka_unit_test(test_own_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
