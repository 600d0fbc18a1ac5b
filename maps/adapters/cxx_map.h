/* The adapters of the C++ maps, written once: all four libraries offer the interface of std::unordered_map.
 * An adapter includes its library, defines
 *
 *   CXX_NATIVE_HASH  the library's own hash of a cxx_key
 *   CXX_TABLE        the table's type, made of cxx_key, cxx_val, cxx_hash and cxx_same_key
 *
 * includes this file, and adds map_describe.
 *
 * Everything here is in an anonymous namespace. The same names stand for different types in different units,
 * and the linker merges template instances of equal name: with external linkage a unit would run another
 * unit's hash.
 */
#ifndef MAPBENCH_CXX_MAP_H
#define MAPBENCH_CXX_MAP_H

#include <functional>
#include <new>
#include <string_view>
#include <utility>

namespace {

/* A string key is a string_view, which is what the libraries' own hashes know. */
#ifdef SHAPE_KEY_STR
using cxx_key = std::string_view;
inline cxx_key cxx_key_of(map_key key) {
    return cxx_key(key.text, key.len);
}
inline map_key cxx_key_to(cxx_key key) {
    return map_key{key.data(), key.size()};
}
#else
using cxx_key = map_key;
inline cxx_key cxx_key_of(map_key key) {
    return key;
}
inline map_key cxx_key_to(cxx_key key) {
    return key;
}
#endif

/* A value that operator[] leaves uninitialised: the caller of map_put stores into it at once, and filling 56
 * bytes with zeros first would be work that no other map here does. */
struct cxx_val {
    map_val val;
    cxx_val() noexcept {}
};

/* In this namespace, so that every template made of it is this unit's own, whatever hash it has. */
struct cxx_same_key {
    bool operator()(cxx_key a, cxx_key b) const noexcept { return a == b; }
};

/* noexcept tells libstdc++ that hashing is cheap enough to repeat; for strings it keeps the hash in the node
 * instead, as it does for std::hash<std::string_view>. */
#ifdef SHAPE_KEY_STR
#define CXX_HASH_IS_CHEAP false
#else
#define CXX_HASH_IS_CHEAP true
#endif

#ifdef UNIT_HASH_common
struct cxx_hash {
    using is_avalanching = void; /* boost: every bit is good, do not mix again */
    size_t operator()(cxx_key key) const noexcept(CXX_HASH_IS_CHEAP) { return key_hash(cxx_key_to(key)); }
};
#else
using cxx_hash = CXX_NATIVE_HASH;
#endif

using cxx_table = CXX_TABLE;

struct map {
    cxx_table table;
    HEAP_FIELD
};

struct map_iter {
    cxx_table::iterator at, end;
};

/* tsl::robin_map gives the value for writing by a function, the others by a field. */
template <class iterator> inline map_val *cxx_val_at(iterator at) {
    if constexpr (requires { at.value(); })
        return &at.value().val;
    else
        return &at->second.val;
}

void map_destroy(struct map *map) {
    struct heap *heap = HEAP_OF(map);
    (void)heap;
    map->~map();
    HEAP_FREE(heap, map);
}

struct map *map_create(struct heap *heap, size_t hint) {
    void *room = HEAP_NEW(heap, struct map, 1);
    if (!room) return NULL;
    struct map *map = NULL;
    try {
        map = new (room) struct map();
        HEAP_BIND(map, heap);
        if (hint) map->table.reserve(hint);
        return map;
    } catch (...) {
        if (map) map->~map();
        HEAP_FREE(heap, room);
        return NULL;
    }
}

struct map *map_copy(struct map *map) {
    struct map *copy = map_create(HEAP_OF(map), 0);
    if (!copy) return NULL;
    try {
        copy->table = map->table;
        return copy;
    } catch (...) {
        map_destroy(copy);
        return NULL;
    }
}

MAP_INLINE map_val *map_get(struct map *map, map_key key) {
    cxx_table::iterator found = map->table.find(cxx_key_of(key));
    return found == map->table.end() ? NULL : cxx_val_at(found);
}

MAP_INLINE map_val *map_put(struct map *map, map_key key) {
    try {
        return &map->table[cxx_key_of(key)].val;
    } catch (...) { /* out of memory, or larger than the library can be */
        return NULL;
    }
}

MAP_INLINE bool map_del(struct map *map, map_key key) {
    return map->table.erase(cxx_key_of(key)) != 0;
}

size_t map_len(const struct map *map) {
    return map->table.size();
}
size_t map_capacity(const struct map *map) {
    return map->table.bucket_count();
}
void map_clear(struct map *map) {
    map->table.clear();
}

void map_iter_start(struct map *map, struct map_iter *iter) {
    iter->at = map->table.begin();
    iter->end = map->table.end();
}

MAP_INLINE bool map_iter_next(struct map_iter *iter, map_key *key, const map_val **val) {
    if (iter->at == iter->end) return false;
    *key = cxx_key_to(iter->at->first);
    *val = cxx_val_at(iter->at);
    ++iter->at;
    return true;
}

/* None of the libraries offers a check; op_check's recount and lookups apply. */
const char *map_check(struct map *map) {
    (void)map;
    return NULL;
}

} // namespace
#endif
