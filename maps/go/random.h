/* Random numbers of the ports of Go's plain maps, which Go draws from a generator of the process. Here each
 * map has a stream of its own (rng_next), seeded alike in every run. */
#ifndef MAPBENCH_MAPS_GO_RANDOM_H
#define MAPBENCH_MAPS_GO_RANDOM_H

#include <stdint.h>

#include "harness/base/rng.h"

/* Returns the state that a new map's stream begins with. Every map of a unit has the same, except on a
 * collecting heap: there the sizes of many maps with one seed would all err the same way. */
static uint64_t go_random_seed(struct heap *heap, uint64_t unit_seed) {
    (void)heap;
#if defined(HEAP_RANDOM)
    return rng_derive(unit_seed, HEAP_RANDOM(heap));
#elif defined(HEAP_COLLECTS)
    static uint64_t maps_made;
    return rng_derive(unit_seed, ++maps_made);
#else
    return unit_seed;
#endif
}

#endif
