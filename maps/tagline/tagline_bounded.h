/* tagline_bounded.h: the option TAGLINE_BOUNDED of tagline.h, which includes it. No insert takes long, and no
 * growth needs twice the memory: the map is a directory of small tables, and a table that is full is split.
 *
 *     #define TAGLINE_NAME  counts
 *     #define TAGLINE_KEY   uint64_t
 *     #define TAGLINE_VALUE uint32_t
 *     #define TAGLINE_HASH(key) tagline_hash_u64(key)
 *     #define TAGLINE_BOUNDED
 *     #include "tagline.h"
 *
 * Functions and their meaning are those of tagline.h. A lookup reads one cache line more, the directory's.
 *
 * Words:      a TABLE is a map of tagline.h, struct NAME_table, of at most TAGLINE_TABLE_SLOTS slots. A PART
 *             is a table and its DEPTH: that many of the hash's bits from the 41st on are the same in all of
 *             its entries, the part's BITS. Tables take their homes from the five bits below. The directory
 *             has a PLACE for every value of the bits in use, with what a lookup needs of the part there;
 *             places come in CHUNKS of up to 256, by the lowest of the bits. Chunks are found by the others,
 *             and chunks that would be the same are one.
 *
 *             hash     [ chunk | place | home | .... | tag | ........ ]      bits 63-49, 48-41, 40-36, 31-24
 *
 *             A full table is split by the next bit of the hash: entries that have it set go to a new table,
 *             entries at home to the same slots. If a part's depth is that of its chunk, the chunk is copied
 *             before; if a chunk's is that of the directory, the list of chunks is. One insert so moves the
 *             entries of one table, 8 KiB of places, and 8 bytes for each chunk.
 *
 * Source:     extendible hashing: Fagin, Nievergelt, Pippenger and Strong, ACM TODS 4(3), 1979; bounded
 * tables split one by one: Go's maps since 1.24. Two levels, of which the lower is shared: this project.
 * License:    MIT, as the whole of mapbench.
 */
#define TB(name) TAGLINE_JOIN(TAGLINE_NAME, name)
#define TB_MAP struct TAGLINE_NAME
#define TB_PART struct TB(part)
#define TB_PLACE struct TB(place)

#ifndef TAGLINE_BOUNDED_H
#define TAGLINE_BOUNDED_H
/* Groups of a table that is split when it is full: a power of two, at most 32. More make fewer, longer
 * splits. */
#ifndef TAGLINE_TABLE_GROUPS
#define TAGLINE_TABLE_GROUPS 32
#endif
/* Bits of the hash that name a place within a chunk. */
#ifndef TAGLINE_CHUNK_DEPTH
#define TAGLINE_CHUNK_DEPTH 8
#endif
enum {
    TAGLINE_TABLE_SLOTS = TAGLINE_TABLE_GROUPS * TAGLINE_SLOTS,
    TAGLINE_PLACE_BIT = 41, /* the hash's bits from here on name places */
    TAGLINE_DEPTH_MAX = 64 - TAGLINE_PLACE_BIT
};
#endif

/* Sets the members of TAGLINE_FIELDS in a table, from those of the map. */
#ifndef TAGLINE_ADOPT
#ifdef TL_FIELDS_GIVEN
#error "define TAGLINE_ADOPT(table, map), which sets the members of TAGLINE_FIELDS in a table from the map's"
#endif
#define TAGLINE_ADOPT(table, map) ((void)(map))
#endif

#ifndef TAGLINE_TYPES_GIVEN
TB_PART {
    TL_MAP table;
    uint64_t bits;
    unsigned depth;
    size_t number;               /* in the order of the list */
    struct TB(part) * following; /* of all parts; NULL: none */
};

TB_PLACE {
    unsigned char *tags;
    TL_ENTRY *entries;
    size_t mask; /* the table's three fields */
    TB_PART *part;
};

TB_MAP {
    TB_PLACE **chunks;
    size_t chunk_mask; /* chunks in the list - 1, several of which may be one */
    size_t place_mask; /* places of a chunk - 1 */
    size_t len;
    size_t slots;            /* of all tables */
    TB_PART *first, *last;   /* of the list of parts */
    TB_PART *from;           /* where walks begin: the parts before have no entries */
    TB_PLACE **chunks_block; /* NULL: the map has taken no memory yet */
#ifdef TAGLINE_SEEDED_HASH
    struct tagline_seed seed;
#endif
    TAGLINE_FIELDS
};
#endif

#ifndef TAGLINE_TYPES_ONLY
/* The directory of maps without parts. Never written to. */
#if defined(__GNUC__)
__attribute__((unused))
#endif
static TB_PLACE TB(nowhere) = {(unsigned char *)(uintptr_t)tagline_nothing,
                               (TL_ENTRY *)(uintptr_t)tagline_nothing, 0, NULL};
#if defined(__GNUC__)
__attribute__((unused))
#endif
static TB_PLACE *TB(no_chunks)[1] = {&TB(nowhere)};

/* --- the directory --- */

TAGLINE_INLINE uint64_t TB(bits)(uint64_t hash) {
    return hash >> TAGLINE_PLACE_BIT;
}

/* The place that hashes with these bits lead to. */
TAGLINE_INLINE TB_PLACE *TB(place_of)(const TB_MAP *map, uint64_t bits) {
    return &map->chunks[(size_t)(bits >> TAGLINE_CHUNK_DEPTH) & map->chunk_mask]
                       [(size_t)bits & map->place_mask];
}

/* Bits that tell the chunk at `index` of the list from others. */
static inline unsigned TB(chunk_depth)(const TB_MAP *map, size_t index) {
    size_t half = (map->chunk_mask + 1) / 2;
    unsigned depth = 0;
    while (half && map->chunks[index] == map->chunks[index ^ half]) half /= 2;
    for (; half; half /= 2) depth++;
    return depth;
}

/* Has all places of a part say what its table is now. */
TAGLINE_APART void TB(point)(TB_MAP *map, TB_PART *part) {
    TB_PLACE place;
    place.tags = part->table.tags;
    place.entries = part->table.entries;
    place.mask = part->table.mask;
    place.part = part;
    bool within = part->depth <= TAGLINE_CHUNK_DEPTH; /* by bits of places alone */
    size_t first = (size_t)part->bits & map->place_mask, chunk = 0, step = 1;
    size_t place_step = within ? (size_t)1 << part->depth : map->place_mask + 1;
    if (!within) {
        step = (size_t)1 << (part->depth - TAGLINE_CHUNK_DEPTH);
        chunk = (size_t)(part->bits >> TAGLINE_CHUNK_DEPTH);
    }
    for (; chunk <= map->chunk_mask; chunk += step)
        for (size_t at = first; at <= map->place_mask; at += place_step) map->chunks[chunk][at] = place;
}

/* Doubles the only chunk; false: out of memory, nothing changed. */
static inline bool TB(double_places)(TB_MAP *map) {
    size_t places = map->place_mask + 1;
    TB_PLACE *old = map->chunks[0], *chunk = TAGLINE_NEW(map, TB_PLACE, 2 * places);
    if (!chunk) return false;
    memcpy(chunk, old, places * sizeof *chunk);
    memcpy(chunk + places, old, places * sizeof *chunk);
    map->chunks[0] = chunk;
    map->place_mask = 2 * places - 1;
    TAGLINE_DELETE(map, old);
    return true;
}

/* Doubles the list of chunks, each of which then stands there twice. */
static inline bool TB(double_chunks)(TB_MAP *map) {
    size_t count = map->chunk_mask + 1;
    TB_PLACE **chunks = TAGLINE_NEW(map, TB_PLACE *, 2 * count);
    if (!chunks) return false;
    memcpy(chunks, map->chunks, count * sizeof *chunks);
    memcpy(chunks + count, map->chunks, count * sizeof *chunks);
    TAGLINE_DELETE(map, map->chunks_block);
    map->chunks = map->chunks_block = chunks;
    map->chunk_mask = 2 * count - 1;
    return true;
}

/* Copies the chunk of these bits, which has that depth, for those that have the next bit set. */
static inline bool TB(split_chunk)(TB_MAP *map, uint64_t bits, unsigned depth) {
    size_t places = map->place_mask + 1, apart = (size_t)1 << depth;
    size_t index = (size_t)(bits >> TAGLINE_CHUNK_DEPTH) & (apart - 1);
    if (map->chunk_mask < apart && !TB(double_chunks)(map)) return false;
    TB_PLACE *copy = TAGLINE_NEW(map, TB_PLACE, places);
    if (!copy) return false;
    memcpy(copy, map->chunks[index], places * sizeof *copy);
    for (size_t at = index + apart; at <= map->chunk_mask; at += 2 * apart) map->chunks[at] = copy;
    return true;
}

/* Sees to it that the two halves of a part have different places; false: out of memory, nothing is lost. */
static inline bool TB(make_places)(TB_MAP *map, const TB_PART *part) {
    if (part->depth < TAGLINE_CHUNK_DEPTH) {
        while (map->place_mask >> part->depth == 0)
            if (!TB(double_places)(map)) return false;
        return true;
    }
    unsigned depth = part->depth - TAGLINE_CHUNK_DEPTH;
    size_t index = (size_t)(part->bits >> TAGLINE_CHUNK_DEPTH) & map->chunk_mask;
    return TB(chunk_depth)(map, index) > depth || TB(split_chunk)(map, part->bits, depth);
}

/* --- parts --- */

/* An empty part, not yet in the list; NULL: out of memory. */
static inline TB_PART *TB(new_part)(TB_MAP *map, size_t capacity) {
    TB_PART *part = TAGLINE_NEW(map, TB_PART, 1);
    if (!part) return NULL;
    memset(part, 0, sizeof *part);
    TAGLINE_ADOPT(&part->table, map);
#ifdef TAGLINE_SEEDED_HASH
    part->table.seed = map->seed;
#endif
    TL(set_empty)(&part->table);
    if (!capacity || TL(allocate)(&part->table, capacity)) return part;
    TAGLINE_DELETE(map, part);
    return NULL;
}

static inline void TB(append)(TB_MAP *map, TB_PART *part) {
    part->number = map->last ? map->last->number + 1 : 0;
    if (map->last)
        map->last->following = part;
    else
        map->first = map->from = part;
    map->last = part;
}

/* The first part, for all hashes, and a directory of one place. */
TAGLINE_APART bool TB(begin_parts)(TB_MAP *map) {
    TB_PLACE **chunks = TAGLINE_NEW(map, TB_PLACE *, 1);
    TB_PLACE *chunk = chunks ? TAGLINE_NEW(map, TB_PLACE, 1) : NULL;
    TB_PART *part = chunk ? TB(new_part)(map, 0) : NULL;
    if (!part) {
        TAGLINE_DELETE(map, chunk);
        TAGLINE_DELETE(map, chunks);
        return false;
    }
    chunks[0] = chunk;
    map->chunks = map->chunks_block = chunks;
    TB(append)(map, part);
    TB(point)(map, part);
    return true;
}

/* Whether some bit that is left tells the entries of a part from one another. */
static inline bool TB(can_split)(const TB_MAP *map, const TB_PART *part) {
    uint64_t all = ~(uint64_t)0, any = 0;
    struct TL(walk) walk;
    (void)map;
    if (part->depth >= TAGLINE_DEPTH_MAX) return false;
    if (part->table.len == 0) return true;
    for (TL(walk_start)(&part->table, &walk); TL(next)(&walk);) {
        uint64_t bits = TB(bits)(TAGLINE_HASH(walk.entry->key)) >> part->depth;
        all &= bits;
        any |= bits;
    }
    return all != any;
}

/* Moves the entries that have the bit set to an empty table of as many slots. Those at home keep their slots;
 * spills of both are placed again, and the spill bits made anew. */
static inline void TB(move)(TB_MAP *map, TL_MAP *from, TL_MAP *to, uint64_t bit) {
    (void)map;
    for (size_t at = 0; at <= from->mask; at += TAGLINE_BYTES) {
        unsigned char *tags = from->tags + at;
        TL_ENTRY *entries = TL(entries_at)(from, at), *there = TL(entries_at)(to, at);
        tagline_mask used = tagline_match_used(tagline_load(tags));
        tags[TAGLINE_SLOTS] = 0;
        if (at < from->mask) TL(fetch_keys)(tags + TAGLINE_BYTES, entries + TAGLINE_SLOTS);
        for (; used; used = tagline_rest(used)) {
            size_t slot = tagline_first(used);
            uint64_t hash = TAGLINE_HASH(entries[slot].key);
            if (!(TB(bits)(hash) & bit) || tagline_home(hash, from->mask) != at) continue;
            to->tags[at + slot] = tags[slot];
            there[slot] = entries[slot];
            tags[slot] = TAGLINE_FREE;
            TAGLINE_DROP(from, &entries[slot]);
            to->len++;
        }
    }
    from->spilled = 0;
    for (size_t at = 0; at <= from->mask; at += TAGLINE_BYTES) {
        TL_ENTRY *entries = TL(entries_at)(from, at);
        tagline_mask used = tagline_match_used(tagline_load(from->tags + at));
        for (; used; used = tagline_rest(used)) {
            size_t slot = tagline_first(used);
            uint64_t hash = TAGLINE_HASH(entries[slot].key);
            if (TAGLINE_LIKELY(tagline_home(hash, from->mask) == at)) continue;
            TL_ENTRY spill = entries[slot], *placed;
            TL_MAP *table = TB(bits)(hash) & bit ? to : from;
            from->tags[at + slot] = TAGLINE_FREE;
            placed = TL(place)(table, spill.key, hash);
            placed->value = spill.value;
            if (placed != &entries[slot]) TAGLINE_DROP(from, &entries[slot]);
            to->len += table == to;
        }
    }
    from->len -= to->len;
    from->deleted = 0;
    from->spill_limit = from->spilled + TL(spill_room)(from);
    to->spill_limit = to->spilled + TL(spill_room)(to);
}

/* Splits a part by its next bit; false: out of memory, nothing is lost. */
static inline bool TB(split)(TB_MAP *map, TB_PART *part) {
    uint64_t bit = (uint64_t)1 << part->depth;
    if (!TB(make_places)(map, part)) return false;
    TB_PART *other = TB(new_part)(map, part->table.capacity);
    if (!other) return false;
    TB(move)(map, &part->table, &other->table, bit);
    part->depth++;
    other->depth = part->depth;
    other->bits = part->bits | bit;
    map->slots += other->table.capacity;
    TB(append)(map, other);
    TB(point)(map, other);
    return true;
}

/* Gives a part's table so many slots; false: out of memory, nothing changed. */
static inline bool TB(grow)(TB_MAP *map, TB_PART *part, size_t capacity) {
    size_t before = part->table.capacity;
    if (!capacity || !TL(grow)(&part->table, capacity)) return false;
    map->slots += part->table.capacity - before;
    TB(point)(map, part);
    return true;
}

/* Makes room in the part where this hash belongs; false: out of memory, nothing is lost. */
static inline bool TB(make_room)(TB_MAP *map, TB_PART *part) {
    TL_MAP *table = &part->table;
    if (table->capacity >= TAGLINE_TABLE_SLOTS && TB(can_split)(map, part)) return TB(split)(map, part);
    /* Small, or of hashes that are all the same. */
    return TB(grow)(map, part, tagline_capacity(table->limit + 1));
}

/* Counts an entry that came into a part. */
TAGLINE_INLINE void TB(count)(TB_MAP *map, TB_PART *part) {
    map->len++;
    if (!TAGLINE_LIKELY(part->number >= map->from->number)) map->from = part;
}

/* Walks began in a part that is empty now: they begin later. In steps, so that a delete takes constant time.
 */
TAGLINE_APART void TB(skip_empty)(TB_MAP *map) {
    for (int i = 0; i < 64 && map->from->following && map->from->table.len == 0; i++)
        map->from = map->from->following;
}

/* Counts an entry that is gone. */
TAGLINE_INLINE void TB(discount)(TB_MAP *map) {
    map->len--;
    if (!TAGLINE_LIKELY(map->from->table.len != 0)) TB(skip_empty)(map);
}

/* Inserts a key that is not there and has no place in its home; NULL: out of memory, nothing changed. */
TAGLINE_APART TL_ENTRY *TB(insert)(TB_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    if (!map->chunks_block && !TB(begin_parts)(map)) return NULL;
    for (;;) {
        TB_PART *part = TB(place_of)(map, TB(bits)(hash))->part;
        TL_MAP *table = &part->table;
        bool full = table->len >= table->limit, crowded = table->spilled > table->spill_limit;
        if (!full && crowded) {
            if (table->deleted > table->mask / TAGLINE_BYTES)
                TL(respill)(table);
            else if (table->len > table->limit / 2 && TB(make_room)(map, part))
                continue;
            else
                table->spill_limit = SIZE_MAX; /* not again at every spill */
        } else if (full) {
            if (!TB(make_room)(map, part)) return NULL;
            continue;
        }
        table->len++;
        TB(count)(map, part);
        return TL(place)(table, key, hash);
    }
}

/* --- for everybody --- */

static inline void TB(set_empty)(TB_MAP *map) {
    map->chunks = TB(no_chunks);
    map->chunks_block = NULL;
    map->chunk_mask = map->place_mask = map->len = map->slots = 0;
    map->first = map->last = map->from = NULL;
}

/* An empty map; it takes no memory until something is put into it. */
#ifdef TAGLINE_SEEDED_HASH
TAGLINE_INLINE TB_MAP TB(make_seeded)(struct tagline_seed seed) {
    TB_MAP map;
    memset(&map, 0, sizeof map);
    TB(set_empty)(&map);
    map.seed = seed;
    return map;
}
TAGLINE_INLINE TB_MAP TB(make)(void) {
    struct tagline_seed seed;
    if (!tagline_draw_seed(&seed)) TAGLINE_NO_SEED(&seed);
    return TB(make_seeded)(seed);
}
TAGLINE_INLINE struct tagline_seed TB(seed)(const TB_MAP *map) {
    return map->seed;
}
#else
TAGLINE_INLINE TB_MAP TB(make)(void) {
    TB_MAP map;
    memset(&map, 0, sizeof map);
    TB(set_empty)(&map);
    return map;
}
#endif

/* Frees what the map holds. It is empty afterwards and may be used again. */
TAGLINE_INLINE void TB(free)(TB_MAP *map) {
    TB_PART *part = map->first;
    if (map->chunks_block)
        for (size_t at = map->chunk_mask + 1; at-- > 0;) /* a chunk by its first place in the list */
            if (!(at >> TB(chunk_depth)(map, at))) TAGLINE_DELETE(map, map->chunks[at]);
    TAGLINE_DELETE(map, map->chunks_block);
    while (part) {
        TB_PART *following = part->following;
        TL(free)(&part->table);
        TAGLINE_DELETE(map, part);
        part = following;
    }
    TB(set_empty)(map);
}

TAGLINE_INLINE size_t TB(len)(const TB_MAP *map) {
    return map->len;
}

/* Slots of all tables. */
TAGLINE_INLINE size_t TB(capacity)(const TB_MAP *map) {
    return map->slots;
}

/* Makes room for about so many entries: tables that would be 5/8 full, so that hardly any is split before;
 * false: out of memory, the map holds what it did. */
TAGLINE_INLINE bool TB(reserve)(TB_MAP *map, size_t entries) {
    const size_t most = TAGLINE_TABLE_SLOTS / 8 * 5; /* of each table, on average */
    unsigned depth = 0;
    if (entries > tagline_limit(TAGLINE_TABLE_SLOTS))
        while (depth < TAGLINE_DEPTH_MAX && entries >> depth > most) depth++;
    if (entries >> depth > tagline_limit(TAGLINE_TABLE_SLOTS)) return false;
    if (!map->chunks_block && !TB(begin_parts)(map)) return false;
    for (TB_PART *part = map->first; part; part = part->following) {
        size_t capacity = depth ? (size_t)TAGLINE_TABLE_SLOTS : tagline_capacity(entries);
        if (part->table.capacity < capacity && !TB(grow)(map, part, capacity)) return false;
        while (part->depth < depth)
            if (!TB(split)(map, part)) return false;
    }
    return true;
}

/* Where a lookup begins: the home of a hash. */
struct TB(home) {
    TL_MAP *table;
    size_t at;
    unsigned char *tags;
    TL_ENTRY *entries;
};
TAGLINE_INLINE struct TB(home) TB(home_of)(const TB_MAP *map, uint64_t hash) {
    const TB_PLACE *place = TB(place_of)(map, TB(bits)(hash));
    struct TB(home) home;
    home.at = tagline_home(hash, place->mask);
    home.tags = place->tags + home.at;
    home.entries = TL(entries_of)(place->entries, home.at);
    home.table = (TL_MAP *)(void *)place->part; /* its first member; NULL in a map without parts */
    return home;
}

/* The key's entry, with the key as it is stored, until the next insert; NULL: absent. */
TAGLINE_INLINE TL_ENTRY *TB(get_entry)(const TB_MAP *map, TAGLINE_KEY key) {
    uint64_t hash = TAGLINE_HASH(key);
    struct TB(home) home = TB(home_of)(map, hash);
    return TL(find_at)(home.table, home.tags, home.entries, key, hash);
}

/* The address of the key's value, until the next insert; NULL: absent. */
TAGLINE_INLINE TAGLINE_VALUE *TB(get)(const TB_MAP *map, TAGLINE_KEY key) {
    TL_ENTRY *entry = TB(get_entry)(map, key);
    return entry ? &entry->value : NULL;
}

/* As put; *added says whether the key was absent. */
TAGLINE_INLINE TAGLINE_VALUE *TB(add)(TB_MAP *map, TAGLINE_KEY key, bool *added) {
    uint64_t hash = TAGLINE_HASH(key);
    TL_ENTRY *entry;
    struct TB(home) home = TB(home_of)(map, hash);
    TAGLINE_FETCH(home.table); /* its length, which decides on room, comes along with the tags */
    entry = TL(add_at)(home.table, home.at, home.tags, home.entries, key, hash, added);
    if (!TAGLINE_LIKELY(entry != NULL))
        entry = TB(insert)(map, key, hash);
    else if (*added)
        TB(count)(map, (TB_PART *)(void *)home.table);
    return entry ? &entry->value : NULL;
}

/* The address of the key's value, until the next insert. A key that was absent is inserted, with a value that
 * is not initialised. NULL: out of memory, and the map is what it was. */
TAGLINE_INLINE TAGLINE_VALUE *TB(put)(TB_MAP *map, TAGLINE_KEY key) {
    bool added;
    return TB(add)(map, key, &added);
}

/* Removes the key; false: it was absent. Other entries stay where they are. */
TAGLINE_INLINE bool TB(del)(TB_MAP *map, TAGLINE_KEY key) {
    uint64_t hash = TAGLINE_HASH(key);
    struct TB(home) home = TB(home_of)(map, hash);
    TAGLINE_FETCH(home.table);
    bool there = TL(del_at)(home.table, home.at, home.tags, home.entries, key, hash);
    if (there) TB(discount)(map);
    return there;
}

/* The entry whose value that is. Its key may be exchanged for an equal one, as for a copy of one's own. */
TAGLINE_INLINE TL_ENTRY *TB(entry_of)(TAGLINE_VALUE *value) {
    return TL(entry_of)(value);
}

/* Removes an entry that get_entry, entry_of or a walk gave. */
TAGLINE_INLINE void TB(del_entry)(TB_MAP *map, TL_ENTRY *entry) {
    TL(del_entry)(TB(home_of)(map, TAGLINE_HASH(entry->key)).table, entry);
    TB(discount)(map);
}

/* Removes all entries. The tables stay. */
TAGLINE_INLINE void TB(clear)(TB_MAP *map) {
    for (TB_PART *part = map->first; part; part = part->following) TL(clear)(&part->table);
    map->len = 0;
    map->from = map->first;
}

/* Gives an empty map's copy `map` of the directory of `from` the parts `copies`, by their numbers. */
static inline bool TB(clone_places)(TB_MAP *map, const TB_MAP *from, TB_PART *const *copies) {
    size_t places = from->place_mask + 1;
    map->place_mask = from->place_mask;
    for (size_t at = 0; at <= from->chunk_mask; at++) {
        size_t own = at & (((size_t)1 << TB(chunk_depth)(from, at)) - 1);
        if (own != at) {
            map->chunks[at] = map->chunks[own];
            continue;
        }
        TB_PLACE *chunk = TAGLINE_NEW(map, TB_PLACE, places);
        if (!chunk) {
            while (at-- > 0)
                if (!(at >> TB(chunk_depth)(from, at))) TAGLINE_DELETE(map, map->chunks[at]);
            return false;
        }
        for (size_t i = 0; i < places; i++) {
            TB_PART *copy = copies[from->chunks[at][i].part->number];
            chunk[i].tags = copy->table.tags;
            chunk[i].entries = copy->table.entries;
            chunk[i].mask = copy->table.mask;
            chunk[i].part = copy;
        }
        map->chunks[at] = chunk;
    }
    map->chunk_mask = from->chunk_mask;
    return true;
}

/* Fills an empty map with the entries of another; false: out of memory, it is still empty. */
TAGLINE_INLINE bool TB(clone)(TB_MAP *map, const TB_MAP *from) {
#ifdef TAGLINE_SEEDED_HASH
    map->seed = from->seed; /* the entries' places are by it */
#endif
    if (!from->chunks_block) return true;
    TB_PART **copies = TAGLINE_NEW(map, TB_PART *, from->last->number + 1);
    TB_PLACE **chunks = copies ? TAGLINE_NEW(map, TB_PLACE *, from->chunk_mask + 1) : NULL;
    bool done = chunks != NULL;
    for (const TB_PART *part = from->first; done && part; part = part->following) {
        TB_PART *copy = TB(new_part)(map, 0);
        done = copy != NULL;
        if (!done) break;
        copy->bits = part->bits;
        copy->depth = part->depth;
        copies[part->number] = copy;
        TB(append)(map, copy);
        done = TL(clone)(&copy->table, &part->table);
    }
    if (done) {
        map->chunks = chunks;
        map->from = copies[from->from->number];
        done = TB(clone_places)(map, from, copies);
    }
    TAGLINE_DELETE(map, copies);
    if (done) {
        map->chunks_block = chunks;
        map->len = from->len;
        map->slots = from->slots;
        return true;
    }
    TAGLINE_DELETE(map, chunks);
    TB(free)(map); /* it has no directory yet, and the parts made so far */
    return false;
}

/* A walk over all entries, in no order. During a walk the entry that it is at may be deleted; nothing else
 * may be inserted or deleted. */
struct TB(walk) {
    TL_ENTRY *entry;
    TB_PART *part;
    struct TL(walk) within;
};

TAGLINE_INLINE void TB(walk_start)(const TB_MAP *map, struct TB(walk) * walk) {
    walk->entry = NULL;
    walk->part = map->from;
    if (walk->part)
        TL(walk_start)(&walk->part->table, &walk->within);
    else
        memset(&walk->within, 0, sizeof walk->within);
}

TAGLINE_INLINE struct TB(walk) TB(begin)(const TB_MAP *map) {
    struct TB(walk) walk;
    TB(walk_start)(map, &walk);
    return walk;
}

/* Moves to the next entry; false: there is none left. */
TAGLINE_INLINE bool TB(next)(struct TB(walk) * walk) {
    while (walk->part) {
        if (TAGLINE_LIKELY(TL(next)(&walk->within))) {
            walk->entry = walk->within.entry;
            return true;
        }
        do walk->part = walk->part->following;
        while (walk->part && walk->part->table.len == 0);
        if (walk->part) TL(walk_start)(&walk->part->table, &walk->within);
    }
    return false;
}

/* Looks up to TAGLINE_BATCH keys at once: found[i] is the address of the value of keys[i], or NULL. */
TAGLINE_INLINE void TB(get_batch)(const TB_MAP *map, TAGLINE_KEY const *keys, size_t count,
                                  TAGLINE_VALUE **found) {
    uint64_t hashes[TAGLINE_BATCH];
    struct TB(home) homes[TAGLINE_BATCH];
    for (size_t i = 0; i < count; i++) {
        hashes[i] = TAGLINE_HASH(keys[i]);
        TAGLINE_FETCH(TB(place_of)(map, TB(bits)(hashes[i])));
    }
    for (size_t i = 0; i < count; i++) {
        homes[i] = TB(home_of)(map, hashes[i]);
        TAGLINE_FETCH(homes[i].tags);
        TL(fetch_near)(homes[i].entries, hashes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        tagline_mask match = tagline_match(tagline_load(homes[i].tags), tagline_tags(hashes[i]));
        if (match) TAGLINE_FETCH_KEY(homes[i].entries[tagline_first(match)].key);
    }
    for (size_t i = 0; i < count; i++) {
        TL_ENTRY *entry = TL(find_at)(homes[i].table, homes[i].tags, homes[i].entries, keys[i], hashes[i]);
        found[i] = entry ? &entry->value : NULL;
    }
}

/* Looks up any number of keys, as get_batch does a batch. */
TAGLINE_INLINE void TB(get_many)(const TB_MAP *map, TAGLINE_KEY const *keys, size_t count,
                                 TAGLINE_VALUE **found) {
    for (size_t i = 0; i < count; i += TAGLINE_BATCH)
        TB(get_batch)(map, keys + i, count - i < TAGLINE_BATCH ? count - i : TAGLINE_BATCH, found + i);
}

/* Gives back the memory that the map's entries do not need: moves them to a map made for as many. False: out
 * of memory, nothing changed. */
TAGLINE_INLINE bool TB(shrink)(TB_MAP *map) {
    TB_MAP small = *map;
    TB(set_empty)(&small);
    bool done = map->len == 0 || TB(reserve)(&small, map->len);
    for (struct TB(walk) walk = TB(begin)(map); done && TB(next)(&walk);) {
        TAGLINE_VALUE *value = TB(put)(&small, walk.entry->key);
        done = value != NULL;
        if (done) *value = walk.entry->value;
    }
    TB(free)(done ? map : &small);
    if (done) *map = small;
    return done;
}
#endif
#undef TB
#undef TB_MAP
#undef TB_PART
#undef TB_PLACE
