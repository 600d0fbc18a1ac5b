/* go_hmap, part three: walking, copying, checking. See maps/go/hmap.h. */
#ifndef MAPBENCH_MAPS_GO_HMAP_WALK_H
#define MAPBENCH_MAPS_GO_HMAP_WALK_H

static const size_t GO_NO_CHECK = SIZE_MAX;

/* hiter */
struct map_iter {
    map_key *key; /* NULL: at the end */
    map_val *elem;
    struct map *map; /* NULL: the walk has ended */
    struct go_bmap *buckets, *b;
    size_t start;
    uint8_t offset;
    bool wrapped;
    uint8_t B, i; /* i: next slot of b, counted from the offset */
    size_t bucket;
    size_t check; /* only entries of this bucket are taken from an old one */
    size_t epoch;
};
#define MAP_ITER_POINTERS(POINTER, walk)                                                                     \
    POINTER(walk, key) POINTER(walk, elem) POINTER(walk, map) POINTER(walk, buckets) POINTER(walk, b)

static void go_walk_end(struct map_iter *iter) {
    struct map *map = iter->map;
    iter->map = NULL;
    iter->key = NULL;
    iter->elem = NULL;
    if (map && iter->epoch == map->walk_epoch && --map->walks == 0) go_free_retired(map);
}

/* For a walk that is given up before its end: what was kept for it can be freed. */
#define MAP_HAS_ITER_STOP 1
static inline void map_iter_stop(struct map_iter *iter) {
    go_walk_end(iter);
}

/* mapiterinit */
GO_FUNC void map_iter_start(struct map *map, struct map_iter *iter) {
    memset(iter, 0, sizeof *iter);
    if (map->h.count == 0) return;
    uint64_t random = rng_next(&map->random);
    iter->map = map;
    iter->B = map->h.B;
    iter->buckets = map->h.buckets;
    iter->start = iter->bucket = random & go_mask(map->h.B);
    iter->offset = (uint8_t)(random >> map->h.B & (GO_SLOTS - 1));
    iter->epoch = map->walk_epoch;
    map->walks++;
    map->h.flags |= GO_ITERATOR | GO_OLD_ITERATOR;
}

/* The part of mapiternext that begins a chain: the bucket's own, or the old one while it is not evacuated. */
MAP_INLINE struct go_bmap *go_walk_chain(const struct map_iter *iter, size_t bucket, size_t *check) {
    const struct map *map = iter->map;
    *check = GO_NO_CHECK;
    if (__builtin_expect(go_growing(map), 0) && iter->B == map->h.B) {
        struct go_bmap *old = &map->h.oldbuckets[bucket & (go_old_buckets(map) - 1)];
        if (!go_evacuated(old)) {
            *check = bucket;
            return old;
        }
    }
    return go_bucket_at(map->type, iter->buckets, bucket);
}

/* mapaccessK: the stored key and value; false: absent. */
GO_FUNC bool go_find_both(struct map *map, const map_key *key, map_key **stored, map_val **val) {
    size_t slot;
    uint64_t hash = go_hash(map, key);
    if (map->h.count == 0) return false;
    struct go_bmap *b = go_search(map->type, go_chain(map, hash), key, go_top(hash), &slot);
    if (!b) return false;
    *stored = go_key_at(b, slot);
    *val = go_val_at(b, slot);
    return true;
}

/* The part of mapiternext that takes the entry of a slot; false: it is another bucket's, or has been deleted.
 */
MAP_INLINE bool go_walk_take(struct map_iter *iter, struct go_bmap *b, size_t slot, size_t check) {
    struct map *map = iter->map;
    map_key *key = go_typed_key(map->type, b, slot);
    if (__builtin_expect(check != GO_NO_CHECK, 0) && !go_same_size(map) &&
        (go_hash(map, key) & go_mask(iter->B)) != check)
        return false;
    if (__builtin_expect(b->top[slot] == GO_EVACUATED_X || b->top[slot] == GO_EVACUATED_Y, 0))
        return go_find_both(map, key, &iter->key, &iter->elem);
    iter->key = key;
    iter->elem = go_typed_elem(map->type, b, slot);
    return true;
}

/* mapiternext. Deletes and stores of a walk's own loop are allowed, as in Go. */
GO_FUNC void go_walk_next(struct map_iter *iter) {
    struct map *map = iter->map;
    if (__builtin_expect(!map || iter->epoch != map->walk_epoch, 0)) return go_walk_end(iter);
    if (__builtin_expect(map->h.flags & GO_WRITING, 0)) {
        go_refuse(map, GO_CONCURRENT_WALK);
        iter->key = NULL;
        return;
    }
    size_t bucket = iter->bucket, check = iter->check;
    struct go_bmap *b = iter->b;
    uint8_t i = iter->i;
    for (;; b = go_overflow_of(map->type, b), i = 0) {
        if (!b) {
            if (bucket == iter->start && iter->wrapped) return go_walk_end(iter);
            b = go_walk_chain(iter, bucket, &check);
            if (++bucket == (size_t)1 << iter->B) {
                bucket = 0;
                iter->wrapped = true;
            }
            i = 0;
        }
        GO_LOOP for (; i < GO_SLOTS; i++) {
            size_t slot = (i + iter->offset) & (GO_SLOTS - 1);
            if (go_is_empty(b->top[slot]) || b->top[slot] == GO_EVACUATED_EMPTY) continue;
            if (!go_walk_take(iter, b, slot, check)) continue;
            iter->bucket = bucket;
            iter->b = b;
            iter->i = i + 1;
            iter->check = check;
            return;
        }
    }
}

/* What a range loop does with mapiternext: the entry is read through the pointers left in hiter. */
MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    go_walk_next(iter);
    if (!iter->key) return false;
    *key = *iter->key;
    *val = iter->elem;
    return true;
}

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

/* One chain of an array of `mask` + 1 buckets; adds up its entries and overflow buckets. */
static const char *go_check_chain(struct map *map, struct go_bmap *head, size_t n, size_t mask, size_t *live,
                                  size_t *overflows) {
    bool rest = false;
    for (struct go_bmap *b = head; b; b = b->overflow) {
        *overflows += b != head;
        for (size_t i = 0; i < GO_SLOTS; i++) {
            uint8_t top = b->top[i];
            if (rest && top != GO_EMPTY_REST) return "a slot after emptyRest is not empty";
            rest = top == GO_EMPTY_REST;
            if (top > GO_EMPTY_ONE && top < GO_TOP_MIN) return "an evacuated slot where none may be";
            if (go_is_empty(top)) continue;
            map_key key = *go_key_at(b, i);
            uint64_t hash = go_hash(map, &key);
            size_t slot;
            if (go_top(hash) != top) return "a tophash is not its key's";
            if ((hash & mask) != n) return "an entry is in a bucket that is not its hash's";
            if (go_search(map->type, head, &key, top, &slot) != b || slot != i)
                return "a key is stored twice";
            ++*live;
        }
        bool last = !b->overflow && !go_is_empty(b->top[GO_SLOTS - 1]);
        if (!b->overflow && !last && !rest) return "a chain's last empty slot is not emptyRest";
    }
    return NULL;
}

static const char *map_check(struct map *map) {
    struct go_hmap *h = &map->h;
    size_t live = 0, overflows = 0, old_overflows = 0, old = go_growing(map) ? go_old_buckets(map) : 0;
    if (h->flags & GO_WRITING) return "the flag of a write is left set";
    if (!h->buckets) return h->count ? "entries without buckets" : NULL;
    for (size_t n = 0; n <= go_mask(h->B); n++) {
        const char *fault = go_check_chain(map, &h->buckets[n], n, go_mask(h->B), &live, &overflows);
        if (fault) return fault;
    }
    for (size_t n = 0; n < old; n++) {
        if (go_evacuated(&h->oldbuckets[n])) continue;
        if (n < h->nevacuate) return "a bucket below nevacuate is not evacuated";
        const char *fault = go_check_chain(map, &h->oldbuckets[n], n, old - 1, &live, &old_overflows);
        if (fault) return fault;
    }
    if (live != h->count) return "the count is not the number of entries";
    if (h->B < 16 && h->noverflow != overflows) return "the overflow buckets are miscounted";
    if (go_overloaded(h->count, h->B)) return "more entries than the load factor allows";
    return NULL;
}

/* Bytes of one list of overflow buckets and the list itself, as Go's allocator counts. */
static size_t go_list_bytes(const struct go_bmap_list *list, const struct go_bmap *array, size_t buckets) {
    if (!list) return 0;
    size_t bytes = sizeof *list + go_allocated_bytes(list->capacity * sizeof *list->item, false);
    for (size_t i = 0; i < list->len; i++)
        if (list->item[i] < array || list->item[i] >= array + buckets)
            bytes += go_allocated_bytes(sizeof(struct go_bmap), GO_HEADERLESS);
    return bytes;
}

static void map_describe(struct map *map, struct map_structure *out) {
    const struct go_hmap *h = &map->h;
    size_t buckets = go_array_buckets(h->B, sizeof(struct go_bmap), GO_HEADERLESS), steps = 0, entries = 0;
    if (!h->buckets) return;
    out->array_bytes = go_allocated_bytes(buckets * sizeof(struct go_bmap), GO_HEADERLESS);
    if (h->extra)
        out->array_bytes += sizeof *h->extra + go_list_bytes(h->extra->overflow, h->buckets, buckets);
    if (go_growing(map)) {
        unsigned b = (unsigned)__builtin_ctzll(go_old_buckets(map));
        size_t old = go_array_buckets(b, sizeof(struct go_bmap), GO_HEADERLESS);
        out->array_bytes += go_allocated_bytes(old * sizeof(struct go_bmap), GO_HEADERLESS);
        if (h->extra) out->array_bytes += go_list_bytes(h->extra->oldoverflow, h->oldbuckets, old);
    }
    for (size_t n = 0; n <= go_mask(h->B); n++) {
        size_t step = 1;
        for (const struct go_bmap *b = &h->buckets[n]; b; b = b->overflow, step++)
            for (size_t i = 0; i < GO_SLOTS; i++) {
                if (go_is_empty(b->top[i])) continue;
                steps += step;
                entries++;
                if (step > out->probe_max) out->probe_max = step;
            }
    }
    if (entries) out->probe_mean = (double)steps / (double)entries;
}

#endif
