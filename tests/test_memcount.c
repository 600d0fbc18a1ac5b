/* The memory counter. Without it in front this process starts itself again with it, as the selftest does. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/preload/memcount.h"
#include "harness/selftest/selftest.h"

enum { HEADER_BYTES = 8 };

static void *symbol(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found) fail_msg("%s is missing: libmemcount.so is not preloaded", name);
    return found;
}

static struct memcount counts(void) {
    struct memcount now;
    memcount_read_fn *read;
    *(void **)(&read) = symbol("memcount_read");
    read(&now);
    return now;
}

static void fail_after(uint64_t calls) {
    memcount_fail_after_fn *plan;
    *(void **)(&plan) = symbol("memcount_fail_after");
    plan(calls);
}

static void reset_peak(void) {
    memcount_reset_peak_fn *reset;
    *(void **)(&reset) = symbol("memcount_reset_peak");
    reset();
}

/* Keeps the compiler from leaving out an allocation that nobody uses. */
static void *kept(void *block) {
    __asm__ volatile("" : "+r"(block)::"memory");
    return block;
}

/* Through a volatile pointer, so that the compiler cannot foresee the failure. */
static void *(*volatile do_malloc)(size_t) = malloc;
static void *(*volatile do_realloc)(void *, size_t) = realloc;
static void *(*volatile do_reallocarray)(void *, size_t, size_t) = reallocarray;

#define EXPECT_ONE(expression)                                                                               \
    do {                                                                                                     \
        struct memcount before = counts();                                                                   \
        void *block = kept(expression);                                                                      \
        struct memcount after = counts();                                                                    \
        assert_non_null(block);                                                                              \
        assert_int_equal(after.live_blocks - before.live_blocks, 1);                                         \
        assert_int_equal(after.allocations - before.allocations, 1);                                         \
        assert_int_equal(after.live_bytes - before.live_bytes, malloc_usable_size(block) + HEADER_BYTES);    \
        free(block);                                                                                         \
        after = counts();                                                                                    \
        assert_int_equal(after.live_blocks, before.live_blocks);                                             \
        assert_int_equal(after.live_bytes, before.live_bytes);                                               \
        assert_int_equal(after.frees - before.frees, 1);                                                     \
    } while (0)

static void *by_posix_memalign(size_t alignment, size_t size) {
    void *block = NULL;
    assert_int_equal(posix_memalign(&block, alignment, size), 0);
    return block;
}

static void test_every_function_counts(void **state) {
    (void)state;
    EXPECT_ONE(malloc(1));
    EXPECT_ONE(malloc(1000));
    EXPECT_ONE(malloc(50 << 20)); /* a mapping of its own */
    EXPECT_ONE(calloc(10, 100));
    EXPECT_ONE(realloc(NULL, 100));
    EXPECT_ONE(reallocarray(NULL, 10, 10));
    EXPECT_ONE(memalign(64, 100));
    EXPECT_ONE(aligned_alloc(64, 128));
    EXPECT_ONE(by_posix_memalign(4096, 100));
    EXPECT_ONE(valloc(100));
    EXPECT_ONE(strdup("counted inside libc too"));
}

static void test_free_of_null(void **state) {
    struct memcount before = counts();
    (void)state;
    free(NULL);
    assert_int_equal(counts().frees, before.frees);
}

/* Grown, shrunk, left as it is, and freed by a size of 0. */
static void test_reallocations(void **state) {
    struct memcount before = counts();
    (void)state;
    unsigned char *block = kept(malloc(1000));
    memset(block, 7, 1000);
    block = kept(realloc(block, 300000));
    assert_int_equal(counts().live_bytes - before.live_bytes, malloc_usable_size(block) + HEADER_BYTES);
    assert_int_equal(counts().live_blocks - before.live_blocks, 1);
    for (int i = 0; i < 1000; i++) assert_int_equal(block[i], 7);
    struct memcount same = counts();
    block = kept(realloc(block, 300000));
    assert_int_equal(counts().allocations, same.allocations);
    block = kept(realloc(block, 100));
    assert_int_equal(counts().live_bytes - before.live_bytes, malloc_usable_size(block) + HEADER_BYTES);
    assert_null(do_realloc(block, 0));
    assert_int_equal(counts().live_blocks, before.live_blocks);
    assert_int_equal(counts().live_bytes, before.live_bytes);
    errno = 0;
    assert_null(do_reallocarray(NULL, SIZE_MAX / 2, 3));
    assert_int_equal(errno, ENOMEM);
}

static void test_peak(void **state) {
    (void)state;
    reset_peak();
    struct memcount before = counts();
    assert_int_equal(before.peak_bytes, before.live_bytes);
    void *block = kept(malloc(1 << 20));
    uint64_t size = malloc_usable_size(block) + HEADER_BYTES;
    free(block);
    free(kept(malloc(1000)));
    assert_int_equal(counts().peak_bytes - before.live_bytes, size);
    reset_peak();
    assert_int_equal(counts().peak_bytes, counts().live_bytes);
}

/* A small block that must move is held twice while it is copied; a mapped one is remapped. */
static void test_peak_of_realloc(void **state) {
    (void)state;
    void *block = kept(malloc(1000));
    uint64_t old_size = malloc_usable_size(block) + HEADER_BYTES;
    void *barrier = kept(malloc(1000)); /* nothing to grow into */
    reset_peak();
    struct memcount before = counts();
    block = kept(realloc(block, 60000));
    uint64_t new_size = malloc_usable_size(block) + HEADER_BYTES;
    assert_int_equal(counts().live_bytes, before.live_bytes - old_size + new_size);
    assert_int_equal(counts().peak_bytes, before.live_bytes + new_size);
    free(block);
    free(barrier);

    block = kept(malloc(40 << 20));
    old_size = malloc_usable_size(block) + HEADER_BYTES;
    reset_peak();
    before = counts();
    block = kept(realloc(block, 90 << 20));
    new_size = malloc_usable_size(block) + HEADER_BYTES;
    assert_int_equal(counts().peak_bytes, before.live_bytes - old_size + new_size);
    free(block);
}

/* The planned call fails with ENOMEM, those before and after succeed, and a block that could not grow is
 * intact. */
static void test_planned_failure(void **state) {
    struct memcount before = counts();
    void *block[3];
    (void)state;
    fail_after(2);
    block[0] = do_malloc(10);
    block[1] = do_malloc(10);
    errno = 0;
    block[2] = do_malloc(10);
    int error = errno;
    void *next = do_malloc(10);
    assert_non_null(block[0]);
    assert_non_null(block[1]);
    assert_null(block[2]);
    assert_int_equal(error, ENOMEM);
    assert_non_null(next);
    assert_int_equal(counts().failed - before.failed, 1);
    assert_int_equal(counts().live_blocks - before.live_blocks, 3);
    memset(next, 9, 10);
    fail_after(0);
    assert_null(do_realloc(next, 100000));
    assert_int_equal(((unsigned char *)next)[9], 9);
    fail_after(0);
    fail_after(UINT64_MAX);
    free(kept(do_malloc(10)));
    fail_after(0);
    errno = 0;
    void *unchanged = &before;
    assert_int_equal(posix_memalign(&unchanged, 64, 100), ENOMEM);
    assert_int_equal(errno, 0);
    assert_ptr_equal(unchanged, &before);
    free(next);
    free(block[0]);
    free(block[1]);
    assert_int_equal(counts().failed - before.failed, 3);
    assert_int_equal(counts().live_blocks, before.live_blocks);
}

enum { THREADS = 4, ROUNDS = 20000 };

static void *churn(void *context) {
    size_t *failures = context;
    fail_after(ROUNDS / 2);
    for (size_t i = 0; i < ROUNDS; i++) {
        void *block = do_malloc(1 + i % 500);
        *failures += !block;
        free(block);
    }
    return NULL;
}

/* Threads do not lose counts, and each has the failure that it planned. */
static void test_threads(void **state) {
    pthread_t thread[THREADS];
    size_t failures[THREADS] = {0};
    struct memcount before = counts();
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, churn, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_join(thread[i], NULL), 0);
    struct memcount after = counts();
    for (int i = 0; i < THREADS; i++) assert_int_equal(failures[i], 1);
    assert_int_equal(after.failed - before.failed, THREADS);
    assert_true(after.allocations - before.allocations >= THREADS * (ROUNDS - 1));
    assert_true(after.live_blocks - before.live_blocks <=
                2 * THREADS); /* glibc may keep a little of a thread */
    assert_true(after.allocations - after.frees == after.live_blocks);
}

int main(int argc, char **argv) {
    (void)argc;
#ifdef MAPBENCH_SANITIZED
    puts("not for sanitizer builds: they have an allocator of their own");
    return 77;
#endif
    selftest_preload(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_function_counts),
        cmocka_unit_test(test_free_of_null),
        cmocka_unit_test(test_reallocations),
        cmocka_unit_test(test_peak),
        cmocka_unit_test(test_peak_of_realloc),
        cmocka_unit_test(test_planned_failure),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
