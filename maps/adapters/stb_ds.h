/* stb_ds: the hash map of Sean Barrett's stb_ds.h.
 *
 * Source:     stb_ds.h; hmput, hmgetp_null and hmdel, as far as they go without assigning a value.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       entries without gaps in one array, doubled by realloc; an index of 16 bytes per slot (full
 *             hash and entry number), eight slots a bucket. A delete moves the last entry into the gap, for
 *             which it looks that up too, and leaves a tombstone in the index.
 *
 * The library's functions are external. Declaring them static first gives them internal linkage
 * (C17 6.2.2p4-5), so that each unit has its own.
 */
#include "maps/by_entry.h"

#if !__has_include(<stb/stb_ds.h>)
#define MAP_UNAVAILABLE "stb/stb_ds.h not found: make deps build (libstb-dev)"
#elif defined(SHAPE_KEY_STR)
#define MAP_UNAVAILABLE                                                                                      \
    "stb_ds.h takes only NUL-terminated strings and compares them itself (package libstb-dev)"
#endif

static const struct map_facts map_facts = {
    .summary = "stb_ds: entries in a dense array, open-addressing index beside it",
    .source = "stb_ds.h 0.67 by Sean Barrett",
    .invariants = "none offered by the library",
    .cost = "entry in an array without gaps + 16 bytes per index slot; lookup: index bucket, then the entry; "
            "a delete is two lookups",
    .options = "index at most 3/4 full, growth x2, rebuilt past 3/16 tombstones, halved below 1/4; capacity "
               "counts the slots of both arrays",
    .fairness =
        "cannot take another hash: it mixes integers with its own seeded one, which is strong, so under "
        "either policy it is measured with that; its functions take key and entry sizes at run time, but "
        "here they are compiled into the unit, where the compiler knows them, which programs with a "
        "separate object file miss; a lookup is a call; clear is hmfree; scans read a plain array",
    .package = "libstb-dev",
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES | TRAIT_SHRINKS | TRAIT_INSERTION_ORDER | TRAIT_IGNORES_HINT |
              TRAIT_ABORTS_ON_OOM,
};

#ifndef MAP_UNAVAILABLE
#include <stdio.h>

/* The library does not look whether it got memory. */
static inline void *stb_ds_realloc(void *old, size_t size_bytes) {
    void *room = realloc(old, size_bytes);
    if (room) return room;
    fprintf(stderr, "stb_ds: out of memory for %zu bytes; the library cannot recover\n", size_bytes);
    abort();
}
#define STBDS_REALLOC(context, old, size_bytes) stb_ds_realloc(old, size_bytes)
#define STBDS_FREE(context, old) free(old)

typedef struct stbds_string_arena stbds_string_arena;
static void stbds_rand_seed(size_t);
/* It shifts bytes into an int's sign bit. */
static size_t stbds_hash_bytes(void *, size_t, size_t) __attribute__((no_sanitize("shift")));
static size_t stbds_hash_string(char *, size_t);
static char *stbds_stralloc(stbds_string_arena *, char *);
static void stbds_strreset(stbds_string_arena *);
static void *stbds_arrgrowf(void *, size_t, size_t, size_t);
static void stbds_arrfreef(void *);
static void stbds_hmfree_func(void *, size_t);
static void *stbds_hmget_key(void *, size_t, void *, size_t, int);
static void *stbds_hmget_key_ts(void *, size_t, void *, size_t, ptrdiff_t *, int);
static void *stbds_hmput_default(void *, size_t);
static void *stbds_hmput_key(void *, size_t, void *, size_t, int);
static void *stbds_hmdel_key(void *, size_t, void *, size_t, size_t, int);
static void *stbds_shmode_func(size_t, int);

#define STBDS_NO_SHORT_NAMES
#define STB_DS_IMPLEMENTATION
#include <stb/stb_ds.h>

struct entry {
    map_key key;
    map_val value;
};

struct map {
    struct entry *entries; /* the library's: NULL, or the element after its default one */
    HEAP_FIELD
};

struct map_iter {
    const struct entry *at, *end;
};

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (map) HEAP_BIND(map, heap);
    return map;
}

static void map_clear(struct map *map) {
    stbds_hmfree(map->entries);
}

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    map_clear(map);
    HEAP_FREE(heap, map);
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    struct entry *found = stbds_hmgetp_null(map->entries, key);
    return found ? &found->value : NULL;
}

/* stbds_hmput without its last step, the assignment of the value. */
MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map->entries = (struct entry *)stbds_hmput_key(map->entries, sizeof *map->entries, &key, sizeof key,
                                                   STBDS_HM_BINARY);
    return &map->entries[stbds_temp(map->entries - 1)].value;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    if (!map->entries) return false;
    return stbds_hmdel(map->entries, key) != 0;
}

static size_t map_len(const struct map *map) {
    return stbds_hmlenu(map->entries);
}

static const stbds_hash_index *map_index(const struct map *map) {
    return map->entries ? stbds_hash_table(map->entries - 1) : NULL;
}

static size_t map_capacity(const struct map *map) {
    const stbds_hash_index *index = map_index(map);
    return (map->entries ? stbds_arrcap(map->entries - 1) : 0) + (index ? index->slot_count : 0);
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->at = map->entries;
    iter->end = map->entries ? map->entries + map_len(map) : NULL;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (iter->at == iter->end) return false;
    *key = iter->at->key;
    *val = &iter->at->value;
    iter->at++;
    return true;
}

/* The library has no copy: the entries are put again. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy) return NULL;
    for (size_t i = 0, n = map_len(map); i < n; i++)
        *map_put(copy, map->entries[i].key) = map->entries[i].value;
    return copy;
}

MAP_CHECK_NONE

/* A probe is a bucket of eight slots. */
static void map_describe(struct map *map, struct map_structure *out) {
    const stbds_hash_index *index = map_index(map);
    size_t probes = 0;
    if (!index) return;
    for (size_t slot = 0; slot < index->slot_count; slot++) {
        const stbds_hash_bucket *bucket = &index->storage[slot >> STBDS_BUCKET_SHIFT];
        if (!STBDS_INDEX_IN_USE(bucket->index[slot & STBDS_BUCKET_MASK])) continue;
        size_t at = bucket->hash[slot & STBDS_BUCKET_MASK] & (index->slot_count - 1), step = 1;
        for (; at >> STBDS_BUCKET_SHIFT != slot >> STBDS_BUCKET_SHIFT; step++)
            at = (at + step * STBDS_BUCKET_LENGTH) & (index->slot_count - 1);
        probes += step;
        if (step > out->probe_max) out->probe_max = step;
    }
    out->probe_mean = index->used_count ? (double)probes / (double)index->used_count : 0;
    out->tombstones = index->tombstone_count;
    out->array_bytes = (index->slot_count >> STBDS_BUCKET_SHIFT) * sizeof(stbds_hash_bucket) + sizeof *index +
                       STBDS_CACHE_LINE_SIZE - 1 + sizeof(stbds_array_header) +
                       stbds_arrcap(map->entries - 1) * sizeof(struct entry);
}
#endif
