#include "harness/heaps/boehm_special.h"

#include <stdint.h>

#include "harness/heaps/boehm_heap.h"

#ifndef __has_include
#define __has_include(file) 0
#endif

#if __has_include(<gc/gc.h>)

#define GC_THREADS 1
#define GC_NO_THREAD_REDIRECTS 1
#include <gc/gc.h>

/* An object of the heap, in a list from a root: the argument is held, the object is not. Uncollectable memory
 * would do, but libgc goes on counting it as reachable after it has been freed. */
struct cleanup {
    void *hidden; /* the object's address inverted: a link, NULL once the object is unreachable */
    void (*f)(void *argument);
    void *argument;
    struct cleanup *next;
};

static struct cleanup *cleanups; /* a root; the collector itself is one a process */

struct boehm_weak {
    void *hidden; /* a link, as in struct cleanup */
};

static void *inverted(const void *address) {
    return (void *)~(uintptr_t)address;
}

static bool link_to(void **hidden, void *object) {
    *hidden = inverted(object);
    return GC_general_register_disappearing_link(hidden, object) == GC_SUCCESS;
}

/* --- finalizers --- */

/* Function and data of a finalizer; data is one word, and a function need not fit into a data pointer. */
static void GC_CALLBACK call_finalizer(void *object, void *function) {
    void (*f)(void *object);
    __builtin_memcpy(&f, &function, sizeof f);
    f(object);
}

static bool register_finalizer(void *object, enum boehm_order order, GC_finalization_proc f, void *data) {
    /* libgc writes what was registered before, unless it has no memory. */
    GC_finalization_proc before = f;
    void *data_before = &before;
    if (order == BOEHM_ORDERED)
        GC_register_finalizer(object, f, data, &before, &data_before);
    else
        GC_register_finalizer_no_order(object, f, data, &before, &data_before);
    return data_before != &before;
}

bool boehm_set_finalizer(void *object, enum boehm_order order, void (*f)(void *object)) {
    void *function;
    _Static_assert(sizeof function == sizeof f, "a finalizer's function must fit into its data");
    __builtin_memcpy(&function, &f, sizeof function);
    return register_finalizer(object, order, call_finalizer, function);
}

/* --- cleanups --- */

bool boehm_add_cleanup(void *object, void (*f)(void *argument), void *argument) {
    struct cleanup *c = GC_MALLOC(sizeof *c);
    if (!c) return false;
    if (!cleanups) boehm_root(&cleanups, sizeof cleanups);
    *c = (struct cleanup){.f = f, .argument = argument, .next = cleanups};
    if (!link_to(&c->hidden, object)) return false;
    cleanups = c;
    return true;
}

size_t boehm_run_due(void) {
    boehm_start();
    size_t ran = (size_t)GC_invoke_finalizers();
    for (struct cleanup **at = &cleanups; *at;) {
        struct cleanup *c = *at, due = *c;
        if (c->hidden) {
            at = &c->next;
            continue;
        }
        *at = due.next;
        *c = (struct cleanup){0}; /* or a stray pointer to one would hold all the rest */
        due.f(due.argument);
        ran++;
    }
    return ran;
}

static void run_due(void *unused) {
    (void)unused;
    boehm_run_due();
}

bool boehm_collect_and_run(void) {
    boehm_collect_once();
    return boehm_thread(run_due, NULL);
}

/* --- weak pointers --- */

struct boehm_weak *boehm_weak_make(void *object) {
    struct boehm_weak *weak = GC_MALLOC_ATOMIC(sizeof *weak);
    return weak && link_to(&weak->hidden, object) ? weak : NULL;
}

/* Reads the address under the lock: no collection can clear the link before the address is seen. */
static void *GC_CALLBACK reveal_locked(void *weak) {
    void *hidden = ((struct boehm_weak *)weak)->hidden;
    return hidden ? inverted(hidden) : NULL;
}

void *boehm_weak_value(struct boehm_weak *weak) {
    return GC_call_with_alloc_lock(reveal_locked, weak);
}

/* --- ephemerons --- */

/* The value is unreachable, as it is in every collection. */
static void GC_CALLBACK renew(void *value, void *weak) {
    if (boehm_weak_value(weak)) register_finalizer(value, BOEHM_UNORDERED, renew, weak);
}

bool boehm_ephemeron(void *key, void *value) {
    struct boehm_weak *weak = boehm_weak_make(key);
    return weak && register_finalizer(value, BOEHM_UNORDERED, renew, weak);
}

#else

#include <stdio.h>
#include <stdlib.h>

__attribute__((noreturn)) static void die(const char *function) {
    fprintf(stderr, "mapbench: %s: %s\n", function, boehm_unavailable());
    abort();
}

bool boehm_set_finalizer(void *object, enum boehm_order order, void (*f)(void *object)) {
    (void)object, (void)order, (void)f;
    die(__func__);
}
bool boehm_add_cleanup(void *object, void (*f)(void *argument), void *argument) {
    (void)object, (void)f, (void)argument;
    die(__func__);
}
struct boehm_weak *boehm_weak_make(void *object) {
    (void)object;
    die(__func__);
}
void *boehm_weak_value(struct boehm_weak *weak) {
    (void)weak;
    die(__func__);
}
bool boehm_ephemeron(void *key, void *value) {
    (void)key, (void)value;
    die(__func__);
}
size_t boehm_run_due(void) {
    die(__func__);
}
bool boehm_collect_and_run(void) {
    die(__func__);
}

#endif
