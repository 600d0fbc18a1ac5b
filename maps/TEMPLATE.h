/* NAME: one line that says what this map is.
 *
 * A skeleton to copy: a correct map as it stands - an unsorted array that a lookup walks - with the contract
 * of every hook beside it. To add a map
 *
 *   1. copy this file to maps/NAME.h and replace what is marked FILL IN;
 *   2. add one line to maps/maps.def:  MAP(NAME, c, maps/NAME.h, ALL, common, malloc)
 *   3. make test: the model test, the loops' reference checksums and failing allocations now cover it;
 *   4. for every heap and the retention scenarios (docs/retention.md) say `all` there in place of malloc.
 *
 * The file is included into harness/unit/map_unit.c, once for each shape, so write plain names. Given are:
 *
 *   map_key, map_val         the types, copied with =. Every value is legal: 0, all ones, the empty string
 *   key_hash(key)            the common hash: 64 good bits, take any of them
 *   key_equal(a, b)          the only way to compare keys
 *   SHAPE_KEY_INT            defined if keys are integers, of SHAPE_KEY_BITS bits
 *   SHAPE_KEY_STR            defined if they are struct str; the text is the caller's and outlives the map
 *   HEAP_NEW, HEAP_FREE ...  all memory comes from these; harness/heaps/malloc.h says what each is for
 *   MAP_INLINE               for map_get, map_put and map_del, so that the measured loops contain them
 *
 * The head of a map's file says, in this order:
 *
 * Words:      FILL IN: the design's terms, and its layout drawn:
 *
 *             entries  [ k v | k v | k v | ...room... ]     0 .. len - 1, in no order
 *
 * Source:     FILL IN: paper, or library with file and version. Here: this project.
 * Invariants: FILL IN: what map_check recounts. Here: len <= room; no key twice.
 * Cost:       FILL IN: memory accesses of a lookup, bytes of an entry. Here: a lookup compares half of the
 *             entries; an entry takes its size over 0.5 to 1.
 */

/* What `list`, `explain` and the results say of the map. Every text is needed. Required. */
static const struct map_facts map_facts = {
    .summary = "FILL IN: unsorted array, searched from one end to the other",
    .source = "this project",
    .invariants = "len <= room; no key twice",
    .cost = "a lookup compares half of the entries; entry / 0.5 to 1 bytes",
    .options = "growth x2",                        /* maximum load, growth, whatever is compiled in */
    .fairness = "an example, for small maps only", /* advantage or handicap against the other maps */
    .package = NULL,                               /* the Debian package of a third-party library */
    .traits = 0,                                   /* enum map_trait of harness/unit/map.h */
};

struct entry {
    map_key key;
    map_val val;
};

/* One map. HEAP_FIELD keeps the heap where the heap needs that. Required. */
struct map {
    struct entry *entries;
    size_t len;
    size_t room;
    HEAP_FIELD
};

/* Tells a collecting heap where the pointers in these structs are, and which types HEAP_NEW is given.
 * HEAP_KEY and HEAP_VAL stand for a key's and a value's own pointers. Other heaps ignore all of it. Required
 * for retention scenarios, by then together with MAP_ITER_POINTERS. */
HEAP_TYPE(template_entry_type, struct entry, HEAP_KEY(struct entry, key) HEAP_VAL(struct entry, val))
HEAP_TYPE(template_map_type, struct map, HEAP_POINTER(struct map, entries))
#define MAP_HEAP_TYPES(TYPE) TYPE(struct entry, template_entry_type) TYPE(struct map, template_map_type)

/* Gives the map room for more entries; false: out of memory, nothing changed. Growth stays out of line, so
 * that the loops hold only what most operations do; not cold, which gcc compiles for size. */
static __attribute__((noinline)) bool template_set_room(struct map *map, size_t room) {
    struct entry *entries = HEAP_NEW(HEAP_OF(map), struct entry, room);
    if (!entries) return false;
    if (map->len) memcpy(entries, map->entries, map->len * sizeof *entries);
    HEAP_FREE(HEAP_OF(map), map->entries);
    HEAP_STORE(HEAP_OF(map), &map->entries, entries);
    map->room = room;
    return true;
}

/* Frees the map and all that it holds. Never gets NULL. Required. */
static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map->entries);
    HEAP_FREE(HEAP_OF(map), map);
}

/* An empty map. After it `hint` inserts must not grow; TRAIT_IGNORES_HINT and TRAIT_HINT_INEXACT say if the
 * design cannot promise that. Hint 0: allocate as little as possible, as many small maps begin so. NULL: out
 * of memory, or the hint is beyond what can be addressed; nothing leaks. Required. */
static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    if (hint == 0 || template_set_room(map, hint)) return map;
    map_destroy(map);
    return NULL;
}

/* The address of the key's value; NULL: absent. The caller reads it before the map's next change.
 * Required, unless MAP_COPIES is defined: then map_load. */
MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    for (size_t i = 0; i < map->len; i++)
        if (key_equal(map->entries[i].key, key)) return &map->entries[i].val;
    return NULL;
}

/* The address of the key's value, which is inserted if the key was absent; the caller stores the value there
 * at once, so a new one need not be initialised. NULL: out of memory, and the map is what it was. Required,
 * unless MAP_COPIES is defined: then map_store. */
MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    map_val *found = map_get(map, key);
    if (found) return found;
    if (__builtin_expect(map->len >= map->room, 0) && !template_set_room(map, map->room ? map->room * 2 : 4))
        return NULL;
    struct entry *entry = &map->entries[map->len++];
    entry->key = key;
    return &entry->val;
}

/* Maps that cannot hand out a value's address define MAP_COPIES and, in place of map_put and map_get,
 *
 *   bool map_store(struct map *map, map_key key, map_val val)
 *                     false: out of memory, and the map is what it was
 *   bool map_load(struct map *map, map_key key, map_val *val)
 *                     copies the value out; false: absent
 *
 * Not required. */

/* Maps that look up several keys at once faster than one after another define MAP_GET_BATCH and provide
 *
 *   enum { MAP_BATCH = 32 };
 *                     keys of one call at most: as many as the map keeps in flight, 1 to 1024
 *   MAP_INLINE void map_get_batch(struct map *map, const map_key *keys, size_t count, map_val **found)
 *                     found[i]: as map_get of keys[i]; 1 <= count <= MAP_BATCH; a key may come twice
 *
 * The loop get_batch asks through it; without it, it is the loop get. Not for maps with MAP_COPIES.
 * Not required. */

/* Removes the key; false: it was absent. A slot that no longer holds a live entry goes through HEAP_DROP.
 * Required. */
MAP_INLINE bool map_del(struct map *map, map_key key) {
    for (size_t i = 0; i < map->len; i++)
        if (key_equal(map->entries[i].key, key)) {
            map->entries[i] = map->entries[--map->len];
            HEAP_DROP(HEAP_OF(map), &map->entries[map->len]);
            return true;
        }
    return false;
}

/* Entries in the map. Required. */
MAP_INLINE size_t map_len(const struct map *map) {
    return map->len;
}

/* Slots, buckets or entries the present arrays hold: must change whenever the map grows, shrinks or splits,
 * and only then, as growth events are found by it. Required. */
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->room;
}

/* Slots of the old array whose entries still move to the new one, 0 when none do. Define
 * MAP_HAS_OLD_CAPACITY beside it. Not required: for maps that grow little by little.
 *
 * MAP_INLINE size_t map_old_capacity(const struct map *map); */

/* Removes all entries; the arrays may stay. Required. */
static void map_clear(struct map *map) {
    for (size_t i = 0; i < map->len; i++) HEAP_DROP(HEAP_OF(map), &map->entries[i]);
    map->len = 0;
}

/* An independent map with the same entries. NULL: out of memory, and nothing leaks. Required. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), map->room);
    if (!copy) return NULL;
    if (map->len) memcpy(copy->entries, map->entries, map->len * sizeof *map->entries);
    copy->len = map->len;
    return copy;
}

/* A position in a walk over all entries. Required. */
struct map_iter {
    const struct entry *next;
    size_t left;
};
/* Its pointers: a walk that is parked keeps alive what they point to. Required for retention scenarios. */
#define MAP_ITER_POINTERS(POINTER, walk) POINTER(walk, next)

/* Sets the position before the first entry. Required. */
MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->next = map->entries;
    iter->left = map->len;
}

/* Moves to the next entry and hands out its key and the address of its value; false: there is none left.
 * Every entry comes exactly once; the map does not change meanwhile. Required. */
MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (iter->left == 0) return false;
    *key = iter->next->key;
    *val = &iter->next->val;
    iter->next++;
    iter->left--;
    return true;
}

/* Maps that keep something for as long as a walk is under way define MAP_HAS_ITER_STOP and
 *
 *   void map_iter_stop(struct map_iter *iter)    a walk is given up before map_iter_next has returned false
 *
 * Not required. */

/* NULL, or the invariant that is broken, in words. Recounts everything from scratch and trusts no counter;
 * may be slow. The caller has checked already that every entry of a walk is found again and that there are
 * map_len of them. Required. */
static const char *map_check(struct map *map) {
    if (map->len > map->room) return "more entries than room";
    for (size_t i = 0; i < map->len; i++)
        for (size_t j = i + 1; j < map->len; j++)
            if (key_equal(map->entries[i].key, map->entries[j].key)) return "a key is stored twice";
    return NULL;
}

/* Fills in what applies of struct map_structure, which comes zeroed but for the capacity. May walk the whole
 * map. Required; may be empty. */
static void map_describe(struct map *map, struct map_structure *out) {
    out->array_bytes = map->room * sizeof(struct entry);
    out->probe_max = map->len;
    out->probe_mean = map->len ? (double)(map->len + 1) / 2 : 0;
}
