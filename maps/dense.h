/* dense: all entries in one array, in the order of their insertion, and an index of their positions.
 *
 * Words:      an entry's POSITION is its place in the array; an index slot's WORD holds a position and, in
 *             the bits that positions do not need, a TAG of hash bits; an entry's HOME is the index slot
 *             that the middle hash bits name (maps/home.h).
 *
 *             entries  [ k v | k v | k v | k v |  ...room... ]     0 .. len - 1, without gaps
 *             index    [ 0 | tag,1 | 0 | tag,3 | tag,2 | 0 ... ]   0: free, otherwise position + 1
 *
 *             A scan is a walk over the array. A lookup probes the index linearly and reads an entry only
 *             if the tag agrees (all hash bits that fit: 11 of 32 at a million entries). Deletion moves the
 *             last entry into the gap, which ends insertion order, and closes the gap in the index by
 *             moving words back. Words are 32 bits up to 2^DENSE_NARROW_BITS index slots, 64 bits beyond.
 *             String entries keep their hash, so that neither growth nor deletion reads a text.
 *             Filled in the walk order of another map, the index would fill up corner by corner. One insert
 *             in 128 looks whether its word is pushed far by more than chance, and the arrays double early if
 * so. Source:     Raymond Hettinger's compact dict (Python 3.6, Objects/dictobject.c) with the deletion of
 *             ankerl::unordered_dense; Knuth's backward shift (TAOCP vol. 3, 6.4, algorithm R).
 * Invariants: every position has one word, with its key's tag, and there are no other words; no index slot
 *             is free from an entry's home to its word; no key twice; len <= room <= 5/8 of the index.
 * Cost:       a hit reads a line of the index and then one of entries. Per entry one entry over 0.5 to 1
 *             and 4 bytes over 0.3125 to 0.625: 22 to 45 bytes for 8-byte keys and values. Deletion reads
 *             the keys of the words behind, and finds the last entry's word: four or five cache lines.
 */
#include "maps/kept_hash.h"
#include "maps/home.h"
#include "maps/sizing.h"

static const struct map_facts map_facts = {
    .summary = "insertion-ordered array of entries with a compact index",
    .source = "Hettinger's compact dict (Python 3.6); deletion as ankerl::unordered_dense",
    .invariants =
        "one word a position, tag right; no free slot between home and word; no key twice; len <= room",
    .cost = "a scan is a walk over an array; a hit reads index and entry; entry / 0.5 to 1 + 4 / 0.3125 to "
            "0.625 bytes",
    .options = "index max load 5/8, growth x2, early where crowded, 32-bit words (64-bit from 2^29 slots), "
               "string entries keep the hash",
    .fairness =
        "fastest scans by layout; a delete moves the last entry, so slots are not stable and order is lost",
    .package = NULL,
    .traits = TRAIT_INSERTION_ORDER,
};

/* At 2^28 slots, 167 million entries, a 32-bit word still has 4 bits of tag. */
#ifndef DENSE_NARROW_BITS
#define DENSE_NARROW_BITS 28
#endif

enum { DENSE_INDEX_MIN = 8, DENSE_LOAD_NUM = 5, DENSE_LOAD_DEN = 8 };
enum {
    DENSE_FAR = 32,     /* index slots from home to a free one, which chance makes of some */
    DENSE_CROWDED = 24, /* words pushed past an index slot, which it does not */
};
static const size_t DENSE_NOWHERE = SIZE_MAX;

struct entry {
    struct kept_hash kept;
    map_key key;
    map_val val;
};

struct map {
    void *index; /* mask + 1 words */
    struct entry *entries;
    size_t mask;
    bool wide; /* words have 64 bits */
    size_t len;
    size_t room;         /* entries that the arrays take */
    size_t ask;          /* len at which an insert asks whether to grow (maps/home.h) */
    void *entries_block; /* what the entries were allocated as */
    HEAP_FIELD
};

HEAP_TYPE(dense_entry_type, struct entry, HEAP_KEY(struct entry, key) HEAP_VAL(struct entry, val))
HEAP_TYPE(dense_map_type, struct map, HEAP_POINTER(struct map, index) HEAP_POINTER(struct map, entries_block))
#define MAP_HEAP_TYPES(TYPE) TYPE(struct entry, dense_entry_type) TYPE(struct map, dense_map_type)

/* The arrays of maps without arrays. Nothing writes to them. */
static const uint32_t dense_no_index[1];
static const struct entry dense_no_entries[1];

MAP_INLINE uint64_t entry_hash(const struct entry *entry) {
    return kept_hash_of(&entry->kept, &entry->key);
}

MAP_INLINE bool entry_holds(const struct entry *entry, map_key key, uint64_t hash) {
    return kept_hash_holds(&entry->kept, &entry->key, key, hash);
}

/* --- the index; `wide` is a literal in every caller on a hot path, and folds --- */

MAP_INLINE uint64_t word_at(const struct map *map, size_t at, bool wide) {
    return wide ? ((const uint64_t *)map->index)[at] : ((const uint32_t *)map->index)[at];
}

MAP_INLINE void word_set(struct map *map, size_t at, uint64_t word, bool wide) {
    if (wide)
        ((uint64_t *)map->index)[at] = word;
    else
        ((uint32_t *)map->index)[at] = (uint32_t)word;
}

/* The tag: all low hash bits that the word has beside a position. */
MAP_INLINE uint64_t word_tag(const struct map *map, uint64_t hash, bool wide) {
    return (wide ? hash : (uint32_t)hash) & ~(uint64_t)map->mask;
}

MAP_INLINE size_t word_position(const struct map *map, uint64_t word) {
    return (word & map->mask) - 1;
}

MAP_INLINE size_t dense_home(const struct map *map, uint64_t hash) {
    return hash_turned(hash) & map->mask;
}
MAP_INLINE size_t dense_next(const struct map *map, size_t at) {
    return (at + 1) & map->mask;
}

/* The index slot of a key; DENSE_NOWHERE: it is absent, and *free_slot is where its word belongs. */
MAP_INLINE size_t dense_find_in(const struct map *map, map_key key, uint64_t hash, size_t *free_slot,
                                bool wide) {
    uint64_t tag = word_tag(map, hash, wide);
    for (size_t at = dense_home(map, hash);; at = dense_next(map, at)) {
        uint64_t word = word_at(map, at, wide);
        if (word == 0) {
            *free_slot = at;
            return DENSE_NOWHERE;
        }
        if ((word & ~(uint64_t)map->mask) != tag) continue;
        if (__builtin_expect(entry_holds(&map->entries[word_position(map, word)], key, hash), 1)) return at;
    }
}

static __attribute__((noinline)) size_t dense_find_wide(const struct map *map, map_key key, uint64_t hash,
                                                        size_t *free_slot) {
    return dense_find_in(map, key, hash, free_slot, true);
}

MAP_INLINE size_t dense_find(const struct map *map, map_key key, uint64_t hash, size_t *free_slot) {
    if (__builtin_expect(map->wide, 0)) return dense_find_wide(map, key, hash, free_slot);
    return dense_find_in(map, key, hash, free_slot, false);
}

/* Stores the words of all entries into an empty index. */
MAP_INLINE void dense_fill_index(struct map *map, bool wide) {
    for (size_t i = 0; i < map->len; i++) {
        uint64_t hash = entry_hash(&map->entries[i]);
        size_t at = dense_home(map, hash);
        while (word_at(map, at, wide) != 0) at = dense_next(map, at);
        word_set(map, at, word_tag(map, hash, wide) | (i + 1), wide);
    }
}

/* --- arrays --- */

/* Gives the map new arrays, the index empty, and leaves it as it was (false) when memory runs out. */
static bool dense_allocate(struct map *map, size_t capacity) {
    if (capacity == 0 || capacity > SIZE_MAX / 16) return false;
    bool wide = capacity - 1 >= (size_t)1 << DENSE_NARROW_BITS;
    size_t room = load_limit(capacity, DENSE_LOAD_NUM, DENSE_LOAD_DEN);
    void *index = wide ? (void *)HEAP_NEW_ZEROED(HEAP_OF(map), uint64_t, capacity)
                       : (void *)HEAP_NEW_ZEROED(HEAP_OF(map), uint32_t, capacity);
    size_t spare = line_spare(room, sizeof(struct entry));
    struct entry *entries = index ? HEAP_NEW(HEAP_OF(map), struct entry, room + spare) : NULL;
    if (!entries) {
        HEAP_FREE(HEAP_OF(map), index);
        return false;
    }
    HEAP_STORE(HEAP_OF(map), &map->index, index);
    HEAP_STORE(HEAP_OF(map), &map->entries_block, entries);
    map->entries = (struct entry *)line_start(entries, spare);
    map->mask = capacity - 1;
    map->wide = wide;
    map->room = room;
    map->ask = next_ask(map->len, room);
    return true;
}

static void dense_free_arrays(struct map *map) {
    if (map->room) HEAP_FREE(HEAP_OF(map), map->index);
    HEAP_FREE(HEAP_OF(map), map->entries_block);
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->index = (void *)(uintptr_t)dense_no_index;
    map->entries = (struct entry *)(uintptr_t)dense_no_entries;
    if (hint == 0 || dense_allocate(map, capacity_for(hint, DENSE_INDEX_MIN, DENSE_LOAD_NUM, DENSE_LOAD_DEN)))
        return map;
    HEAP_FREE(heap, map);
    return NULL;
}

static void map_destroy(struct map *map) {
    dense_free_arrays(map);
    HEAP_FREE(HEAP_OF(map), map);
}

/* Doubles both arrays; false: out of memory, nothing changed. */
static __attribute__((noinline)) bool dense_grow(struct map *map) {
    struct map old = *map;
    if (!dense_allocate(map, old.room ? (old.mask + 1) * 2 : DENSE_INDEX_MIN)) return false;
    if (old.len) memcpy(map->entries, old.entries, old.len * sizeof(struct entry));
    if (map->wide)
        dense_fill_index(map, true);
    else
        dense_fill_index(map, false);
    dense_free_arrays(&old);
    return true;
}

/* --- the interface --- */

MAP_INLINE struct entry *dense_entry(const struct map *map, size_t at) {
    return &map->entries[word_position(map, word_at(map, at, map->wide))];
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    size_t free_slot, at = dense_find(map, key, key_hash(key), &free_slot);
    return at == DENSE_NOWHERE ? NULL : &dense_entry(map, at)->val;
}

/* Whether too many of the words from index slot `home` to the free one `end` come from there or before. */
static bool dense_crowded(const struct map *map, size_t home, size_t end) {
    size_t pushed = 0;
    if (((end - home) & map->mask) <= DENSE_FAR) return false;
    for (size_t at = home; at != end && pushed <= DENSE_CROWDED; at = dense_next(map, at)) {
        size_t behind = (at - dense_home(map, entry_hash(dense_entry(map, at)))) & map->mask;
        pushed += behind >= ((at - home) & map->mask);
    }
    return pushed > DENSE_CROWDED;
}

/* Doubles the arrays if they are full, or the index is crowded around the free slot for a new word. False:
 * full, and out of memory. */
static __attribute__((noinline)) bool dense_ask(struct map *map, uint64_t hash, size_t free_slot) {
    bool full = map->len >= map->room;
    if ((full || dense_crowded(map, dense_home(map, hash), free_slot)) && dense_grow(map)) return true;
    map->ask = next_ask(map->len, map->room);
    return !full;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    uint64_t hash = key_hash(key);
    size_t free_slot = 0, at = dense_find(map, key, hash, &free_slot);
    if (at != DENSE_NOWHERE) return &dense_entry(map, at)->val;
    if (__builtin_expect(map->len >= map->ask, 0)) {
        if (!dense_ask(map, hash, free_slot)) return NULL;
        dense_find(map, key, hash, &free_slot);
    }
    struct entry *entry = &map->entries[map->len++];
    word_set(map, free_slot, word_tag(map, hash, map->wide) | map->len, map->wide);
    kept_hash_set(&entry->kept, hash);
    entry->key = key;
    return &entry->val;
}

/* Frees an index slot: words behind it move back into the hole unless their home lies behind the hole. */
MAP_INLINE void dense_remove_word(struct map *map, size_t hole, bool wide) {
    uint64_t word;
    for (size_t at = dense_next(map, hole); (word = word_at(map, at, wide)) != 0; at = dense_next(map, at)) {
        size_t home = dense_home(map, entry_hash(&map->entries[word_position(map, word)]));
        if (((at - home) & map->mask) < ((at - hole) & map->mask)) continue;
        word_set(map, hole, word, wide);
        hole = at;
    }
    word_set(map, hole, 0, wide);
}

/* Deletes the entry of an index slot and fills its gap with the last entry. */
MAP_INLINE void dense_remove(struct map *map, size_t at, bool wide) {
    size_t gap = word_position(map, word_at(map, at, wide)), last = map->len - 1;
    dense_remove_word(map, at, wide);
    if (gap != last) {
        uint64_t hash = entry_hash(&map->entries[last]), word = word_tag(map, hash, wide) | map->len;
        at = dense_home(map, hash);
        while (word_at(map, at, wide) != word) at = dense_next(map, at);
        word_set(map, at, word_tag(map, hash, wide) | (gap + 1), wide);
        map->entries[gap] = map->entries[last];
    }
    HEAP_DROP(HEAP_OF(map), &map->entries[last]);
    map->len = last;
}

static __attribute__((noinline)) void dense_remove_wide(struct map *map, size_t at) {
    dense_remove(map, at, true);
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    size_t free_slot, at = dense_find(map, key, key_hash(key), &free_slot);
    if (at == DENSE_NOWHERE) return false;
    if (__builtin_expect(map->wide, 0))
        dense_remove_wide(map, at);
    else
        dense_remove(map, at, false);
    return true;
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->len;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->room;
}

static size_t dense_index_bytes(const struct map *map) {
    return map->room ? (map->mask + 1) * (map->wide ? sizeof(uint64_t) : sizeof(uint32_t)) : 0;
}

static void map_clear(struct map *map) {
    if (map->len) memset(map->index, 0, dense_index_bytes(map));
    for (size_t i = 0; i < map->len; i++) HEAP_DROP(HEAP_OF(map), &map->entries[i]);
    map->len = 0;
    map->ask = next_ask(0, map->room);
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy || map->room == 0) return copy;
    if (!dense_allocate(copy, map->mask + 1)) {
        map_destroy(copy);
        return NULL;
    }
    memcpy(copy->index, map->index, dense_index_bytes(map));
    memcpy(copy->entries, map->entries, map->len * sizeof(struct entry));
    copy->len = map->len;
    return copy;
}

struct map_iter {
    const struct entry *next, *end;
};
#define MAP_ITER_POINTERS(POINTER, walk) POINTER(walk, next)

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->next = map->entries;
    iter->end = map->entries + map->len;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (iter->next == iter->end) return false;
    *key = iter->next->key;
    *val = &iter->next->val;
    iter->next++;
    return true;
}

/* Index slots from an entry's home to the one given, both included; 0: a free one lies between. */
static size_t dense_probe_length(const struct map *map, size_t slot) {
    size_t steps = 1;
    for (size_t at = dense_home(map, entry_hash(dense_entry(map, slot))); at != slot;
         at = dense_next(map, at)) {
        if (word_at(map, at, map->wide) == 0) return 0;
        steps++;
    }
    return steps;
}

static const char *dense_check_word(struct map *map, size_t at) {
    uint64_t word = word_at(map, at, map->wide);
    if (word_position(map, word) >= map->len) return "a word holds a position without an entry";
    const struct entry *entry = dense_entry(map, at);
    uint64_t hash = key_hash(entry->key);
    size_t free_slot;
    if (entry_hash(entry) != hash) return "a stored hash is not its key's";
    if ((word & ~(uint64_t)map->mask) != word_tag(map, hash, map->wide)) return "a tag is not its key's";
    if (dense_probe_length(map, at) == 0)
        return "a free index slot lies between an entry's home and its word";
    return dense_find(map, entry->key, hash, &free_slot) == at ? NULL : "a key is stored twice";
}

/* Finds as many words as entries, each by the key of its own entry: so no entry has two. */
static const char *map_check(struct map *map) {
    size_t words = 0;
    if (map->len > map->room) return "more entries than the arrays take";
    if (map->mask & (map->mask + 1)) return "the index is not a power of two";
    if (map->room && map->room != load_limit(map->mask + 1, DENSE_LOAD_NUM, DENSE_LOAD_DEN))
        return "the room is not the index's maximum load";
    for (size_t i = 0; i <= map->mask; i++) {
        if (word_at(map, i, map->wide) == 0) continue;
        const char *fault = dense_check_word(map, i);
        if (fault) return fault;
        words++;
    }
    return words == map->len ? NULL : "there are not as many words as entries";
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    if (map->room)
        out->array_bytes = dense_index_bytes(map) +
                           (map->room + line_spare(map->room, sizeof(struct entry))) * sizeof(struct entry);
    for (size_t i = 0; i <= map->mask; i++) {
        if (word_at(map, i, map->wide) == 0) continue;
        size_t length = dense_probe_length(map, i);
        steps += length;
        if (length > out->probe_max) out->probe_max = length;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
