/* Calls of the ports of Go's plain maps, the same as in the originals.
 *
 * A Go program does not inline its map: a lookup, a store, a deletion, every step of a walk is a call into
 * the runtime, which is given a descriptor of the map's type and calls the hash function through it. Values
 * and keys are moved and cleared by calls too, as only the descriptor knows their size. These calls are a
 * tenth to a half of an operation while the map is cached, and not the same share in both maps; without them
 * a port would be faster than its original by a different factor in each, and the ratio of the two ports
 * would say little about the two maps. So a GO_FUNC is a function in Go's runtime too, and as there it is
 * called.
 *
 * Source: Go 1.24 (The Go Authors, BSD licence), internal/abi/type.go, map_noswiss.go and map_swiss.go,
 *         runtime/mbarrier.go (typedmemmove, typedmemclr).
 */
#ifndef MAPBENCH_MAPS_GO_CALL_H
#define MAPBENCH_MAPS_GO_CALL_H

#include "maps/go/hash.h"

/* Descriptions of the ports' types with their names in Go, for heaps that show types; to others a type is
 * what it is in C. */
#ifndef HEAP_TYPE_NAMED
#define HEAP_TYPE_NAMED(name, text, type, hidden, ...) HEAP_TYPE_HIDING(name, type, hidden, __VA_ARGS__)
#define HEAP_TYPE_UNTRACED_NAMED(name, text, type) HEAP_TYPE_UNTRACED(name, type)
#endif

/* noipa: gcc may neither clone the function for a caller nor rely on which registers it leaves alone. */
#if defined(__clang__)
#define GO_FUNC static __attribute__((noinline))
#define GO_LOOP _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define GO_FUNC static __attribute__((noipa))
/* Before a loop that Go's compiler leaves as it is: eight slots, one after the other. */
#define GO_LOOP _Pragma("GCC unroll 1")
#endif

/* MapType.Hasher. */
typedef uint64_t go_hasher(const struct go_hash_keys *keys, const map_key *key, uint64_t seed);

/* Type: what is used of it. */
struct go_type {
    size_t bytes;
    size_t pointer_bytes; /* of which so many may hold pointers */
    bool (*equal)(const map_key *a, const map_key *b);
};

/* MapType of both maps: what is used of them. The map is told at run time how large and where things are. */
struct go_map_type {
    const struct go_type *key, *elem;
    go_hasher *hasher;
    size_t group_bytes;            /* of a group, or a bucket */
    size_t slot_bytes;             /* Swiss: from one slot to the next */
    size_t elem_offset;            /* of a slot, or a bucket */
    uint8_t key_bytes, elem_bytes; /* classic: of a key and an element as they are stored */
    uint32_t flags;
};
enum { GO_TYPE_INDIRECT_KEY = 1, GO_TYPE_INDIRECT_ELEM = 2 };

GO_FUNC uint64_t go_hash_key(const struct go_hash_keys *keys, const map_key *key, uint64_t seed) {
#if !defined(UNIT_HASH_native)
    (void)keys, (void)seed;
    return key_hash(*key);
#elif defined(SHAPE_KEY_STR)
    return go_strhash(keys, key->text, key->len, seed);
#elif defined(SHAPE_KEY_BITS) && SHAPE_KEY_BITS == 32
    return go_memhash32(keys, *key, seed);
#elif defined(SHAPE_KEY_BITS)
    return go_memhash64(keys, *key, seed);
#elif defined(SHAPE_KEY_FLOAT)
    return go_f64hash(keys, *key, seed);
#else
    return go_strhash(keys, (const char *)key, sizeof *key, seed);
#endif
}

/* Stores an equal key again, as assignments of types with NeedKeyUpdate do: what held the text or the box of
 * the old one may be given up then, and zeros have a sign. `stored`: where it lies in the map. */
#if defined(SHAPE_KEY_STR)
#define GO_KEY_UPDATE(map, stored, key) HEAP_STORE(HEAP_OF(map), &(stored)->text, (key).text)
#elif defined(SHAPE_KEY_ANY)
#define GO_KEY_UPDATE(map, stored, key)                                                                      \
    do {                                                                                                     \
        (stored)->type = (key).type;                                                                         \
        HEAP_STORE(HEAP_OF(map), &(stored)->data, (key).data);                                               \
    } while (0)
#elif defined(SHAPE_KEY_FLOAT)
#define GO_KEY_UPDATE(map, stored, key) ((void)(*(stored) = (key)))
#else
#define GO_KEY_UPDATE(map, stored, key) ((void)(stored))
#endif

/* memmove, memclrNoHeapPointers: small sizes by one or two accesses, which may overlap, as in Go's assembler.
 */
GO_FUNC void go_move(void *to, const void *from, size_t bytes) {
    uint64_t first, last;
    uint32_t first32, last32;
    if (bytes > 16 || bytes < 4) {
        memmove(to, from, bytes);
    } else if (bytes >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, (const char *)from + bytes - 8, 8);
        memcpy(to, &first, 8);
        memcpy((char *)to + bytes - 8, &last, 8);
    } else {
        memcpy(&first32, from, 4);
        memcpy(&last32, (const char *)from + bytes - 4, 4);
        memcpy(to, &first32, 4);
        memcpy((char *)to + bytes - 4, &last32, 4);
    }
}
GO_FUNC void go_clear(void *at, size_t bytes) {
    if (bytes > 16 || bytes < 4) {
        memset(at, 0, bytes);
    } else if (bytes >= 8) {
        memset(at, 0, 8);
        memset((char *)at + bytes - 8, 0, 8);
    } else {
        memset(at, 0, 4);
        memset((char *)at + bytes - 4, 0, 4);
    }
}

/* typedmemmove, whose barrier is off outside of a collection. */
GO_FUNC void go_typed_move(const struct go_type *type, void *to, const void *from) {
    if (to == from) return;
    go_move(to, from, type->bytes);
}

#endif
