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
    if (shape->key_bits) {
        uint64_t wide = int_key(kind, i, seed, shape->key_bits);
        uint32_t narrow = (uint32_t)wide;
        memcpy(stored, shape->key_bits == 32 ? (void *)&narrow : (void *)&wide, shape->key_size);
        memcpy(asked, stored, shape->key_size);
        return;
    }
    char *text = keys->text + at * 2 * TEXT_MAX;
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

static int compare_indices(const void *a, const void *b, void *context) {
    const struct selftest_keys *keys = context;
    return selftest_key_compare(keys->shape, selftest_stored(keys, *(const uint32_t *)a),
                                selftest_stored(keys, *(const uint32_t *)b));
}

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
    keys->text = shape->key_bits ? NULL : selftest_alloc(n, 2 * TEXT_MAX);
    keys->sorted = selftest_alloc(n, sizeof *keys->sorted);
    for (uint64_t at = 0, candidate = 0; at < n; candidate++) {
        write_key(keys, kind, at, candidate, seed);
        if (!colliding || at == 0 ||
            hash_part(shape, kind, selftest_stored(keys, at)) ==
                hash_part(shape, kind, selftest_stored(keys, 0)))
            at++;
    }
    for (size_t i = 0; i < n; i++) keys->sorted[i] = (uint32_t)i;
    qsort_r(keys->sorted, n, sizeof *keys->sorted, compare_indices, keys);
    return true;
}

void selftest_keys_free(struct selftest_keys *keys) {
    free(keys->stored);
    free(keys->asked);
    free(keys->text);
    free(keys->sorted);
}

size_t selftest_keys_index(const struct selftest_keys *keys, const void *key) {
    size_t low = 0, high = keys->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = selftest_key_compare(keys->shape, key, selftest_stored(keys, keys->sorted[middle]));
        if (order == 0) return keys->sorted[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}
