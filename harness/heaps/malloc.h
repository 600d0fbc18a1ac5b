/* The malloc heap: plain malloc, calloc and free.
 *
 * A heap is these names. A map file uses them instead of the C library's, so that the same file can be
 * compiled for a heap that counts, collects or traces. `h` is the struct heap the map was created with;
 * HEAP_FIELD keeps it in struct map where the heap needs it. Here all of it folds to the plain call: no
 * field, no argument, no check.
 */
#ifndef MAPBENCH_HEAP_MALLOC_H
#define MAPBENCH_HEAP_MALLOC_H

#include <stdlib.h>

#ifdef MAPBENCH_FAULTS
#include "harness/heaps/fault.h"
#define HEAP_MAY_FAIL(call) (fault_now() ? NULL : (call))
#else
#define HEAP_MAY_FAIL(call) (call)
#endif

#define HEAP_NAME "malloc"
#define HEAP_FIELD                    /* a member of struct map that holds the heap: none needed */
#define HEAP_BIND(map, h) ((void)(h)) /* remembers the heap in HEAP_FIELD */
#define HEAP_OF(map) ((struct heap *)NULL)

/* n objects of a type, uninitialised or zeroed; NULL: out of memory, or n too large to address. */
#define HEAP_NEW(h, type, n)                                                                                 \
    ((type *)((n) > PTRDIFF_MAX / (sizeof(type) + !sizeof(type))                                             \
                  ? NULL                                                                                     \
                  : HEAP_MAY_FAIL(malloc((n) * sizeof(type)))))
#define HEAP_NEW_ZEROED(h, type, n) ((type *)HEAP_MAY_FAIL(calloc((n), sizeof(type))))
#define HEAP_FREE(h, ptr) free(ptr)

/* Every store of a pointer into heap memory, and every slot that stops being live (before it is cleared),
 * goes through these: the write barrier and the retention accounting of collecting heaps hang here. */
#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))

/* Describe where the pointers of a map's structs are, for heaps that must know. */
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_UNTRACED(name, type)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

#endif
