/* The Boehm-Demers-Weiser collector (libgc), set up so that what it keeps alive can be counted.
 *
 * libgc is conservative: any word of scanned memory that looks like an address of its heap keeps that object.
 * Left as it is it scans all static data, including a variable of its own that holds the last address
 * allocated, so that an object is pinned in every run. Here it scans
 *
 * - the stacks and registers of registered threads (the one that called boehm_start is one of them),
 * - what boehm_root names,
 * - its own objects, except those made as BOEHM_ATOMIC,
 *
 * and nothing else: no static data, neither the program's nor a library's. Numbers that must be exact are
 * taken after boehm_thread, whose stack is gone then. What a collection or a count leaves on the stack of the
 * thread that called for it is no root of the next one either: counts have been exact to the object.
 * Without libgc-dev at build time boehm_unavailable says so, and nothing else may be called.
 * Source: bdwgc 8.2, gc.h and gc_mark.h.
 */
#ifndef MAPBENCH_BOEHM_HEAP_H
#define MAPBENCH_BOEHM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/heaps/books.h"

/* NULL, or why this build has no such heap. */
const char *boehm_unavailable(void);
/* Starts the collector, once for the process. */
void boehm_start(void);
/* Frames of this thread older than `frame` hold no address of the heap: they are not scanned from here on.
 * Words of which only half was overwritten, the upper half of an address and a small number, lie in them, and
 * point 4 GiB steps into the heap: into a block of 256 MiB in one run of 16. */
void boehm_stack_begins(void *frame);

enum boehm_kind {
    BOEHM_SCANNED, /* every word may be a pointer */
    BOEHM_ATOMIC,  /* holds none */
    BOEHM_ROOT,    /* scanned, and never collected until boehm_free */
};
/* Zeroed. NULL: out of memory, or more bytes than can be addressed. */
void *boehm_new(enum boehm_kind kind, size_t count, size_t size);
void boehm_free(void *object); /* of BOEHM_ROOT; accepts NULL */

/* Memory outside the heap that holds pointers into it. */
void boehm_root(void *start, size_t bytes);
void boehm_unroot(void *start, size_t bytes);

/* Runs f in a thread of its own that the collector knows, and waits for it. False: no thread to be had. */
bool boehm_thread(void (*f)(void *context), void *context);

/* Two full collections. */
void boehm_collect(void);
void boehm_collect_once(void);
/* While off, nothing is collected. */
void boehm_enable(bool on);

/* Counts what the last collection found reachable, object by object: heap size less free bytes is not the
 * same. `visit` may be NULL; it may not allocate. */
struct boehm_live {
    uint64_t bytes, objects;
};
typedef void boehm_visit_fn(void *context, const void *object, size_t bytes);
void boehm_live(struct boehm_live *out, boehm_visit_fn *visit, void *context);
/* Bytes allocated since that collection. Small objects are counted when a thread takes a batch of them. */
uint64_t boehm_bytes_since_collection(void);

/* Fills in the books. live_bytes: pages that hold objects, dead ones not yet collected included. The
 * collector books neither what was asked for nor the number of objects. */
void boehm_books(bool collect, struct heap_books *out);

#endif
