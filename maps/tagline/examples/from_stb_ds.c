/* The same program twice: with stb_ds, and with tagline.h.
 *
 * Prints:
 * stb_ds: 49 entries, 8 has 64, 9 has the default -1
 * tagline: 49 entries, 8 has 64, 9 has the default -1
 */
#include <stdio.h>
#include <stdlib.h>

#define STB_DS_IMPLEMENTATION
#include <stb/stb_ds.h>

#define TAGLINE_NAME squares
#define TAGLINE_KEY int
#define TAGLINE_VALUE int
#define TAGLINE_HASH(key) tagline_hash_u64((uint32_t)(key))
#include "tagline.h"

static void with_stb_ds(void) {
    struct pair {
        int key, value;
    } *map = NULL;
    int sum = 0, eight = 8, nine = 9; /* keys must be variables in C++ */
    hmdefault(map, -1);
    for (int i = 0; i < 50; i++) hmput(map, i, i * i);
    (void)hmdel(map, nine);
    for (int i = 0; i < (int)hmlen(map); i++) sum += map[i].value != map[i].key * map[i].key;
    if (sum != 0) exit(1);
    printf("stb_ds: %d entries, ", (int)hmlen(map));
    printf("8 has %d, ", hmget(map, eight)); /* a lookup changes the map */
    printf("9 has the default %d\n", hmget(map, nine));
    hmfree(map);
}

static int get_or(const struct squares *map, int key, int otherwise) {
    const int *value = squares_get(map, key);
    return value ? *value : otherwise;
}

static void with_tagline(void) {
    struct squares map = squares_make();
    int sum = 0;
    for (int i = 0; i < 50; i++) {
        int *value = squares_put(&map, i);
        if (!value) exit(1);
        *value = i * i;
    }
    squares_del(&map, 9);
    for (struct squares_walk walk = squares_begin(&map); squares_next(&walk);)
        sum += walk.entry->value != walk.entry->key * walk.entry->key;
    if (sum != 0) exit(1);
    printf("tagline: %zu entries, 8 has %d, ", squares_len(&map), get_or(&map, 8, -1));
    printf("9 has the default %d\n", get_or(&map, 9, -1));
    squares_free(&map);
}

int main(void) {
    with_stb_ds();
    with_tagline();
    return 0;
}
