/* A release of klib's khash.h:  HEADER(name, khash, PATH).
 *
 * Source:     the header that the line names.
 * Invariants: none known of the library; the selftest compares it with a model.
 * Cost:       two arrays, keys and values, and 2 bits of state per bucket, in the releases known (to 0.2.8).
 */
#include "maps/headers/facts.h"

#if !__has_include(HEADER_FILE)
#define MAP_UNAVAILABLE HEADER_MISSING
#else
#include HEADER_FILE
#endif

HEADER_FACTS(
    "driven as klib's khash", "key + value + 2 bits per bucket",
    "32-bit hashes: the common hash is cut to its low half; it is asked for under either policy, as the "
    "library has no hash of texts with a length",
    TRAIT_TOMBSTONES);

#ifndef MAP_UNAVAILABLE
MAP_INLINE khint_t unit_hash(map_key key) {
    return (khint_t)key_hash(key);
}
#include "maps/adapters/khash_map.h"
#endif
