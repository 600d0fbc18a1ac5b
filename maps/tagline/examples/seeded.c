/* Keys that come from strangers: a map whose seed nobody can guess, so that nobody can choose keys that
 * collide.
 *
 * Prints:
 * two maps have two seeds
 * a map with a stored seed walks in the same order
 */
#include <stdio.h>
#include <string.h>

#define TAGLINE_NAME headers
#define TAGLINE_KEY const char *
#define TAGLINE_VALUE unsigned
#define TAGLINE_SEEDED_HASH(key, seed) tagline_seeded_string(key, seed)
#define TAGLINE_EQUAL(a, b) (strcmp(a, b) == 0)
#include "tagline.h"

static bool fill(struct headers *map) {
    static const char *const names[] = {"host", "accept", "cookie", "range", "date", "via", "from"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned *value = headers_put(map, names[i]);
        if (!value) return false;
        *value = i;
    }
    return true;
}

static unsigned order(const struct headers *map) {
    unsigned digits = 0;
    for (struct headers_walk walk = headers_begin(map); headers_next(&walk);)
        digits = digits * 10 + walk.entry->value;
    return digits;
}

int main(void) {
    struct headers one = headers_make(), two = headers_make();
    struct tagline_seed stored = headers_seed(&one), other = headers_seed(&two);
    if (memcmp(&stored, &other, sizeof stored) == 0) return fputs("the same seed twice\n", stderr), 1;
    puts("two maps have two seeds");
    struct headers again = headers_make_seeded(stored);
    if (!fill(&one) || !fill(&again)) return fputs("out of memory\n", stderr), 1;
    if (order(&one) == order(&again)) puts("a map with a stored seed walks in the same order");
    headers_free(&one);
    headers_free(&two);
    headers_free(&again);
    return 0;
}
