/* boost_flat: boost::unordered_flat_map.
 *
 * Source:     Boost.Unordered 1.81 or later, boost/unordered/unordered_flat_map.hpp and detail/foa.hpp; used
 *             through operator[], find, erase and reserve. Debian 12 has it in libboost1.81-dev, not in the
 *             default libboost-dev (1.74): `make deps` unpacks its headers into deps/boost, as installing it
 *             would remove what python3-scipy needs.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       one array of entries in groups of 15, 16 bytes of metadata a group (15 bytes of reduced hash
 *             and an overflow byte). A lookup compares 15 bytes at once; the overflow byte ends most misses
 *             in one group.
 */
#if !__has_include(<boost/unordered/unordered_flat_map.hpp>)
#define MAP_UNAVAILABLE                                                                                      \
    "boost/unordered/unordered_flat_map.hpp not found (Boost 1.81 or later): make deps build (libboost-dev)"
#else
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/version.hpp>
#include <boost/container_hash/hash.hpp>
#endif

#define BOOST_FLAT_TEXT_(x) #x
#define BOOST_FLAT_TEXT(x) BOOST_FLAT_TEXT_(x)

static const struct map_facts map_facts = {
    .summary = "boost::unordered_flat_map: groups of 15 with an overflow byte, entries inline",
    .source = "Boost.Unordered, boost/unordered/unordered_flat_map.hpp and detail/foa.hpp",
    .invariants = "none offered by the library",
    .cost =
        "15 entries + 16 metadata bytes per group; lookup: 15 bytes compared at once, then usually one key",
#ifdef BOOST_VERSION
    .options = "max load 7/8, growth x2, BOOST_VERSION " BOOST_FLAT_TEXT(BOOST_VERSION),
#else
    .options = "max load 7/8, growth x2",
#endif
    .fairness =
        "the common hash is declared avalanching, as its users would, so the library does not mix it "
        "again; its own boost::hash is the identity for integers and is mixed; each delete from an "
        "overflowed group lowers the load it will take, so churn rehashes now and then; cliffs (u64_u64): "
        "drain "
        "grows like n^1.0, 1.1 us an entry at 16k (1.92: n^0.9, 1.5 us); filled in the walk order of its "
        "own kind, n^0.30 an insertion, 126 ns at 16k (1.92: n^0.32, 140 ns)",
#if defined(BOOST_VERSION) && BOOST_VERSION / 100 == 1081
    .package = "libboost1.81-dev",
#else
    .package = "libboost-dev",
#endif
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES, /* the overflow bits: they outlive the entry that set them */
};

#ifndef MAP_UNAVAILABLE
#define CXX_NATIVE_HASH boost::hash<cxx_key>
#define CXX_TABLE boost::unordered_flat_map<cxx_key, cxx_val, cxx_hash, cxx_same_key>
#include "maps/adapters/cxx_map.h"

/* Probe lengths are not to be had before Boost 1.86. A slot at the end is the library's own sentinel. */
static void map_describe(struct map *map, struct map_structure *out) {
    const size_t slots = 15, metadata_bytes = 16, capacity = map->table.bucket_count();
    if (capacity)
        out->array_bytes = (capacity + 1) / slots * (slots * sizeof(cxx_table::value_type) + metadata_bytes);
}
#endif
