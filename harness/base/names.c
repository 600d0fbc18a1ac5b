#include "harness/base/names.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Cuts the item that `rest` begins with off at its comma and undoes "\\,"; NULL at the end. */
static char *next_item(char **rest) {
    char *item = *rest, *to = item;
    if (!item) return NULL;
    for (char *from = item;; from++) {
        if (*from == '\0' || *from == ',') {
            *rest = *from ? from + 1 : NULL;
            *to = '\0';
            return item;
        }
        if (*from == '\\' && from[1] == ',') from++;
        *to++ = *from;
    }
}

bool names_split(const char *list, bool (*each)(void *context, const char *item), void *context) {
    char *copy = strdup(list), *rest = copy;
    bool ok = copy != NULL;
    for (char *item; ok && (item = next_item(&rest)) != NULL;) {
        while (isspace((unsigned char)*item)) item++;
        size_t len = strlen(item);
        while (len > 0 && isspace((unsigned char)item[len - 1])) item[--len] = '\0';
        if (len > 0) ok = each(context, item);
    }
    free(copy);
    return ok;
}

static bool is_other_word(void *word, const char *item) {
    return strcmp(item, word) != 0;
}

bool names_has(const char *list, const char *word) {
    return !names_split(list, is_other_word, (void *)word);
}

bool names_select(const char *list, const char *word) {
    return !list || names_has(list, word) || names_has(list, "all");
}

struct check {
    const char *kind;
    const char *const *known;
    size_t count;
    struct why *why;
};

static bool check_item(void *context, const char *item) {
    const struct check *check = context;
    for (size_t i = 0; i < check->count; i++)
        if (strcmp(item, check->known[i]) == 0) return true;
    return unknown_name(check->kind, item, check->known, check->count, check->why);
}

bool names_check(const char *list, const char *kind, const char *const *known, size_t count,
                 struct why *why) {
    struct check check = {kind, known, count, why};
    return !list || names_split(list, check_item, &check);
}

bool unknown_name(const char *kind, const char *name, const char *const *candidates, size_t count,
                  struct why *why) {
    const char *nearest = names_nearest(name, candidates, count);
    return nearest ? why_say(why, "unknown %s '%s': did you mean '%s'?", kind, name, nearest)
                   : why_say(why, "unknown %s '%s'", kind, name);
}

/* Levenshtein distance; names of more than 64 characters count as far from all. */
static size_t edit_distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1], len_a = strlen(a), len_b = strlen(b);
    if (len_a > LONGEST || len_b > LONGEST) return SIZE_MAX;
    for (size_t j = 0; j <= len_b; j++) row[j] = j;
    for (size_t i = 1; i <= len_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= len_b; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = replace < best ? replace : best;
        }
    }
    return row[len_b];
}

const char *names_nearest(const char *name, const char *const *candidates, size_t count) {
    enum { PART_MIN = 3 }; /* letters of a name that is likely to be meant by a longer or shorter one */
    const char *nearest = NULL;
    size_t nearest_distance =
        strlen(name) / 2 + 2; /* more than half the letters wrong: something else was meant */
    for (size_t i = 0; i < count; i++) {
        size_t distance = edit_distance(name, candidates[i]);
        bool whole_words = strlen(name) >= PART_MIN && strlen(candidates[i]) >= PART_MIN;
        if (whole_words && (strstr(candidates[i], name) || strstr(name, candidates[i])))
            distance = distance > 1 ? 1 : distance;
        if (distance < nearest_distance) {
            nearest = candidates[i];
            nearest_distance = distance;
        }
    }
    return nearest;
}
