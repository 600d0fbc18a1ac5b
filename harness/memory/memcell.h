/* Measures what one map takes, allocated and resident, in child processes of its own, so that no earlier map
 * has shaped the heap. Not the memory of this process, and not of engine maps (measure/engine_memory.c).
 *
 * Two children replay the same growth. The first preloads libmemcount.so and knows every byte allocated; the
 * second runs on the bare allocator and reads what is resident. Both take a floor after everything of the
 * harness is in place and touched (code, keys, text, buffers, the library's one-time state) and report
 * differences from it. glibc's threshold for giving a block a mapping of its own is held at its initial 128
 * KiB there, as it is in a fresh program.
 */
#ifndef MAPBENCH_MEMCELL_H
#define MAPBENCH_MEMCELL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/unit/map.h"

/* Huge pages are asked of glibc by its tunable glibc.malloc.hugetlb; another allocator preloaded gets them
 * only where the machine is set to give them always. */
enum memcell_pages {
    MEMCELL_PAGES_AS_SET, /* as the machine is set */
    MEMCELL_PAGES_SMALL,  /* 4 KiB pages only */
    MEMCELL_PAGES_HUGE,   /* transparent huge pages for all of the map's memory */
};

struct memcell_args {
    const struct map_unit *unit;
    const char *keys_spec;
    size_t n; /* entries, in all */
    uint64_t seed;
    const char *workload; /* "put_grow": one map; "small_put": maps of 1..64 entries, n in all */
    enum memcell_pages pages;
    unsigned limit_s; /* each child is killed after so many seconds (deadline.h); 0: MEMCELL_LIMIT_S */
};

enum { MEMCELL_LIMIT_S = 300 };

/* Measures one cell. `self_path` is the mapbench executable, NULL: the running one; libmemcount.so is looked
 * for beside it. Returns an object with
 *
 * - bytes_live, bytes_per_entry, blocks_live: allocated at the end, by the allocator's own sizes
 * - bytes_peak: most bytes allocated at any moment on the way
 * - allocations: calls on the way
 * - rss_delta, rss_peak_delta: resident bytes above the floor, at the end and at most; may be negative
 * - curve [[entries, bytes_live, rss_bytes]]: 16 points an octave, and before and after every event (the
 *   first 16 of a kind in an octave)
 * - octave {mean, min, max}: bytes per entry over every size in (n/2, n]
 * - requested_bytes: what the map asked the allocator for, of bytes_live
 * - minor_faults, major_faults: page faults on the way; huge_bytes: of rss_delta, in transparent huge pages
 * - thp: whether the map's memory could be in such pages
 * - layers [[entries, live, requested, allocator, resident]]: in bytes, at the points of the curve; live: the
 *   keys and values themselves; allocator: bytes_live. Only of put_grow
 * - events [{op, what}]: the store (from 1) after which the capacity was another ("grow"), an old array began
 *   to be emptied ("evacuate") or was given up ("evacuated"), or the heap had collected ("collect")
 *
 * A heap that keeps books of its own (map.h) is asked instead of the counter: what it cannot tell of
 * blocks_live, allocations and requested bytes is null, and bytes_peak is the most after any store.
 *
 * New reference. NULL: `why` says in one line what went wrong, where. */
json_t *memcell_measure(const struct memcell_args *args, const char *self_path, struct why *why);

/* The hidden command `mapbench memory-cell ...` that runs in the children: argv[0] is "memory-cell", what
 * follows is written by memcell_measure. Returns the exit code. */
int memcell_child(int argc, char **argv);

#endif
