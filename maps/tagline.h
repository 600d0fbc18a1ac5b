/* tagline: a table of tag lines, the header maps/tagline/tagline.h as other projects take it.
 *
 * Words, layout, source: at the head of maps/tagline/tagline.h. What is here ties it to the shapes and heaps.
 * Invariants: a slot in use has its key's tag; from an entry's home to its own group every group has its
 * class's spill bit; no key twice; len and spill bits recounted; nothing in the groups that walks skip. Cost:
 * a hit reads 16 bytes of tags and a line of entries; a miss the tags and, with 6 % probability at most, a
 * wrong entry. Per entry a slot and 16/15 bytes over the load of 0.44 to 0.875.
 */
static const struct map_facts map_facts = {
    .summary = "groups of 15 tags and a spill byte, flat slots: one header to take home",
    .source = "this project; after absl::flat_hash_map and boost::unordered_flat_map",
    .invariants = "tags right; spill bits from home to entry; no key twice; len, spill bits right",
    .cost = "a hit reads two cache lines, a miss one; (slot + 16/15 bytes) / 0.44 to 0.875 per entry",
    .options = "max load 7/8, growth x2, rehash in place when spill bits are many, 254 tags",
    .fairness =
        "uses SSE2 or NEON where part of the baseline; get_batch is its own, others are asked one by one",
    .package = NULL,
    .traits = 0,
};

#define TAGLINE_NAME map
#define TAGLINE_KEY map_key
#define TAGLINE_VALUE map_val
#define TAGLINE_HASH key_hash
#define TAGLINE_EQUAL key_equal
#define TAGLINE_FIELDS HEAP_FIELD
#define TAGLINE_NEW(map, type, count) HEAP_NEW(HEAP_OF(map), type, count)
#define TAGLINE_NEW_ZEROED(map, type, count) HEAP_NEW_ZEROED(HEAP_OF(map), type, count)
#define TAGLINE_DELETE(map, address) HEAP_FREE(HEAP_OF(map), address)
#define TAGLINE_SET(map, field, address) HEAP_STORE(HEAP_OF(map), field, address)
#define TAGLINE_DROP(map, entry) HEAP_DROP(HEAP_OF(map), entry)
#ifdef SHAPE_KEY_STR
#define TAGLINE_FETCH_KEY(key) __builtin_prefetch((key).text)
#endif
#define MAP_GET_BATCH
enum { MAP_BATCH = 32 };
#define TAGLINE_BATCH MAP_BATCH
#ifdef HEAP_COLLECTS
#define TAGLINE_ALIGN 0
#endif
#define TAGLINE_KEEP
#define TAGLINE_TYPES_ONLY
#include "maps/tagline/tagline.h"

HEAP_TYPE(tagline_entry_type, struct map_entry,
          HEAP_KEY(struct map_entry, key) HEAP_VAL(struct map_entry, value))
HEAP_TYPE(tagline_map_type, struct map,
          HEAP_POINTER(struct map, tags_block) HEAP_POINTER(struct map, entries_block))
#define MAP_HEAP_TYPES(TYPE) TYPE(struct map_entry, tagline_entry_type) TYPE(struct map, tagline_map_type)

#define TAGLINE_TYPES_GIVEN
#include "maps/tagline/tagline.h"

static void map_destroy(struct map *map) {
    map_free(map);
    HEAP_FREE(HEAP_OF(map), map);
}

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map_set_empty(map);
    if (map_reserve(map, hint)) return map;
    map_destroy(map);
    return NULL;
}

static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy || map_clone(copy, map)) return copy;
    map_destroy(copy);
    return NULL;
}

struct map_iter {
    struct map_walk walk;
};
#define MAP_ITER_POINTERS(POINTER, iter) POINTER(iter, walk.map)

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    map_walk_start(map, &iter->walk);
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (!map_next(&iter->walk)) return false;
    *key = iter->walk.entry->key;
    *val = &iter->walk.entry->value;
    return true;
}

#define TABLE struct map
#define TABLE_OF(name) map_##name
#include "maps/tagline/table_check.h"

static const char *map_check(struct map *map) {
    return table_check(map);
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = table_describe(map, out);
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
