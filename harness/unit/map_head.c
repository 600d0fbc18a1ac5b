/* What the program says of a map without loading a unit of it: the map's file, of which only the facts are
 * kept. The Makefile defines
 *
 *   HEAD_SYMBOL      the exported const struct map_head
 *   HEAD_BROKEN      instead of all others, if the map does not compile: the compiler's first error line, a
 * string UNIT_MAP_FILE, UNIT_SHAPE_FILE, UNIT_HEAP_FILE, UNIT_HASH_*  as for map_unit.c
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/map.h"

#ifdef __cplusplus
#define HEAD_EXPORT extern "C" const
#else
#define HEAD_EXPORT const
#endif

#ifdef HEAD_BROKEN

static const struct map_facts map_facts = {
    .summary = "this program was built without it: make build",
    .source = "-",
    .invariants = "-",
    .cost = "-",
    .options = "-",
    .fairness = "-",
    .package = NULL,
    .traits = 0,
};

#else

#define HEAD_BROKEN NULL

#include "harness/base/clock.h"
#include "harness/unit/recorder.h"
#include UNIT_SHAPE_FILE
#include UNIT_HEAP_FILE

/* For functions that a measured loop must not call but contain. */
#define MAP_INLINE static inline __attribute__((always_inline))

#include UNIT_MAP_FILE

#endif

#ifndef MAP_UNAVAILABLE
#define MAP_UNAVAILABLE NULL
#endif

HEAD_EXPORT struct map_head HEAD_SYMBOL;
HEAD_EXPORT struct map_head HEAD_SYMBOL = {
    .facts = &map_facts, .unavailable = MAP_UNAVAILABLE, .broken = HEAD_BROKEN};
