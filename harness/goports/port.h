/* A port of a Go map compiled into this file, for 64-bit keys and values on malloc, for the traces.
 *
 * A trace includes a whole map: with this header in place of the unit's macros, the map's static functions
 * become the trace's own, which reads the structs directly. What a map lets an observer hook
 * (GO_SWISS_OBSERVER) and the hash policy (UNIT_HASH_native or UNIT_HASH_common) are defined before the map
 * is included.
 */
#ifndef MAPBENCH_GOPORTS_PORT_H
#define MAPBENCH_GOPORTS_PORT_H

#include "harness/heaps/malloc.h"
#include "harness/shapes/u64_u64.h"
#include "harness/unit/map.h"

#define MAP_INLINE static inline __attribute__((always_inline))

/* A map file has more than one user needs. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-const-variable"

#endif
