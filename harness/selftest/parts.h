/* Sets of keys, and a mirror of what a map must hold. */
#ifndef MAPBENCH_SELFTEST_PARTS_H
#define MAPBENCH_SELFTEST_PARTS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/unit/map.h"
#include "harness/selftest/selftest.h"
#include "harness/shapes/shape.h"

/* --- keys: sets of distinct keys that tend to find faults --- */

#define SELFTEST_KEY_KINDS(X)                                                                                \
    X(RANDOM, "random")                                                                                      \
    X(SEQUENTIAL, "sequential")                                                                              \
    X(TINY, "tiny-range")             /* twelve keys: the same few slots again and again */                  \
    X(EDGES, "edge")                  /* 0, the largest, powers of two; strings of NULs and 0xff, "" */      \
    X(STRIDED, "strided")             /* integers with equal low bits; strings with a long common prefix */  \
    X(HASH_LOW, "low-hash-colliding") /* the low 10 bits of the common hash agree */                         \
    X(HASH_HIGH, "high-hash-colliding") /* the high 10 bits agree */                                         \
    X(HASH_EQUAL, "equal-hash")         /* all bits agree; strings only, see key_sets.c */

enum selftest_key_kind {
#define X(kind, name) SELFTEST_KEYS_##kind,
    SELFTEST_KEY_KINDS(X)
#undef X
        SELFTEST_KEY_KIND_COUNT
};

#define SELFTEST_NO_KEY UINT32_MAX /* an empty slot of a set's index */

struct selftest_keys {
    const struct shape *shape;
    size_t n;
    unsigned char *stored; /* the keys as handed to stores */
    unsigned char *asked;  /* equal keys for lookups and deletes; strings in another place */
    char *text;
    uint32_t
        *index; /* a hash table from a key's contents to its number, to recognise what a scan hands out */
    size_t index_mask; /* slots of the table - 1; a power of two - 1 */
};

/* Makes n keys, or as many as the kind has. False: the kind has none for this shape. */
bool selftest_keys_make(struct selftest_keys *keys, const struct shape *shape, enum selftest_key_kind kind,
                        size_t n, uint64_t seed);
void selftest_keys_free(struct selftest_keys *keys);
const char *selftest_key_kind_name(enum selftest_key_kind kind);
/* The index of a key; SIZE_MAX: not one of the set. */
size_t selftest_keys_index(const struct selftest_keys *keys, const void *key);
/* -1, 0, 1: integers by value, strings by length, then bytes. */
int selftest_key_compare(const struct shape *shape, const void *a, const void *b);

static inline const void *selftest_stored(const struct selftest_keys *keys, size_t i) {
    return keys->stored + i * keys->shape->key_size;
}
static inline const void *selftest_asked(const struct selftest_keys *keys, size_t i) {
    return keys->asked + i * keys->shape->key_size;
}

/* --- the mirror: which keys a map must hold, and the numbers their values were made from --- */

struct mirror {
    const struct map_unit *unit;
    const struct selftest_keys *keys;
    size_t len;
    bool *present;
    uint64_t *number;
    bool *seen;      /* scratch of a comparison */
    struct why *why; /* what went wrong, for the caller of the selftest */
};

void mirror_open(struct mirror *mirror, const struct map_unit *unit, const struct selftest_keys *keys,
                 struct why *why);
void mirror_close(struct mirror *mirror);
void mirror_clear(struct mirror *mirror);
/* Both return whether the key was present. */
bool mirror_put(struct mirror *mirror, size_t key, uint64_t number);
bool mirror_del(struct mirror *mirror, size_t key);
/* Writes the message, as printf; always false. */
bool mirror_fail(struct mirror *mirror, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True if a lookup of this key in the map finds what the mirror has. */
bool mirror_agrees_on(struct mirror *mirror, void *map, size_t key);
/* True if the map has exactly the mirror's entries: by length, by lookups of every key, by a scan, and
 * op.check. */
bool mirror_agrees(struct mirror *mirror, void *map);

/* calloc that ends the process with the size it wanted. */
void *selftest_alloc(size_t n, size_t size);

/* --- the parts --- */

bool selftest_model(const struct map_unit *unit, const struct selftest_options *options, struct why *why);
bool selftest_memory(const struct map_unit *unit, const struct selftest_options *options, struct why *why);
bool selftest_loops(const struct map_unit *unit, const struct selftest_options *options, struct why *why);

#endif
