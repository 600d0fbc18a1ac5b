/* robin_hood: open addressing, linear probing in Robin Hood order, eight slots compared at once.
 *
 * Words:      an entry's HOME is the slot that the middle bits of its hash name (maps/home.h); its DISTANCE
 *             is 1 at home, 2 a slot later, and so on; of two entries the RICHER is the one nearer its home;
 * a META is two bytes of a slot (maps/window.h).
 *
 *             meta   [ 0     | 1 a7  | 2 31  | 2 c0  | 0     | ...   2 bytes a slot: distance, 8 hash bits
 *             slots  [   -   | k v   | k v   | k v   |   -   | ...   an array of its own
 *                                |       `-- home of c0, which found it taken by 31
 *                                `-- home of a7 and of 31
 *
 *             An insert takes the first slot whose entry is richer than the new one would be there, and
 *             moves the entries from there to the next free slot on by one. So entries lie in the order of
 *             their homes, and a lookup may stop at the first richer entry. A key with hash bits h can only
 *             lie at home with meta (1, h), or a slot on with (2, h), or (3, h) ...: eight of these are
 *             compared with the eight metas from home on by a few vector instructions, without a branch for
 *             each slot. The first eight metas are repeated behind the last, so that eight may be read from
 *             any home.
 *
 *             Deleting moves the entries behind back by one, until one is free or at home; no mark is left.
 *             Distances from 255 on are all stored as 255, and then computed from the key: no set of keys,
 *             however they collide, makes the map fail, or grow without need by more than one doubling.
 *
 *             Filled in the walk order of another map, the slots would fill up corner by corner. One insert
 *             in 128 looks whether its distance is more than chance makes, and the arrays double early if so.
 * Source:     Celis, Larson and Munro, "Robin Hood hashing" (FOCS 1985); backward-shift deletion: Emmanuel
 *             Goossaert (2013); distance and hash bits in one word: Martin Leitner-Ankerl, unordered_dense.
 *             Comparing eight possible places at once is this project's.
 * Invariants: a meta holds its key's distance and hash bits; from one slot to the next a distance grows by
 *             at most one, and after a free slot it is 1; the repeated metas agree; no key twice; len
 *             counts the slots in use.
 * Cost:       a lookup, hit or miss, reads one line of metas, sometimes two, and the line of slots at home,
 *             which is fetched along with them. Inserts and deletes move entries, a few at common loads.
 *             Per entry one slot and two bytes over the load of 0.375 to 0.75: 24 to 48 bytes for 8-byte
 *             keys and values.
 */
#include "maps/home.h"
#include "maps/sizing.h"
#include "maps/window.h"

static const struct map_facts map_facts = {
    .summary = "Robin Hood linear probing, distances and hash bits compared eight at a time",
    .source = "Celis, Larson and Munro, Robin Hood hashing (1985); Goossaert (2013); ankerl::unordered_dense",
    .invariants =
        "metas right; distances grow by at most one from slot to slot; no key twice; len = slots in use",
    .cost = "a lookup reads 1-2 lines of metas and one of slots; (slot + 2 bytes) / 0.375 to 0.75 per entry",
    .options =
        "max load 0.75, growth x2, early where crowded, 8-bit distance, 8 hash bits, windows: " WINDOW_KIND,
    .fairness = "uses SSE2 where it is part of the baseline; plain code elsewhere does the same lane by lane",
    .package = NULL,
    .traits = 0,
};

enum {
    ROBIN_CAPACITY_MIN = 8,
    ROBIN_LOAD_NUM = 3,
    ROBIN_LOAD_DEN = 4,
    ROBIN_CROWDED = 40, /* distance of a new entry that chance does not make */
    ROBIN_FAR = 255,    /* stored distance of this and every longer one */
    /* Distance at which the last window begins that cannot meet it; windows begin at distances 1, 9, 17 ...
     */
    ROBIN_WINDOW_LAST = (ROBIN_FAR - WINDOW_SLOTS - 1) / WINDOW_SLOTS * WINDOW_SLOTS + 1,
};

struct slot {
    map_key key;
    map_val val;
};

struct map {
    uint16_t *meta; /* capacity + WINDOW_SLOTS of them; distance << 8 | hash bits, 0: free */
    struct slot *slots;
    size_t mask;
    size_t len;
    size_t limit;     /* len at which the next insert grows */
    size_t ask;       /* len at which it asks whether to (maps/home.h) */
    size_t capacity;  /* mask + 1, or 0 while meta is the shared free one */
    void *meta_block; /* what the arrays were allocated as */
    void *slots_block;
    HEAP_FIELD
};

HEAP_TYPE(robin_slot_type, struct slot, HEAP_KEY(struct slot, key) HEAP_VAL(struct slot, val))
HEAP_TYPE(robin_map_type, struct map,
          HEAP_POINTER(struct map, meta_block) HEAP_POINTER(struct map, slots_block))
#define MAP_HEAP_TYPES(TYPE) TYPE(struct slot, robin_slot_type) TYPE(struct map, robin_map_type)

/* The arrays of maps without arrays. Nothing writes to them; the slot is prefetched. */
static const uint16_t robin_no_meta[WINDOW_SLOTS];
static const struct slot robin_no_slots[1];

MAP_INLINE uint16_t robin_bits(uint64_t hash) {
    return (uint16_t)(hash >> 56);
}

/* --- one slot --- */

/* Writes a meta and, for the first WINDOW_SLOTS, its repetition; for the others the second store repeats the
 * first. */
MAP_INLINE void robin_set_meta(struct map *map, size_t at, uint16_t meta) {
    map->meta[at] = meta;
    map->meta[((at - WINDOW_SLOTS) & map->mask) + WINDOW_SLOTS] = meta;
}

MAP_INLINE uint16_t robin_meta(size_t distance, uint16_t bits) {
    return (uint16_t)((distance < ROBIN_FAR ? distance : ROBIN_FAR) << 8 | bits);
}

static size_t robin_computed_distance(const struct map *map, size_t at) {
    return ((at - home_hash(map->slots[at].key)) & map->mask) + 1;
}

/* 0: free. */
static size_t robin_distance(const struct map *map, size_t at) {
    size_t stored = map->meta[at] >> 8;
    return stored < ROBIN_FAR ? stored : robin_computed_distance(map, at);
}

/* --- arrays --- */

/* Gives the map new, empty arrays, and leaves it as it was (false) when memory runs out. */
static bool robin_allocate(struct map *map, size_t capacity) {
    if (capacity == 0 || capacity > SIZE_MAX / 4) return false;
    if (!two_arrays_new(map, meta, capacity + WINDOW_SLOTS, slots, capacity)) return false;
    map->mask = capacity - 1;
    map->capacity = capacity;
    map->limit = load_limit(capacity, ROBIN_LOAD_NUM, ROBIN_LOAD_DEN);
    map->ask = next_ask(map->len, map->limit);
    return true;
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->meta = (uint16_t *)(uintptr_t)robin_no_meta;
    map->slots = (struct slot *)(uintptr_t)robin_no_slots;
    if (hint == 0 ||
        robin_allocate(map, capacity_for(hint, ROBIN_CAPACITY_MIN, ROBIN_LOAD_NUM, ROBIN_LOAD_DEN)))
        return map;
    HEAP_FREE(heap, map);
    return NULL;
}

static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map->meta_block);
    HEAP_FREE(HEAP_OF(map), map->slots_block);
    HEAP_FREE(HEAP_OF(map), map);
}

/* --- probing --- */

static const size_t ROBIN_NOWHERE = SIZE_MAX;

/* Goes on looking for a key one slot at a time, where distances may not fit their byte. */
static __attribute__((noinline, cold)) size_t robin_find_far(const struct map *map, map_key key, size_t at,
                                                             size_t distance) {
    for (; robin_distance(map, at) >= distance; at = (at + 1) & map->mask, distance++)
        if (key_equal(map->slots[at].key, key)) return at;
    return ROBIN_NOWHERE;
}

MAP_INLINE size_t robin_find(const struct map *map, map_key key, uint64_t hash) {
    size_t at = hash & map->mask;
    window_want want = window_first(robin_bits(hash));
    __builtin_prefetch(&map->slots[at]); /* mostly the line of the entry: fetched along with the metas */
    for (size_t distance = 1; distance <= ROBIN_WINDOW_LAST; distance += WINDOW_SLOTS) {
        for (uint32_t equal = window_equal(map->meta + at, want); equal;) {
            size_t place = (at + window_lane(equal)) & map->mask;
            if (__builtin_expect(key_equal(map->slots[place].key, key), 1)) return place;
            equal = window_rest(equal);
        }
        if (__builtin_expect(window_richer(map->meta + at, want) != 0, 1)) return ROBIN_NOWHERE;
        at = (at + WINDOW_SLOTS) & map->mask;
        want = window_next(want);
    }
    return robin_find_far(map, key, at, ROBIN_WINDOW_LAST + WINDOW_SLOTS);
}

/* The place of an entry that is not in the map yet: the first slot with a richer entry, or free. */
struct robin_place {
    size_t at, distance;
};

static __attribute__((noinline, cold)) struct robin_place robin_place_far(const struct map *map, size_t at,
                                                                          size_t distance) {
    while (robin_distance(map, at) >= distance) {
        at = (at + 1) & map->mask;
        distance++;
    }
    return (struct robin_place){at, distance};
}

MAP_INLINE struct robin_place robin_place_for(const struct map *map, uint64_t hash) {
    size_t at = hash & map->mask, distance = 1;
    window_want want = window_first(robin_bits(hash));
    for (; distance <= ROBIN_WINDOW_LAST; distance += WINDOW_SLOTS) {
        uint32_t richer = window_richer(map->meta + at, want);
        if (richer) {
            size_t lane = window_lane(richer);
            return (struct robin_place){(at + lane) & map->mask, distance + lane};
        }
        at = (at + WINDOW_SLOTS) & map->mask;
        want = window_next(want);
    }
    return robin_place_far(map, at, distance);
}

/* Makes the place free by moving the entries from there to the next free slot on by one, and claims it. */
MAP_INLINE struct slot *robin_claim(struct map *map, struct robin_place place, uint16_t bits) {
    if (map->meta[place.at] != 0) {
        size_t end = place.at;
        do end = (end + 1) & map->mask;
        while (map->meta[end] != 0);
        for (size_t to = end, from; to != place.at; to = from) {
            from = (to - 1) & map->mask;
            uint16_t meta = map->meta[from];
            robin_set_meta(map, to, (uint16_t)(meta >> 8 < ROBIN_FAR ? meta + 0x100 : meta));
            map->slots[to] = map->slots[from];
        }
    }
    robin_set_meta(map, place.at, robin_meta(place.distance, bits));
    return &map->slots[place.at];
}

MAP_INLINE void robin_prefetch_text(const struct map *map, size_t at) {
#ifdef SHAPE_KEY_STR
    if (at < map->capacity && map->meta[at]) __builtin_prefetch(map->slots[at].key.text);
#else
    (void)map, (void)at;
#endif
}

/* Doubles the arrays; false: out of memory, nothing changed. Entries lie in the order of their homes, and
 * each goes to its old home or that plus the old capacity: they are appended to two sequences and hardly
 * moved again. */
static __attribute__((noinline)) bool robin_grow(struct map *map) {
    enum { TEXTS_AHEAD = 16 };
    struct map old = *map;
    if (!robin_allocate(map, old.capacity ? old.capacity * 2 : ROBIN_CAPACITY_MIN)) return false;
    for (size_t i = 0; i < old.capacity; i++) {
        robin_prefetch_text(&old, i + TEXTS_AHEAD);
        if (!old.meta[i]) continue;
        uint64_t hash = home_hash(old.slots[i].key);
        *robin_claim(map, robin_place_for(map, hash), robin_bits(hash)) = old.slots[i];
    }
    HEAP_FREE(HEAP_OF(map), old.meta_block);
    HEAP_FREE(HEAP_OF(map), old.slots_block);
    return true;
}

/* Doubles the arrays if they are full, or crowded around the place for a new entry. False: full, and out of
 * memory. */
static __attribute__((noinline)) bool robin_ask(struct map *map, uint64_t hash) {
    bool full = map->len >= map->limit, may_be_crowded = map->len >= map->limit / 2;
    if ((full || (may_be_crowded && robin_place_for(map, hash).distance > ROBIN_CROWDED)) && robin_grow(map))
        return true;
    map->ask = next_ask(map->len, map->limit);
    return !full;
}

/* --- the interface --- */

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    size_t at = robin_find(map, key, home_hash(key));
    return at == ROBIN_NOWHERE ? NULL : &map->slots[at].val;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    uint64_t hash = home_hash(key);
    size_t at = robin_find(map, key, hash);
    if (at != ROBIN_NOWHERE) return &map->slots[at].val;
    if (__builtin_expect(map->len >= map->ask, 0) && !robin_ask(map, hash)) return NULL;
    struct slot *slot = robin_claim(map, robin_place_for(map, hash), robin_bits(hash));
    slot->key = key;
    map->len++;
    return &slot->val;
}

/* Frees a slot: entries behind it that are not at home move back by one. */
MAP_INLINE void robin_remove(struct map *map, size_t at) {
    for (size_t from = (at + 1) & map->mask; map->meta[from] >= 0x200; from = (from + 1) & map->mask) {
        uint16_t meta = map->meta[from];
        map->slots[at] = map->slots[from];
        if (__builtin_expect(meta >> 8 < ROBIN_FAR, 1))
            meta = (uint16_t)(meta - 0x100);
        else
            meta = robin_meta(robin_computed_distance(map, at), meta & 0xff);
        robin_set_meta(map, at, meta);
        at = from;
    }
    robin_set_meta(map, at, 0);
    HEAP_DROP(HEAP_OF(map), &map->slots[at]);
    map->len--;
    map->ask--;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    size_t at = robin_find(map, key, home_hash(key));
    if (at == ROBIN_NOWHERE) return false;
    robin_remove(map, at);
    return true;
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->len;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->capacity;
}

static void map_clear(struct map *map) {
    if (map->len) memset(map->meta, 0, (map->capacity + WINDOW_SLOTS) * sizeof *map->meta);
    for (size_t i = 0; i < map->capacity; i++) HEAP_DROP(HEAP_OF(map), &map->slots[i]);
    map->len = 0;
    map->ask = next_ask(0, map->limit);
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy || map->capacity == 0) return copy;
    if (!robin_allocate(copy, map->capacity)) {
        map_destroy(copy);
        return NULL;
    }
    memcpy(copy->meta, map->meta, (map->capacity + WINDOW_SLOTS) * sizeof *map->meta);
    memcpy(copy->slots, map->slots, map->capacity * sizeof(struct slot));
    copy->len = map->len;
    return copy;
}

struct map_iter {
    struct map *map;
    size_t next;   /* slot that the next block of WINDOW_SCAN_SLOTS begins with */
    uint32_t left; /* slots in use of the block before it, not yet visited */
};
#define MAP_ITER_POINTERS(POINTER, walk) POINTER(walk, map)

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->map = map;
    iter->next = 0;
    iter->left = 0;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    const struct map *map = iter->map;
    while (!iter->left) {
        if (iter->next >= map->capacity) return false;
        iter->left = window_in_use(map->meta + iter->next);
        if (map->capacity < WINDOW_SCAN_SLOTS)
            iter->left &= (1u << map->capacity) - 1; /* not the repeated metas */
        iter->next += WINDOW_SCAN_SLOTS;
    }
    const struct slot *slot = &map->slots[iter->next - WINDOW_SCAN_SLOTS + (size_t)__builtin_ctz(iter->left)];
    iter->left &= iter->left - 1;
    *key = slot->key;
    *val = &slot->val;
    return true;
}

static const char *robin_check_slot(const struct map *map, size_t at) {
    uint64_t hash = home_hash(map->slots[at].key);
    size_t distance = robin_computed_distance(map, at);
    if (map->meta[at] != robin_meta(distance, robin_bits(hash))) return "a meta is not its key's";
    if (distance > robin_distance(map, (at - 1) & map->mask) + 1) return "a distance grows by more than one";
    return robin_find(map, map->slots[at].key, hash) == at ? NULL : "a key is stored twice";
}

static const char *map_check(struct map *map) {
    size_t in_use = 0;
    if (map->capacity == 0) return map->mask || map->limit || map->len ? "an empty map has room" : NULL;
    if (map->mask != map->capacity - 1 || (map->capacity & map->mask))
        return "the capacity is not a power of two";
    if (memcmp(map->meta, map->meta + map->capacity, WINDOW_SLOTS * sizeof *map->meta) != 0)
        return "the repeated metas differ from the first";
    for (size_t i = 0; i < map->capacity; i++) {
        if (!map->meta[i]) continue;
        const char *fault = robin_check_slot(map, i);
        if (fault) return fault;
        in_use++;
    }
    if (in_use != map->len) return "the length is not the number of slots in use";
    return in_use <= map->limit ? NULL : "more slots in use than the maximum load allows";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    if (map->capacity)
        out->array_bytes =
            (map->capacity + WINDOW_SLOTS) * sizeof *map->meta +
            (map->capacity + line_spare(map->capacity, sizeof(struct slot))) * sizeof(struct slot);
    for (size_t i = 0; i < map->capacity; i++) {
        size_t distance = robin_distance(map, i);
        steps += distance;
        if (distance > out->probe_max) out->probe_max = distance;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
