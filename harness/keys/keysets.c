#include "harness/keys/keysets.h"

#include <stdlib.h>
#include <string.h>

#include "harness/keys/keyset_builder.h"
#include "harness/keys/keyset_source.h"

/* The process's sets, newest first. */
static struct entry {
    struct entry *next;
    struct keyset *set;
    enum keyspec_kind kind;
    unsigned key_bits;
    char *path; /* of file; "" otherwise */
} * cache;

static const struct keyset *cached(const struct keyspec *spec, unsigned key_bits) {
    const char *path = spec->path ? spec->path : "";
    for (const struct entry *e = cache; e; e = e->next)
        if (e->kind == spec->kind && e->key_bits == key_bits && strcmp(e->path, path) == 0) return e->set;
    return NULL;
}

/* Takes the set over. */
static const struct keyset *keep(const struct keyspec *spec, unsigned key_bits, struct keyset *set) {
    struct entry *entry = malloc(sizeof *entry);
    char *path = strdup(spec->path ? spec->path : "");
    if (!entry || !path) {
        free(entry);
        free(path);
        keyset_free(set);
        return NULL;
    }
    *entry = (struct entry){cache, set, spec->kind, key_bits, path};
    cache = entry;
    return set;
}

const struct keyset *keysets_get(const struct keyspec *spec, unsigned key_bits, struct why *why) {
    const struct keyset *known = cached(spec, key_bits);
    if (known) return known;
    struct keyset_builder builder;
    keyset_builder_init(&builder, key_bits != 0);
    struct keyset *set = NULL;
    if (keyset_source_read(spec, key_bits, &builder, why)) {
        set = keyset_builder_finish(&builder);
        const struct keyset *kept = set ? keep(spec, key_bits, set) : NULL;
        if (kept) return kept;
        why_say(why, "out of memory while reading the keys");
    }
    keyset_builder_drop(&builder);
    return NULL;
}

void keysets_forget(void) {
    while (cache) {
        struct entry *next = cache->next;
        keyset_free(cache->set);
        free(cache->path);
        free(cache);
        cache = next;
    }
}
