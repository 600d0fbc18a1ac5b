/* Counts words: keys that are texts, and that the map's user owns.
 *
 * Prints:
 * 9 words, 5 different
 * a 2
 * rose 4
 * is 1
 * thorn 1
 * without "is" 4
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAGLINE_NAME counts
#define TAGLINE_KEY const char *
#define TAGLINE_VALUE unsigned
#define TAGLINE_HASH(key) tagline_hash_string(key)
#define TAGLINE_EQUAL(a, b) (strcmp(a, b) == 0)
#include "tagline.h"

/* The map stores pointers. A word that is new is copied, and the copy becomes the key. */
static int count_word(struct counts *map, const char *word) {
    bool added;
    unsigned *count = counts_add(map, word, &added);
    if (!count) return 0; /* out of memory: the map is what it was */
    if (added) {
        size_t size = strlen(word) + 1;
        char *copy = (char *)malloc(size);
        if (!copy) {
            counts_del_entry(map, counts_entry_of(count));
            return 0;
        }
        memcpy(copy, word, size);
        counts_entry_of(count)->key = copy;
        *count = 0; /* a new value is not initialised */
    }
    ++*count;
    return 1;
}

static void forget_word(struct counts *map, const char *word) {
    struct counts_entry *entry = counts_get_entry(map, word);
    if (!entry) return;
    const char *copy = entry->key;
    counts_del_entry(map, entry);
    free((void *)copy);
}

static void free_all(struct counts *map) {
    for (struct counts_walk walk = counts_begin(map); counts_next(&walk);) free((void *)walk.entry->key);
    counts_free(map);
}

int main(void) {
    const char *const text[] = {"a", "rose", "is", "a", "rose", "rose", "thorn", "rose", "and"};
    const char *const asked[] = {"a", "rose", "is", "thorn"};
    struct counts map = counts_make();
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (!count_word(&map, text[i])) return fputs("out of memory\n", stderr), 1;
    printf("%zu words, %zu different\n", sizeof text / sizeof *text, counts_len(&map));
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const unsigned *count = counts_get(&map, asked[i]);
        printf("%s %u\n", asked[i], count ? *count : 0);
    }
    forget_word(&map, "is");
    printf("without \"is\" %zu\n", counts_len(&map));
    free_all(&map);
    return 0;
}
