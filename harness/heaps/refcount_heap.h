/* A heap that counts, for every object, the references that other objects' slots hold to it.
 *
 * The program that made an object owns it: freeing it gives the ownership up. The object's memory goes when
 * it is neither owned nor referred to. So an object that a map frees while one of its slots still points
 * there stays: `waiting` counts them, and that is what the heap is for. Rules:
 *
 * - refcount_store: the slot's old target loses a reference, the new one gains one.
 * - refcount_drop: every word of the slot that is an object's address loses its reference, and is zeroed.
 *   To be called while the slot still holds it.
 * - an object that goes drops all words of its own the same way. A number that equals the address of an
 *   object is taken for a reference there; as its owner holds that object, it is not freed too early.
 * - only an object's first byte counts: pointers into it do not.
 *
 * Rings of objects are never freed, as everywhere with counts. For one thread at a time.
 */
#ifndef MAPBENCH_REFCOUNT_HEAP_H
#define MAPBENCH_REFCOUNT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed: a slot that is stored to must hold something defined. NULL: out of memory. */
void *refcount_new(size_t bytes);
/* The owner gives the object up; accepts NULL. */
void refcount_free(void *object);

void refcount_store(void *slot, void *value);
void refcount_drop(void *slot, size_t bytes);

/* References to an object; 0 also for what is none. */
uint64_t refcount_of(const void *object);

struct refcount_stats {
    uint64_t objects, bytes;         /* alive, owned or waiting; bytes without the heads */
    uint64_t waiting, waiting_bytes; /* given up by their owners, and still referred to */
    uint64_t stores, drops;          /* calls */
};
void refcount_stats(struct refcount_stats *out);

#endif
