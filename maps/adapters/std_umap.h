/* std_umap: std::unordered_map of GCC's libstdc++.
 *
 * Source:     <unordered_map>, bits/hashtable.h, as shipped with the compiler; used as most programs use it:
 *             operator[], find, erase, reserve.
 *
 * Invariants: the library's own; it offers no check.
 *
 * Cost:       one allocation per entry (next pointer, key, value, for strings the hash) in one singly linked
 *             list through all buckets; a bucket is a pointer to the node before its first. A lookup divides
 *             by a prime and follows the bucket's part of the list.
 */
#include <unordered_map>

#define STD_UMAP_TEXT_(x) #x
#define STD_UMAP_TEXT(x) STD_UMAP_TEXT_(x)

static const struct map_facts map_facts = {
    .summary = "std::unordered_map: a node per entry, prime bucket count",
    .source = "libstdc++ (GNU), <unordered_map> and bits/hashtable.h",
    .invariants = "none offered by the library",
    .cost = "one allocation per entry: next pointer, key, value (strings: hash); 8 bytes per bucket; lookup: "
            "one division, then a list walk",
#ifdef __GLIBCXX__
    .options =
        "max load 1.0, growth to the next prime past twice the size, libstdc++ " STD_UMAP_TEXT(__GLIBCXX__),
#else
    .options = "max load 1.0, growth as the C++ library decides",
#endif
    .fairness =
        "handicap: the standard demands stable addresses and bucket iterators, hence nodes and an "
        "allocation per put; the prime modulus costs a division but forgives weak hashes, so its own "
        "std::hash (the identity for integers) serves it better than it would serve a power-of-two table; "
        "with std::hash it searches up to 20 string entries without hashing",
    .package = "g++",
    .traits = TRAIT_ADAPTER | TRAIT_STABLE_SLOTS,
};

#define CXX_NATIVE_HASH std::hash<cxx_key>
#define CXX_TABLE std::unordered_map<cxx_key, cxx_val, cxx_hash, cxx_same_key>
#include "maps/adapters/cxx_map.h"

static void map_describe(struct map *map, struct map_structure *out) {
    const cxx_table &table = map->table;
    size_t steps = 0;
    for (size_t b = 0; b < table.bucket_count(); b++) {
        size_t depth = 0;
        for (auto at = table.begin(b); at != table.end(b); ++at) {
            steps += ++depth;
            if (depth > out->probe_max) out->probe_max = depth;
        }
    }
    out->probe_mean = table.empty() ? 0 : (double)steps / (double)table.size();
    out->array_bytes = table.bucket_count() * sizeof(void *);
}
