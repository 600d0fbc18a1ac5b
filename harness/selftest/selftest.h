/* Proves units right before anything of theirs is timed: a random test of every operation against a model,
 * every allocation failing once, and every measured loop against a checksum computed apart from it.
 */
#ifndef MAPBENCH_SELFTEST_H
#define MAPBENCH_SELFTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/unit/map.h"

struct selftest_options {
    uint64_t seed;
    size_t operations; /* random operations per unit, over all kinds of keys */
    /* Makes allocations fail, and tells how many have failed so far; NULL: none are made to. */
    void (*fail_after)(uint64_t calls);
    uint64_t (*failures)(void);
    bool heap_macros_only; /* fail_after reaches only the allocations that a map makes through the HEAP macros
                            */
    /* Allocated blocks of the process, for the search for leaks; NULL: leaks are not looked for. */
    uint64_t (*live_blocks)(void);
};

/* Options with the means of failing allocations that this process has: the heap macros in a build with
 * MAPBENCH_FAULTS, the memory counter where it is preloaded, otherwise none. */
struct selftest_options selftest_options_make(uint64_t seed, size_t operations);

/* NULL when allocations of this unit are made to fail under these options; otherwise why they are not. */
const char *selftest_not_injected(const struct map_unit *unit, const struct selftest_options *options);

/* True: the unit does what its tables promise. False: `why` says in one line what it did instead. The maps of
 * a unit that failed are left as they are: destroying a broken one could crash. An unavailable unit fails. */
bool selftest_unit(const struct map_unit *unit, const struct selftest_options *options, struct why *why);

/* Tests all available units whose "map/shape/hash/heap" matches the extended regular expression (NULL: all),
 * each in a child process, so that one which crashes or hangs fails alone. Prints a line per unit and a
 * summary. Returns EXIT_OK, EXIT_CHECK_FAILED, EXIT_USAGE (not a regular expression) or EXIT_NOTHING. */
int selftest_run(const char *filter, uint64_t seed, size_t operations, bool verbose);

/* Starts this process again, with the same arguments and the memory counter preloaded: libmemcount.so in the
 * folder of the executable or in the one above it. Returns when a library is preloaded already, when there is
 * no counter, and in a sanitizer build; the selftest says what it then leaves out. Call it first thing. */
void selftest_preload(char **argv);

#endif
