/* Memory of one's own: the map's arrays come from a pool that it is told of by a member.
 *
 * Prints:
 * 1000 squares, that of 31 is 961
 * when the pool is full, an insert fails and the map keeps its entries
 */
#include <stdio.h>
#include <stdint.h>
#include <string.h>

/* Gives blocks one after the other, each from a multiple of 16 on, and takes none back. */
struct pool {
    unsigned char *bytes;
    size_t used, size;
};

static void *pool_take(struct pool *pool, size_t size) {
    size_t begin = (pool->used + 15) / 16 * 16;
    if (begin > pool->size || size > pool->size - begin) return NULL;
    pool->used = begin + size;
    return memset(pool->bytes + begin, 0, size);
}

#define TAGLINE_NAME squares
#define TAGLINE_KEY uint32_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH(key) tagline_hash_u64(key)
#define TAGLINE_FIELDS struct pool *pool;
#define TAGLINE_NEW(map, type, count) ((type *)pool_take((map)->pool, (count) * sizeof(type)))
#define TAGLINE_NEW_ZEROED(map, type, count) TAGLINE_NEW(map, type, count)
#define TAGLINE_DELETE(map, address) ((void)(address))
#include "tagline.h"

int main(void) {
    static union {
        unsigned char bytes[100000];
        long double aligned;
    } memory;
    struct pool pool;
    pool.bytes = memory.bytes;
    pool.used = 0;
    pool.size = sizeof memory.bytes;
    struct squares map = squares_make();
    map.pool = &pool; /* before the first insert */
    uint32_t i;
    for (i = 0; i < 1000; i++) {
        uint64_t *square = squares_put(&map, i);
        if (!square) return fputs("the pool is too small\n", stderr), 1;
        *square = (uint64_t)i * i;
    }
    printf("%zu squares, that of 31 is %llu\n", squares_len(&map),
           (unsigned long long)*squares_get(&map, 31));
    uint64_t *square;
    while ((square = squares_put(&map, i)) != NULL) {
        *square = (uint64_t)i * i;
        i++;
    }
    if (squares_len(&map) == i && *squares_get(&map, i - 1) == (uint64_t)(i - 1) * (i - 1))
        puts("when the pool is full, an insert fails and the map keeps its entries");
    return 0;
}
