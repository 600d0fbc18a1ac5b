/* uthash: Troy D. Hanson's intrusive macro hash.
 *
 * Source:     uthash.h (UTHASH_VERSION); HASH_FIND, HASH_ADD and HASH_DELETE with the hash value given.
 *
 * Invariants: the library's own (HASH_FSCK is for its developers); it offers no check here.
 *
 * Cost:       one allocation per entry: key, value and a 56-byte handle (table, both neighbours in insertion
 *             order and in the bucket, key pointer, length, hash). 16 bytes per bucket; a bucket may hold ten
 *             entries before the table doubles. A deleted entry is freed at once.
 */
#include "maps/by_entry.h"

#if !__has_include(<uthash.h>)
#define MAP_UNAVAILABLE "uthash.h not found: make deps build (uthash-dev)"
#define UTHASH_VERSION absent
#else
#define HASH_NONFATAL_OOM 1
#define uthash_malloc(size_bytes) HEAP_NEW(NULL, char, size_bytes)
#define uthash_free(block, size_bytes) HEAP_FREE(NULL, block)
#include <uthash.h>
#endif

#define UTHASH_TEXT_(x) #x
#define UTHASH_TEXT(x) UTHASH_TEXT_(x)
#define UTHASH_VERSION_TEXT UTHASH_TEXT(UTHASH_VERSION)

static const struct map_facts map_facts = {
    .summary = "uthash: chained, intrusive 56-byte handle in every entry",
    .source = "uthash.h by Troy D. Hanson",
    .invariants = "none offered by the library",
    .cost = "one allocation per entry: key, value, 56-byte handle; 16 bytes per bucket; lookup: a chain of "
            "full hashes",
    .options = "doubles when a chain reaches 10, own hash Jenkins's (HASH_JEN), uthash " UTHASH_VERSION_TEXT,
    .fairness =
        "handicap here: made for structs that exist anyway and can be in several tables, so the "
        "allocation per entry is charged to it; 32-bit hashes: the common hash is cut to its low half; a "
        "put looks up first, then adds with the same hash value; emptying the table frees it, and the "
        "next put makes another",
    .package = "uthash-dev",
    .traits = TRAIT_ADAPTER | TRAIT_STABLE_SLOTS | TRAIT_INSERTION_ORDER | TRAIT_IGNORES_HINT,
};

#ifndef MAP_UNAVAILABLE

/* The handle keeps a pointer to the key and its length: the text of a string, the field of an integer. */
struct entry {
    UT_hash_handle hh;
#ifndef SHAPE_KEY_STR
    map_key key;
#endif
    map_val val;
};

#ifdef SHAPE_KEY_STR
#define KEY_BYTES(k) ((k).text)
#define KEY_LEN(k) ((k).len)
#define STORED_KEY_BYTES(entry, k) ((void)(entry), (k).text)
MAP_INLINE map_key entry_key(const struct entry *entry) {
    return (map_key){.text = (const char *)entry->hh.key, .len = entry->hh.keylen};
}
#else
#define KEY_BYTES(k) (&(k))
#define KEY_LEN(k) (sizeof(k))
#define STORED_KEY_BYTES(entry, k) ((entry)->key = (k), &(entry)->key)
MAP_INLINE map_key entry_key(const struct entry *entry) {
    return entry->key;
}
#endif

MAP_INLINE unsigned unit_hash(map_key key) {
#ifdef UNIT_HASH_common
    return (unsigned)key_hash(key);
#else
    unsigned hash;
    HASH_VALUE(KEY_BYTES(key), KEY_LEN(key), hash);
    return hash;
#endif
}

struct map {
    struct entry *head; /* NULL: empty, without a table */
    HEAP_FIELD
};

struct map_iter {
    const struct entry *at;
};

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (map) HEAP_BIND(map, heap);
    return map;
}

/* HASH_CLEAR frees the table and leaves the entries, still linked in insertion order. */
static void map_clear(struct map *map) {
    struct entry *entry = map->head;
    HASH_CLEAR(hh, map->head);
    while (entry) {
        struct entry *next = (struct entry *)entry->hh.next;
        HEAP_FREE(HEAP_OF(map), entry);
        entry = next;
    }
}

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    map_clear(map);
    HEAP_FREE(heap, map);
}

MAP_INLINE struct entry *entry_find(struct map *map, map_key key, unsigned hash) {
    struct entry *found;
    HASH_FIND_BYHASHVALUE(hh, map->head, KEY_BYTES(key), KEY_LEN(key), hash, found);
    return found;
}

/* Adds an entry for a key that is absent; NULL: out of memory. */
static struct entry *entry_add(struct map *map, map_key key, unsigned hash) {
    struct entry *entry = HEAP_NEW(HEAP_OF(map), struct entry, 1);
    if (!entry) return NULL;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, map->head, STORED_KEY_BYTES(entry, key), KEY_LEN(key), hash, entry);
    if (entry->hh.tbl) return entry;
    HEAP_FREE(HEAP_OF(map), entry); /* the library could not grow and took the entry out again */
    return NULL;
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    struct entry *found = entry_find(map, key, unit_hash(key));
    return found ? &found->val : NULL;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    unsigned hash = unit_hash(key);
    struct entry *entry = entry_find(map, key, hash);
    if (!entry) entry = entry_add(map, key, hash);
    return entry ? &entry->val : NULL;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    struct entry *found = entry_find(map, key, unit_hash(key));
    if (!found) return false;
    HASH_DELETE(hh, map->head, found);
    HEAP_FREE(HEAP_OF(map), found);
    return true;
}

static size_t map_len(const struct map *map) {
    return HASH_COUNT(map->head);
}
static size_t map_capacity(const struct map *map) {
    return map->head ? map->head->hh.tbl->num_buckets : 0;
}

/* The library has no copy: the entries are added again, with their hashes. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy) return NULL;
    for (const struct entry *from = map->head; from; from = (const struct entry *)from->hh.next) {
        struct entry *to = entry_add(copy, entry_key(from), from->hh.hashv);
        if (!to) {
            map_destroy(copy);
            return NULL;
        }
        to->val = from->val;
    }
    return copy;
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->at = map->head;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    const struct entry *entry = iter->at;
    if (!entry) return false;
    *key = entry_key(entry);
    *val = &entry->val;
    iter->at = (const struct entry *)entry->hh.next;
    return true;
}

MAP_CHECK_NONE

static void map_describe(struct map *map, struct map_structure *out) {
    if (!map->head) return;
    const UT_hash_table *table = map->head->hh.tbl;
    size_t steps = 0;
    for (unsigned b = 0; b < table->num_buckets; b++) {
        size_t depth = 0;
        for (const UT_hash_handle *at = table->buckets[b].hh_head; at; at = at->hh_next) steps += ++depth;
        if (depth > out->probe_max) out->probe_max = depth;
    }
    out->probe_mean = (double)steps / table->num_items;
    out->array_bytes = table->num_buckets * sizeof(UT_hash_bucket) + sizeof(UT_hash_table);
}
#endif
