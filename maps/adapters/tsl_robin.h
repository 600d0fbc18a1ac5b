/* tsl_robin: tsl::robin_map by Thibaut Goetghebuer-Planchon.
 *
 * Source:     tsl/robin_map.h and tsl/robin_hash.h (Debian: robin-map 1.2.1); used through operator[], find,
 *             erase and reserve.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       one array of buckets: entry, distance from its first place (16 bits), for strings 32 bits of
 *             the hash in what would be padding. Robin Hood linear probing; a delete shifts its successors
 *             back.
 */
#if !__has_include(<tsl/robin_map.h>)
#define MAP_UNAVAILABLE "tsl/robin_map.h not found: make deps build (robin-map-dev)"
#else
#include <tsl/robin_map.h>
#endif

static const struct map_facts map_facts = {
    .summary = "tsl::robin_map: Robin Hood linear probing, entries inline",
    .source = "Tessil/robin-map, tsl/robin_map.h and tsl/robin_hash.h",
    .invariants = "none offered by the library",
    .cost = "entry + 8 bytes (distance, flags, part of the hash) per bucket, padded; lookup: a short linear "
            "probe",
    .options =
        "max load 0.5, no minimum load, growth x2 (power_of_two_growth_policy<2>), hash stored where it "
        "is free (StoreHash false)",
    .fairness =
        "advantage: half the buckets stay empty, so probes are short and memory is the largest of the "
        "flat maps; takes the low bits of a 64-bit hash as they are: with its usual std::hash, the "
        "identity, sequential integers fall into place and strided ones collide; cliffs (1.2.1, u64_u64): "
        "drain "
        "grows like n^1.0, 12 us an entry at 16k; a map that held or reserved 100 times as much takes 340 ns "
        "an "
        "entry to scan, 350 to clear, 390 to fill",
    .package = "robin-map-dev",
    .traits = TRAIT_ADAPTER,
};

#ifndef MAP_UNAVAILABLE
#define CXX_NATIVE_HASH std::hash<cxx_key>
#define CXX_TABLE tsl::robin_map<cxx_key, cxx_val, cxx_hash, cxx_same_key>
#include "maps/adapters/cxx_map.h"

/* The library does not show its distances. */
static void map_describe(struct map *map, struct map_structure *out) {
    using bucket = tsl::detail_robin_hash::bucket_entry<std::pair<cxx_key, cxx_val>, false>;
    out->array_bytes = map->table.bucket_count() * sizeof(bucket);
}
#endif
