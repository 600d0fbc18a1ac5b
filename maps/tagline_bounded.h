/* tagline_bounded: tagline with TAGLINE_BOUNDED, a directory of small tables that are split one by one.
 *
 * Words, layout, source: at the heads of maps/tagline/tagline_bounded.h and tagline.h. What is here ties them
 * to the shapes. Invariants: those of tagline in every table; a place leads to the part of its bits, and
 * knows its table; every part has a place; the lengths add up. Cost: a lookup reads a place of 32 bytes, and
 * then what tagline reads. An insert moves 420 entries at most; a table is split when it is 7/8 full.
 */
static const struct map_facts map_facts = {
    .summary = "tagline in tables of 480 slots, split one by one: bounded inserts",
    .source = "this project; extendible hashing after Fagin and others, 1979, and Go's maps since 1.24",
    .invariants = "as tagline in every table; places lead to the part of their bits; lengths add up",
    .cost = "a hit reads three cache lines; an insert moves 420 entries at most; (slot + 16/15 bytes) / 0.44 "
            "to 0.875 and 32 bytes a table's place",
    .options = "max load 7/8, tables of 480 slots split in two, chunks of 256 places",
    .fairness =
        "handicap: a line more a lookup than tagline, for inserts that never take long and growth that "
        "needs no second copy; get_batch is its own, others are asked one by one",
    .package = NULL,
    .traits = TRAIT_HINT_INEXACT,
};

#define TAGLINE_NAME map
#define TAGLINE_KEY map_key
#define TAGLINE_VALUE map_val
#define TAGLINE_HASH key_hash
#define TAGLINE_EQUAL key_equal
#define TAGLINE_BOUNDED
#define TAGLINE_NEW(map, type, count) HEAP_NEW((struct heap *)NULL, type, count)
#define TAGLINE_NEW_ZEROED(map, type, count) HEAP_NEW_ZEROED((struct heap *)NULL, type, count)
#define TAGLINE_DELETE(map, address) HEAP_FREE((struct heap *)NULL, address)
#ifdef SHAPE_KEY_STR
#define TAGLINE_FETCH_KEY(key) __builtin_prefetch((key).text)
#endif
#define MAP_GET_BATCH
enum { MAP_BATCH = 32 };
#define TAGLINE_BATCH MAP_BATCH
#include "maps/tagline/tagline.h"

static void map_destroy(struct map *map) {
    map_free(map);
    HEAP_FREE((struct heap *)NULL, map);
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    (void)heap;
    if (!map) return NULL;
    map_set_empty(map);
    if (!hint || map_reserve(map, hint)) return map;
    map_destroy(map);
    return NULL;
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(NULL, 0);
    if (!copy || map_clone(copy, map)) return copy;
    map_destroy(copy);
    return NULL;
}

struct map_iter {
    struct map_walk walk;
};

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    map_walk_start(map, &iter->walk);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (!map_next(&iter->walk)) return false;
    *key = iter->walk.entry->key;
    *val = &iter->walk.entry->value;
    return true;
}

#define TABLE struct map_table
#define TABLE_OF(name) map_table_##name
#include "maps/tagline/table_check.h"

/* NULL, or what is wrong with the directory. */
static const char *bounded_check_places(const struct map *map, size_t parts) {
    size_t own = 0;
    for (size_t chunk = 0; chunk <= map->chunk_mask; chunk++)
        for (size_t at = 0; at <= map->place_mask; at++) {
            const struct map_place *place = &map->chunks[chunk][at];
            const struct map_part *part = place->part;
            uint64_t bits = (uint64_t)chunk << TAGLINE_CHUNK_DEPTH | at;
            if ((bits & (((uint64_t)1 << part->depth) - 1)) != part->bits)
                return "a place leads to a part of other bits";
            if (place->tags != part->table.tags || place->entries != part->table.entries ||
                place->mask != part->table.mask)
                return "a place knows a table that is no more";
            own += bits == part->bits;
        }
    return own == parts ? NULL : "a part has no place";
}

static const char *map_check(struct map *map) {
    size_t len = 0, slots = 0, parts = 0;
    if (!map->chunks_block) return map->len || map->first ? "a map without parts is not empty" : NULL;
    for (const struct map_part *part = map->first; part; part = part->following, parts++) {
        const char *fault = table_check(&part->table);
        if (fault) return fault;
        if (part->number != parts) return "a part has another's number";
        if (part->table.len && part->number < map->from->number)
            return "a part with entries is where walks do not begin";
        len += part->table.len;
        slots += part->table.capacity;
    }
    if (len != map->len || slots != map->slots) return "entries or slots of the tables do not add up";
    return bounded_check_places(map, parts);
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    if (!map->chunks_block) return;
    for (const struct map_part *part = map->first; part; part = part->following)
        steps += table_describe(&part->table, out);
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
    for (size_t at = 0; at <= map->chunk_mask; at++)
        if (!(at >> map_chunk_depth(map, at)))
            out->array_bytes += (map->place_mask + 1) * sizeof(struct map_place);
    out->array_bytes += (map->chunk_mask + 1) * sizeof(struct map_place *);
}
