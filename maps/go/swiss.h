/* go_swiss: the map of Go since 1.24, ported: small Swiss tables behind a directory that splits them.
 *
 * Words:      a GROUP is 8 slots with their control word (maps/go/swiss_group.h). A map of at most 8 entries
 *             is one group, a SMALL MAP. Beyond that a DIRECTORY of 2^globalDepth pointers, indexed by the
 *             highest bits of the hash, leads to TABLES of 16 to 1024 slots. A table that knows only
 *             localDepth bits of its entries' hashes stands 2^(globalDepth - localDepth) times in a row in
 *             the directory; `index` is the first of them, or -1 once the table has been replaced (STALE).
 *             H1, the hash without its lowest 7 bits, chooses the group where a probe begins (steps of
 *             1, 2, 3 ... groups); H2 is those 7 bits.
 *
 *             dir  [ t0 | t0 | t2 | t3 ]     t0: localDepth 1, t2 and t3: localDepth 2, globalDepth 2
 *             t2   groups [ cccccccc k v k v ... k v ][ cccccccc k v ... ]
 *
 *             A table full to 7/8, tombstones included, is replaced: by one twice as large, or at 1024 slots
 *             by two of 1024 that divide its entries by the next bit of the hash; the directory doubles if
 *             it lacks that bit. Tables never shrink and are never rehashed at their size, so tombstones
 *             make a map grow even when its length stays (golang/go#70886), up to twice its size where they
 *             are pruned and four times where not. Deleting from a group with an
 *             empty slot leaves it empty, from a full one leaves a tombstone, which an insert that probes
 *             past it takes first.
 * Releases:   1.25  a full table first drops the tombstones that no lookup passes, if they are a tenth of it:
 *                   fast assignments only (go_prunes); a clear of an emptied map drops tombstones; a clone
 *                   copies the tables as they are, where 1.24 inserts the entries into a map made for them.
 *             1.27  pointer keys prune, too; storing over an entry of a full small map makes no table of it.
 *                   GOEXPERIMENT=mapsplitgroup keeps the keys and elements of a group apart
 *                   (GO_SPLIT_GROUPS: maps/go/swiss_split.h).
 *             Without a release the newest one's rules hold; MAP@RELEASE in maps.def names another.
 * Source:     Go 1.24.4, src/internal/runtime/maps/: map.go, table.go, group.go, runtime_fast32_swiss.go,
 *             runtime_fast64_swiss.go, runtime_faststr_swiss.go (The Go Authors, BSD licence). Each function
 *             names its original.
 * Invariants: those of table_debug.go - control bytes are H2; growthLeft, used and tombstones recounted;
 *             some slot empty; every key found where it is - and: directory runs, depths and indices agree;
 *             hash bits lead to the table; sums are the map's.
 * Cost:       hit: directory, table, group's control word, slot: 4 dependent lines while cold. Per entry slot
 *             + 1 byte over a load of 0.4375 to 0.875: 19 to 39 bytes for 8-byte keys and values, plus 40 a
 *             table.
 * Differences (deliberate): replaced arrays are freed at once, or when the last iterator opened with
 *             go_swiss_iter_open is closed, where Go leaves them to its collector; random numbers come from
 *             a stream seeded per map; a concurrent access that Go answers by ending the process sets
 *             `fatal`, which map_check reports; an insert that runs out of memory leaves the map as it was.
 */
#include "harness/base/rng.h"
#include "maps/go/random.h"
#include "maps/go/swiss_check.h"
#include "maps/go/swiss_group.h"
#include "maps/go/swiss_grow.h"
#include "maps/go/swiss_iter.h"
#include "maps/go/swiss_layout.h"
#include "maps/go/swiss_slot.h"
#include "maps/go/swiss_small.h"
#include "maps/go/swiss_table.h"

#if GO_SWISS_RELEASE >= 127
#define GO_SWISS_RELEASE_TEXT "Go 1.27"
#elif GO_SWISS_RELEASE >= 125
#define GO_SWISS_RELEASE_TEXT "Go 1.25 and 1.26"
#else
#define GO_SWISS_RELEASE_TEXT "Go 1.24"
#endif

#ifdef GO_SPLIT_GROUPS
#define GO_SUMMARY                                                                                           \
    "go_swiss with keys and elements of a group apart, as GOEXPERIMENT=mapsplitgroup "                       \
    "of " GO_SWISS_RELEASE_TEXT
#define GO_GROUP_TEXT "groups of 8, keys and elements apart: "
#define GO_ENTRY_TEXT "key + element + 1 byte"
#else
#define GO_SUMMARY "the Swiss map of " GO_SWISS_RELEASE_TEXT ": extendible directory of small tables"
#define GO_GROUP_TEXT "groups of 8: "
#define GO_ENTRY_TEXT "slot + 1 byte"
#endif

#if GO_SWISS_RELEASE >= 125
#define GO_CLONE_TEXT "a copy is of the tables, tombstones and all (maps.Clone since 1.25)"
#else
#define GO_CLONE_TEXT "a copy is filled entry by entry, into a map made for them (maps.Clone of 1.24)"
#endif

static const struct map_facts map_facts = {
    .summary = GO_SUMMARY,
    .source = "Go 1.24.4, internal/runtime/maps (map.go, table.go, group.go), ported; rules "
              "of " GO_SWISS_RELEASE_TEXT,
    .invariants = "table_debug.go's: control bytes, used, growthLeft, tombstones; directory, depths, sums",
    .cost = "directory, table, group and slot in a row; (" GO_ENTRY_TEXT ") / 0.4375 to 0.875 per entry",
    .options =
        "max load 7/8, growth x2 to 1024 slots then split, " GO_GROUP_TEXT GO_GROUP_KIND "; " GO_CLONE_TEXT,
    .fairness = "called, told its type at run time and hashing through a pointer, as in Go and unlike other "
                "maps here; no write barrier; old tables are freed and used again at once",
    .package = NULL,
    /* Tables share the keys by hash, so one may be full before the map is; make(map, 897) has room for 896.
     */
    .traits = TRAIT_TOMBSTONES | TRAIT_HINT_INEXACT,
};

/* map.go: getWithoutKey; runtime_fast64_swiss.go: runtime_mapaccess2_fast64, and its 32-bit and string kin.
 */
GO_FUNC map_val *map_get(struct map *map, map_key key) {
    if (__builtin_expect(map->used == 0, 0)) return NULL;
    if (__builtin_expect(go_writing(map), 0)) {
        go_fatal(map, "concurrent map read and map write");
        return NULL;
    }
    if (__builtin_expect(map->dir_len == 0, 0)) {
        go_slot_ref slot = go_small_find(map, key);
        return go_is_slot(slot) ? go_slot_elem(slot) : NULL;
    }
    uint64_t hash = go_swiss_hash(map, &key);
    struct go_group *group;
    size_t i;
    return go_table_find(map->type, go_table_of(map, hash), hash, &key, false, &group, &i)
               ? go_slot_elem(go_slot_at(map->type, group, i))
               : NULL;
}

/* map.go: PutSlot; runtime_fast64_swiss.go: runtime_mapassign_fast64, and its 32-bit and string kin. As
 * there, up to 1.26 a small map with 8 entries becomes a table even when the key is one of the eight. */
GO_FUNC map_val *map_put(struct map *map, map_key key) {
    map_val *elem = NULL;
    if (__builtin_expect(go_writing(map), 0)) {
        go_fatal(map, "concurrent map writes");
        return NULL;
    }
    uint64_t hash = go_swiss_hash(map, &key);
    go_toggle_writing(map);
    if (__builtin_expect(map->dir_len == 0, 0)) {
        if (!map->dir_ptr && !go_grow_to_small(map)) goto done;
        bool crowded = !GO_SINCE(map, 127) && map->used == GO_GROUP_SLOTS;
        if (!crowded) elem = go_small_put(map, hash, key, &crowded);
        if (!crowded) goto done;
        if (!go_grow_to_table(map)) goto done;
    }
    for (;;) {
        struct go_table *table = go_table_of(map, hash);
        bool crowded = false;
        elem = go_table_put(map, table, hash, key, &crowded);
        if (__builtin_expect(!crowded, 1) || !go_table_rehash(map, table)) break;
    }
done:
    go_end_write(map);
    return elem;
}

/* map.go: Delete. */
GO_FUNC bool go_map_delete(const struct go_map_type *type, struct map *map, const map_key *key) {
    if (map->used == 0) return false;
    if (__builtin_expect(go_writing(map), 0)) {
        go_fatal(map, "concurrent map writes");
        return false;
    }
    uint64_t hash = type->hasher(map->keys, key, map->seed);
    go_toggle_writing(map);
    bool found = map->dir_len == 0 ? go_small_delete(type, map, hash, key)
                                   : go_table_delete(type, map, go_table_of(map, hash), hash, key);
    if (__builtin_expect(map->used == 0, 0)) map->seed = rng_next(&map->random);
    go_end_write(map);
    return found;
}

/* runtime_fast64_swiss.go: runtime_mapdelete_fast64, and its 32-bit and string kin. */
GO_FUNC bool map_del(struct map *map, map_key key) {
    return map->used != 0 && go_map_delete(map->type, map, &key);
}

MAP_INLINE size_t map_len(const struct map *map) {
    return map->used;
}
MAP_INLINE size_t map_capacity(const struct map *map) {
    return map->slots;
}

/* map.go: Clear, clearSmall. */
static void map_clear(struct map *map) {
    if (map->used == 0 && !(GO_SINCE(map, 125) && map->tombstone_possible)) return;
    if (go_writing(map)) {
        go_fatal(map, "concurrent map writes");
        return;
    }
    go_toggle_writing(map);
    if (map->dir_len == 0) go_groups_clear(map, (struct go_group *)map->dir_ptr, 1);
    for (int64_t i = 0; i < map->dir_len; i++) {
        struct go_table *table = go_directory(map)[i];
        if (table->index == i) go_table_clear(map, table);
    }
    map->used = 0;
    map->tombstone_possible = false;
    map->clear_seq++;
    map->seed = rng_next(&map->random);
    go_end_write(map);
}

/* Frees what the map holds, entries included; the directory's tables each once. */
static void map_destroy(struct map *map) {
    go_free_stale(map);
    if (map->dir_len == 0 && map->dir_ptr) go_free_groups(map, (struct go_group *)map->dir_ptr, 1);
    for (int64_t i = 0, entries = 1; i < map->dir_len; i += entries) {
        struct go_table *table = go_directory(map)[i];
        if (!table) continue; /* a map that could not be made complete */
        entries = (int64_t)1 << (map->global_depth - table->local_depth);
        go_free_groups(map, table->groups, table->length_mask + 1);
        HEAP_FREE(HEAP_OF(map), table);
    }
    HEAP_FREE(HEAP_OF(map), map->dir_ptr && map->dir_len ? map->dir_ptr : NULL);
    HEAP_FREE(HEAP_OF(map), map);
}

/* map.go: NewMap, from the directory's size on. False: out of memory; what there is, map_destroy frees. */
static bool go_make_tables(struct map *map, size_t capacity, size_t dir_len) {
    map->global_depth = (uint8_t)__builtin_ctzll(dir_len);
    map->global_shift = 64 - map->global_depth;
    struct go_table **directory = HEAP_NEW_ZEROED(HEAP_OF(map), struct go_table *, dir_len);
    if (!directory) return false;
    HEAP_STORE(HEAP_OF(map), &map->dir_ptr, (void *)directory);
    map->dir_len = (int64_t)dir_len;
    for (size_t i = 0; i < dir_len; i++) {
        struct go_table *table = go_table_new_empty(map, capacity / dir_len, (int64_t)i, map->global_depth);
        if (!table) return false;
        HEAP_STORE(HEAP_OF(map), &directory[i], table);
        map->slots += table->capacity;
    }
    for (size_t i = 0; i < dir_len; i++)
        if (!go_table_add_groups(map, directory[i])) return false;
    return true;
}

/* Seeds the stream that hash seeds and iteration starts are drawn from. */
static const uint64_t GO_SWISS_UNIT_SEED = 0x676f5f7377697373u;

/* map.go: NewMap. Where Go makes an empty map of a hint too large to address, this fails. */
static struct map *map_create(struct heap *heap, size_t hint) {
    if (hint > (size_t)PTRDIFF_MAX / sizeof(struct go_group)) return NULL;
    struct map *map = HEAP_NEW_ZEROED(heap, struct map, 1);
    if (!map) return NULL;
    HEAP_BIND(map, heap);
    map->keys = go_hash_unit_keys();
    map->type = &go_unit_type;
    map->random = go_random_seed(heap, GO_SWISS_UNIT_SEED);
    map->seed = rng_next(&map->random);
    if (hint <= GO_GROUP_SLOTS) return map;
    size_t capacity = hint * GO_GROUP_SLOTS / GO_GROUP_LOAD_MAX;
    size_t tables = (capacity + GO_TABLE_CAPACITY_MAX - 1) / GO_TABLE_CAPACITY_MAX;
    if (go_make_tables(map, capacity, (size_t)go_align_up_pow2(tables))) return map;
    map_destroy(map);
    return NULL;
}

/* group.go: cloneGroup. False: out of memory. */
static bool go_copy_groups(struct map *copy, struct go_group *to, const struct go_group *from, size_t count) {
    for (size_t g = 0; g < count; g++) {
        for (size_t i = 0; i < GO_GROUP_SLOTS; i++) {
            go_slot_ref slot = go_slot_of((struct go_group *)(uintptr_t)&from[g], i);
            if (!(from[g].ctrl[i] & GO_CTRL_EMPTY)) {
                if (!go_slot_fill(copy, go_slot_of(&to[g], i), *go_slot_key(slot))) return false;
                *go_slot_elem(go_slot_of(&to[g], i)) = *go_slot_elem(slot);
            }
            to[g].ctrl[i] = from[g].ctrl[i];
        }
    }
    return true;
}

/* table.go: clone. The table is the copy's at once, so that map_destroy frees what could not be completed. */
static bool go_copy_table(struct map *copy, const struct map *map, int64_t first) {
    const struct go_table *table = go_directory(map)[first];
    struct go_table *twin = go_table_new(copy, table->capacity, table->index, table->local_depth);
    if (!twin) return false;
    HEAP_STORE(HEAP_OF(copy), &go_directory(copy)[first], twin);
    for (int64_t i = 1; i < (int64_t)1 << (map->global_depth - table->local_depth); i++)
        HEAP_STORE(HEAP_OF(copy), &go_directory(copy)[first + i], twin);
    if (!go_copy_groups(copy, twin->groups, table->groups, table->length_mask + 1)) return false;
    twin->used = table->used;
    twin->growth_left = table->growth_left;
    return true;
}

static bool go_copy_tables(struct map *copy, const struct map *map) {
    struct go_table **directory = HEAP_NEW_ZEROED(HEAP_OF(copy), struct go_table *, (size_t)map->dir_len);
    if (!directory) return false;
    HEAP_STORE(HEAP_OF(copy), &copy->dir_ptr, (void *)directory);
    copy->dir_len = map->dir_len;
    copy->global_depth = map->global_depth;
    copy->global_shift = map->global_shift;
    for (int64_t i = 0; i < map->dir_len; i++)
        if (go_directory(map)[i]->index == i && !go_copy_table(copy, map, i)) return false;
    return true;
}

/* map.go: Clone, since 1.25: the structure is copied, tombstones and all. */
static struct map *go_copy_structure(const struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy) return NULL;
    bool ok = map->dir_len == 0 || go_copy_tables(copy, map);
    if (map->dir_len == 0 && map->dir_ptr) {
        ok = go_grow_to_small(copy);
        ok = ok && go_copy_groups(copy, (struct go_group *)copy->dir_ptr, (struct go_group *)map->dir_ptr, 1);
    }
    if (!ok) {
        map_destroy(copy);
        return NULL;
    }
    copy->keys = map->keys;
    copy->seed = map->seed;
    copy->used = map->used;
    copy->slots = map->slots;
    copy->tombstone_possible = map->tombstone_possible;
    return copy;
}

/* runtime/map_swiss.go: mapclone2: up to 1.24 a map made for that many entries, filled by iterating. */
static struct map *map_copy(struct map *map) {
    if (GO_SINCE(map, 125)) return go_copy_structure(map);
    struct map *copy = map_create(HEAP_OF(map), map->used);
    struct map_iter iter;
    map_key key;
    const map_val *val;
    if (!copy) return NULL;
    copy->keys = map->keys;
    map_iter_start(map, &iter);
    while (map_iter_next(&iter, &key, &val)) {
        map_val *slot = map_put(copy, key);
        if (!slot) {
            map_destroy(copy);
            return NULL;
        }
        *slot = *val;
    }
    return copy;
}
