/* A map in which no insert takes long: TAGLINE_BOUNDED.
 *
 * Prints:
 * 1000000 orders, 1 for customer 4711
 */
#include <stdio.h>

#define TAGLINE_NAME orders
#define TAGLINE_KEY uint32_t
#define TAGLINE_VALUE uint32_t
#define TAGLINE_HASH(key) tagline_hash_u64(key)
#define TAGLINE_BOUNDED
#include "tagline.h"

int main(void) {
    struct orders map = orders_make();
    for (uint32_t customer = 0; customer < 1000000; customer++) {
        uint32_t *count = orders_put(&map, customer);
        if (!count) return 1;
        *count = 1;
    }
    printf("%zu orders, %u for customer 4711\n", orders_len(&map), (unsigned)*orders_get(&map, 4711));
    orders_free(&map);
    return 0;
}
