#include "harness/selftest/selftest.h"

#include <dlfcn.h>
#include <string.h>

#include "harness/heaps/fault.h"
#include "harness/preload/memcount.h"
#include "harness/selftest/parts.h"

/* --- the means of failing allocations --- */

#ifdef MAPBENCH_FAULTS

struct selftest_options selftest_options_make(uint64_t seed, size_t operations) {
    return (struct selftest_options){.seed = seed,
                                     .operations = operations,
                                     .fail_after = fault_after,
                                     .failures = fault_count,
                                     .heap_macros_only = true};
}

#else

static void read_memcount(struct memcount *counts) {
    memcount_read_fn *read;
    *(void **)(&read) = dlsym(RTLD_DEFAULT, "memcount_read");
    read(counts);
}

static uint64_t memcount_failures(void) {
    struct memcount counts;
    read_memcount(&counts);
    return counts.failed;
}

static uint64_t memcount_live_blocks(void) {
    struct memcount counts;
    read_memcount(&counts);
    return counts.live_blocks;
}

struct selftest_options selftest_options_make(uint64_t seed, size_t operations) {
    struct selftest_options options = {.seed = seed, .operations = operations};
    *(void **)(&options.fail_after) = dlsym(RTLD_DEFAULT, "memcount_fail_after");
    if (options.fail_after) {
        options.failures = memcount_failures;
        options.live_blocks = memcount_live_blocks;
    }
    return options;
}

#endif

const char *selftest_not_injected(const struct map_unit *unit, const struct selftest_options *options) {
    unsigned traits = unit->facts->traits;
    if (traits & TRAIT_BASELINE) return "a baseline holds nothing";
    if (traits & TRAIT_ABORTS_ON_OOM) return "its library ends the process when memory runs out";
    if (unit->engine) return "it allocates in another process";
    if (!options->heap_macros_only && strcmp(unit->heap, "boehm") == 0)
        return "libgc takes its memory from the system, past the counter";
    if (!options->heap_macros_only && strcmp(unit->heap, "gosim") == 0)
        return "the collecting heap takes its memory from the system, past the counter";
    if (!options->fail_after) return "the memory counter is not preloaded";
    if (options->heap_macros_only && traits & TRAIT_ADAPTER)
        return "its library does not allocate through the heap macros";
    return NULL;
}

/* --- one unit --- */

bool selftest_unit(const struct map_unit *unit, const struct selftest_options *options, struct why *why) {
    if (unit->unavailable) return why_say(why, "unavailable: %s", unit->unavailable);
    if (!shape_find(unit->shape)) return why_say(why, "names a shape that does not exist: %s", unit->shape);
    bool baseline = unit->facts->traits & TRAIT_BASELINE;
    return (baseline || selftest_model(unit, options, why)) && selftest_loops(unit, options, why) &&
           (selftest_not_injected(unit, options) || selftest_memory(unit, options, why));
}
