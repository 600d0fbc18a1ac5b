/* swiss_flat: a Swiss table: open addressing over groups of slots, found by control bytes.
 *
 * Words:      a CONTROL BYTE says of one slot whether it is empty, deleted (a TOMBSTONE) or holds an entry,
 *             and then keeps the TAG, 8 bits of its hash; a GROUP is 16 slots whose control bytes are
 *             compared at once (8 where the machine has no vectors; maps/group.h). An entry's HOME is the
 *             slot that the middle hash bits name (maps/home.h); the PROBE begins with the home's group and
 * goes on in steps of 1, 2, 3 ... groups, which visits every group of a power of two once.
 *
 *             ctrl   [ t t - t  t t t -  - t t t  - - t t ][ next group ...    one byte a slot
 *             slots  [ kv kv .. kv ...                    ][ next group ...    their own array
 *
 *             A lookup reads the group's 16 control bytes, then only slots whose tag matches; an empty byte
 *             ends it. The slots of a group span several cache lines. An entry is put into its home's line
 *             if that has a free slot, and a lookup fetches that line along with the control bytes instead
 *             of after them. With half a million entries and more, hits take 15 to 20 % less time for it
 *             and misses 4 % more (Zen 5, virtual machine).
 *
 *             A table of less than a group, 4 or 8 slots, has the control bytes of a whole one. Those
 *             without a slot stay empty for ever: they end every probe, and are never chosen, as the first
 *             free byte has a slot.
 *
 *             Deleting from a group that has an empty byte makes the slot empty: every probe through the
 *             group ends there anyhow. Only a full group leaves a tombstone, as an entry may have been
 *             pushed past it; so no group has both. An insert takes a slot of the first group of its probe
 *             that has a free one, tombstones included. When none but tombstones are left to spare, the
 *             table is rehashed in place if it is at most 25/32 full and doubled otherwise: each rehash
 *             makes room for at least 3/32 of the capacity, so that churn at constant size costs a constant
 *             amount and neither slows down nor grows for ever.
 *             Filled in the walk order of another map, the table would fill up corner by corner. One insert
 * in 128 looks whether its groups are full by more than chance, and the table doubles early if so. Source:
 * absl::flat_hash_map (Benzaquen, Evlogimenos, Kulukundis and Perepelitsa, Google;
 *             absl/container/internal/raw_hash_set.h, 25/32 from there); whole aligned groups as in folly
 *             F14 and Go 1.24. Preferring a line and fetching it early is this project's.
 * Invariants: a full slot has its key's tag; from the group of an entry's home to its own every group is
 *             without empty byte; no key twice; no tombstone in a group with an empty byte; len, tombstones
 *             and room recounted; bytes without a slot empty; some byte empty.
 * Cost:       a hit reads a line of control bytes and a line of slots; a miss the control bytes, a line of
 *             slots in vain and, with 6 % probability at most, a wrong slot. Per entry one slot and one
 *             byte over the load of 0.4375 to 0.875: 19 to 39 bytes for 8-byte keys and values.
 */
#include "maps/group.h"
#include "maps/home.h"
#include "maps/sizing.h"

static const struct map_facts map_facts = {
    .summary = "Swiss table: groups of control bytes, flat slots",
    .source = "absl::flat_hash_map (raw_hash_set.h); aligned groups as in F14 and Go 1.24",
    .invariants =
        "tags right; no empty byte between home and entry; no key twice; len, tombstones, room right",
    .cost = "a hit reads two cache lines, a miss one; (slot + 1 byte) / 0.4375 to 0.875 per entry",
    .options = "max load 7/8, growth x2, early where crowded, rehash in place up to 25/32, 254 tags, "
               "groups: " GROUP_KIND,
    .fairness =
        "a kind of absl::flat_hash_map, but with 8-bit tags, aligned groups and early fetches of slots",
    .package = NULL,
    .traits = TRAIT_TOMBSTONES,
};

struct slot {
    map_key key;
    map_val val;
};

enum {
    SWISS_CAPACITY_MIN = 4,
    SWISS_LOAD_NUM = 7,
    SWISS_LOAD_DEN = 8,
    SWISS_CROWD = 64, /* groups before a home that tell whether the table is crowded there */
    /* slots of a cache line, as a power of two, and at least two lines a group */
    SWISS_LINE_SLOTS = sizeof(struct slot) <= 8    ? GROUP_SLOTS / 2
                       : sizeof(struct slot) <= 16 ? 4
                       : sizeof(struct slot) <= 32 ? 2
                                                   : 1,
};

struct map {
    uint8_t *ctrl;
    struct slot *slots;
    size_t home_mask; /* capacity - 1; 0 while ctrl is the shared empty group */
    size_t len;
    size_t capacity; /* slots; 0 while ctrl is the shared empty group */
    size_t room;     /* empty slots that may be filled before an insert asks whether to grow (maps/home.h) */
    size_t spare;    /* further ones, before the table grows or is rehashed */
    void *ctrl_block, *slots_block; /* what the arrays were allocated as */
    HEAP_FIELD
};

HEAP_TYPE(swiss_slot_type, struct slot, HEAP_KEY(struct slot, key) HEAP_VAL(struct slot, val))
HEAP_TYPE(swiss_map_type, struct map,
          HEAP_POINTER(struct map, ctrl_block) HEAP_POINTER(struct map, slots_block))
#define MAP_HEAP_TYPES(TYPE) TYPE(struct slot, swiss_slot_type) TYPE(struct map, swiss_map_type)

/* The arrays of maps without arrays. Nothing writes to them: there is no room. The slot is prefetched. */
static const _Alignas(16) uint8_t swiss_no_ctrl[GROUP_SLOTS];
static const struct slot swiss_no_slots[1];

/* A table of less than a group may fill all its slots: the bytes without a slot end the probes. */
static size_t swiss_limit(size_t capacity) {
    return capacity < GROUP_SLOTS ? capacity : load_limit(capacity, SWISS_LOAD_NUM, SWISS_LOAD_DEN);
}

/* Shares out the empty slots that may still be filled: those until the next insert that asks, and the rest.
 */
static void swiss_set_room(struct map *map, size_t left) {
    size_t limit = swiss_limit(map->capacity);
    map->room = next_ask(limit - left, limit) - (limit - left);
    map->spare = left - map->room;
}

/* Gives the map new, empty arrays, and leaves it as it was (false) when memory runs out. */
static bool swiss_allocate(struct map *map, size_t capacity) {
    if (capacity == 0 || capacity > SIZE_MAX / 2) return false;
    size_t ctrl_bytes = capacity < GROUP_SLOTS ? GROUP_SLOTS : capacity;
    if (!two_arrays_new(map, ctrl, ctrl_bytes, slots, capacity)) return false;
    map->home_mask = capacity - 1;
    map->capacity = capacity;
    swiss_set_room(map, swiss_limit(capacity));
    return true;
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->ctrl = (uint8_t *)(uintptr_t)swiss_no_ctrl;
    map->slots = (struct slot *)(uintptr_t)swiss_no_slots;
    if (hint == 0) return map;
    size_t small = hint <= SWISS_CAPACITY_MIN ? SWISS_CAPACITY_MIN : SWISS_CAPACITY_MIN * 2;
    size_t large = capacity_for(hint, GROUP_SLOTS, SWISS_LOAD_NUM, SWISS_LOAD_DEN);
    if (swiss_allocate(map, small < GROUP_SLOTS && hint <= small ? small : large)) return map;
    HEAP_FREE(heap, map);
    return NULL;
}

static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map->ctrl_block);
    HEAP_FREE(HEAP_OF(map), map->slots_block);
    HEAP_FREE(HEAP_OF(map), map);
}

/* The slot whose line an entry would rather be in, and whose group its probe begins with. */
MAP_INLINE size_t swiss_home(const struct map *map, uint64_t hash) {
    return hash & map->home_mask;
}

/* The first slot of a slot's group. */
MAP_INLINE size_t swiss_group(size_t slot) {
    return slot & ~(size_t)(GROUP_SLOTS - 1);
}

/* The next group of a probe; `step` counts slots from 0. */
MAP_INLINE size_t swiss_next(const struct map *map, size_t group, size_t *step) {
    return (group + (*step += GROUP_SLOTS)) & map->home_mask;
}

/* One of the free slots of a group, in that line if there is one. Bytes without a slot are never chosen: the
 * first free byte of any line that has one with a slot, and of the group, has a slot. */
MAP_INLINE size_t swiss_choose(group_mask spare, size_t home) {
    const group_mask a_line = ((group_mask)1 << SWISS_LINE_SLOTS * GROUP_STRIDE) - 1;
    size_t line = home & (GROUP_SLOTS - SWISS_LINE_SLOTS);
    group_mask near = spare & a_line << line * GROUP_STRIDE;
    return group_first(near ? near : spare);
}

/* The slot for an entry with this home that is not there yet. */
MAP_INLINE size_t swiss_first_free(const struct map *map, size_t home) {
    for (size_t group = swiss_group(home), step = 0;; group = swiss_next(map, group, &step)) {
        group_mask spare = group_match_free(group_load(map->ctrl + group));
        if (spare) return group + swiss_choose(spare, home);
    }
}

MAP_INLINE void swiss_prefetch_text(const struct slot *slot) {
#ifdef SHAPE_KEY_STR
    __builtin_prefetch(slot->key.text);
#else
    (void)slot;
#endif
}

/* Doubles the table; false: out of memory, nothing changed. The old groups are read in order, and an entry's
 * new home is its old one or that plus the old number of groups: three arrays walked in sequence. The texts
 * of strings, which must be hashed again, are anywhere: those of the next group are fetched while this one
 * moves. Hot: gcc compiles for size what only cold code calls. */
static __attribute__((noinline, hot)) bool swiss_grow(struct map *map) {
    struct map old = *map;
    if (!swiss_allocate(map, old.capacity ? old.capacity * 2 : SWISS_CAPACITY_MIN)) return false;
    for (size_t base = 0; base < old.capacity; base += GROUP_SLOTS) {
        if (base + GROUP_SLOTS < old.capacity) {
            group_mask ahead = group_match_full(group_load(old.ctrl + base + GROUP_SLOTS));
            for (; ahead; ahead = group_rest(ahead))
                swiss_prefetch_text(&old.slots[base + GROUP_SLOTS + group_first(ahead)]);
        }
        for (group_mask full = group_match_full(group_load(old.ctrl + base)); full; full = group_rest(full)) {
            const struct slot *from = &old.slots[base + group_first(full)];
            uint64_t hash = home_hash(from->key);
            size_t place = swiss_first_free(map, swiss_home(map, hash));
            map->ctrl[place] = group_tag(hash);
            map->slots[place] = *from;
        }
    }
    swiss_set_room(map, swiss_limit(map->capacity) - map->len);
    HEAP_FREE(HEAP_OF(map), old.ctrl_block);
    HEAP_FREE(HEAP_OF(map), old.slots_block);
    return true;
}

/* Rehashes in place. First every tombstone becomes empty and every entry is marked as not yet placed, by the
 * byte of a tombstone; then each entry in turn goes to the first slot of its probe that is free or not yet
 * placed. If an entry that is not yet placed sits there, the two change places and it is that one's turn. */
static __attribute__((noinline, hot)) void swiss_rehash_in_place(struct map *map) {
    for (size_t i = 0; i < map->capacity; i++)
        map->ctrl[i] = map->ctrl[i] >= CTRL_TAG_MIN ? CTRL_DELETED : CTRL_EMPTY;
    for (size_t i = 0; i < map->capacity;) {
        if (map->ctrl[i] != CTRL_DELETED) {
            i++;
            continue;
        }
        uint64_t hash = home_hash(map->slots[i].key);
        size_t place = swiss_first_free(map, swiss_home(map, hash));
        if (place / GROUP_SLOTS == i / GROUP_SLOTS) { /* already in the best group: stay */
            map->ctrl[i++] = group_tag(hash);
            continue;
        }
        bool swap = map->ctrl[place] == CTRL_DELETED;
        struct slot other = map->slots[place];
        map->ctrl[place] = group_tag(hash);
        map->slots[place] = map->slots[i];
        if (swap) {
            map->slots[i] = other;
        } else {
            map->ctrl[i] = CTRL_EMPTY;
            HEAP_DROP(HEAP_OF(map), &map->slots[i]);
            i++;
        }
    }
    swiss_set_room(map, swiss_limit(map->capacity) - map->len);
}

/* Whether nearly all of the groups up to that of `home` are without empty byte: by chance it is less than
 * half of them. */
static bool swiss_crowded(const struct map *map, size_t home) {
    size_t without = 0;
    for (size_t i = 0, group = swiss_group(home); i < SWISS_CROWD;
         i++, group = (group - GROUP_SLOTS) & map->home_mask)
        without += !group_match_empty(group_load(map->ctrl + group));
    return without >= SWISS_CROWD - SWISS_CROWD / 16;
}

/* Makes room for one more entry, with this home and step of its probe; false: out of memory, nothing changed.
 */
static __attribute__((noinline, cold)) bool swiss_ask(struct map *map, size_t home, size_t step) {
    if (map->spare == 0 && (map->capacity <= GROUP_SLOTS || map->len > map->capacity / 32 * 25))
        return swiss_grow(map);
    if (map->spare == 0) return swiss_rehash_in_place(map), true;
    if (!step || !swiss_crowded(map, home) || !swiss_grow(map)) swiss_set_room(map, map->spare);
    return true;
}

/* The slot with this key, or NULL. The line that it most likely is in is fetched along with the control bytes
 * instead of after them. */
MAP_INLINE struct slot *swiss_find(const struct map *map, map_key key, uint64_t hash) {
    size_t home = swiss_home(map, hash);
    group_bytes tags = group_tags(hash);
    __builtin_prefetch(&map->slots[home]);
    for (size_t group = swiss_group(home), step = 0;; group = swiss_next(map, group, &step)) {
        group_bytes bytes = group_load(map->ctrl + group);
        for (group_mask match = group_match(bytes, tags); match; match = group_rest(match)) {
            struct slot *slot = &map->slots[group + group_first(match)];
            if (__builtin_expect(key_equal(slot->key, key), 1)) return slot;
        }
        if (__builtin_expect(group_match_empty(bytes) != 0, 1)) return NULL;
    }
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    struct slot *slot = swiss_find(map, key, home_hash(key));
    return slot ? &slot->val : NULL;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    uint64_t hash = home_hash(key);
    size_t home = swiss_home(map, hash);
    group_bytes tags = group_tags(hash);
    size_t group = swiss_group(home), step = 0;
    group_mask empty;
    __builtin_prefetch(&map->slots[home]);
    for (;; group = swiss_next(map, group, &step)) {
        group_bytes bytes = group_load(map->ctrl + group);
        for (group_mask match = group_match(bytes, tags); match; match = group_rest(match)) {
            struct slot *slot = &map->slots[group + group_first(match)];
            if (__builtin_expect(key_equal(slot->key, key), 1)) return &slot->val;
        }
        empty = group_match_empty(bytes);
        if (__builtin_expect(empty != 0, 1)) break;
    }
    /* A group with an empty byte has no tombstone, but those before it may have. */
    size_t place = step ? swiss_first_free(map, home) : group + swiss_choose(empty, home);
    bool fills_empty = !step || map->ctrl[place] == CTRL_EMPTY;
    if (__builtin_expect(map->room < fills_empty, 0)) {
        if (!swiss_ask(map, home, step)) return NULL;
        place = swiss_first_free(map, swiss_home(map, home_hash(key)));
    }
    map->room -= fills_empty;
    map->len++;
    map->ctrl[place] = group_tag_of(tags);
    map->slots[place].key = key;
    return &map->slots[place].val;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    struct slot *slot = swiss_find(map, key, home_hash(key));
    if (!slot) return false;
    size_t place = (size_t)(slot - map->slots);
    bool has_empty = group_match_empty(group_load(map->ctrl + swiss_group(place))) != 0;
    map->ctrl[place] = has_empty ? CTRL_EMPTY : CTRL_DELETED;
    HEAP_DROP(HEAP_OF(map), slot);
    map->room += has_empty;
    map->len--;
    return true;
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->len;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->capacity;
}

static void map_clear(struct map *map) {
    size_t limit = swiss_limit(map->capacity);
    if (map->room + map->spare != limit) memset(map->ctrl, CTRL_EMPTY, map->capacity);
    for (size_t i = 0; i < map->capacity; i++) HEAP_DROP(HEAP_OF(map), &map->slots[i]);
    map->len = 0;
    swiss_set_room(map, limit);
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy || map->capacity == 0) return copy;
    if (!swiss_allocate(copy, map->capacity)) {
        map_destroy(copy);
        return NULL;
    }
    memcpy(copy->ctrl, map->ctrl, map->capacity);
    memcpy(copy->slots, map->slots, map->capacity * sizeof(struct slot));
    copy->len = map->len;
    copy->room = map->room;
    copy->spare = map->spare;
    return copy;
}

struct map_iter {
    struct map *map;
    size_t next;     /* slot that the next group begins with */
    group_mask left; /* full slots of the group before it, not yet visited */
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
        iter->left = group_match_full(group_load(map->ctrl + iter->next));
        iter->next += GROUP_SLOTS;
    }
    const struct slot *slot = &map->slots[iter->next - GROUP_SLOTS + group_first(iter->left)];
    iter->left = group_rest(iter->left);
    *key = slot->key;
    *val = &slot->val;
    return true;
}

/* Groups from that of an entry's home to its own, both included; 0: one before the last has an empty byte. */
static size_t swiss_probe_length(const struct map *map, size_t place) {
    size_t group = swiss_group(swiss_home(map, home_hash(map->slots[place].key))), step = 0;
    for (; group != swiss_group(place); group = swiss_next(map, group, &step))
        if (group_match_empty(group_load(map->ctrl + group))) return 0;
    return step / GROUP_SLOTS + 1;
}

static const char *swiss_check_slot(const struct map *map, size_t i) {
    map_key key = map->slots[i].key;
    uint64_t hash = home_hash(key);
    if (map->ctrl[i] != group_tag(hash)) return "a control byte is not its key's tag";
    if (swiss_probe_length(map, i) == 0) return "an empty byte lies between an entry's home and its group";
    return swiss_find(map, key, hash) == &map->slots[i] ? NULL : "a key is stored twice";
}

static const char *map_check(struct map *map) {
    size_t full = 0, empty = 0, deleted = 0;
    size_t bytes = swiss_group(map->home_mask) + GROUP_SLOTS;
    if (map->capacity & (map->capacity - 1)) return "the capacity is not a power of two";
    if (map->home_mask != (map->capacity ? map->capacity - 1 : 0)) return "capacity and homes disagree";
    for (size_t i = 0; i < bytes; i++) {
        if (i >= map->capacity && map->ctrl[i] != CTRL_EMPTY) return "a byte without a slot is not empty";
        empty += map->ctrl[i] == CTRL_EMPTY;
        deleted += map->ctrl[i] == CTRL_DELETED;
        if (map->ctrl[i] == CTRL_DELETED && group_match_empty(group_load(map->ctrl + swiss_group(i))))
            return "a group has a tombstone and an empty byte";
        if (map->ctrl[i] < CTRL_TAG_MIN) continue;
        const char *fault = swiss_check_slot(map, i);
        if (fault) return fault;
        full++;
    }
    if (full != map->len) return "the length is not the number of full slots";
    if (full + deleted + map->room + map->spare != swiss_limit(map->capacity))
        return "the room left is miscounted";
    return empty ? NULL : "no byte is empty: a probe would not end";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    size_t slots = map->capacity + line_spare(map->capacity, sizeof(struct slot));
    if (map->capacity)
        out->array_bytes = swiss_group(map->home_mask) + GROUP_SLOTS + slots * sizeof(struct slot);
    for (size_t i = 0; i < map->capacity; i++) {
        out->tombstones += map->ctrl[i] == CTRL_DELETED;
        if (map->ctrl[i] < CTRL_TAG_MIN) continue;
        size_t length = swiss_probe_length(map, i);
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
