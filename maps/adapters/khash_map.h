/* A map of klib's khash.h, whichever release: that of htslib (khash.h beside this file) or a header of the
 * user's (maps/headers/khash.h). Who includes it has included the header and defined unit_hash.
 */
#include "maps/by_entry.h"

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
