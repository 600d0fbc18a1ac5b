/* The collecting heap of a unit: what `run` and the selftest create the unit's maps on, as an arena unit has
 * its arena. Whoever makes a map holds it in memory of the harness, which is no root of the heap: the maps
 * themselves are kept here, from gosim_own_keep to gosim_own_forget, in a table that stands for the variables
 * of the program.
 *
 * It collects at Go's pace, but only between two operations (gosim_safe_point): within one, new arrays are in
 * C variables alone. When the last map is forgotten a collection empties the heap and brings the pacer back
 * to where it began, so that no measurement depends on the one before. Pages are kept for the next map as
 * malloc keeps freed blocks; those of a heap that was large go back to the system.
 *
 * For one thread at a time.
 */
#ifndef MAPBENCH_GOSIM_OWN_H
#define MAPBENCH_GOSIM_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/books.h"
#include "harness/heaps/gosim/gosim.h"

/* All zero: not opened yet. */
struct gosim_own {
    struct gosim_options options; /* at_safe_points is always on. To be set before the first map is made */
    struct gosim *heap;
    void ***block;       /* the table, in blocks that stay where they are: the heap knows each used slot */
    size_t blocks, room; /* blocks there are, and room for pointers to them */
    size_t used, live;   /* slots handed out, and those that hold a map */
    size_t expected;     /* the slot whose map is probably forgotten next */
};

/* The heap, opened when first asked for. NULL: out of memory. */
struct gosim *gosim_own_heap(struct gosim_own *own);

/* A map that was just made; one of another heap or NULL is left alone. False: there is no map, or no memory
 * to keep it: it goes with the next collection. */
bool gosim_own_keep(struct gosim_own *own, struct gosim *heap, void *map);
/* The map was destroyed; one of another heap is left alone. */
void gosim_own_forget(struct gosim_own *own, struct gosim *heap, void *map);

/* Reads the heap's own books; `collect`: after a forced collection. Only then the number of blocks is told,
 * and what maps asked for: the bytes of objects before they are rounded up to a size class. A peak within a
 * collection counts as held. */
void gosim_own_books(struct gosim_own *own, bool collect, struct heap_books *out);

#endif
