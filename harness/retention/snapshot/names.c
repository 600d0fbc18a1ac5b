#include "harness/retention/snapshot/names.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

static size_t find_slot(const struct names *names, const char *text) {
    size_t at = hash_text(text) & (names->slots - 1);
    while (names->slot[at] && strcmp(names->text[names->slot[at] - 1], text) != 0)
        at = (at + 1) & (names->slots - 1);
    return at;
}

static int grow(struct names *names) {
    size_t wanted = names->slots ? 2 * names->slots : 64;
    char **text = realloc(names->text, wanted / 2 * sizeof *text);
    if (text) names->text = text;
    uint32_t *slot = text ? calloc(wanted, sizeof *slot) : NULL;
    if (!slot) return 0;
    free(names->slot);
    names->slot = slot;
    names->slots = wanted;
    names->room = wanted / 2;
    for (uint32_t i = 0; i < names->count; i++) slot[find_slot(names, names->text[i])] = i + 1;
    return 1;
}

uint32_t names_add(struct names *names, const char *text) {
    if (names->count == names->room && !grow(names)) return NAMES_FULL;
    size_t at = find_slot(names, text);
    if (names->slot[at]) return names->slot[at] - 1;
    char *copy = strdup(text);
    if (!copy) return NAMES_FULL;
    names->text[names->count] = copy;
    names->slot[at] = ++names->count;
    return names->count - 1;
}

void names_free(struct names *names) {
    for (uint32_t i = 0; i < names->count; i++) free(names->text[i]);
    free(names->text);
    free(names->slot);
    *names = (struct names){0};
}
