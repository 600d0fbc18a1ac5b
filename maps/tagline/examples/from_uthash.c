/* The same program twice: with uthash, and with tagline.h.
 *
 * Prints:
 * uthash: 91 left, 5 has 25, 15 has none
 * tagline: 91 left, 5 has 25, 15 has none
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#define TAGLINE_NAME squares
#define TAGLINE_KEY uint32_t
#define TAGLINE_VALUE uint64_t
#define TAGLINE_HASH(key) tagline_hash_u64(key)
#include "tagline.h"

struct square {
    uint32_t key;
    uint64_t value;
    UT_hash_handle hh;
};

static void with_uthash(void) {
    struct square *map = NULL, *square, *after;
    for (uint32_t i = 0; i < 100; i++) {
        HASH_FIND(hh, map, &i, sizeof i, square);
        if (!square) {
            square = (struct square *)malloc(sizeof *square);
            if (!square) exit(1);
            square->key = i;
            HASH_ADD(hh, map, key, sizeof square->key, square);
        }
        square->value = (uint64_t)i * i;
    }
    HASH_ITER(hh, map, square, after) {
        if (square->key % 10 != 5 || square->key == 5) continue;
        HASH_DEL(map, square);
        free(square);
    }
    uint32_t key = 15;
    HASH_FIND(hh, map, &key, sizeof key, square);
    printf("uthash: %u left, ", HASH_COUNT(map));
    const char *fifteen = square ? "some" : "none";
    key = 5;
    HASH_FIND(hh, map, &key, sizeof key, square);
    printf("5 has %u, 15 has %s\n", square ? (unsigned)square->value : 0, fifteen);
    HASH_ITER(hh, map, square, after) {
        HASH_DEL(map, square);
        free(square);
    }
}

static void with_tagline(void) {
    struct squares map = squares_make();
    for (uint32_t i = 0; i < 100; i++) {
        uint64_t *value = squares_put(&map, i);
        if (!value) exit(1);
        *value = (uint64_t)i * i;
    }
    for (struct squares_walk walk = squares_begin(&map); squares_next(&walk);)
        if (walk.entry->key % 10 == 5 && walk.entry->key != 5) squares_del_entry(&map, walk.entry);
    const uint64_t *five = squares_get(&map, 5);
    printf("tagline: %zu left, ", squares_len(&map));
    printf("5 has %u, 15 has %s\n", five ? (unsigned)*five : 0, squares_get(&map, 15) ? "some" : "none");
    squares_free(&map);
}

int main(void) {
    with_uthash();
    with_tagline();
    return 0;
}
