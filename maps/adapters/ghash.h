/* ghash: GLib's GHashTable.
 *
 * Source:     GLib 2, glib/ghash.c; g_hash_table_insert, _lookup, _remove. Used as GLib programs do: an
 *             integer key is the key pointer itself, and so is a value of one word; a longer value is an
 *             allocation; a string's key and value share an allocation, which is both key and value to the
 *             table.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       separate arrays of keys, 32-bit hashes and values; keys or values that all fit 32 bits take 4
 *             bytes instead of 8. First place by a prime modulus, then triangular probing; a delete leaves
 *             a tombstone; the table shrinks as it empties.
 */
#if !__has_include(<glib.h>)
#define MAP_UNAVAILABLE "glib.h not found: make deps build (libglib2.0-dev)"
#else
#include <glib.h>
#endif

#define GHASH_TEXT_(x) #x
#define GHASH_TEXT(x) GHASH_TEXT_(x)
#define GHASH_VERSION                                                                                        \
    GHASH_TEXT(GLIB_MAJOR_VERSION) "." GHASH_TEXT(GLIB_MINOR_VERSION) "." GHASH_TEXT(GLIB_MICRO_VERSION)

static const struct map_facts map_facts = {
    .summary = "GLib GHashTable: open addressing over pointers, hashes kept",
    .source = "GLib, glib/ghash.c",
    .invariants = "none offered by the library",
    .cost = "8 (or 4) bytes key, 4 hash, 8 (or 4) value per slot; values over 8 bytes and string entries: an "
            "allocation each; lookup: a call, a prime modulus, the hash array, then the key",
#ifdef GLIB_MAJOR_VERSION
    .options =
        "at most 16/17 full, tombstones counted; resized to the power of two above 4/3 of the entries, "
        "down as well as up, GLib " GHASH_VERSION,
#else
    .options = "at most 16/17 full, tombstones counted",
#endif
    .fairness =
        "every operation is a call into the shared library and one back to hash (strings: and to "
        "compare); 32-bit hashes: the common hash is cut to its low half, g_direct_hash sees only the low "
        "half of a 64-bit key; where a value is allocated, a put of a new key hashes twice, since the "
        "library has no insert-or-find; capacity is read from the private table struct and is 0 if that "
        "looks different; cliff (2.74, u64_u64): drain grows like n^1.0, 3 us an entry at 16k",
    .package = "libglib2.0-dev",
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES | TRAIT_SHRINKS | TRAIT_IGNORES_HINT |
#if !SHAPE_VAL_WORD || defined(SHAPE_KEY_STR)
              TRAIT_STABLE_SLOTS |
#endif
              TRAIT_ABORTS_ON_OOM,
};

#ifndef MAP_UNAVAILABLE

#ifdef SHAPE_KEY_STR
struct entry {
    map_key key; /* first: a pointer to the entry is a pointer to its key */
    map_val val;
};
#elif SHAPE_VAL_WORD
#define MAP_COPIES 1 /* the value is in the table's own array, which may be of 32-bit words */
#endif

#include "maps/by_entry.h"

/* The bytes of a key as the library sees it. */
MAP_INLINE map_key key_of(gconstpointer pointer) {
#ifdef SHAPE_KEY_STR
    return *(const map_key *)pointer;
#else
    return (map_key)GPOINTER_TO_SIZE(pointer);
#endif
}
#ifdef SHAPE_KEY_STR
#define KEY_POINTER(key) (&(key))
#else
#define KEY_POINTER(key) GSIZE_TO_POINTER(key)
#endif

#ifdef UNIT_HASH_common
static guint unit_hash(gconstpointer pointer) {
    return (guint)key_hash(key_of(pointer));
}
#elif defined(SHAPE_KEY_STR)
/* g_str_hash (Bernstein's, times 33) over a length instead of up to a NUL. */
static guint unit_hash(gconstpointer pointer) {
    map_key key = key_of(pointer);
    guint hash = 5381;
    for (size_t i = 0; i < key.len; i++) hash = hash * 33 + (guint)(signed char)key.text[i];
    return hash;
}
#else
#define unit_hash g_direct_hash
#endif

#ifdef SHAPE_KEY_STR
static gboolean unit_equal(gconstpointer a, gconstpointer b) {
    return key_equal(key_of(a), key_of(b));
}
#else
#define unit_equal NULL /* pointers are compared without a call */
#endif

#ifdef MAP_COPIES
#define unit_free NULL
#else
static void unit_free(gpointer value) {
    HEAP_FREE(NULL, value);
}
#endif

struct map {
    GHashTable *table;
    HEAP_FIELD
};

struct map_iter {
    GHashTableIter at;
    map_val room;
};

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->table = g_hash_table_new_full(unit_hash, unit_equal, NULL, unit_free);
    return map;
}

static void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    g_hash_table_destroy(map->table);
    HEAP_FREE(heap, map);
}

#ifdef MAP_COPIES
MAP_INLINE bool map_load(struct map *map, map_key key, map_val *val) {
    gpointer value;
    if (!g_hash_table_lookup_extended(map->table, KEY_POINTER(key), NULL, &value)) return false;
    *val = (map_val)GPOINTER_TO_SIZE(value);
    return true;
}
MAP_INLINE bool map_store(struct map *map, map_key key, map_val val) {
    g_hash_table_insert(map->table, KEY_POINTER(key), GSIZE_TO_POINTER(val));
    return true;
}
#else
MAP_INLINE map_val *value_of(gpointer value) {
#ifdef SHAPE_KEY_STR
    return &((struct entry *)value)->val;
#else
    return (map_val *)value;
#endif
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    gpointer value = g_hash_table_lookup(map->table, KEY_POINTER(key));
    return value ? value_of(value) : NULL;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map_val *slot = map_get(map, key);
    if (slot) return slot;
#ifdef SHAPE_KEY_STR
    struct entry *entry = HEAP_NEW(HEAP_OF(map), struct entry, 1);
    if (!entry) return NULL;
    entry->key = key;
    g_hash_table_insert(map->table, entry, entry);
    return &entry->val;
#else
    slot = HEAP_NEW(HEAP_OF(map), map_val, 1);
    if (slot) g_hash_table_insert(map->table, KEY_POINTER(key), slot);
    return slot;
#endif
}
#endif

MAP_INLINE bool map_del(struct map *map, map_key key) {
    return g_hash_table_remove(map->table, KEY_POINTER(key));
}

static size_t map_len(const struct map *map) {
    return g_hash_table_size(map->table);
}
static void map_clear(struct map *map) {
    g_hash_table_remove_all(map->table);
}

/* The head of struct _GHashTable as in GLib 2.74's ghash.c; private, but GLib has no function that tells the
 * size. Used only while its fields agree with each other and with the public length. */
struct ghash_head {
    gsize size;
    gint mod;
    guint mask, nnodes, noccupied;
};

static const struct ghash_head *map_head(const struct map *map) {
    const struct ghash_head *head = (const struct ghash_head *)(const void *)map->table;
    bool plausible = head->size == (gsize)head->mask + 1 && (head->size & head->mask) == 0 &&
                     head->noccupied >= head->nnodes && head->nnodes == g_hash_table_size(map->table);
    return plausible ? head : NULL;
}

static size_t map_capacity(const struct map *map) {
    const struct ghash_head *head = map_head(map);
    return head ? head->size : 0;
}

static void map_iter_start(struct map *map, struct map_iter *iter) {
    g_hash_table_iter_init(&iter->at, map->table);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    gpointer key_pointer, value;
    if (!g_hash_table_iter_next(&iter->at, &key_pointer, &value)) return false;
    *key = key_of(key_pointer);
#ifdef MAP_COPIES
    iter->room = (map_val)GPOINTER_TO_SIZE(value);
    *val = &iter->room;
#else
    *val = value_of(value);
#endif
    return true;
}

/* The library has no copy: the entries are inserted again. */
MAP_COPY_BY_ENTRY(map_create(HEAP_OF(map), 0))

MAP_CHECK_NONE

static void map_describe(struct map *map, struct map_structure *out) {
    const struct ghash_head *head = map_head(map);
    if (head) out->tombstones = head->noccupied - head->nnodes;
}
#endif
