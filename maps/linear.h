/* linear: open addressing with linear probing and backward-shift deletion.
 *
 * Words:      a SLOT holds one entry; an entry's HOME is the slot that the middle bits of its hash name
 *             (maps/home.h); a CLUSTER is a run of slots in use.
 *
 *             slot  0      1      2      3      4      5      6      7
 *                 [  -  | k v  | k v  | k v  |  -  | k v  |  -   |  -   ]    8-byte keys: 4 slots a line
 *                          `-- home of k: found here or at one of the slots after it
 *
 *             Integer keys: a slot whose key is 0 is free, and the entry with key 0, which is as legal as
 *             any other, lives in struct map. So key and value share a cache line and nothing else is read.
 *             String keys: the slot keeps the hash with its lowest bit set, and 0 means free; with it a
 *             slot has 32 bytes, two fill a line, the texts of other keys stay unread, and neither growth
 *             nor deletion touches a text.
 *
 *             Deletion leaves no mark. It walks the rest of the cluster and moves back into the hole each
 *             entry whose home does not lie between the hole and itself, since a lookup for it would now
 *             stop at the hole.
 *             Filled in the walk order of another map, the slots would fill up corner by corner. One insert
 *             in 128 looks whether it is pushed far by more than chance, and the slots double early if so.
 * Source:     Knuth, TAOCP vol. 3, section 6.4, algorithms L and R.
 * Invariants: the capacity is a power of two, or 0 before the first store; from the home of every entry to
 *             its slot no slot is free; no key twice; len counts the slots in use; at most 3/4 of the slots
 *             are in use, so a free one ends every probe.
 * Cost:       one cache line for most hits; (1 + 1/(1-a)) / 2 slots a hit and (1 + 1/(1-a)^2) / 2 a miss at
 *             load a (Knuth): 2.5 and 8.5 at most. Per entry one slot over the load of 0.375 to 0.75: 21 to
 *             43 bytes for 8-byte keys and values.
 */
#include "maps/home.h"
#include "maps/sizing.h"

static const struct map_facts map_facts = {
    .summary = "open addressing, linear probing, backward-shift deletion",
    .source = "Knuth, TAOCP vol. 3, 6.4, algorithms L and R",
    .invariants = "no free slot between home and entry; no key twice; len = slots in use <= max load; stored "
                  "hashes right",
    .cost = "a hit reads one cache line mostly; key and value adjacent; slot / 0.375 to 0.75 bytes per entry",
    .options =
        "max load 0.75, growth x2, early where crowded, integer key 0 kept aside, string slots keep the hash",
    .fairness =
        "no tombstones and no metadata; long clusters near the maximum load make misses and deletes dear",
    .package = NULL,
    .traits = 0,
};

enum { LINEAR_CAPACITY_MIN = 4, LINEAR_LOAD_NUM = 3, LINEAR_LOAD_DEN = 4, LINEAR_SCAN_SLOTS = 16 };
enum {
    LINEAR_FAR = 64,     /* slots from home to a free one, which chance makes of some */
    LINEAR_CROWDED = 40, /* entries pushed past a slot, which it does not */
};

struct slot {
#ifndef SHAPE_KEY_INT
    uint64_t hash; /* lowest bit set; 0: free */
#endif
    map_key key;
    map_val val;
};

struct map {
    struct slot *slots; /* mask + 1 of them */
    size_t mask;
    size_t len;      /* entries in slots and the one aside */
    size_t limit;    /* len at which the next insert grows */
    size_t ask;      /* len at which it asks whether to (maps/home.h) */
    size_t capacity; /* mask + 1, or 0 while slots is the shared free one */
    void *block;     /* what the slots were allocated as */
#ifdef SHAPE_KEY_INT
    map_val zero_val; /* of the entry with key 0 */
    bool has_zero;
#endif
    HEAP_FIELD
};

HEAP_TYPE(linear_slot_type, struct slot, HEAP_KEY(struct slot, key) HEAP_VAL(struct slot, val))
#ifdef SHAPE_KEY_INT
HEAP_TYPE(linear_map_type, struct map, HEAP_POINTER(struct map, block) HEAP_VAL(struct map, zero_val))
#else
HEAP_TYPE(linear_map_type, struct map, HEAP_POINTER(struct map, block))
#endif
#define MAP_HEAP_TYPES(TYPE) TYPE(struct slot, linear_slot_type) TYPE(struct map, linear_map_type)

/* The slot of maps without an array: a lookup ends here at once. Nothing writes to it. */
static const struct slot linear_no_slots[1];

#ifndef SHAPE_KEY_INT
MAP_INLINE uint64_t linear_hash(map_key key) {
    return home_hash(key) | 1;
}
MAP_INLINE size_t linear_home(const struct map *map, uint64_t hash) {
    return (hash >> 1) & map->mask;
}
MAP_INLINE bool slot_in_use(const struct slot *slot) {
    return slot->hash != 0;
}
MAP_INLINE uint64_t slot_hash(const struct slot *slot) {
    return slot->hash;
}
MAP_INLINE bool slot_holds(const struct slot *slot, map_key key, uint64_t hash) {
    return slot->hash == hash && key_equal(slot->key, key);
}
MAP_INLINE void slot_set(struct slot *slot, map_key key, uint64_t hash) {
    slot->hash = hash;
    slot->key = key;
}
MAP_INLINE void slot_free(struct slot *slot) {
    slot->hash = 0;
}
#define ZERO_ASIDE(map, key) false
#define ZERO_COUNT(map) ((size_t)0)
#else
MAP_INLINE uint64_t linear_hash(map_key key) {
    return home_hash(key);
}
MAP_INLINE size_t linear_home(const struct map *map, uint64_t hash) {
    return hash & map->mask;
}
MAP_INLINE bool slot_in_use(const struct slot *slot) {
    return slot->key != 0;
}
MAP_INLINE uint64_t slot_hash(const struct slot *slot) {
    return home_hash(slot->key);
}
MAP_INLINE bool slot_holds(const struct slot *slot, map_key key, uint64_t hash) {
    (void)hash;
    return slot->key == key;
}
MAP_INLINE void slot_set(struct slot *slot, map_key key, uint64_t hash) {
    (void)hash;
    slot->key = key;
}
MAP_INLINE void slot_free(struct slot *slot) {
    slot->key = 0;
}
#define ZERO_ASIDE(map, key) __builtin_expect((key) == 0, 0)
#define ZERO_COUNT(map) ((size_t)(map)->has_zero)
#endif

static bool linear_allocate(struct map *map, size_t capacity) {
    if (capacity == 0 || capacity > SIZE_MAX / 2) return false;
    size_t spare = line_spare(capacity, sizeof(struct slot));
    void *block = HEAP_NEW_ZEROED(HEAP_OF(map), struct slot, capacity + spare);
    if (!block) return false;
    HEAP_STORE(HEAP_OF(map), &map->block, block);
    map->slots = (struct slot *)line_start(block, spare);
    map->mask = capacity - 1;
    map->capacity = capacity;
    map->limit = load_limit(capacity, LINEAR_LOAD_NUM, LINEAR_LOAD_DEN);
    map->ask = next_ask(map->len, map->limit);
    return true;
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->slots = (struct slot *)(uintptr_t)linear_no_slots;
    if (hint == 0 ||
        linear_allocate(map, capacity_for(hint, LINEAR_CAPACITY_MIN, LINEAR_LOAD_NUM, LINEAR_LOAD_DEN)))
        return map;
    HEAP_FREE(heap, map);
    return NULL;
}

static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map->block);
    HEAP_FREE(HEAP_OF(map), map);
}

/* Doubles the slots; false: out of memory, nothing changed. The old slots are read in order and an entry goes
 * to its old place or that plus the old capacity: both arrays are walked in sequence. No key needs comparing.
 */
static __attribute__((noinline)) bool linear_grow(struct map *map) {
    struct slot *old = map->slots;
    void *old_block = map->block;
    size_t old_capacity = map->capacity;
    if (!linear_allocate(map, old_capacity ? old_capacity * 2 : LINEAR_CAPACITY_MIN)) return false;
    for (size_t i = 0; i < old_capacity; i++) {
        if (!slot_in_use(&old[i])) continue;
        size_t at = linear_home(map, slot_hash(&old[i]));
        while (slot_in_use(&map->slots[at])) at = (at + 1) & map->mask;
        map->slots[at] = old[i];
    }
    HEAP_FREE(HEAP_OF(map), old_block);
    return true;
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
#ifdef SHAPE_KEY_INT
    if (ZERO_ASIDE(map, key)) return map->has_zero ? &map->zero_val : NULL;
#endif
    uint64_t hash = linear_hash(key);
    for (size_t at = linear_home(map, hash);; at = (at + 1) & map->mask) {
        struct slot *slot = &map->slots[at];
        if (slot_holds(slot, key, hash)) return &slot->val;
        if (!slot_in_use(slot)) return NULL;
    }
}

/* Whether too many of the entries from slot `home` to the free slot `end` come from there or before. */
static bool linear_crowded(const struct map *map, size_t home, size_t end) {
    size_t pushed = 0;
    if (((end - home) & map->mask) <= LINEAR_FAR) return false;
    for (size_t at = home; at != end && pushed <= LINEAR_CROWDED; at = (at + 1) & map->mask) {
        size_t behind = (at - linear_home(map, slot_hash(&map->slots[at]))) & map->mask;
        pushed += behind >= ((at - home) & map->mask);
    }
    return pushed > LINEAR_CROWDED;
}

/* Doubles the slots if they are full, or crowded around the free slot for a new entry. False: full, and out
 * of memory. */
static __attribute__((noinline)) bool linear_ask(struct map *map, uint64_t hash, size_t free_slot) {
    bool full = map->len >= map->limit, may_be_crowded = map->len >= map->limit / 2;
    if ((full || (may_be_crowded && linear_crowded(map, linear_home(map, hash), free_slot))) &&
        linear_grow(map))
        return true;
    map->ask = next_ask(map->len, map->limit);
    return !full;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
#ifdef SHAPE_KEY_INT
    if (ZERO_ASIDE(map, key)) {
        map->len += !map->has_zero;
        map->has_zero = true;
        return &map->zero_val;
    }
#endif
    uint64_t hash = linear_hash(key);
    size_t at = linear_home(map, hash);
    for (; slot_in_use(&map->slots[at]); at = (at + 1) & map->mask)
        if (slot_holds(&map->slots[at], key, hash)) return &map->slots[at].val;
    if (__builtin_expect(map->len >= map->ask, 0)) {
        if (!linear_ask(map, hash, at)) return NULL;
        for (at = linear_home(map, hash); slot_in_use(&map->slots[at]);) at = (at + 1) & map->mask;
    }
    slot_set(&map->slots[at], key, hash);
    map->len++;
    return &map->slots[at].val;
}

/* Frees slot `hole` and closes the gap. */
MAP_INLINE void linear_remove(struct map *map, size_t hole) {
    for (size_t at = (hole + 1) & map->mask; slot_in_use(&map->slots[at]); at = (at + 1) & map->mask) {
        size_t home = linear_home(map, slot_hash(&map->slots[at]));
        if (((at - home) & map->mask) < ((at - hole) & map->mask)) continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    slot_free(&map->slots[hole]);
    HEAP_DROP(HEAP_OF(map), &map->slots[hole]);
    map->len--;
    map->ask--;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
#ifdef SHAPE_KEY_INT
    if (ZERO_ASIDE(map, key)) {
        bool had = map->has_zero;
        if (had) HEAP_DROP(HEAP_OF(map), &map->zero_val);
        map->has_zero = false;
        map->len -= had;
        return had;
    }
#endif
    uint64_t hash = linear_hash(key);
    for (size_t at = linear_home(map, hash); slot_in_use(&map->slots[at]); at = (at + 1) & map->mask)
        if (slot_holds(&map->slots[at], key, hash)) {
            linear_remove(map, at);
            return true;
        }
    return false;
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->len;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->capacity;
}

static void map_clear(struct map *map) {
    if (map->len) memset(map->slots, 0, map->capacity * sizeof(struct slot));
    for (size_t i = 0; i < map->capacity; i++) HEAP_DROP(HEAP_OF(map), &map->slots[i]);
    map->len = 0;
    map->ask = next_ask(0, map->limit);
#ifdef SHAPE_KEY_INT
    map->has_zero = false;
#endif
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy) return NULL;
    if (map->capacity && !linear_allocate(copy, map->capacity)) {
        map_destroy(copy);
        return NULL;
    }
    if (map->capacity) memcpy(copy->slots, map->slots, map->capacity * sizeof(struct slot));
    copy->len = map->len;
#ifdef SHAPE_KEY_INT
    copy->zero_val = map->zero_val;
    copy->has_zero = map->has_zero;
#endif
    return copy;
}

/* A scan asks LINEAR_SCAN_SLOTS slots at once which are in use, without a branch, and then visits those: a
 * branch a slot would be mispredicted as often as the load makes it a coin toss. */
struct map_iter {
    struct map *map;
    size_t next;   /* slot that the next block begins with */
    uint32_t left; /* bit i: slot next - LINEAR_SCAN_SLOTS + i is in use and not yet visited */
    bool aside;    /* the entry with key 0 is still to come */
};
#define MAP_ITER_POINTERS(POINTER, walk) POINTER(walk, map)

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->map = map;
    iter->next = 0;
    iter->left = 0;
    iter->aside = ZERO_COUNT(map);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    const struct map *map = iter->map;
    while (!iter->left) {
        if (iter->next >= map->capacity) {
#ifdef SHAPE_KEY_INT
            if (iter->aside) {
                iter->aside = false;
                *key = 0;
                *val = &map->zero_val;
                return true;
            }
#endif
            return false;
        }
        const struct slot *slots = &map->slots[iter->next];
        if (map->capacity < LINEAR_SCAN_SLOTS) {
            for (size_t i = 0; i < map->capacity; i++) iter->left |= (uint32_t)slot_in_use(&slots[i]) << i;
        } else {
            for (size_t i = 0; i < LINEAR_SCAN_SLOTS; i++)
                iter->left |= (uint32_t)slot_in_use(&slots[i]) << i;
        }
        iter->next += LINEAR_SCAN_SLOTS;
    }
    const struct slot *slot = &map->slots[iter->next - LINEAR_SCAN_SLOTS + (size_t)__builtin_ctz(iter->left)];
    iter->left &= iter->left - 1;
    *key = slot->key;
    *val = &slot->val;
    return true;
}

/* Slots from an entry's home to its place, both included; 0: a free slot lies between. */
static size_t linear_probe_length(const struct map *map, size_t place) {
    size_t steps = 1;
    for (size_t at = linear_home(map, linear_hash(map->slots[place].key)); at != place;
         at = (at + 1) & map->mask) {
        if (!slot_in_use(&map->slots[at])) return 0;
        steps++;
    }
    return steps;
}

static const char *map_check(struct map *map) {
    size_t in_use = 0;
    if (map->capacity == 0) {
        if (map->mask != 0 || map->limit != 0 || slot_in_use(&map->slots[0]))
            return "the shared free slot is not free";
    } else if (map->mask != map->capacity - 1 || (map->capacity & map->mask) != 0) {
        return "the capacity is not a power of two";
    }
    for (size_t i = 0; i < map->capacity; i++) {
        const struct slot *slot = &map->slots[i];
        if (!slot_in_use(slot)) continue;
        in_use++;
        if (slot_hash(slot) != linear_hash(slot->key)) return "a stored hash is not its key's";
        if (linear_probe_length(map, i) == 0) return "a free slot lies between an entry's home and its place";
        for (size_t at = linear_home(map, slot_hash(slot)); at != i; at = (at + 1) & map->mask)
            if (slot_holds(&map->slots[at], slot->key, slot_hash(slot))) return "a key is stored twice";
    }
    if (in_use + ZERO_COUNT(map) != map->len) return "the length is not the number of slots in use";
    return in_use <= map->limit ? NULL : "more slots in use than the maximum load allows";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = ZERO_COUNT(map);
    out->array_bytes = (map->capacity + line_spare(map->capacity, sizeof(struct slot))) * sizeof(struct slot);
    out->probe_max = steps;
    for (size_t i = 0; i < map->capacity; i++) {
        if (!slot_in_use(&map->slots[i])) continue;
        size_t length = linear_probe_length(map, i);
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
