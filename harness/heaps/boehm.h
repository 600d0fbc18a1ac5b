/* The boehm heap: a conservative collector (libgc, harness/heaps/boehm_heap.h). A map compiled for it frees
 * nothing: what no word of scanned memory points to is collected.
 *
 * The map's struct itself is a root, for whoever made the map keeps it in memory that is not scanned; freeing
 * it ends the map. Everything else hangs from it. Types that have no pointers (by HEAP_TYPE in the map file
 * and the shape) are never scanned, as a careful C program would have it; all others are scanned word by
 * word, keys included: a key that looks like an address keeps what lies there.
 */
#ifndef MAPBENCH_HEAP_BOEHM_H
#define MAPBENCH_HEAP_BOEHM_H

#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/boehm_heap.h"

#ifndef __has_include
#define __has_include(file) 0
#endif
#if !__has_include(<gc/gc.h>)
#define HEAP_UNAVAILABLE "libgc-dev is not installed"
#endif

#ifdef MAPBENCH_FAULTS
#include "harness/heaps/fault.h"
#define HEAP_MAY_FAIL(call) (fault_now() ? NULL : (call))
#else
#define HEAP_MAY_FAIL(call) (call)
#endif

#define HEAP_NAME "boehm"
#define HEAP_COLLECTS 1
#define HEAP_FIELD
#define HEAP_BIND(map, h) ((void)(h))
#define HEAP_OF(map) ((struct heap *)NULL)
#define HEAP_BOOKS(h, collect, out) ((void)(h), boehm_books(collect, out))

/* --- which types have pointers: HEAP_TYPE counts them --- */

#define HEAP_POINTER(type, member) +1
#define HEAP_POINTER_NAMED(name, offset) +1
#define HEAP_POINTER_AT(name, type, member) +1
#define HEAP_KEY(type, member) SHAPE_KEY_POINTERS(HEAP_POINTER_NAMED, 0)
#define HEAP_VAL(type, member) SHAPE_VAL_POINTERS(HEAP_POINTER_NAMED, 0)
#define HEAP_TYPE(name, type, ...) enum { name = 0 __VA_ARGS__ };
#define HEAP_TYPE_UNTRACED(name, type) HEAP_TYPE(name, type, )
#define HEAP_TYPE_HIDING(name, type, hidden, ...) HEAP_TYPE(name, type, __VA_ARGS__)
#define HEAP_BOEHM_CASE(type, name) , type * : name
/* Scans what a map does not describe: cells of a key or value, lists for parked walks. */
#define HEAP_POINTERS_OF(type)                                                                               \
    _Generic((type *)NULL, uint8_t * : 0, uint16_t * : 0, uint32_t * : 0,                                    \
             uint64_t * : 0 MAP_HEAP_TYPES(HEAP_BOEHM_CASE), default : 1)
#define HEAP_KIND_OF(type)                                                                                   \
    (__builtin_types_compatible_p(type, struct map) ? BOEHM_ROOT                                             \
     : HEAP_POINTERS_OF(type)                       ? BOEHM_SCANNED                                          \
                                                    : BOEHM_ATOMIC)

#define HEAP_NEW_ZEROED(h, type, n) ((type *)HEAP_MAY_FAIL(boehm_new(HEAP_KIND_OF(type), (n), sizeof(type))))
#define HEAP_NEW(h, type, n) HEAP_NEW_ZEROED(h, type, n)
#define HEAP_FREE(h, ptr)                                                                                    \
    (__builtin_types_compatible_p(__typeof__(*(ptr)), struct map) ? boehm_free((void *)(uintptr_t)(ptr))     \
                                                                  : (void)(ptr))
#define HEAP_STORE(h, slot, ptr) ((void)(*(slot) = (ptr)))
#define HEAP_DROP(h, slot) ((void)(slot))

/* A walk lies in memory that is not scanned. */
#define HEAP_ROOT(h, slot, name) boehm_root((void *)(slot), sizeof(void *))
#define HEAP_UNROOT(h, slot) boehm_unroot((void *)(slot), sizeof(void *))

#ifndef SHAPE_KEY_POINTERS
#ifdef SHAPE_KEY_STR
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", base)
#else
#define SHAPE_KEY_POINTERS(POINTER, base)
#endif
#endif
#ifndef SHAPE_VAL_POINTERS
#define SHAPE_VAL_POINTERS(POINTER, base)
#endif

#endif
