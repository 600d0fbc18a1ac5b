/* The processor's caches, as far as what is said of them can be believed. */
#ifndef MAPBENCH_CACHES_H
#define MAPBENCH_CACHES_H

#include <stddef.h>
#include <stdint.h>

struct cache {
    unsigned level, shared_by; /* processors; 0: unknown */
    char type[16];             /* "Data", "Instruction", "Unified" */
    uint64_t bytes;
};

enum { CACHES_MAX = 16 };

struct caches {
    size_t count;
    struct cache cache[CACHES_MAX];
    char doubt[160]; /* what is not believed, and why; "": nothing */
};

/* How many processors a list as "0-3,8" names. */
unsigned cpu_list_length(const char *list);

/* Lists the first processor's caches: those of /sys, else what the C library says (from cpuid), which
 * `by_libc` asks (sysconf). A size is believed if it is no smaller than the level below and no larger than 64
 * MiB for each processor that shares the cache (where that is not known: for each of `cpus`). A hypervisor
 * may show a guest of two processors the 480 MiB of its whole host: such a cache is left out. */
void caches_read(struct caches *caches, unsigned cpus, long (*by_libc)(int name));

/* Size of the data or unified cache of a level; 0: there is none, or unknown. */
uint64_t caches_bytes(const struct caches *caches, unsigned level);

/* Size of the last cache before memory; 0: unknown, or doubted. */
uint64_t caches_last_bytes(const struct caches *caches);

#endif
