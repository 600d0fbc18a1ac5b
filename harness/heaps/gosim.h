/* The gosim heap: a Go-like collector (harness/heaps/gosim/gosim.h). A map compiled for it is what it would
 * be in a Go program: nothing is freed by hand, dead arrays go with the next collection, and what a dead slot
 * still points to stays alive.
 *
 * Besides the names of harness/heaps/malloc.h it takes the map's type descriptors: HEAP_TYPE in the map file
 * says where the pointers of each of its structs are, and MAP_HEAP_TYPES lists them. Shapes say where those
 * of keys and values are. Other heaps ignore both.
 */
#ifndef MAPBENCH_HEAP_GOSIM_H
#define MAPBENCH_HEAP_GOSIM_H

#include <stdlib.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/heaps/gosim_own.h"

#ifdef MAPBENCH_FAULTS
#include "harness/heaps/fault.h"
#define HEAP_MAY_FAIL(call) (fault_now() ? NULL : (call))
#else
#define HEAP_MAY_FAIL(call) (call)
#endif

#define HEAP_NAME "gosim"
#define HEAP_COLLECTS 1
#define HEAP_FIELD struct gosim *gosim;
#define HEAP_BIND(map, h) ((void)((map)->gosim = (struct gosim *)(h)))
#define HEAP_OF(map) ((struct heap *)(map)->gosim)
/* The next number of the heap's stream, for what a map decides at random (its hash seed). */
#define HEAP_RANDOM(h) gosim_random((struct gosim *)(h))

/* --- the unit's own heap --- */

/* Mutable and global for the same reason as the arena's: the maps of a unit come and go apart. Scenarios give
 * a heap of theirs, and see to its roots themselves. */
static struct gosim_own heap_unit_own;
#define HEAP_UNIT_OWN ((struct heap *)&heap_unit_own)
#define HEAP_GIVEN(h) ((h) == HEAP_UNIT_OWN ? (struct heap *)gosim_own_heap(&heap_unit_own) : (h))
/* Called for a map that was made (NULL: was not), one that is gone, and between two operations of one. */
#define HEAP_BOOKS(h, collect, out) gosim_own_books((struct gosim_own *)(h), (collect), (out))
#define HEAP_KEEP(map) gosim_own_keep(&heap_unit_own, (map) ? (map)->gosim : NULL, (map))
#define HEAP_FORGET(h, map) gosim_own_forget(&heap_unit_own, (struct gosim *)(h), (map))
#define HEAP_SAFE_POINT(map) gosim_safe_point((map)->gosim)

/* --- type descriptors --- */

#define HEAP_POINTER(type, member) {#member, offsetof(type, member)},
#define HEAP_POINTER_NAMED(name, offset) {name, (uint32_t)(offset)},
/* The pointers of a key or value that is a member of a struct. */
#define HEAP_KEY(type, member) SHAPE_KEY_POINTERS(HEAP_POINTER_NAMED, offsetof(type, member))
#define HEAP_VAL(type, member) SHAPE_VAL_POINTERS(HEAP_POINTER_NAMED, offsetof(type, member))
/* Paths read "map.buckets": all described types are structs, or pointers to one. */
#define HEAP_TYPE_NAME(text) (&(text)[sizeof "struct " - 1])
/* HEAP_TYPE(name, type, pointers...); `hidden` bytes at the end of the struct are the map's own, not Go's.
 * The NAMED ones are for ports: paths show `text`, the original's name of the type. */
#define HEAP_TYPE_NAMED(name, text, type, hidden, ...)                                                       \
    static const struct gosim_field name##_fields[] = {__VA_ARGS__{"", 0}};                                  \
    static const struct gosim_type name = {(text), sizeof(type) - (hidden), name##_fields,                   \
                                           sizeof name##_fields / sizeof *name##_fields - 1, (hidden)};
#define HEAP_TYPE_HIDING(name, type, hidden, ...)                                                            \
    HEAP_TYPE_NAMED(name, HEAP_TYPE_NAME(#type), type, hidden, __VA_ARGS__)
#define HEAP_TYPE(name, type, ...) HEAP_TYPE_HIDING(name, type, 0, __VA_ARGS__)
/* Describes a type that the collector does not scan, though it holds addresses: something else keeps what
 * they lead to. */
#define HEAP_TYPE_UNTRACED_NAMED(name, text, type)                                                           \
    static const struct gosim_type name = {(text), sizeof(type), gosim_untraced, 0, 0};
#define HEAP_TYPE_UNTRACED(name, type) HEAP_TYPE_UNTRACED_NAMED(name, HEAP_TYPE_NAME(#type), type)

static const struct gosim_type heap_type_u8 = {"[]byte", 1, NULL, 0, 0};
static const struct gosim_type heap_type_u16 = {"[]uint16", 2, NULL, 0, 0};
static const struct gosim_type heap_type_u32 = {"[]uint32", 4, NULL, 0, 0};
static const struct gosim_type heap_type_u64 = {"[]uint64", 8, NULL, 0, 0};

#define HEAP_TYPE_CASE(type, name) , type * : &name
/* A single pointer of a struct under a name of its own. */
#define HEAP_POINTER_AT(name, type, member) {name, offsetof(type, member)},
#define HEAP_TYPE_OF(type)                                                                                   \
    _Generic((type *)NULL, uint8_t *                                                                         \
             : &heap_type_u8, uint16_t *                                                                     \
             : &heap_type_u16, uint32_t *                                                                    \
             : &heap_type_u32, uint64_t *                                                                    \
             : &heap_type_u64 MAP_HEAP_TYPES(HEAP_TYPE_CASE), default                                        \
             : sizeof(type) == sizeof(map_val) ? &heap_type_val : &heap_type_key)

/* No heap: the unit's own could not be opened. */
#define HEAP_NEW(h, type, n)                                                                                 \
    ((type *)((h) ? HEAP_MAY_FAIL(gosim_new((struct gosim *)(h), HEAP_TYPE_OF(type), (n))) : NULL))
#define HEAP_NEW_ZEROED(h, type, n) HEAP_NEW(h, type, n)
#define HEAP_FREE(h, ptr) ((void)(h), (void)(ptr))
#define HEAP_STORE(h, slot, ptr) gosim_store((struct gosim *)(h), (slot), (void *)(uintptr_t)(ptr))
#define HEAP_DROP(h, slot) ((void)(h), (void)(slot))

/* A walk lies outside the heap, as an iterator on a goroutine's stack does; its pointers are roots. */
#define HEAP_ROOT(h, slot, name) gosim_root((struct gosim *)(h), (slot), (name))
#define HEAP_UNROOT(h, slot) gosim_unroot((struct gosim *)(h), (slot))

#ifndef SHAPE_KEY_POINTERS
#ifdef SHAPE_KEY_STR
#define SHAPE_KEY_POINTERS(POINTER, base) POINTER("key", (base) + offsetof(struct str, text))
#else
#define SHAPE_KEY_POINTERS(POINTER, base)
#endif
#endif
#ifndef SHAPE_VAL_POINTERS
#define SHAPE_VAL_POINTERS(POINTER, base)
#endif

/* Keys and values that have an object of their own. */
static const struct gosim_field heap_key_fields[] = {SHAPE_KEY_POINTERS(HEAP_POINTER_NAMED, 0){"", 0}};
static const struct gosim_field heap_val_fields[] = {SHAPE_VAL_POINTERS(HEAP_POINTER_NAMED, 0){"", 0}};
static const struct gosim_type heap_type_key = {"key", sizeof(map_key), heap_key_fields,
                                                sizeof heap_key_fields / sizeof *heap_key_fields - 1, 0};
static const struct gosim_type heap_type_val = {"value", sizeof(map_val), heap_val_fields,
                                                sizeof heap_val_fields / sizeof *heap_val_fields - 1, 0};

#endif
