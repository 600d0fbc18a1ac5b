/* null: the do-nothing map, the floor under every other row.
 *
 * Source:     fio's null engine and lzbench's memcpy row: a baseline that is printed with every result.
 * Invariants: none; it holds nothing. It answers every lookup with a value of its own and takes every store
 * into the same slot, so that its rows show what the loop, the keys and the checksum cost by themselves.
 * Cost:       one value in all.
 */
static const struct map_facts map_facts = {
    .summary = "does nothing: what the measured loops cost by themselves",
    .source = "this project",
    .invariants = "none",
    .cost = "no memory per entry; reads the key, writes one fixed slot",
    .options = "none",
    .fairness = "not a competitor: subtract nothing, but read every other row against it",
    .package = NULL,
    .traits = TRAIT_BASELINE | TRAIT_IGNORES_HINT,
};

struct map {
    map_val slot;
    size_t len;
    HEAP_FIELD
};

HEAP_TYPE(null_map_type, struct map, )
#define MAP_HEAP_TYPES(TYPE) TYPE(struct map, null_map_type)

static struct map *map_create(struct heap *heap, size_t hint) {
    (void)hint;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (map) HEAP_BIND(map, heap);
    return map;
}

static void map_destroy(struct map *map) {
    HEAP_FREE(HEAP_OF(map), map);
}

/* The key must be used, or the loop would not read it. */
MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    __asm__ volatile("" ::"r"(key_word(key)));
    return &map->slot;
}
MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    return map_get(map, key);
}
MAP_INLINE bool map_del(struct map *map, map_key key) {
    return map_get(map, key) != NULL;
}

static size_t map_len(const struct map *map) {
    return map->len;
}
static size_t map_capacity(const struct map *map) {
    return map->len;
}
static void map_clear(struct map *map) {
    map->len = 0;
}
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (copy) copy->slot = map->slot;
    return copy;
}

struct map_iter {
    char none;
};
#define MAP_ITER_POINTERS(POINTER, walk)
static void map_iter_start(struct map *map, struct map_iter *iter) {
    (void)map;
    iter->none = 0;
}
static bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    (void)iter, (void)key, (void)val;
    return false;
}

static const char *map_check(struct map *map) {
    (void)map;
    return NULL;
}
static void map_describe(struct map *map, struct map_structure *out) {
    (void)map, (void)out;
}
