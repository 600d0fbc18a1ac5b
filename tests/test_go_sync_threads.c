/* Threads on one go_syncmap; go_sync_threads.h says what is checked. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"
#include "harness/shapes/u64_u64.h"
#include "harness/heaps/malloc.h"

#define MAP_INLINE static inline
#define UNIT_HASH_common
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/syncmap.h"

#define stress_swap sync_swap
#define stress_delete sync_load_and_delete
#define stress_load_or_store sync_load_or_store
#define stress_compare_and_swap sync_compare_and_swap
#define stress_compare_and_delete sync_compare_and_delete
#include "tests/support/go_sync_threads.h"

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
