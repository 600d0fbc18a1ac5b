/* gosim: a garbage-collected heap for C that keeps its books as Go's runtime does.
 *
 * It exists to answer "what would this keep alive in Go, and who holds it": allocation sizes, object counts
 * and what a collection frees are those of Go 1.22-1.24 on 64-bit Linux (size classes, spans, noscan spans,
 * tiny allocator, malloc header, large objects by pages, interior pointers, black allocation, pacing).
 * Differences: collections stop the world and run on the caller's thread, so the number of natural
 * collections differs; one thread only.
 *
 * Usable without the rest of mapbench: this header and the files of this folder, C library only.
 *
 *   struct gosim *g = gosim_open(NULL);
 *   struct node *list = NULL;
 *   gosim_root(g, &list, "list");
 *   struct node *n = gosim_new(g, &node_type, 1);
 *   gosim_store(g, &n->next, list);              every store of a pointer into the heap
 *   list = n;                                    stores to roots are plain
 *   gosim_collect(g);
 *
 * Source: Go 1.23.5 runtime (The Go Authors, BSD licence): malloc.go, mheap.go, mcentral.go, mbitmap.go,
 * mgc.go, mgcmark.go, mgcsweep.go, mgcpacer.go, mfinal.go, mstats.go, sizeclasses.go; written anew.
 */
#ifndef GOSIM_H
#define GOSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* gosim_stats is a struct and a function */
extern "C" {
#endif

struct gosim;

/* --- types --- */

struct gosim_field {
    const char *name; /* as a path shows it: "buckets", "key", "next" */
    uint32_t offset;  /* of a pointer within an element */
};

/* The layout of an object. Objects are arrays of one or more elements. Static storage: objects refer to it.
 */
struct gosim_type {
    const char *name; /* "hmap", "[]string" */
    size_t size;      /* bytes of an element as Go would have it */
    const struct gosim_field *pointer;
    size_t pointers;     /* 0: noscan; no word of it is ever taken for a pointer */
    size_t hidden_bytes; /* the C struct has so many bytes more behind each object (single elements only):
                            never counted, never scanned */
};

/* Stands in a type's `pointer`, with 0 pointers: noscan although it holds addresses (Go's uintptr), since
 * something else keeps alive what is there; a checking heap does not complain. */
extern const struct gosim_field gosim_untraced[];

/* --- heaps --- */

struct gosim_options {
    int gogc;             /* percent; 0: the default 100; -1: only forced collections */
    size_t memory_limit;  /* soft, bytes; 0: none */
    size_t address_bytes; /* of address space to reserve; 0: 64 GiB, or as much from 1 GiB on as there is */
    FILE *trace;          /* gctrace lines go here; NULL: none */
    bool check;  /* red zones, poisoning and a verification after each collection; slower, sizes unchanged in
                    the books */
    int release; /* of Go, whose rules it follows: 124 for 1.24; 0: the newest of gosim_releases. Another one
                    follows the next that is known, 121 without the malloc header */
    uint64_t seed;       /* of gosim_random; any number */
    bool at_safe_points; /* collects by itself in gosim_safe_point only, never in gosim_new */
};
struct gosim *gosim_open(const struct gosim_options *options); /* NULL: out of memory */
void gosim_close(struct gosim *heap);
/* The releases of Go whose rules are known, the oldest first. */
extern const int gosim_releases[];
extern const size_t gosim_release_count;

/* A zeroed object of `count` elements, aligned to 8 bytes. NULL: out of memory, or too large; gosim_why
 * tells. count 0 or size 0: a common address that is not counted (runtime.zerobase). Unless only forced
 * collections were asked for, it may collect first: what only C variables hold by then is lost. Make them
 * roots, or hold collections off (gosim_hold). */
void *gosim_new(struct gosim *heap, const struct gosim_type *type, size_t count);
/* Frees at once what is known to be dead. Go has no such thing: for C maps that free; the books treat it as
 * swept. Left to the next collection: pointer-free objects below 16 bytes, which share a block with others,
 * and everything while marking. */
void gosim_free(struct gosim *heap, void *object);
const char *gosim_why(const struct gosim *heap);
/* runtime.rand: the next of a stream of numbers that the heap's seed decides; maps draw their hash seeds. */
uint64_t gosim_random(struct gosim *heap);

/* *slot = value, with the write barrier counted: every pointer store into an object goes through it. */
static inline void gosim_store(struct gosim *heap, void *slot, void *value);
/* memmove of `count` elements that may hold pointers; counted as a bulk barrier. */
void gosim_move(struct gosim *heap, const struct gosim_type *type, void *to, const void *from, size_t count);

/* --- roots --- */

/* `slot` is the address of a pointer outside the heap (a global, a local). Several kinds, for snapshots. */
enum gosim_root_kind { GOSIM_GLOBAL, GOSIM_STACK, GOSIM_TIMER, GOSIM_FINALIZER };
bool gosim_root(struct gosim *heap, void *slot, const char *name); /* false: out of memory */
void gosim_unroot(struct gosim *heap, void *slot);

/* --- collecting --- */

void gosim_collect(struct gosim *heap); /* runtime.GC(): mark, sweep all, run what became due */
void gosim_set_gogc(struct gosim *heap, int percent);
/* No collection by itself in between (they nest): for code that has new objects only in C variables. */
void gosim_hold(struct gosim *heap);
void gosim_release(struct gosim *heap);
/* A place where the program keeps new objects in no C variable alone. A heap opened with at_safe_points
 * collects here once the pacer has asked for it; elsewhere this does nothing. */
static inline void gosim_safe_point(struct gosim *heap);
/* Marks in steps, to show black allocation and barriers: begin, then stores, then end. */
void gosim_begin_mark(struct gosim *heap);
bool gosim_marking(const struct gosim *heap);
void gosim_end_mark(struct gosim *heap);
void gosim_scavenge(struct gosim *heap); /* gives free pages back to the system */

/* runtime.MemStats under Go's names. */
struct gosim_stats {
    uint64_t heap_alloc, total_alloc, heap_sys, heap_idle, heap_inuse, heap_released, heap_objects;
    uint64_t mallocs, frees, stack_inuse, next_gc, pause_total_ns, num_gc, num_forced_gc, goroutines;
    /* not in MemStats */
    uint64_t mark_ns, marked_objects, marked_bytes, scanned_bytes; /* of the last collection */
    uint64_t barriers_marking, barriers_idle,
        barriers_bulk; /* pointer stores, by whether a mark was under way */
    uint64_t tiny_allocs;
    uint64_t resident_bytes; /* pages of the heap that are in memory */
};
void gosim_stats(struct gosim *heap, struct gosim_stats *out);
/* heap_alloc alone, without a look at the pages; and the most it was when a collection began, of those since
 * the last call. */
uint64_t gosim_heap_alloc(const struct gosim *heap);
uint64_t gosim_take_peak(struct gosim *heap);
/* Cycles that have finished. */
uint64_t gosim_collections(const struct gosim *heap);

/* --- finalizers, cleanups, weak pointers (special.c) --- */

typedef void gosim_call(void *argument);
/* runtime.SetFinalizer: called after the collection that finds the object dead; it lives until the next one.
 * NULL removes. */
bool gosim_set_finalizer(struct gosim *heap, void *object, void (*call)(void *object));
/* runtime.AddCleanup (Go 1.24): called after the object is gone; the argument must not be the object. Returns
 * an id to stop. */
uint64_t gosim_add_cleanup(struct gosim *heap, void *object, gosim_call *call, void *argument);
void gosim_stop_cleanup(struct gosim *heap, uint64_t id);
/* weak.Make: an index that outlives the object; Value returns NULL once it is dead. */
struct gosim_weak; /* itself a heap object of 8 bytes, one per object, as in Go */
struct gosim_weak *gosim_weak_make(struct gosim *heap, void *object);
void *gosim_weak_value(struct gosim *heap, struct gosim_weak *weak);
/* While `key` is alive, so is `value`: what a weak-keyed map needs. Not in Go. */
bool gosim_ephemeron(struct gosim *heap, void *key, void *value);
/* Runs finalizers and cleanups that are due; gosim_collect does so itself. Returns how many. */
size_t gosim_run_due(struct gosim *heap);

/* --- the virtual clock: timers and goroutine stand-ins (timers.c, sched.c) --- */

struct gosim_goroutine;
/* A goroutine that exists: its stack is counted (2 KiB, or more), its named slots are roots. */
struct gosim_goroutine *gosim_go(struct gosim *heap, const char *name, size_t stack_bytes);
/* A pointer variable of its stack; returns the slot to store to. NULL: it has 8 already. */
void **gosim_local(struct gosim_goroutine *goroutine, const char *name);
void gosim_exit(struct gosim *heap,
                struct gosim_goroutine *goroutine); /* its descriptor is kept for reuse, as in Go */
/* Its runtime.g, a heap object: what waiters refer to. */
void *gosim_goroutine_descriptor(const struct gosim_goroutine *goroutine);

/* A channel (runtime.hchan) and who waits at it (runtime.sudog), as large as in Go 1.23 and 1.24: 104 and 88
 * bytes. Its buffer is an object of its own if the elements hold pointers. */
struct gosim_channel {
    uint64_t length, capacity;
    void *buffer;
    uint64_t element_bytes_closed, timer, element_type, send_at, receive_at;
    void *receivers_first, *receivers_last, *senders_first, *senders_last;
    uint64_t lock;
};
struct gosim_waiter {
    void *goroutine, *next, *prev, *element;
    uint64_t acquired, released, ticket, parent, wait_link, wait_tail;
    void *channel;
};
extern const struct gosim_type gosim_channel_type, gosim_waiter_type;

struct gosim_timer; /* a heap object, held by the timer heap while it is pending */
/* time.AfterFunc: `call(argument)` when the clock has advanced, on a goroutine of its own; those of timers
 * due at the same instant all exist before the first one runs. The argument is a heap object (the closure) or
 * NULL. NULL: out of memory. */
struct gosim_timer *gosim_after_func(struct gosim *heap, uint64_t delay_ns, gosim_call *call, void *argument);
struct gosim_timer *gosim_ticker(struct gosim *heap, uint64_t period_ns, gosim_call *call, void *argument);
bool gosim_stop_timer(struct gosim *heap, struct gosim_timer *timer); /* true: it was pending */
/* Fires what falls due, in order. False: out of memory for a goroutine; the clock stands at the timer. */
bool gosim_advance(struct gosim *heap, uint64_t ns);
uint64_t gosim_now(const struct gosim *heap);

/* --- looking at the heap (for snapshots and checks) --- */

struct gosim_object {
    void *address;
    const struct gosim_type *type;
    size_t bytes; /* as HeapAlloc counts it */
    size_t count; /* elements */
};
/* The object that an address points into (interior pointers count); false: none. */
bool gosim_find(const struct gosim *heap, const void *address, struct gosim_object *out);
/* Every object that the last collection left or that was made since, in address order; false from `visit`
 * ends it. */
void gosim_each_object(struct gosim *heap, bool (*visit)(void *context, const struct gosim_object *object),
                       void *context);
/* Every root with the object it holds. */
void gosim_each_root(struct gosim *heap,
                     bool (*visit)(void *context, enum gosim_root_kind kind, const char *name, void *value),
                     void *context);
/* Every pointer of an object: the field's name, the element's index, where it points. */
void gosim_each_pointer(struct gosim *heap, const struct gosim_object *object,
                        bool (*visit)(void *context, const char *field, size_t element, void *value),
                        void *context);
/* NULL, or what is corrupt, with the object's type and who allocated it (gosim_owner). Checking heaps only.
 */
const char *gosim_verify(struct gosim *heap);
/* Objects allocated from now on belong to `owner` (static text) in the reports of a checking heap. */
bool gosim_owner(struct gosim *heap, const char *owner); /* false: out of memory, as before */

/* --- inline parts --- */

/* A slot is declared as a pointer to this or that: the compiler must not conclude that this is another. */
typedef void *gosim_slot __attribute__((may_alias));
struct gosim_front { /* the beginning of struct gosim */
    bool marking;
    bool due; /* a collection waits for a safe point */
    uint64_t barriers_idle;
};
void gosim_collect_due(struct gosim *heap);
static inline void gosim_safe_point(struct gosim *heap) {
    if (__builtin_expect(((struct gosim_front *)heap)->due, 0)) gosim_collect_due(heap);
}
void gosim_store_marking(struct gosim *heap, void *slot, void *value);
static inline void gosim_store(struct gosim *heap, void *slot, void *value) {
    struct gosim_front *front = (struct gosim_front *)heap;
    if (__builtin_expect(front->marking, 0)) {
        gosim_store_marking(heap, slot, value);
        return;
    }
    front->barriers_idle++;
    *(gosim_slot *)slot = value;
}

#ifdef __cplusplus
}
#pragma GCC diagnostic pop
#endif
#endif
