#include "harness/selftest/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/rng.h"
#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

/* TEXT_MAX: bytes of the longest string key. COLLIDING_BITS: of the hash that agree; finding a key takes
 * 2^bits tries. */
enum { TEXT_MAX = 64, TINY_KEYS = 12, COLLIDING_KEYS = 300, COLLIDING_BITS = 10 };

static const char *const kind_names[] = {
#define X(kind, name) name,
    SELFTEST_KEY_KINDS(X)
#undef X
};

const char *selftest_key_kind_name(enum selftest_key_kind kind) {
    return kind_names[kind];
}

void *selftest_alloc(size_t n, size_t size) {
    void *block = calloc(n ? n : 1, size);
    if (!block) {
        fprintf(stderr, "mapbench: selftest: no memory for %zu objects of %zu bytes\n", n, size);
        exit(4);
    }
    return block;
}

/* --- integers --- */

/* A bijection on 32-bit numbers: each step (xor with own high bits, product with an odd number) can be
 * undone. */
static uint32_t mix32(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

static uint64_t random_int(uint64_t i, uint64_t seed, unsigned bits) {
    return bits == 64 ? rng_mix(i + seed) : mix32((uint32_t)(i + seed));
}

static uint64_t all_ones(unsigned bits) {
    return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* 0, then 2^b (b < bits), then 2^b - 1 (2 <= b <= bits), then the largest minus 2^b (b < bits - 1): all
 * distinct. */
static size_t edge_count(unsigned bits) {
    return 1 + bits + (bits - 1) + (bits - 1);
}
static uint64_t edge_int(size_t i, unsigned bits) {
    if (i == 0) return 0;
    i -= 1;
    if (i < bits) return UINT64_C(1) << i;
    i -= bits;
    if (i < bits - 1) return all_ones((unsigned)i + 2);
    i -= bits - 1;
    return all_ones(bits) - (UINT64_C(1) << i);
}

static uint64_t int_key(enum selftest_key_kind kind, uint64_t i, uint64_t seed, unsigned bits) {
    switch (kind) {
    case SELFTEST_KEYS_TINY:
        return i;
    case SELFTEST_KEYS_EDGES:
        return edge_int(i, bits);
    case SELFTEST_KEYS_SEQUENTIAL:
        return (seed + i) & all_ones(bits);
    case SELFTEST_KEYS_STRIDED:
        return (i << bits / 2) & all_ones(bits);
    default:
        return random_int(i, seed, bits);
    }
}

/* --- strings --- */

/* Strings of 16 bytes that begin with the number which the common hash xors into their first half: its inner
 * product is 0 whatever the second half is, so all 64 bits agree. */
static size_t equal_hash_text(uint64_t i, char *text) {
    uint64_t first = HASH_PI;
    memcpy(text, &first, sizeof first);
    memcpy(text + sizeof first, &i, sizeof i);
    return sizeof first + sizeof i;
}

/* Writes key i to `text`, at most TEXT_MAX bytes; returns its length. */
static size_t text_key(enum selftest_key_kind kind, uint64_t i, uint64_t seed, char *text) {
    uint64_t mixed = rng_mix(i + seed);
    size_t pad;
    switch (kind) {
    case SELFTEST_KEYS_TINY: /* "", "a", "aa" .. */
        memset(text, 'a', i);
        return i;
    case SELFTEST_KEYS_EDGES: /* 0 to 63 NULs, then 1 to 64 times 0xff */
        memset(text, i < TEXT_MAX ? 0 : 0xff, TEXT_MAX);
        return i < TEXT_MAX ? i : i - TEXT_MAX + 1;
    case SELFTEST_KEYS_SEQUENTIAL:
        return (size_t)snprintf(text, TEXT_MAX, "item-%llu", (unsigned long long)i);
    case SELFTEST_KEYS_STRIDED:
        return (size_t)snprintf(text, TEXT_MAX, "/usr/share/doc/a-long-common-prefix/%08llx",
                                (unsigned long long)i);
    case SELFTEST_KEYS_HASH_EQUAL:
        return equal_hash_text(i, text);
    default: /* 0 to 31 bytes of padding behind eight that no other key has */
        pad = mixed % 32;
        memcpy(text, &mixed, sizeof mixed);
        memset(text + sizeof mixed, 'x', pad);
        return sizeof mixed + pad;
    }
}

/* --- sets --- */

static size_t kind_limit(enum selftest_key_kind kind, const struct shape *shape) {
    switch (kind) {
    case SELFTEST_KEYS_TINY:
        return TINY_KEYS;
    case SELFTEST_KEYS_EDGES:
        return shape->key_bits ? edge_count(shape->key_bits) : 2 * TEXT_MAX;
    case SELFTEST_KEYS_STRIDED:
        return shape->key_bits == 32 ? 1 << 16 : SIZE_MAX;
    case SELFTEST_KEYS_HASH_LOW:
    case SELFTEST_KEYS_HASH_HIGH:
        return COLLIDING_KEYS;
    case SELFTEST_KEYS_HASH_EQUAL:
        return shape->key_bits ? 0 : COLLIDING_KEYS;
    default:
        return SIZE_MAX;
    }
}

/* Writes candidate i of a kind as key number `at`: both copies. */
static void write_key(struct selftest_keys *keys, enum selftest_key_kind kind, size_t at, uint64_t i,
                      uint64_t seed) {
    const struct shape *shape = keys->shape;
    unsigned char *stored = keys->stored + at * shape->key_size, *asked = keys->asked + at * shape->key_size;
    char *text = keys->text ? keys->text + at * 2 * TEXT_MAX : NULL;
    if (shape->key_bits) {
        uint64_t number = int_key(kind, i, seed, shape->key_bits);
        shape->key_make(number, text, stored);
        shape->key_make(number, text ? text + TEXT_MAX : NULL, asked);
        return;
    }
    struct str str = {text, text_key(kind, i, seed, text)};
    memcpy(stored, &str, sizeof str);
    memcpy(text + TEXT_MAX, text, TEXT_MAX);
    str.text = text + TEXT_MAX;
    memcpy(asked, &str, sizeof str);
}

static uint64_t hash_part(const struct shape *shape, enum selftest_key_kind kind, const void *key) {
    uint64_t hash = shape->key_hash(key);
    return kind == SELFTEST_KEYS_HASH_LOW ? hash & ((1 << COLLIDING_BITS) - 1)
                                          : hash >> (64 - COLLIDING_BITS);
}

int selftest_key_compare(const struct shape *shape, const void *a, const void *b) {
    if (shape->key_bits) {
        uint64_t x = shape->key_word(a), y = shape->key_word(b);
        return (x > y) - (x < y);
    }
    const struct str *s = a, *t = b;
    if (s->len != t->len) return s->len < t->len ? -1 : 1;
    int order = memcmp(s->text, t->text, s->len);
    return (order > 0) - (order < 0);
}

/* --- from a key to its number --- */

/* Unlike the common hash, whose equal values some sets are made of. */
static uint64_t index_hash(const struct shape *shape, const void *key) {
    if (shape->key_bits) return rng_mix(shape->key_word(key));
    const struct str *s = key;
    uint64_t hash = rng_mix(s->len);
    for (size_t at = 0, rest; at < s->len; at += rest) {
        uint64_t word = 0;
        rest = s->len - at < sizeof word ? s->len - at : sizeof word;
        memcpy(&word, s->text + at, rest);
        hash = rng_mix(hash ^ word);
    }
    return hash;
}

/* The slot that names a key, or the empty one at which it is missed. At most half of the slots are full. */
static uint32_t *index_slot(const struct selftest_keys *keys, const void *key) {
    size_t slot = index_hash(keys->shape, key) & keys->index_mask;
    while (keys->index[slot] != SELFTEST_NO_KEY &&
           selftest_key_compare(keys->shape, key, selftest_stored(keys, keys->index[slot])) != 0)
        slot = (slot + 1) & keys->index_mask;
    return &keys->index[slot];
}

static void make_index(struct selftest_keys *keys) {
    size_t slots = 2;
    while (slots < 2 * keys->n) slots *= 2;
    keys->index_mask = slots - 1;
    keys->index = selftest_alloc(slots, sizeof *keys->index);
    for (size_t i = 0; i < slots; i++) keys->index[i] = SELFTEST_NO_KEY;
    for (size_t i = 0; i < keys->n; i++) *index_slot(keys, selftest_stored(keys, i)) = (uint32_t)i;
}

size_t selftest_keys_index(const struct selftest_keys *keys, const void *key) {
    uint32_t number = *index_slot(keys, key);
    return number == SELFTEST_NO_KEY ? SIZE_MAX : number;
}

/* --- a set --- */

bool selftest_keys_make(struct selftest_keys *keys, const struct shape *shape, enum selftest_key_kind kind,
                        size_t n, uint64_t seed) {
    size_t limit = kind_limit(kind, shape);
    bool colliding = kind == SELFTEST_KEYS_HASH_LOW || kind == SELFTEST_KEYS_HASH_HIGH;
    if (limit == 0) return false;
    if (n > limit) n = limit;
    keys->shape = shape;
    keys->n = n;
    keys->stored = selftest_alloc(n, shape->key_size);
    keys->asked = selftest_alloc(n, shape->key_size);
    keys->text = shape->key_bits && !shape->key_room ? NULL : selftest_alloc(n, 2 * TEXT_MAX);
    for (uint64_t at = 0, candidate = 0; at < n; candidate++) {
        write_key(keys, kind, at, candidate, seed);
        if (!colliding || at == 0 ||
            hash_part(shape, kind, selftest_stored(keys, at)) ==
                hash_part(shape, kind, selftest_stored(keys, 0)))
            at++;
    }
    make_index(keys);
    return true;
}

void selftest_keys_free(struct selftest_keys *keys) {
    free(keys->stored);
    free(keys->asked);
    free(keys->text);
    free(keys->index);
}
