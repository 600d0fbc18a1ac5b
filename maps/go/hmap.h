/* go_hmap: the classic map of Go, up to 1.23: chained buckets of eight entries, growing bit by bit.
 *
 * Words:      a BUCKET has 8 slots: 8 bytes TOPHASH (the hash's top byte, or what became of the slot), 8
 *             keys, 8 values, and a pointer to an OVERFLOW bucket. An array has 2^B buckets; the low B bits
 *             of the hash choose one. To EVACUATE an old bucket is to move its entries to the new array, in
 *             doubling to bucket X or Y = X + 2^(B-1) by one more hash bit.
 *
 *             hmap --> buckets    [ t t t t t t t t | k x 8 | v x 8 | overflow ] x 2^B, and spare ones
 *                  --> oldbuckets [ ... while growing ]   every put and delete evacuates two buckets of it
 *
 *             The map doubles when a new entry would make more than 6.5 a bucket, and is rebuilt at the same
 *             size when it has as many overflow buckets as buckets (2^15 at most; counted by sampling from
 *             B = 16 on). One bucket (8 entries) needs no hash for lookups. Deleting leaves an empty slot;
 *             the last run of them in a chain is marked so that searches end there. A walk starts at a
 *             random bucket and slot; it goes on over the array it began with even if the map has grown
 *             since, and asks the map for what was moved.
 * Releases:   1.21  doubles at 6.0 entries a bucket (GO_LOAD_NUM). The malloc header of arrays with
 *                   pointers came in 1.22, so arrays of string keys have other sizes.
 *             Without a release the rules of 1.22 and 1.23 hold; MAP@RELEASE in maps.def names another.
 * Source:     Go 1.23 (The Go Authors, BSD licence), runtime/map.go, map_fast32.go, map_fast64.go,
 *             map_faststr.go. Each function names its original; written anew. docs/go-ports.md lists the
 *             differences.
 * Differs:    No collector: an old array and its overflow buckets are freed when the last bucket is
 *             evacuated, or when the last walk that may read it ends. The list of overflow buckets that Go
 *             keeps for pointer-free buckets is kept for separately allocated ones of all kinds. Random
 *             numbers come from a seeded stream. What Go dies of (concurrent use) is refused, and map->fault
 *             says it. Memory that runs out is survived.
 * Invariants: each entry is in a bucket of its hash with its tophash; emptyRest exactly on the empty slots
 *             after the last entry of a chain; old buckets below nevacuate are evacuated; counts right.
 * Cost:       a hit on an integer key compares keys, not tophash bytes; a string's tophash is compared
 *             first. Per entry an eighth of a bucket (144 bytes for 8-byte keys and values) over a load of
 *             3.25 to 6.5, and while growing half as much again.
 */
#include "maps/go/hmap_buckets.h"
#include "maps/go/hmap_check.h"
#include "maps/go/hmap_grow.h"
#include "maps/go/hmap_iter.h"
#include "maps/go/random.h"
#include "maps/go/sizeclass.h"

#ifdef GO_NO_TOPHASH
#define GO_FILTER_TEXT "no tophash filter"
#else
#define GO_FILTER_TEXT "tophash filter for strings"
#endif

#if GO_HMAP_RELEASE == 121
#define GO_LOAD_TEXT "6.0"
#define GO_RELEASE_TEXT "Go 1.21"
#else
#define GO_LOAD_TEXT "6.5"
#define GO_RELEASE_TEXT "Go 1.23"
#endif

#ifndef GO_SUMMARY /* the variants say what differs */
#define GO_SUMMARY GO_RELEASE_TEXT "'s classic map: chained buckets of 8, incremental growth"
#endif

static const struct map_facts map_facts = {
    .summary = GO_SUMMARY,
    .source = "Go 1.23, runtime/map.go, map_fast32.go, map_fast64.go, map_faststr.go",
    .invariants = "entries in the bucket of their hash; emptyRest, nevacuate, noverflow and count right",
    .cost = "a hit reads a tophash and key line and a value line; bucket / (3.25 to 6.5) bytes per entry",
    .options = "load " GO_LOAD_TEXT " a bucket, growth x2 or x1, " GO_FILTER_TEXT
               "; a copy is of the size of its entries (maps.Clone)",
    .fairness = "called, told its type at run time and hashing through a pointer, as in Go and unlike other "
                "maps here; no write barrier",
    .package = NULL,
    .traits = 0,
};

/* --- creating and freeing --- */

static const uint64_t GO_HMAP_UNIT_SEED = 0x676f5f686d617031u;

static void map_destroy(struct map *map);

/* makemap, makemap_small */
static struct map *map_create(struct heap *heap, size_t hint) {
    if (hint > PTRDIFF_MAX / sizeof(struct go_bmap)) return NULL;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->keys = go_hash_unit_keys();
    map->type = &go_unit_type;
    map->random = go_random_seed(heap, GO_HMAP_UNIT_SEED);
    map->h.hash0 = go_draw(map);
    unsigned b = 0;
    while (go_overloaded(hint, b)) b++;
    map->h.B = (uint8_t)b;
    if (b == 0) return map;
    struct go_bmap *next, *array = go_array_new(map, b, &next);
    if (array) {
        HEAP_STORE(HEAP_OF(map), &map->h.buckets, array);
        if (!next) return map;
        if (go_extra(map)) {
            map->h.extra->next_overflow = next;
            return map;
        }
    }
    map_destroy(map);
    return NULL;
}

/* A key or value outside its bucket; a walk may still read it. */
static void go_free_outside(struct map *map, void *outside) {
    if (outside) go_release(map, (struct go_bmap *)outside, 0, NULL);
}

static void go_free_cells(struct map *map, struct go_bmap *b, size_t i) {
    if (GO_KEY_OUTSIDE) go_free_outside(map, go_key_at(b, i));
    if (GO_VAL_OUTSIDE) go_free_outside(map, go_val_at(b, i));
}

static void go_free_all_cells(struct map *map, struct go_bmap *array, size_t buckets) {
    if (!GO_KEY_OUTSIDE && !GO_VAL_OUTSIDE) return;
    for (size_t n = 0; array && n < buckets; n++)
        for (struct go_bmap *b = array + n; b; b = b->overflow)
            for (size_t i = 0; i < GO_SLOTS; i++)
                if (b->top[i] >= GO_TOP_MIN) go_free_cells(map, b, i);
}

static void go_drop_old(struct map *map) {
    if (!go_growing(map)) return;
    size_t buckets = go_old_buckets(map);
    unsigned b = (unsigned)__builtin_ctzll(buckets);
    go_free_all_cells(map, map->h.oldbuckets, buckets);
    go_release(map, map->h.oldbuckets, go_array_buckets(b, sizeof(struct go_bmap), GO_HEADERLESS),
               map->h.extra ? map->h.extra->oldoverflow : NULL);
    HEAP_DROP(HEAP_OF(map), &map->h.oldbuckets);
    map->h.oldbuckets = NULL;
    if (map->h.extra) HEAP_DROP(HEAP_OF(map), &map->h.extra->oldoverflow);
    if (map->h.extra) map->h.extra->oldoverflow = NULL;
}

static void map_destroy(struct map *map) {
    map->walks = 0;
    go_drop_old(map);
    go_free_all_cells(map, map->h.buckets, (size_t)1 << map->h.B);
    go_array_free(map, map->h.buckets, go_array_buckets(map->h.B, sizeof(struct go_bmap), GO_HEADERLESS),
                  map->h.extra ? map->h.extra->overflow : NULL);
    go_free_retired(map);
    HEAP_FREE(HEAP_OF(map), map->h.extra);
    HEAP_FREE(HEAP_OF(map), map);
}

/* --- looking up --- */

#ifdef SHAPE_KEY_STR
/* mapaccess2_faststr with a single bucket: no hash for short keys, nor for long ones of which at most one
 * slot agrees in the ends. *slot is GO_SLOTS + 1 if the hash must decide. */
static __attribute__((noinline)) struct go_bmap *go_search_one_bucket(struct go_bmap *b, map_key key,
                                                                      size_t *slot) {
    size_t maybe = GO_SLOTS;
    for (size_t i = 0; i < GO_SLOTS && b->top[i] != GO_EMPTY_REST; i++) {
        map_key at = *go_key_at(b, i);
        if (go_is_empty(b->top[i]) || at.len != key.len) continue;
        if (key.len < 32 ? go_same_key(at, key) : at.text == key.text) {
            *slot = i;
            return b;
        }
        if (key.len < 32 || memcmp(at.text, key.text, 4) != 0) continue;
        if (memcmp(at.text + key.len - 4, key.text + key.len - 4, 4) != 0) continue;
        if (maybe != GO_SLOTS) {
            *slot = GO_SLOTS + 1;
            return NULL;
        }
        maybe = i;
    }
    *slot = maybe;
    return maybe != GO_SLOTS && go_same_key(*go_key_at(b, maybe), key) ? b : NULL;
}
#endif

/* mapaccess2, mapaccess2_fast32, _fast64, _faststr */
GO_FUNC map_val *map_get(struct map *map, map_key key) {
    size_t slot = 0;
    if (map->h.count == 0) return NULL;
    if (__builtin_expect(map->h.flags & GO_WRITING, 0)) return (map_val *)go_refuse(map, GO_CONCURRENT_READ);
#if defined(SHAPE_KEY_INT)
    bool one_bucket = map->h.B == 0 && !GO_VAL_OUTSIDE;
    struct go_bmap *b = one_bucket ? map->h.buckets : go_chain(map, go_hash(map, &key));
    b = go_search(map->type, b, &key, 0, &slot);
#else
    struct go_bmap *b = NULL;
#ifdef SHAPE_KEY_STR
    if (map->h.B == 0) {
        b = go_search_one_bucket(map->h.buckets, key, &slot);
        if (slot <= GO_SLOTS) return b ? go_val_at(b, slot) : NULL;
    }
#endif
    uint64_t hash = go_hash(map, &key);
    b = go_search(map->type, go_chain(map, hash), &key, go_top(hash), &slot);
#endif
    return b ? go_typed_elem(map->type, b, slot) : NULL;
}

/* --- storing --- */

static __attribute__((noinline, cold)) bool go_first_bucket(struct map *map) {
    struct go_bmap *b = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_bmap, 1);
    if (b) HEAP_STORE(HEAP_OF(map), &map->h.buckets, b);
    return b != NULL;
}

/* Memory for a key and value above 128 bytes; true at once for smaller ones. */
MAP_INLINE bool go_new_cells(struct map *map, struct go_bmap *b, size_t i) {
    (void)map;
    map_key *key = GO_KEY_OUTSIDE ? HEAP_NEW(HEAP_OF(map), map_key, 1) : NULL;
    if (GO_KEY_OUTSIDE && !key) return false;
    map_val *val = GO_VAL_OUTSIDE ? HEAP_NEW_ZEROED(HEAP_OF(map), map_val, 1) : NULL;
    if (GO_VAL_OUTSIDE && !val) {
        if (GO_KEY_OUTSIDE) HEAP_FREE(HEAP_OF(map), key);
        return false;
    }
    if (GO_KEY_OUTSIDE) HEAP_STORE(HEAP_OF(map), (go_outside *)(void *)&b->key[i], key);
    if (GO_VAL_OUTSIDE) HEAP_STORE(HEAP_OF(map), (go_outside *)(void *)&b->val[i], val);
    return true;
}

/* Slots that a store need not compare: with integer keys the empty ones, else those of another tophash. */
#if defined(SHAPE_KEY_INT) || defined(GO_NO_TOPHASH)
#define GO_OTHER_SLOT(slot_top, top) go_is_empty(slot_top)
#else
#define GO_OTHER_SLOT(slot_top, top) ((slot_top) != (top))
#endif

/* The body of mapassign; NULL: out of memory. */
MAP_INLINE map_val *go_assign(struct map *map, map_key key, uint64_t hash) {
    uint8_t top = go_top(hash);
    for (;;) {
        size_t bucket = hash & go_mask(map->h.B), place = 0;
        if (__builtin_expect(go_growing(map), 0) && !go_grow_work(map, bucket)) return NULL;
        struct go_bmap *b = go_bucket_at(map->type, map->h.buckets, bucket), *into = NULL;
        for (bool rest = false; !rest;) {
            GO_LOOP for (size_t i = 0; i < GO_SLOTS; i++) {
                if (GO_OTHER_SLOT(b->top[i], top)) {
                    if (!into && go_is_empty(b->top[i])) into = b, place = i;
                    if ((rest = b->top[i] == GO_EMPTY_REST)) break;
                } else if (go_same_key(*go_key_at(b, i), key)) {
                    GO_KEY_UPDATE(map, go_key_at(b, i), key);
                    return go_typed_elem(map->type, b, i);
                }
            }
            if (rest) break;
            struct go_bmap *overflow = go_overflow_of(map->type, b);
            if (!overflow) break;
            b = overflow;
        }
        if (!go_growing(map) &&
            __builtin_expect(go_overloaded(map->h.count + 1, map->h.B) || go_many_overflows(map), 0)) {
            if (!go_start_growth(map)) return NULL;
            continue; /* everything moves: look again */
        }
        if (__builtin_expect(!into, 0) && !(into = go_new_overflow(map, b))) return NULL;
        if (!go_new_cells(map, into, place)) return NULL;
        *go_key_at(into, place) = key;
        into->top[place] = top;
        map->h.count++;
        return go_typed_elem(map->type, into, place);
    }
}

/* mapassign, mapassign_fast32, _fast64, _faststr */
GO_FUNC map_val *map_put(struct map *map, map_key key) {
    if (__builtin_expect(map->h.flags & GO_WRITING, 0))
        return (map_val *)go_refuse(map, GO_CONCURRENT_WRITES);
    uint64_t hash = go_hash(map, &key);
    map->h.flags ^= GO_WRITING;
    map_val *val = NULL;
    if (__builtin_expect(map->h.buckets != NULL, 1) || go_first_bucket(map)) val = go_assign(map, key, hash);
    map->h.flags &= (uint8_t)~GO_WRITING;
    return val;
}

/* --- deleting --- */

/* The slot becomes empty; if no entry follows in the chain, so do the empty slots before it say. */
MAP_INLINE void go_mark_deleted(struct go_bmap *head, struct go_bmap *b, size_t i) {
    b->top[i] = GO_EMPTY_ONE;
    if (i == GO_SLOTS - 1 ? b->overflow && b->overflow->top[0] != GO_EMPTY_REST
                          : b->top[i + 1] != GO_EMPTY_REST)
        return;
    do {
        b->top[i] = GO_EMPTY_REST;
        if (i == 0) {
            if (b == head) return;
            struct go_bmap *before = head;
            while (before->overflow != b) before = before->overflow;
            b = before;
            i = GO_SLOTS;
        }
        i--;
    } while (b->top[i] == GO_EMPTY_ONE);
}

/* mapdelete, mapdelete_fast32, _fast64, _faststr. When memory for evacuating the bucket is short, the entry
 * is deleted where it is. */
GO_FUNC bool map_del(struct map *map, map_key key) {
    size_t slot;
    if (map->h.count == 0) return false;
    if (__builtin_expect(map->h.flags & GO_WRITING, 0)) return go_refuse(map, GO_CONCURRENT_WRITES) != NULL;
    uint64_t hash = go_hash(map, &key);
    map->h.flags ^= GO_WRITING;
    struct go_bmap *head = go_bucket_at(map->type, map->h.buckets, hash & go_mask(map->h.B));
    if (__builtin_expect(go_growing(map), 0) && !go_grow_work(map, hash & go_mask(map->h.B)))
        head = go_chain(map, hash);
    struct go_bmap *b = go_search(map->type, head, &key, go_top(hash), &slot);
    if (b) {
        go_free_cells(map, b, slot);
#ifdef SHAPE_KEY_STR
        go_key_at(b, slot)->text = NULL;
#elif defined(SHAPE_KEY_POINTERS)
        memset(go_key_at(b, slot), 0, sizeof(map_key));
#endif
        if (GO_VAL_OUTSIDE)
            memset(&b->val[slot], 0, sizeof(void *));
        else
            go_clear(go_typed_elem(map->type, b, slot), map->type->elem->bytes);
        HEAP_DROP(HEAP_OF(map), &b->key[slot]);
        go_mark_deleted(head, b, slot);
        if (--map->h.count == 0) map->h.hash0 = go_draw(map); /* go.dev/issue/25237 */
    }
    map->h.flags &= (uint8_t)~GO_WRITING;
    return b != NULL;
}

/* mapclear */
static void map_clear(struct map *map) {
    struct go_hmap *h = &map->h;
    if (h->count == 0) return;
    if (h->flags & GO_WRITING) return (void)go_refuse(map, GO_CONCURRENT_WRITES);
    size_t buckets = go_array_buckets(h->B, sizeof(struct go_bmap), GO_HEADERLESS),
           old = go_growing(map) ? go_old_buckets(map) : 0;
    go_free_all_cells(map, h->buckets, (size_t)1 << h->B);
    for (size_t n = 0; n < old; n++) /* a walk may still come by */
        for (struct go_bmap *b = &h->oldbuckets[n]; b; b = b->overflow)
            for (size_t i = 0; i < GO_SLOTS; i++) {
                if (b->top[i] >= GO_TOP_MIN) go_free_cells(map, b, i);
                b->top[i] = GO_EMPTY_REST;
            }
    go_drop_old(map);
    h->flags &= (uint8_t)~GO_SAME_SIZE;
    h->nevacuate = 0;
    h->noverflow = 0;
    h->count = 0;
    h->hash0 = go_draw(map);
    struct go_bmap_list *list = h->extra ? h->extra->overflow : NULL;
    for (size_t i = 0; list && i < list->len; i++) /* walks may be in one of them */
        if (list->item[i] < h->buckets || list->item[i] >= h->buckets + buckets) {
            memset(list->item[i]->top, GO_EMPTY_REST, GO_SLOTS);
            HEAP_DROP(HEAP_OF(map), &list->item[i]->overflow);
            list->item[i]->overflow = NULL;
            go_release(map, list->item[i], 1, NULL);
        }
    if (list) HEAP_FREE(HEAP_OF(map), list->item);
    HEAP_FREE(HEAP_OF(map), list);
    for (size_t n = 0; n < buckets; n++) HEAP_DROP(HEAP_OF(map), &h->buckets[n].overflow);
    memset(h->buckets, 0, buckets * sizeof *h->buckets);
    struct go_bmap *next;
    go_mark_last(h->buckets, h->B, &next);
    if (h->extra) HEAP_DROP(HEAP_OF(map), &h->extra->overflow);
    if (h->extra) *h->extra = (struct go_mapextra){.next_overflow = next};
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->h.count;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return (size_t)GO_SLOTS << map->h.B;
}
/* Equals the new array's where a growth only clears overflow buckets away. */
#define MAP_HAS_OLD_CAPACITY
MAP_INLINE size_t map_old_capacity(const struct map *map) {
    return go_growing(map) ? GO_SLOTS * go_old_buckets(map) : 0;
}

/* --- copying --- */

/* The copy's bucket n takes the entries of a chain, close together; false: out of memory. moveToBmap. */
static bool go_copy_chain(struct map *copy, size_t n, struct go_bmap *from) {
    struct go_destination to = {&copy->h.buckets[n], 0};
    for (; from; from = from->overflow)
        for (size_t i = 0; i < GO_SLOTS; i++) {
            if (go_is_empty(from->top[i])) continue;
            if (to.i == GO_SLOTS) {
                struct go_bmap *overflow = go_new_overflow(copy, to.b);
                if (!overflow) return false;
                to = (struct go_destination){overflow, 0};
            }
            if (!go_new_cells(copy, to.b, to.i)) return false;
            *go_key_at(to.b, to.i) = *go_key_at(from, i);
            *go_val_at(to.b, to.i) = *go_val_at(from, i);
            to.b->top[to.i++] = from->top[i];
            copy->h.count++;
        }
    return true;
}

static bool go_copy_array(struct map *copy, struct go_bmap *array, size_t buckets) {
    for (size_t n = 0; n < buckets; n++)
        for (struct go_bmap *b = &array[n]; b; b = b->overflow)
            for (size_t i = 0; i < GO_SLOTS; i++) {
                if (b->top[i] < GO_TOP_MIN) continue;
                map_val *val = map_put(copy, *go_key_at(b, i));
                if (!val) return false;
                *val = *go_val_at(b, i);
            }
    return true;
}

/* mapclone2: the same seed and the size of the entries; bucket by bucket where the arrays are of one size. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), map->h.count);
    if (!copy || map->h.count == 0) return copy;
    copy->keys = map->keys;
    copy->h.hash0 = map->h.hash0;
    bool ok = copy->h.buckets || go_first_bucket(copy);
    if (ok && copy->h.B == map->h.B && !go_growing(map)) {
        for (size_t n = 0; ok && n < (size_t)1 << map->h.B; n++)
            ok = go_copy_chain(copy, n, &map->h.buckets[n]);
    } else if (ok) {
        ok = go_copy_array(copy, map->h.buckets, (size_t)1 << map->h.B) &&
             (!go_growing(map) || go_copy_array(copy, map->h.oldbuckets, go_old_buckets(map)));
    }
    if (ok) return copy;
    map_destroy(copy);
    return NULL;
}
