/* An entry that keeps its hash if its key is a string, whose text a lookup or a growth would otherwise read;
 * the hash of an integer is computed anew from the key beside it, faster than it is loaded. */
#ifndef MAPBENCH_MAPS_KEPT_HASH_H
#define MAPBENCH_MAPS_KEPT_HASH_H

#include <stdbool.h>
#include <stdint.h>

/* A member of the entry; without bytes where nothing is kept. */
struct kept_hash {
#ifdef SHAPE_KEY_STR
    uint64_t hash;
#endif
};

MAP_INLINE void kept_hash_set(struct kept_hash *kept, uint64_t hash) {
#ifdef SHAPE_KEY_STR
    kept->hash = hash;
#else
    (void)kept, (void)hash;
#endif
}

/* The hash of an entry, whose key is given. */
MAP_INLINE uint64_t kept_hash_of(const struct kept_hash *kept, const map_key *key) {
#ifdef SHAPE_KEY_STR
    (void)key;
    return kept->hash;
#else
    (void)kept;
    return key_hash(*key);
#endif
}

/* Whether an entry, whose key is `stored`, is the one asked for. */
MAP_INLINE bool kept_hash_holds(const struct kept_hash *kept, const map_key *stored, map_key key,
                                uint64_t hash) {
#ifdef SHAPE_KEY_STR
    return kept->hash == hash && key_equal(*stored, key);
#else
    (void)kept, (void)hash;
    return key_equal(*stored, key);
#endif
}

#endif
