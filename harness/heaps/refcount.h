/* The refcount heap: every object counts the references that slots hold to it
 * (harness/heaps/refcount_heap.h). A map's HEAP_FREE gives an object up; it goes once no slot refers to it
 * any more. A map that stores its pointers through HEAP_STORE and calls HEAP_DROP on slots that stop being
 * live, while they still hold what they held, leaves nothing behind.
 */
#ifndef MAPBENCH_HEAP_REFCOUNT_H
#define MAPBENCH_HEAP_REFCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/refcount_heap.h"

#ifdef MAPBENCH_FAULTS
#include "harness/heaps/fault.h"
#define HEAP_MAY_FAIL(call) (fault_now() ? NULL : (call))
#else
#define HEAP_MAY_FAIL(call) (call)
#endif

#define HEAP_NAME "refcount"
#define HEAP_FIELD
#define HEAP_BIND(map, h) ((void)(h))
#define HEAP_OF(map) ((struct heap *)NULL)

#define HEAP_NEW_ZEROED(h, type, n)                                                                          \
    ((type *)((n) > PTRDIFF_MAX / sizeof(type) ? NULL : HEAP_MAY_FAIL(refcount_new((n) * sizeof(type)))))
#define HEAP_NEW(h, type, n) HEAP_NEW_ZEROED(h, type, n)
#define HEAP_FREE(h, ptr) refcount_free((void *)(uintptr_t)(ptr))
#define HEAP_STORE(h, slot, ptr) refcount_store((void *)(slot), (void *)(uintptr_t)(ptr))
#define HEAP_DROP(h, slot) refcount_drop((void *)(slot), sizeof *(slot))
#define HEAP_TYPE(name, type, ...)
#define HEAP_TYPE_UNTRACED(name, type)
#define HEAP_TYPE_HIDING(name, type, hidden, ...)

#endif
