/* A release of klib's khashl.h:  HEADER(name, khashl, PATH).
 *
 * Source:     the header that the line names; KHASHL_MAP_INIT.
 * Invariants: none known of the library; the selftest compares it with a model.
 * Cost:       one array of packed entries and a bit per bucket; linear probing, a delete shifts back.
 */
#include "maps/by_entry.h"
#include "maps/headers/facts.h"

#if !__has_include(HEADER_FILE)
#define MAP_UNAVAILABLE HEADER_MISSING
#else
#include <stdint.h>
#include HEADER_FILE
#endif

HEADER_FACTS(
    "driven as klib's khashl", "packed entry + 1 bit per bucket",
    "32-bit hashes: the common hash is cut to its low half, and multiplied by the library; it is asked for "
    "under either policy, as the library has no hash of texts with a length",
    TRAIT_HINT_INEXACT);

#ifndef MAP_UNAVAILABLE
MAP_INLINE khint_t unit_hash(map_key key) {
    return (khint_t)key_hash(key);
}

KHASHL_MAP_INIT(KH_LOCAL, khashl_table, khashl, map_key, map_val, unit_hash, key_equal)

/* Releases before r40 have no name for it. */
#ifdef kh_exist
#define KHASHL_USED(table, at) kh_exist(table, at)
#else
#define KHASHL_USED(table, at) __kh_used((table)->used, at)
#endif

struct map {
    khashl_table *table;
    HEAP_FIELD
};

struct map_iter {
    struct map *map;
    khint_t at;
};

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    khashl_destroy(map->table);
    HEAP_FREE(heap, map);
}

/* With room for so many buckets; NULL: out of memory. */
static struct map *create_of_buckets(struct heap *heap, khint_t buckets) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->table = khashl_init();
    if (map->table && (!buckets || khashl_m_resize(map->table, buckets) >= 0)) return map;
    map_destroy(map);
    return NULL;
}

static struct map *map_create(struct heap *heap, size_t hint) {
    double buckets = hint ? (double)hint / 0.75 + 1 : 0; /* the library's maximum load */
    const double buckets_max = (double)(1u << 31);
    return create_of_buckets(heap, (khint_t)(buckets < buckets_max ? buckets : buckets_max));
}

/* Entries are packed; of the shapes here none is smaller than its alignment asks. */
MAP_INLINE map_val *khashl_val_at(struct map *map, khint_t at) {
    return (map_val *)(void *)((char *)&map->table->keys[at] + offsetof(khashl_table_m_bucket_t, val));
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    khint_t at = khashl_get(map->table, key);
    return at == kh_end(map->table) ? NULL : khashl_val_at(map, at);
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    int absent;
    khint_t at = khashl_put(map->table, key, &absent);
    return absent < 0 ? NULL : khashl_val_at(map, at);
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    khint_t at = khashl_get(map->table, key);
    if (at == kh_end(map->table)) return false;
    khashl_del(map->table, at);
    return true;
}

static size_t map_len(const struct map *map) {
    return kh_size(map->table);
}
static size_t map_capacity(const struct map *map) {
    return kh_capacity(map->table);
}
static void map_clear(struct map *map) {
    khashl_m_clear(map->table);
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->map = map;
    iter->at = 0;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    struct map *map = iter->map;
    while (iter->at != kh_end(map->table) && !KHASHL_USED(map->table, iter->at)) iter->at++;
    if (iter->at == kh_end(map->table)) return false;
    *key = kh_key(map->table, iter->at);
    *val = khashl_val_at(map, iter->at);
    iter->at++;
    return true;
}

/* The library has no copy: the entries are put again, into as many buckets. */
MAP_COPY_BY_ENTRY(create_of_buckets(HEAP_OF(map), kh_capacity(map->table)))

MAP_CHECK_NONE

static void map_describe(struct map *map, struct map_structure *out) {
    size_t buckets = kh_capacity(map->table);
    out->array_bytes = buckets * sizeof *map->table->keys + (buckets + 31) / 32 * sizeof(khint32_t);
}
#endif
