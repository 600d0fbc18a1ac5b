/* khash: klib's macro-made open-addressing table, in the version that htslib installs.
 *
 * Source:     htslib/khash.h (attractivechaos/klib, AC_VERSION_KHASH_H); kh_put, kh_get, kh_del, kh_resize.
 *             The table struct is a member of struct map instead of kh_init's separate block: one pointer
 *             less to follow.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       two arrays, keys and values, and 2 bits of state per bucket. Triangular probing; a delete
 *             leaves a tombstone, cleared by the next resize.
 */
#if !__has_include(<htslib/khash.h>)
#define MAP_UNAVAILABLE "htslib/khash.h not found: make deps build (libhts-dev)"
#define AC_VERSION_KHASH_H "absent"
#else
#include <htslib/khash.h>
#endif

static const struct map_facts map_facts = {
    .summary = "klib khash: open addressing, triangular probing, keys and values apart",
    .source = "klib khash.h by Attractive Chaos, as htslib/khash.h",
    .invariants = "none offered by the library",
    .cost = "key + value + 2 bits per bucket; lookup: the state bits and the key array, the value array on a "
            "hit",
    .options = "max load 0.77, growth x2, at most 2^31 buckets, khash " AC_VERSION_KHASH_H,
    .fairness =
        "32-bit hashes: the common hash is cut to its low half, as the library's types demand; its own "
        "integer hash is the identity (32 bits) or a shift-and-xor (64 bits), its own string hash reads "
        "byte by byte; no hash is stored, so growing strings hashes them again; cliffs (0.2.8, u64_u64): "
        "drain "
        "grows like n^1.1, 24 us an entry at 16k; a scan of a map that held 100 times as much, 310 ns an "
        "entry",
    .package = "libhts-dev",
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES,
};

#ifndef MAP_UNAVAILABLE

#ifdef UNIT_HASH_common
MAP_INLINE khint_t unit_hash(map_key key) {
    return (khint_t)key_hash(key);
}
#elif defined(SHAPE_KEY_STR)
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_kstr_hash_func(((kstring_t){.l = key.len, .s = (char *)key.text}));
}
#elif SHAPE_KEY_BITS == 32
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_int_hash_func(key);
}
#else
MAP_INLINE khint_t unit_hash(map_key key) {
    return kh_int64_hash_func(key);
}
#endif

#include "maps/adapters/khash_map.h"
#endif
