/* The same program twice: with khash, and with tagline.h.
 *
 * Prints:
 * khash: 3 words, "to" twice, "be" 2, "or" 0, sum 4
 * tagline: 3 words, "to" twice, "be" 2, "or" 0, sum 4
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <htslib/khash.h>

KHASH_MAP_INIT_STR(old, int)

#define TAGLINE_NAME words
#define TAGLINE_KEY const char *
#define TAGLINE_VALUE int
#define TAGLINE_HASH(key) tagline_hash_string(key)
#define TAGLINE_EQUAL(a, b) (strcmp(a, b) == 0)
#include "tagline.h"

static const char *const text[] = {"to", "be", "or", "not", "to", "be"};
enum { WORDS = sizeof text / sizeof *text };

static void with_khash(void) {
    khash_t(old) *map = kh_init(old);
    khint_t at;
    int absent, sum = 0;
    if (!map) exit(1);
    for (int i = 0; i < WORDS; i++) {
        at = kh_put(old, map, text[i], &absent);
        if (absent < 0) exit(1);
        if (absent) kh_value(map, at) = 0;
        kh_value(map, at)++;
    }
    at = kh_get(old, map, "or");
    if (at != kh_end(map)) kh_del(old, map, at);
    for (at = kh_begin(map); at != kh_end(map); at++)
        if (kh_exist(map, at) && strcmp(kh_key(map, at), "not") != 0) sum += kh_value(map, at);
    printf("khash: %u words, \"to\" %s, ", (unsigned)kh_size(map),
           kh_value(map, kh_get(old, map, "to")) == 2 ? "twice" : "otherwise");
    printf("\"be\" %d, ", kh_value(map, kh_get(old, map, "be")));
    printf("\"or\" %d, sum %d\n", kh_get(old, map, "or") != kh_end(map), sum);
    kh_destroy(old, map);
}

static void with_tagline(void) {
    struct words map = words_make();
    bool absent;
    int sum = 0;
    for (int i = 0; i < WORDS; i++) {
        int *value = words_add(&map, text[i], &absent);
        if (!value) exit(1);
        if (absent) *value = 0;
        ++*value;
    }
    words_del(&map, "or");
    for (struct words_walk walk = words_begin(&map); words_next(&walk);)
        if (strcmp(walk.entry->key, "not") != 0) sum += walk.entry->value;
    printf("tagline: %zu words, \"to\" %s, ", words_len(&map),
           *words_get(&map, "to") == 2 ? "twice" : "otherwise");
    printf("\"be\" %d, ", *words_get(&map, "be"));
    printf("\"or\" %d, sum %d\n", words_get(&map, "or") != NULL, sum);
    words_free(&map);
}

int main(void) {
    with_khash();
    with_tagline();
    return 0;
}
