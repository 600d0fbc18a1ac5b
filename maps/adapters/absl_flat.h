/* absl_flat: absl::flat_hash_map, the original Swiss table.
 *
 * Source:     Abseil, absl/container/flat_hash_map.h and internal/raw_hash_set.h; used through operator[],
 *             find, erase and reserve.
 *
 * Invariants: the library's own; it offers no check in release builds.
 *
 * Cost:       one array of entries and one control byte per slot (7 bits of the hash); a lookup compares 16
 *             control bytes at a time. A delete leaves a tombstone unless a neighbouring slot proves it
 *             needless.
 */
#if !__has_include(<absl/container/flat_hash_map.h>)
#define MAP_UNAVAILABLE "absl/container/flat_hash_map.h not found: make deps build (libabsl-dev)"
#else
#include <stdio.h>
#include <absl/base/config.h>
#include <absl/container/flat_hash_map.h>
#endif

#define ABSL_FLAT_TEXT_(x) #x
#define ABSL_FLAT_TEXT(x) ABSL_FLAT_TEXT_(x)

static const struct map_facts map_facts = {
    .summary = "absl::flat_hash_map: Swiss table, entries inline",
    .source = "Abseil, absl/container/flat_hash_map.h and internal/raw_hash_set.h",
    .invariants = "none offered by the library",
    .cost =
        "entry + 1 control byte per slot; lookup: 16 control bytes compared at once, then usually one key",
#ifdef ABSL_LTS_RELEASE_VERSION
    .options = "max load 7/8, growth x2, absl " ABSL_FLAT_TEXT(ABSL_LTS_RELEASE_VERSION),
#else
    .options = "max load 7/8, growth x2",
#endif
    .fairness =
        "takes a 64-bit hash as it is, 7 bits of it as a tag, so the common hash is neither mixed again "
        "nor truncated; clear() gives the array back above 127 slots, which makes clear fast and the next "
        "puts slow; the library is built without exceptions in mind: out of memory ends the process; cliffs "
        "(u64_u64): "
        "drain grows like n^1.0, 7 us an entry at 16k (20260526: 12 us); a scan of a map that held 100 times "
        "as "
        "much, 100 ns an entry (145 ns)",
    .package = "libabsl-dev",
    .traits = TRAIT_ADAPTER | TRAIT_TOMBSTONES | TRAIT_ABORTS_ON_OOM,
};

#ifndef MAP_UNAVAILABLE
namespace {
/* std::allocator, but out of memory ends the process: raw_hash_set::resize changes the capacity before it
 * allocates, so that an exception would leave a table that reads past its array. */
template <class T> struct absl_flat_allocator {
    using value_type = T;
    absl_flat_allocator() = default;
    template <class U> absl_flat_allocator(const absl_flat_allocator<U> &) {}
    T *allocate(size_t n) {
        try {
            return std::allocator<T>().allocate(n);
        } catch (...) {
            fprintf(stderr, "absl_flat: out of memory for %zu bytes; the library cannot recover\n",
                    n * sizeof(T));
            abort();
        }
    }
    void deallocate(T *p, size_t n) { std::allocator<T>().deallocate(p, n); }
    bool operator==(const absl_flat_allocator &) const { return true; }
};
} // namespace

#define CXX_NATIVE_HASH absl::Hash<cxx_key>
#define CXX_TABLE                                                                                            \
    absl::flat_hash_map<cxx_key, cxx_val, cxx_hash, cxx_same_key,                                            \
                        absl_flat_allocator<std::pair<const cxx_key, cxx_val>>>
#include "maps/adapters/cxx_map.h"

/* Through the access Abseil keeps for its own tests and benchmarks. A probe is a key compared in vain or a
 * further group of control bytes. */
static void map_describe(struct map *map, struct map_structure *out) {
    using debug = absl::container_internal::hashtable_debug_internal::HashtableDebugAccess<cxx_table>;
    size_t steps = 0;
    for (const auto &entry : map->table) {
        size_t probes = 1 + debug::GetNumProbes(map->table, entry.first);
        steps += probes;
        if (probes > out->probe_max) out->probe_max = probes;
    }
    out->probe_mean = map->table.empty() ? 0 : (double)steps / (double)map->table.size();
    out->array_bytes = debug::AllocatedByteSize(map->table);
}
#endif
