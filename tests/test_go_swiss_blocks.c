/* go_swiss never touches memory it has given back: each block has pages of its own, unmapped when it is
 * freed. Maps of all sizes, as only some have a directory in which a table stands more than once. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/unit/map.h"
#include "harness/shapes/u64_u64.h"

struct heap {
    size_t live;
};
enum { HEAD_BYTES = 64 }; /* before each block: the length of its mapping */

static void *heap_new(struct heap *heap, size_t count, size_t bytes) {
    size_t length = count * bytes + HEAD_BYTES;
    char *block = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(block, MAP_FAILED);
    memcpy(block, &length, sizeof length);
    heap->live++;
    return block + HEAD_BYTES;
}
static void heap_free(struct heap *heap, void *block) {
    size_t length;
    if (!block) return;
    char *mapping = (char *)block - HEAD_BYTES;
    memcpy(&length, mapping, sizeof length);
    assert_int_equal(munmap(mapping, length), 0);
    heap->live--;
}
#define HEAP_FIELD struct heap *heap;
#define HEAP_BIND(map, h) ((map)->heap = (h))
#define HEAP_OF(map) ((map)->heap)
#define HEAP_NEW(h, type, n) ((type *)heap_new((h), (n), sizeof(type)))
#define HEAP_NEW_ZEROED(h, type, n) HEAP_NEW(h, type, n)
#define HEAP_FREE(h, ptr) heap_free((h), (ptr))
#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

#define UNIT_HASH_native 1
#define MAP_INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/swiss.h"

static bool stands_twice(const struct map *map) {
    for (int64_t i = 0; i < map->dir_len; i++)
        if (go_directory(map)[i]->local_depth < map->global_depth) return true;
    return false;
}

static void test_sizes(void **state) {
    struct heap heap = {0};
    size_t uneven = 0;
    (void)state;
    for (size_t n = 1; n < 8000; n = n * 33 / 32 + 1) {
        struct map *map = map_create(&heap, 0);
        for (size_t key = 0; key < n; key++) *map_put(map, key) = key;
        uneven += stands_twice(map);
        assert_null(map_check(map));
        struct map *copy = map_copy(map);
        for (size_t key = 0; key < n; key += 2) assert_true(map_del(map, key));
        assert_null(map_check(map));
        map_clear(map);
        assert_null(map_check(map));
        *map_put(map, n) = n;
        map_destroy(map);
        assert_int_equal(map_len(copy), n);
        map_destroy(copy);
        assert_int_equal(heap.live, 0);
    }
    assert_true(uneven > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
