/* khash: klib's macro-made open-addressing table, in the version that htslib installs.
 *
 * Source:     htslib/khash.h (attractivechaos/klib, AC_VERSION_KHASH_H); kh_put, kh_get, kh_del, kh_resize.
 *             The table struct is a member of struct map instead of kh_init's separate block: one pointer
 *             less to follow.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       two arrays, keys and values, and 2 bits of state per bucket. Triangular probing; a delete
 *             leaves a tombstone, cleared by the next resize.
 */
#include "maps/by_entry.h"

#if !__has_include(<htslib/khash.h>)
#define MAP_UNAVAILABLE "htslib/khash.h not found: make deps build (libhts-dev)"
#define AC_VERSION_KHASH_H "absent"
#else
#include <htslib/khash.h>
#endif

static const struct map_facts map_facts = {
    .summary = "klib khash: open addressing, triangular probing, keys and values apart",
    .source = "klib khash.h by Attractive Chaos, as htslib/khash.h",
    .invariants = "none offered by the library",
    .cost = "key + value + 2 bits per bucket; lookup: the state bits and the key array, the value array on a "
            "hit",
    .options = "max load 0.77, growth x2, at most 2^31 buckets, khash " AC_VERSION_KHASH_H,
    .fairness =
        "32-bit hashes: the common hash is cut to its low half, as the library's types demand; its own "
        "integer hash is the identity (32 bits) or a shift-and-xor (64 bits), its own string hash reads "
        "byte by byte; no hash is stored, so growing strings hashes them again",
    .package = "libhts-dev",
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES,
};

#ifndef MAP_UNAVAILABLE

#ifdef UNIT_HASH_common
MAP_INLINE khint_t unit_hash(map_key key) {
    return (khint_t)key_hash(key);
}
#elif defined(SHAPE_KEY_STR)
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_kstr_hash_func(((kstring_t){.l = key.len, .s = (char *)key.text}));
}
#elif SHAPE_KEY_BITS == 32
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_int_hash_func(key);
}
#else
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_int64_hash_func(key);
}
#endif

KHASH_INIT(unit, map_key, map_val, 1, unit_hash, key_equal)

struct map {
    khash_t(unit) table;
    HEAP_FIELD
};

struct map_iter {
    struct map *map;
    khint_t at;
};

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    kfree(map->table.keys);
    kfree(map->table.vals);
    kfree(map->table.flags);
    HEAP_FREE(heap, map);
}

/* With room for so many buckets; NULL: out of memory. */
static struct map *create_of_buckets(struct heap *heap, khint_t buckets) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    if (buckets && kh_resize(unit, &map->table, buckets) < 0) {
        map_destroy(map);
        return NULL;
    }
    return map;
}

static struct map *map_create(struct heap *heap, size_t hint) {
    double buckets = hint ? (double)hint / __ac_HASH_UPPER + 1 : 0;
    const double buckets_max = (double)(1u << 31);
    return create_of_buckets(heap, (khint_t)(buckets < buckets_max ? buckets : buckets_max));
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    khint_t at = kh_get(unit, &map->table, key);
    return at == kh_end(&map->table) ? NULL : &kh_val(&map->table, at);
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    int outcome;
    khint_t at = kh_put(unit, &map->table, key, &outcome);
    return outcome < 0 ? NULL : &kh_val(&map->table, at);
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    khint_t at = kh_get(unit, &map->table, key);
    if (at == kh_end(&map->table)) return false;
    kh_del(unit, &map->table, at);
    return true;
}

static size_t map_len(const struct map *map) {
    return kh_size(&map->table);
}
static size_t map_capacity(const struct map *map) {
    return kh_n_buckets(&map->table);
}
static void map_clear(struct map *map) {
    kh_clear(unit, &map->table);
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->map = map;
    iter->at = kh_begin(&map->table);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    struct map *map = iter->map;
    while (iter->at != kh_end(&map->table) && !kh_exist(&map->table, iter->at)) iter->at++;
    if (iter->at == kh_end(&map->table)) return false;
    *key = kh_key(&map->table, iter->at);
    *val = &kh_val(&map->table, iter->at);
    iter->at++;
    return true;
}

/* The library has no copy: the entries are put again, into as many buckets. */
MAP_COPY_BY_ENTRY(create_of_buckets(HEAP_OF(map), kh_n_buckets(&map->table)))

MAP_CHECK_NONE

static void map_describe(struct map *map, struct map_structure *out) {
    const khash_t(unit) *table = &map->table;
    size_t steps = 0;
    for (khint_t at = kh_begin(table); at != kh_end(table); at++) {
        if (!kh_exist(table, at)) continue;
        khint_t mask = table->n_buckets - 1, place = unit_hash(kh_key(table, at)) & mask, step = 0;
        while (place != at) place = (place + ++step) & mask;
        steps += step + 1;
        if (step + 1 > out->probe_max) out->probe_max = step + 1;
    }
    out->probe_mean = table->size ? (double)steps / table->size : 0;
    out->tombstones = table->n_occupied - table->size;
    out->array_bytes = (size_t)table->n_buckets * (sizeof(map_key) + sizeof(map_val)) +
                       (table->n_buckets ? __ac_fsize(table->n_buckets) * sizeof(khint32_t) : 0);
}
#endif
