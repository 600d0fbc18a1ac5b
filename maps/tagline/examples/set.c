/* A set: a map without TAGLINE_VALUE. Points of which each is kept once, with a struct for a key.
 *
 * Prints:
 * 400 points, 100 different
 * (3, 7) is one of them, (7, 30) is not
 * 50 after all with an even x are gone
 * and their memory is given back
 */
#include <stdint.h>
#include <stdio.h>

/* A struct is hashed member by member if it has padding, whose bytes say nothing. This one has none. */
struct point {
    int x, y;
};

#define TAGLINE_NAME points
#define TAGLINE_KEY struct point
#define TAGLINE_HASH(key) tagline_hash_u64((uint64_t)(uint32_t)(key).x << 32 | (uint32_t)(key).y)
#define TAGLINE_EQUAL(a, b) ((a).x == (b).x && (a).y == (b).y)
#include "tagline.h"

static struct point point_at(int x, int y) {
    struct point made;
    made.x = x;
    made.y = y;
    return made;
}

int main(void) {
    struct points set = points_make();
    unsigned seen = 0;
    for (int i = 0; i < 400; i++, seen++)
        if (!points_put(&set, point_at(i % 10, i / 10 % 10))) return fputs("out of memory\n", stderr), 1;
    printf("%u points, %zu different\n", seen, points_len(&set));
    printf("(3, 7) is %sone of them, ", points_get(&set, point_at(3, 7)) ? "" : "not ");
    printf("(7, 30) is %s\n", points_get(&set, point_at(7, 30)) ? "too" : "not");
    for (struct points_walk walk = points_begin(&set); points_next(&walk);)
        if (walk.entry->key.x % 2 == 0) points_del_entry(&set, walk.entry);
    size_t before = points_capacity(&set);
    points_shrink(&set);
    printf("%zu after all with an even x are gone\n", points_len(&set));
    if (points_capacity(&set) < before) puts("and their memory is given back");
    points_free(&set);
    return 0;
}
