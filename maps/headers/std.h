/* A header with a C++ table that has the interface of std::unordered_map, such as
 * ankerl::unordered_dense::map or emhash8::HashMap:  HEADER(name, std, PATH, TABLE), where TABLE<key, value,
 * hash, equal> is the map.
 *
 * Source:     the header that the line names.
 * Invariants: none known of the library; the selftest compares it with a model.
 * Cost:       the library's own.
 *
 * It is driven by operator[], find, erase, reserve, begin and end, as the other C++ maps are.
 */
#include "maps/headers/facts.h"

#if !__has_include(HEADER_FILE)
#define MAP_UNAVAILABLE HEADER_MISSING
#else
#include HEADER_FILE
#endif

HEADER_FACTS(
    "driven as std::unordered_map is", "the library's own",
    "the common hash is declared avalanching, which the libraries that know the word do not mix again; "
    "the native hash is std::hash, unless the library mixes it itself",
    TRAIT_HINT_INEXACT);

#ifndef MAP_UNAVAILABLE
#define CXX_NATIVE_HASH std::hash<cxx_key>
#define CXX_TABLE HEADER_TABLE<cxx_key, cxx_val, cxx_hash, cxx_same_key>
#include "maps/adapters/cxx_map.h"

/* Nothing of the inside is known. */
static void map_describe(struct map *map, struct map_structure *out) {
    (void)map, (void)out;
}
#endif
