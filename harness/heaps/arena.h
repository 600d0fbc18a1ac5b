/* The arena heap: bump allocation, nothing given back until the end (harness/heaps/arena_heap.h says what
 * that means for deletes). `h` is a struct arena; NULL means the unit's own, which all maps of the unit
 * share: it is emptied when the last of them is destroyed.
 */
#ifndef MAPBENCH_HEAP_ARENA_H
#define MAPBENCH_HEAP_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/arena_heap.h"

#ifdef MAPBENCH_FAULTS
#include "harness/heaps/fault.h"
#define HEAP_MAY_FAIL(call) (fault_now() ? NULL : (call))
#else
#define HEAP_MAY_FAIL(call) (call)
#endif

/* Mutable and global because map_create may be given no heap, and the maps of a unit come and go apart. */
static struct arena heap_unit_arena;

static inline struct arena *heap_arena(void *heap) {
    return heap ? (struct arena *)heap : &heap_unit_arena;
}

#define HEAP_NAME "arena"
#define HEAP_FIELD struct arena *arena;
#define HEAP_BIND(map, h) ((void)((map)->arena = heap_arena(h)))
#define HEAP_OF(map) ((struct heap *)(map)->arena)

#define HEAP_BYTES_FIT(type, n) ((n) <= PTRDIFF_MAX / sizeof(type))
#define HEAP_NEW(h, type, n)                                                                                 \
    ((type *)(!HEAP_BYTES_FIT(type, n) ? NULL : HEAP_MAY_FAIL(arena_new(heap_arena(h), (n) * sizeof(type)))))
#define HEAP_NEW_ZEROED(h, type, n)                                                                          \
    ((type *)(!HEAP_BYTES_FIT(type, n)                                                                       \
                  ? NULL                                                                                     \
                  : HEAP_MAY_FAIL(arena_new_zeroed(heap_arena(h), (n) * sizeof(type)))))
#define HEAP_FREE(h, ptr) arena_free(heap_arena(h), (ptr))

#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_UNTRACED(name, type)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

#endif
