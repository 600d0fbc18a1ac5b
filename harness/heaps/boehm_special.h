/* Finalizers, cleanups, weak pointers and ephemerons on the Boehm collector (harness/heaps/boehm_heap.h).
 *
 * libgc itself has finalizers and disappearing links: words outside scanned memory that it clears when their
 * object is found unreachable, before any finalizer runs. The rest is made of these two:
 *
 * - a weak pointer is a link in an atomic object, and the address in it inverted;
 * - a cleanup is a link that is looked at after each collection, so that its object goes at once, not a
 *   collection later as with a finalizer;
 * - an ephemeron is a finalizer on the value that registers itself anew for as long as a weak pointer to the
 *   key holds: a call per entry and collection. It is none for a key that is reachable through the value of
 *   another ephemeron only: links are cleared without regard to what finalizers keep.
 *
 * Nothing runs by itself, but in boehm_run_due. Objects are given by the address of their first byte. Without
 * libgc-dev at build time nothing here may be called.
 * Source: bdwgc 8.2, gc.h.
 */
#ifndef MAPBENCH_BOEHM_SPECIAL_H
#define MAPBENCH_BOEHM_SPECIAL_H

#include <stdbool.h>
#include <stddef.h>

enum boehm_order {
    BOEHM_ORDERED,   /* an object after those that lead to it; never in a cycle, which is then kept */
    BOEHM_UNORDERED, /* in any order, cycles too */
};
/* One per object, the last one set. The object's memory goes a collection after the call. False: out of
 * memory. */
bool boehm_set_finalizer(void *object, enum boehm_order order, void (*f)(void *object));
/* Calls f(argument) after the object is gone. The argument is held until then: one that leads to the object
 * keeps both for ever. False: out of memory. */
bool boehm_add_cleanup(void *object, void (*f)(void *argument), void *argument);

/* An object of the heap, a new one at each call. NULL: out of memory. */
struct boehm_weak;
struct boehm_weak *boehm_weak_make(void *object);
/* NULL once the object is dead. */
void *boehm_weak_value(struct boehm_weak *weak);

/* While `key` is reachable from roots, `value` is kept, though it may lead back to the key. Takes the value's
 * finalizer. False: out of memory. */
bool boehm_ephemeron(void *key, void *value);

/* Calls what the collections so far have made due, on the caller's thread, and returns how many. */
size_t boehm_run_due(void);
/* A collection, and what it makes due in a thread of its own (boehm_thread). False: no thread to be had. */
bool boehm_collect_and_run(void);

#endif
