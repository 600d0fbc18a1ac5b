/* Counts what a process allocates, not what of it is resident (resident.h): a shared object that a measuring
 * child preloads. It forwards every allocation to the next allocator (glibc's, or another one preloaded
 * behind it) and can make a planned one fail.
 *
 * Live bytes are what the allocator set aside: malloc_usable_size plus, where that is glibc, the 8 bytes of
 * its chunk header. Counted are malloc, calloc, realloc, reallocarray, posix_memalign, aligned_alloc,
 * memalign, valloc, pvalloc and free, from C and C++ alike (libstdc++'s operator new calls malloc). Not
 * counted: mmap called by the program itself, stacks, and memory that the allocator keeps for later.
 * Thread-safe. It remembers what was asked for in a shadow of a quarter of the memory that blocks lie in,
 * mapped apart: resident memory must be read without it. The timing build never loads it. Symbols are found
 * with dlsym(RTLD_DEFAULT, ...).
 */
#ifndef MAPBENCH_MEMCOUNT_H
#define MAPBENCH_MEMCOUNT_H

#include <stdint.h>

struct memcount {
    uint64_t live_bytes, peak_bytes; /* now, and the most since the last reset of the peak */
    uint64_t live_blocks;
    uint64_t allocations,
        frees;       /* calls since the start; a realloc that moves or resizes counts as one of each */
    uint64_t failed; /* allocations failed on purpose */
    uint64_t requested_bytes; /* of the live blocks, what the program asked for; at most live_bytes */
};

/* Exported by libmemcount.so. */
typedef void memcount_read_fn(struct memcount *out); /* "memcount_read" */
typedef void memcount_reset_peak_fn(void); /* "memcount_reset_peak": the peak becomes what is live now */
typedef void
memcount_fail_after_fn(uint64_t calls); /* "memcount_fail_after": as fault_after in fault.h, for the
                                           calling thread; the failure sets errno to ENOMEM */

#endif
