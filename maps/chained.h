/* chained: an array of buckets, one heap node per entry.
 *
 * Words:      a BUCKET is a pointer to a chain of nodes; a NODE holds one entry and the pointer to the
 *             next.
 *
 *             buckets                nodes, each allocated by itself
 *             [0] ------------------> next | (hash) | key | val  -> next | ...
 *             [1] NULL
 *             ...
 *             [mask] ---------------> next | (hash) | key | val
 *
 *             An entry belongs to bucket hash & mask. String nodes keep the whole hash, so that a lookup
 *             touches the text of another key only when all 64 bits agree, and growth touches no text at
 *             all; there the hash fills what malloc would round up anyway (40 of 40 usable bytes). Integer
 *             nodes recompute it: another word would push 24 bytes, which fill their malloc class, to the
 *             next one.
 *             The order in which entries come does not matter: a bucket's chain is as long in the end as
 * chance makes it, and no entry of another bucket is in the way. Source:     separate chaining, Knuth, TAOCP
 * vol. 3, section 6.4; one node per entry, as in std::unordered_map. Invariants: the capacity is a power of
 * two, or 0 before the first store; every node hangs in the bucket of its hash; no key twice; len counts the
 * nodes; len <= capacity. Cost:       a lookup reads the bucket and a node or two: two dependent cache
 * misses. Per entry, for 8-byte keys and values: 24 bytes of node (32 with malloc's header) and 8 to 16 bytes
 * of bucket, 40 to 48 together. A value's address never changes. Growth relinks nodes and moves no entry.
 */
#include "maps/kept_hash.h"
#include "maps/sizing.h"

static const struct map_facts map_facts = {
    .summary = "separate chaining, one heap node per entry",
    .source = "Knuth, TAOCP vol. 3, 6.4; one node per entry, as std::unordered_map",
    .invariants =
        "every node in the bucket of its hash; stored hashes right; no key twice; len = nodes <= buckets",
    .cost =
        "two dependent cache misses a lookup; a malloc per insert; node + 8 to 16 bytes of bucket per entry",
    .options = "max load 1, growth x2, string nodes keep the hash",
    .fairness = "keeps value addresses stable, which the open-addressing maps do not; pays malloc for it",
    .package = NULL,
    .traits = TRAIT_STABLE_SLOTS,
};

enum {
    CHAINED_CAPACITY_MIN = 4,
    CHAINED_PREFETCH_AHEAD = 12, /* buckets: enough to cover a memory access with the work on these */
};

struct node {
    struct node *next;
    struct kept_hash kept;
    map_key key;
    map_val val;
};

struct map {
    struct node **buckets; /* mask + 1 of them */
    size_t mask;
    size_t len;
    size_t capacity; /* mask + 1, or 0 while buckets is the shared empty one */
    HEAP_FIELD
};

HEAP_TYPE(chained_node_type, struct node,
          HEAP_POINTER(struct node, next) HEAP_KEY(struct node, key) HEAP_VAL(struct node, val))
HEAP_TYPE(chained_buckets_type, struct node *, HEAP_POINTER_NAMED("[]", 0))
HEAP_TYPE(chained_map_type, struct map, HEAP_POINTER(struct map, buckets))
#define MAP_HEAP_TYPES(TYPE)                                                                                 \
    TYPE(struct node, chained_node_type)                                                                     \
    TYPE(struct node *, chained_buckets_type) TYPE(struct map, chained_map_type)

/* The bucket of maps without an array: lookups need not ask whether there is one. Nothing writes to it. */
static struct node *const chained_no_buckets[1] = {NULL};

static void chained_use_no_buckets(struct map *map) {
    map->buckets = (struct node **)(uintptr_t)chained_no_buckets;
    map->mask = 0;
    map->capacity = 0;
}

static void map_destroy(struct map *map);

static struct map *map_create(struct heap *heap, size_t hint) {
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    chained_use_no_buckets(map);
    if (hint == 0) return map;
    size_t capacity = capacity_for(hint, CHAINED_CAPACITY_MIN, 1, 1);
    struct node **buckets = capacity ? HEAP_NEW_ZEROED(heap, struct node *, capacity) : NULL;
    if (!buckets) {
        map_destroy(map);
        return NULL;
    }
    HEAP_STORE(HEAP_OF(map), &map->buckets, buckets);
    map->mask = capacity - 1;
    map->capacity = capacity;
    return map;
}

/* Nodes lie anywhere, but the buckets that lead to them are known in advance: a walk over all buckets fetches
 * the first node of a later one while it is at this. */
MAP_INLINE void chained_prefetch(const struct map *map, size_t bucket) {
    if (bucket + CHAINED_PREFETCH_AHEAD < map->capacity)
        __builtin_prefetch(map->buckets[bucket + CHAINED_PREFETCH_AHEAD]);
}

static void map_clear(struct map *map) {
    for (size_t i = 0; i < map->capacity; i++) {
        chained_prefetch(map, i);
        for (struct node *node = map->buckets[i], *next; node; node = next) {
            next = node->next;
            HEAP_FREE(HEAP_OF(map), node);
        }
        HEAP_DROP(HEAP_OF(map), &map->buckets[i]);
        map->buckets[i] = NULL;
    }
    map->len = 0;
}

static void map_destroy(struct map *map) {
    map_clear(map);
    if (map->capacity) HEAP_FREE(HEAP_OF(map), map->buckets);
    HEAP_FREE(HEAP_OF(map), map);
}

/* Doubles the buckets; false: out of memory, nothing changed. */
static __attribute__((noinline)) bool chained_grow(struct map *map) {
    size_t capacity = map->capacity ? map->capacity * 2 : CHAINED_CAPACITY_MIN;
    struct node **buckets = HEAP_NEW_ZEROED(HEAP_OF(map), struct node *, capacity);
    if (!buckets) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        chained_prefetch(map, i);
        for (struct node *node = map->buckets[i], *next; node; node = next) {
            struct node **bucket = &buckets[kept_hash_of(&node->kept, &node->key) & (capacity - 1)];
            next = node->next;
            HEAP_STORE(HEAP_OF(map), &node->next, *bucket);
            HEAP_STORE(HEAP_OF(map), bucket, node);
        }
    }
    if (map->capacity) HEAP_FREE(HEAP_OF(map), map->buckets);
    HEAP_STORE(HEAP_OF(map), &map->buckets, buckets);
    map->mask = capacity - 1;
    map->capacity = capacity;
    return true;
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    uint64_t hash = key_hash(key);
    for (struct node *node = map->buckets[hash & map->mask]; node; node = node->next)
        if (kept_hash_holds(&node->kept, &node->key, key, hash)) return &node->val;
    return NULL;
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    uint64_t hash = key_hash(key);
    for (struct node *node = map->buckets[hash & map->mask]; node; node = node->next)
        if (kept_hash_holds(&node->kept, &node->key, key, hash)) return &node->val;
    if (__builtin_expect(map->len >= map->capacity, 0) && !chained_grow(map)) return NULL;
    struct node *node = HEAP_NEW(HEAP_OF(map), struct node, 1);
    if (__builtin_expect(!node, 0)) return NULL;
    struct node **bucket = &map->buckets[hash & map->mask];
    kept_hash_set(&node->kept, hash);
    node->key = key;
    HEAP_STORE(HEAP_OF(map), &node->next, *bucket);
    HEAP_STORE(HEAP_OF(map), bucket, node);
    map->len++;
    return &node->val;
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    uint64_t hash = key_hash(key);
    for (struct node **link = &map->buckets[hash & map->mask], *node; (node = *link); link = &node->next) {
        if (!kept_hash_holds(&node->kept, &node->key, key, hash)) continue;
        HEAP_STORE(HEAP_OF(map), link, node->next);
        HEAP_FREE(HEAP_OF(map), node);
        map->len--;
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

/* Chains keep their order, so that the copy's lookups take as long as the original's. */
static struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), map->capacity);
    if (!copy) return NULL;
    for (size_t i = 0; i < map->capacity; i++) {
        struct node **link = &copy->buckets[i];
        chained_prefetch(map, i);
        for (const struct node *node = map->buckets[i]; node; node = node->next) {
            struct node *twin = HEAP_NEW(HEAP_OF(map), struct node, 1);
            if (!twin) {
                map_destroy(copy);
                return NULL;
            }
            *twin = *node;
            twin->next = NULL;
            HEAP_STORE(HEAP_OF(map), link, twin);
            link = &twin->next;
            copy->len++;
        }
    }
    return copy;
}

struct map_iter {
    struct map *map;
    struct node *node; /* the next to hand out; NULL: at the start of bucket `next` */
    size_t next;
};
#define MAP_ITER_POINTERS(POINTER, walk) POINTER(walk, map) POINTER(walk, node)

MAP_INLINE void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->map = map;
    iter->node = NULL;
    iter->next = 0;
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    const struct map *map = iter->map;
    while (!iter->node) {
        if (iter->next >= map->capacity) return false;
        chained_prefetch(map, iter->next);
        iter->node = map->buckets[iter->next++];
    }
    *key = iter->node->key;
    *val = &iter->node->val;
    iter->node = iter->node->next;
    return true;
}

static const char *chained_check_order(const struct map *map) {
    for (size_t i = 0; i < map->capacity; i++)
        for (const struct node *node = map->buckets[i]; node; node = node->next) {
            if (kept_hash_of(&node->kept, &node->key) != key_hash(node->key))
                return "a stored hash is not its key's";
            if ((key_hash(node->key) & map->mask) != i)
                return "a node hangs in another bucket than its hash's";
            for (const struct node *later = node->next; later; later = later->next)
                if (key_equal(node->key, later->key)) return "a key is stored twice";
        }
    return NULL;
}

static const char *map_check(struct map *map) {
    size_t nodes = 0;
    if (map->capacity ? map->mask != map->capacity - 1 : map->mask != 0) return "mask and capacity disagree";
    if (map->capacity & map->mask) return "the capacity is not a power of two";
    if (!map->capacity && map->buckets[0]) return "the shared empty bucket was written to";
    for (size_t i = 0; i < map->capacity; i++)
        for (const struct node *node = map->buckets[i]; node; node = node->next)
            if (++nodes > map->len) return "more nodes than entries, or a chain that is a ring";
    if (nodes != map->len) return "the length is not the number of nodes";
    if (map->len > map->capacity) return "more entries than buckets";
    return chained_check_order(map);
}

static void map_describe(struct map *map, struct map_structure *out) {
    size_t steps = 0;
    out->array_bytes = map->capacity * sizeof(struct node *);
    for (size_t i = 0; i < map->capacity; i++) {
        size_t depth = 0;
        for (const struct node *node = map->buckets[i]; node; node = node->next) steps += ++depth;
        if (depth > out->probe_max) out->probe_max = depth;
    }
    if (map->len) out->probe_mean = (double)steps / (double)map->len;
}
