/* Buckets of go_hmap: their layout and the map's, arrays of them, overflow buckets, and finding a slot.
 * maps/go/hmap.h says what the words mean. Ported from Go 1.23, runtime/map.go and map_fast*.go. */
#ifndef MAPBENCH_MAPS_GO_HMAP_BUCKETS_H
#define MAPBENCH_MAPS_GO_HMAP_BUCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/base/rng.h"
#include "maps/go/call.h"
#include "maps/go/sizeclass.h"

/* The release whose rules hold, major * 100 + minor of Go: a constant of a unit, a variable of a trace. */
#ifndef GO_HMAP_RELEASE
#ifdef MAP_RELEASE
#define GO_HMAP_RELEASE MAP_RELEASE
#else
#define GO_HMAP_RELEASE 123
#endif
#endif

/* loadFactorNum. In 1.21 `(8 * 13 / 16) * 2` came out as 12, not 13, so that its maps grow at 6.0 entries a
 * bucket (go.dev/issue/63438; 1.20 and 1.22 have 6.5). */
#define GO_LOAD_NUM (GO_HMAP_RELEASE == 121 ? 12u : 13u)
#define GO_LOAD_DEN 2u

enum {
    GO_SLOTS = 8,              /* abi.MapBucketCount */
    GO_INLINE_BYTES_MAX = 128, /* abi.MapMaxKeyBytes, MapMaxElemBytes */

    /* tophash of a slot: */
    GO_EMPTY_REST = 0, /* empty, and so is every later slot of the chain */
    GO_EMPTY_ONE = 1,
    GO_EVACUATED_X = 2, /* moved to the lower half of the new array */
    GO_EVACUATED_Y = 3, /* to the upper half */
    GO_EVACUATED_EMPTY = 4,
    GO_TOP_MIN = 5,

    /* flags: */
    GO_ITERATOR = 1,
    GO_OLD_ITERATOR = 2,
    GO_WRITING = 4,
    GO_SAME_SIZE = 8,
};

/* A key or value above 128 bytes is kept outside the bucket, a pointer in its place. */
typedef __typeof__(*__builtin_choose_expr(sizeof(map_key) > GO_INLINE_BYTES_MAX, (map_key **)0,
                                          (map_key *)0)) go_key_cell;
typedef __typeof__(*__builtin_choose_expr(sizeof(map_val) > GO_INLINE_BYTES_MAX, (map_val **)0,
                                          (map_val *)0)) go_val_cell;
typedef void *__attribute__((may_alias)) go_outside; /* such a pointer in its cell */
#define GO_KEY_OUTSIDE (sizeof(map_key) > GO_INLINE_BYTES_MAX)
#define GO_VAL_OUTSIDE (sizeof(map_val) > GO_INLINE_BYTES_MAX)

#if defined(SHAPE_KEY_STR)
#define GO_NOSCAN false
#elif defined(SHAPE_HAS_POINTERS)
#define GO_NOSCAN (!SHAPE_HAS_POINTERS && !GO_KEY_OUTSIDE && !GO_VAL_OUTSIDE)
#else
#define GO_NOSCAN (!GO_KEY_OUTSIDE && !GO_VAL_OUTSIDE)
#endif

/* Whether arrays have no malloc header, for their sizes; before Go 1.22 none had. */
#define GO_HEADERLESS (GO_NOSCAN || GO_HMAP_RELEASE < 122)

struct go_bmap {
    uint8_t top[GO_SLOTS];
    go_key_cell key[GO_SLOTS];
    go_val_cell val[GO_SLOTS];
    struct go_bmap *overflow;
};

/* A Go slice of bucket pointers. */
struct go_bmap_list {
    struct go_bmap **item;
    size_t len, capacity;
};

struct go_mapextra {
    struct go_bmap_list *overflow, *oldoverflow;
    struct go_bmap *next_overflow;
};

struct go_hmap {
    size_t count;
    uint8_t flags;
    uint8_t B;
    uint16_t noverflow;
    uint32_t hash0;
    struct go_bmap *buckets;
    struct go_bmap *oldbuckets;
    size_t nevacuate;
    struct go_mapextra *extra;
};

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct go_hmap) == 48, "hmap is 48 bytes on 64-bit machines");
_Static_assert(offsetof(struct go_hmap, flags) == 8 && offsetof(struct go_hmap, B) == 9 &&
                   offsetof(struct go_hmap, noverflow) == 10 && offsetof(struct go_hmap, hash0) == 12 &&
                   offsetof(struct go_hmap, buckets) == 16 && offsetof(struct go_hmap, oldbuckets) == 24 &&
                   offsetof(struct go_hmap, nevacuate) == 32 && offsetof(struct go_hmap, extra) == 40,
               "hmap's fields lie where Go has them");
_Static_assert(sizeof(struct go_mapextra) == 24, "mapextra is 24 bytes");
#endif
_Static_assert(offsetof(struct go_bmap, overflow) == sizeof(struct go_bmap) - sizeof(void *),
               "a bucket ends with the overflow pointer");

/* What Go dies of; here the operation is refused and the map remembers. */
enum go_fault { GO_NO_FAULT, GO_CONCURRENT_WRITES, GO_CONCURRENT_READ, GO_CONCURRENT_WALK };

/* An array that was replaced while a walk was under way, with its overflow buckets: Go's collector would keep
 * it. */
struct go_retired {
    struct go_retired *next;
    struct go_bmap *buckets;
    struct go_bmap_list *overflow;
    size_t array_buckets;
};

struct map {
    struct go_hmap h;
    const struct go_hash_keys *keys;
    const struct go_map_type *type;
    uint64_t random; /* in place of the runtime's rand */
    struct go_retired *retired;
    size_t walks;      /* under way */
    size_t walk_epoch; /* walks of an earlier one have lost their array and end */
    enum go_fault fault;
    HEAP_FIELD
};

/* Descriptions for collecting heaps. The collector follows overflow pointers of buckets whose entries have
 * pointers; of the others it looks at nothing, and the map lists their overflow buckets itself (mapextra). */
#ifdef SHAPE_VAL_OUTSIDE
_Static_assert(GO_VAL_OUTSIDE, "the shape says which values are kept outside");
#define GO_ELEM_POINTERS(i) HEAP_POINTER_AT("value", struct go_bmap, val[i])
#else
#define GO_ELEM_POINTERS(i) HEAP_VAL(struct go_bmap, val[i])
#endif
#define GO_SLOT_POINTERS(i) HEAP_KEY(struct go_bmap, key[i]) GO_ELEM_POINTERS(i)
#if defined(SHAPE_KEY_STR) || SHAPE_HAS_POINTERS + 0 || defined(SHAPE_VAL_OUTSIDE)
HEAP_TYPE_NAMED(go_bucket_type, "bmap", struct go_bmap, 0,
                GO_SLOT_POINTERS(0) GO_SLOT_POINTERS(1) GO_SLOT_POINTERS(2) GO_SLOT_POINTERS(3)
                    GO_SLOT_POINTERS(4) GO_SLOT_POINTERS(5) GO_SLOT_POINTERS(6) GO_SLOT_POINTERS(7)
                        HEAP_POINTER(struct go_bmap, overflow))
#else
HEAP_TYPE_UNTRACED_NAMED(go_bucket_type, "bmap", struct go_bmap)
#endif
HEAP_TYPE_NAMED(go_bucket_pointer_type, "*bmap", struct go_bmap *, 0, HEAP_POINTER_NAMED("", 0))
HEAP_TYPE_NAMED(go_bucket_list_type, "slice of *bmap", struct go_bmap_list, 0,
                HEAP_POINTER_AT("array", struct go_bmap_list, item))
HEAP_TYPE_NAMED(go_extra_type, "mapextra", struct go_mapextra, 0,
                HEAP_POINTER(struct go_mapextra, overflow) HEAP_POINTER(struct go_mapextra, oldoverflow)
                    HEAP_POINTER_AT("nextOverflow", struct go_mapextra, next_overflow))
HEAP_TYPE_NAMED(go_hmap_type, "hmap", struct map, sizeof(struct map) - sizeof(struct go_hmap),
                HEAP_POINTER_AT("buckets", struct map, h.buckets)
                    HEAP_POINTER_AT("oldbuckets", struct map, h.oldbuckets)
                        HEAP_POINTER_AT("extra", struct map, h.extra))
#define MAP_HEAP_TYPES(TYPE)                                                                                 \
    TYPE(struct go_bmap, go_bucket_type)                                                                     \
    TYPE(struct go_bmap *, go_bucket_pointer_type)                                                           \
    TYPE(struct go_bmap_list, go_bucket_list_type)                                                           \
    TYPE(struct go_mapextra, go_extra_type) TYPE(struct map, go_hmap_type)
/* Go's collector keeps replaced arrays for as long as a walk points to them. */
#ifdef HEAP_COLLECTS
#define GO_COLLECTED true
#else
#define GO_COLLECTED false
#endif

MAP_INLINE map_key *go_key_at(struct go_bmap *b, size_t i) {
    return GO_KEY_OUTSIDE ? (map_key *)*(go_outside *)(void *)&b->key[i] : (map_key *)(void *)&b->key[i];
}
MAP_INLINE map_val *go_val_at(struct go_bmap *b, size_t i) {
    return GO_VAL_OUTSIDE ? (map_val *)*(go_outside *)(void *)&b->val[i] : (map_val *)(void *)&b->val[i];
}

MAP_INLINE bool go_is_empty(uint8_t top) {
    return top <= GO_EMPTY_ONE;
}
MAP_INLINE bool go_growing(const struct map *map) {
    return map->h.oldbuckets != NULL;
}
MAP_INLINE bool go_same_size(const struct map *map) {
    return map->h.flags & GO_SAME_SIZE;
}
MAP_INLINE size_t go_mask(unsigned b) {
    return ((size_t)1 << b) - 1;
}

/* noldbuckets */
MAP_INLINE size_t go_old_buckets(const struct map *map) {
    return (size_t)1 << (map->h.B - !go_same_size(map));
}

/* evacuated */
MAP_INLINE bool go_evacuated(const struct go_bmap *b) {
    return b->top[0] > GO_EMPTY_ONE && b->top[0] < GO_TOP_MIN;
}

/* tophash */
MAP_INLINE uint8_t go_top(uint64_t hash) {
    uint8_t top = (uint8_t)(hash >> 56);
    return top < GO_TOP_MIN ? (uint8_t)(top + GO_TOP_MIN) : top;
}

MAP_INLINE uint64_t go_hash(const struct map *map, const map_key *key) {
    return map->type->hasher(map->keys, key, map->h.hash0);
}

#ifdef SHAPE_KEY_STR
#define GO_KEY_POINTER_BYTES sizeof(void *)
#else
#define GO_KEY_POINTER_BYTES 0
#endif

static const struct go_map_type go_unit_type = {
    .key = &(const struct go_type){sizeof(map_key), GO_KEY_POINTER_BYTES, NULL},
    .elem = &(const struct go_type){sizeof(map_val), 0, NULL},
    .hasher = go_hash_key,
    .group_bytes = sizeof(struct go_bmap),
    .elem_offset = offsetof(struct go_bmap, val),
    .key_bytes = sizeof(go_key_cell),
    .elem_bytes = sizeof(go_val_cell),
    .flags = (GO_KEY_OUTSIDE ? GO_TYPE_INDIRECT_KEY : 0) | (GO_VAL_OUTSIDE ? GO_TYPE_INDIRECT_ELEM : 0),
};

/* Addresses worked out from the type: of a bucket, the next one of its chain, a key, an element. */
MAP_INLINE struct go_bmap *go_bucket_at(const struct go_map_type *type, struct go_bmap *array, size_t n) {
    return (struct go_bmap *)(void *)((char *)array + n * type->group_bytes);
}
MAP_INLINE struct go_bmap *go_overflow_of(const struct go_map_type *type, struct go_bmap *b) {
    return *(struct go_bmap **)(void *)((char *)b + type->group_bytes - sizeof(void *));
}
MAP_INLINE map_key *go_typed_key(const struct go_map_type *type, struct go_bmap *b, size_t i) {
    void *cell = (char *)b + offsetof(struct go_bmap, key) + i * type->key_bytes;
    return type->flags & GO_TYPE_INDIRECT_KEY ? (map_key *)*(go_outside *)cell : (map_key *)cell;
}
MAP_INLINE map_val *go_typed_elem(const struct go_map_type *type, struct go_bmap *b, size_t i) {
    void *cell = (char *)b + type->elem_offset + i * type->elem_bytes;
    return type->flags & GO_TYPE_INDIRECT_ELEM ? (map_val *)*(go_outside *)cell : (map_val *)cell;
}

static uint32_t go_draw(struct map *map) {
    return (uint32_t)rng_next(&map->random);
}

/* overLoadFactor */
MAP_INLINE bool go_overloaded(size_t count, unsigned b) {
    return count > GO_SLOTS && count > GO_LOAD_NUM * (((size_t)1 << b) / GO_LOAD_DEN);
}

/* tooManyOverflowBuckets */
MAP_INLINE bool go_many_overflows(const struct map *map) {
    return map->h.noverflow >= 1u << (map->h.B > 15 ? 15 : map->h.B);
}

/* makeBucketArray: a zeroed array for 2^b, and in *next the first bucket kept for overflows, if there are
 * any. The last of those points anywhere but to NULL, by which newoverflow recognises it. */
static void go_mark_last(struct go_bmap *array, unsigned b, struct go_bmap **next) {
    size_t total = go_array_buckets(b, sizeof(struct go_bmap), GO_HEADERLESS), base = (size_t)1 << b;
    *next = NULL;
    if (total == base) return;
    *next = array + base;
    array[total - 1].overflow = array;
}

static struct go_bmap *go_array_new(struct map *map, unsigned b, struct go_bmap **next) {
    (void)map;
    if (b > 50) return NULL;
    size_t total = go_array_buckets(b, sizeof(struct go_bmap), GO_HEADERLESS);
    size_t bytes = total * sizeof(struct go_bmap);
    struct go_bmap *array;
    if (!GO_NOSCAN && bytes > GO_SMALL_MAX_BYTES - GO_HEADER_BYTES) {
        /* mallocgcLarge: what may hold pointers is cleared at once, even if it is new to the process. */
        array = HEAP_NEW(HEAP_OF(map), struct go_bmap, total);
        if (array) go_clear(array, bytes);
    } else {
        array = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_bmap, total);
    }
    if (array) go_mark_last(array, b, next);
    return array;
}

/* Frees the listed overflow buckets that are not part of the array, then the array. */
static void go_array_free(struct map *map, struct go_bmap *array, size_t buckets, struct go_bmap_list *list) {
    (void)map;
    uintptr_t from = (uintptr_t)array, to = (uintptr_t)(array + buckets);
    for (size_t i = 0; list && i < list->len; i++)
        if ((uintptr_t)list->item[i] < from || (uintptr_t)list->item[i] >= to)
            HEAP_FREE(HEAP_OF(map), list->item[i]);
    if (list) HEAP_FREE(HEAP_OF(map), list->item);
    HEAP_FREE(HEAP_OF(map), list);
    HEAP_FREE(HEAP_OF(map), array);
}

static bool go_extra(struct map *map) {
    if (map->h.extra) return true;
    struct go_mapextra *extra = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_mapextra, 1);
    if (extra) HEAP_STORE(HEAP_OF(map), &map->h.extra, extra);
    return extra != NULL;
}

/* createOverflow, and room for one more in the list. */
static bool go_list_reserve(struct map *map) {
    if (!go_extra(map)) return false;
    struct go_bmap_list *list = map->h.extra->overflow;
    if (!list) {
        list = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_bmap_list, 1);
        if (!list) return false;
        HEAP_STORE(HEAP_OF(map), &map->h.extra->overflow, list);
    }
    if (list->len < list->capacity) return true;
    size_t capacity = go_slice_grown(list->capacity);
    struct go_bmap **item = HEAP_NEW(HEAP_OF(map), struct go_bmap *, capacity);
    if (!item) return false;
    if (list->len) memcpy(item, list->item, list->len * sizeof *item);
    HEAP_FREE(HEAP_OF(map), list->item);
    HEAP_STORE(HEAP_OF(map), &list->item, item);
    list->capacity = capacity;
    return true;
}

/* incrnoverflow: exact below 2^16 buckets, then one in 2^(B-15) counts */
static void go_count_overflow(struct map *map) {
    if (map->h.B < 16 || (go_draw(map) & (((uint32_t)1 << (map->h.B - 15)) - 1)) == 0) map->h.noverflow++;
}

/* newoverflow: a bucket linked behind b; NULL: out of memory, nothing changed. One that an evacuation left
 * linked when memory ran out is used first. */
GO_FUNC struct go_bmap *go_new_overflow(struct map *map, struct go_bmap *b) {
    if (b->overflow) return b->overflow;
    struct go_bmap *spare = map->h.extra ? map->h.extra->next_overflow : NULL, *overflow = spare;
    /* Go lists those without pointers; without a collector also all that are to be freed by themselves */
    bool listed = GO_NOSCAN || (!spare && !GO_COLLECTED);
    if (listed && !go_list_reserve(map)) return NULL;
    if (!spare) {
        overflow = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_bmap, 1);
        if (!overflow) return NULL;
    } else if (!spare->overflow) {
        map->h.extra->next_overflow = spare + 1;
    } else {
        spare->overflow = NULL;
        map->h.extra->next_overflow = NULL;
    }
    go_count_overflow(map);
    if (listed) map->h.extra->overflow->item[map->h.extra->overflow->len++] = overflow;
    HEAP_STORE(HEAP_OF(map), &b->overflow, overflow);
    return overflow;
}

/* --- refusing --- */

static __attribute__((noinline, cold)) void *go_refuse(struct map *map, enum go_fault fault) {
    map->fault = fault;
    return NULL;
}

/* --- finding a slot --- */

MAP_INLINE bool go_same_key(map_key a, map_key b) {
#ifdef SHAPE_KEY_STR
    return a.len == b.len && (a.text == b.text || memcmp(a.text, b.text, a.len) == 0);
#else
    return key_equal(a, b);
#endif
}

/* Whether a slot holds the key, asked in the order of the originals. map_fast32.go, map_fast64.go: the key
 * first; map_faststr.go: the length, then tophash; map.go: tophash first. */
MAP_INLINE bool go_holds(struct go_bmap *b, size_t i, map_key key, uint8_t top) {
#if defined(SHAPE_KEY_INT)
    (void)top;
    return !GO_KEY_OUTSIDE && *go_key_at(b, i) == key && !go_is_empty(b->top[i]);
#elif defined(GO_NO_TOPHASH)
    (void)top;
    return !go_is_empty(b->top[i]) && go_same_key(*go_key_at(b, i), key);
#elif defined(SHAPE_KEY_STR)
    return go_key_at(b, i)->len == key.len && b->top[i] == top && go_same_key(*go_key_at(b, i), key);
#else
    return b->top[i] == top && go_same_key(*go_key_at(b, i), key);
#endif
}

/* The head of the chain in which a key with this hash is: in the old array if not yet evacuated. */
MAP_INLINE struct go_bmap *go_chain(const struct map *map, uint64_t hash) {
    size_t mask = go_mask(map->h.B);
    struct go_bmap *b = go_bucket_at(map->type, map->h.buckets, hash & mask);
    if (__builtin_expect(go_growing(map), 0)) {
        struct go_bmap *old =
            go_bucket_at(map->type, map->h.oldbuckets, hash & (go_same_size(map) ? mask : mask >> 1));
        if (!go_evacuated(old)) return old;
    }
    return b;
}

/* Finds the slot in a chain; NULL: not there. */
MAP_INLINE struct go_bmap *go_search(const struct go_map_type *type, struct go_bmap *b, const map_key *key,
                                     uint8_t top, size_t *slot) {
    const map_key asked = *key;
    for (; b; b = go_overflow_of(type, b)) GO_LOOP for (size_t i = 0; i < GO_SLOTS; i++) {
            if (go_holds(b, i, asked, top)) {
                *slot = i;
                return b;
            }
#if !defined(SHAPE_KEY_INT) && !defined(SHAPE_KEY_STR)
            if (b->top[i] == GO_EMPTY_REST) return NULL;
#endif
        }
    return NULL;
}

#endif
