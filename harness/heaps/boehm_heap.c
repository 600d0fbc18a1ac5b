#include "harness/heaps/boehm_heap.h"

#ifndef __has_include
#define __has_include(file) 0
#endif

#if __has_include(<gc/gc.h>)

#define GC_THREADS 1
#define GC_NO_THREAD_REDIRECTS 1
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <pthread.h>
#include <string.h>

#ifdef MAPBENCH_SANITIZED
/* Keeps local variables on the stack, where the collector looks for pointers. Since gcc 13 AddressSanitizer
 * puts them elsewhere unless it is told. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_stack_use_after_return=0";
}
#endif

const char *boehm_unavailable(void) {
    return NULL;
}

static void start_once(void) {
    GC_set_no_dls(1); /* no library's static data: its own last_addr pins an object otherwise */
    GC_set_handle_fork(1);
    GC_set_finalize_on_demand(1);          /* where and when boehm_run_due says */
    GC_set_warn_proc(GC_ignore_warn_proc); /* it advises other calls for large objects, on stderr */
    GC_INIT();
    GC_clear_roots(); /* the program's static data */
    GC_allow_register_threads();
}

void boehm_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT; /* the collector itself is one a process */
    pthread_once(&once, start_once);
}

static void *GC_CALLBACK set_stack_bottom(void *base) {
    GC_set_stackbottom(NULL, base); /* NULL: of this thread */
    return NULL;
}

void boehm_stack_begins(void *frame) {
    struct GC_stack_base base;
    boehm_start();
    if (GC_get_stack_base(&base) != GC_SUCCESS) return;
    base.mem_base = frame;
    GC_call_with_alloc_lock(set_stack_bottom, &base);
}

void *boehm_new(enum boehm_kind kind, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX) return NULL;
    boehm_start();
    if (kind == BOEHM_ROOT) return GC_MALLOC_UNCOLLECTABLE(bytes);
    if (kind == BOEHM_SCANNED) return GC_MALLOC(bytes);
    void *object = GC_MALLOC_ATOMIC(bytes);
    if (object) memset(object, 0, bytes);
    return object;
}

void boehm_free(void *object) {
    if (object) GC_FREE(object);
}

void boehm_root(void *start, size_t bytes) {
    boehm_start();
    GC_add_roots(start, (char *)start + bytes);
}

void boehm_unroot(void *start, size_t bytes) {
    GC_remove_roots(start, (char *)start + bytes);
}

struct thread_start {
    void (*f)(void *context);
    void *context;
    bool registered;
};

static void *run_registered(void *opaque) {
    struct thread_start *start = opaque;
    struct GC_stack_base base;
    start->registered = GC_get_stack_base(&base) == GC_SUCCESS && GC_register_my_thread(&base) == GC_SUCCESS;
    if (!start->registered) return NULL;
    start->f(start->context);
    GC_unregister_my_thread();
    return NULL;
}

bool boehm_thread(void (*f)(void *context), void *context) {
    struct thread_start start = {.f = f, .context = context};
    pthread_t thread;
    boehm_start();
    return pthread_create(&thread, NULL, run_registered, &start) == 0 && pthread_join(thread, NULL) == 0 &&
           start.registered;
}

/* Clears what the last collection left below this frame, addresses of objects among it: it would lie in
 * frames of the next collection, which writes to few of their words and scans all. */
__attribute__((noinline)) static void wipe_stack_below(void) {
    enum { WIPED_BYTES = 16 << 10 };
    char below[WIPED_BYTES];
    memset(below, 0, sizeof below);
    __asm__ volatile("" : : "r"(below) : "memory"); /* the stores must not be optimized away */
}

void boehm_collect_once(void) {
    boehm_start();
    wipe_stack_below();
    GC_gcollect();
}

void boehm_collect(void) {
    boehm_collect_once();
    boehm_collect_once();
}

void boehm_enable(bool on) {
    boehm_start();
    if (on)
        GC_enable();
    else
        GC_disable();
}

struct walk {
    struct boehm_live *live;
    boehm_visit_fn *visit;
    void *context;
};

static void GC_CALLBACK count_object(void *object, size_t bytes, void *opaque) {
    struct walk *walk = opaque;
    walk->live->bytes += bytes;
    walk->live->objects++;
    if (walk->visit) walk->visit(walk->context, object, bytes);
}

static void *GC_CALLBACK enumerate_locked(void *walk) {
    GC_enumerate_reachable_objects_inner(count_object, walk);
    return NULL;
}

static void enumerate(void *walk) {
    GC_call_with_alloc_lock(enumerate_locked, walk);
}

/* On a thread of its own: the addresses it meets stay in no register of the caller. */
void boehm_live(struct boehm_live *out, boehm_visit_fn *visit, void *context) {
    struct walk walk = {.live = out, .visit = visit, .context = context};
    *out = (struct boehm_live){0};
    boehm_start();
    if (!boehm_thread(enumerate, &walk)) enumerate(&walk);
}

uint64_t boehm_bytes_since_collection(void) {
    return GC_get_bytes_since_gc();
}

void boehm_books(bool collect, struct heap_books *out) {
    struct GC_prof_stats_s stats;
    boehm_start();
    if (collect) boehm_collect();
    GC_get_prof_stats(&stats, sizeof stats);
    *out = (struct heap_books){.live_bytes = stats.heapsize_full - stats.free_bytes_full,
                               .requested_bytes = HEAP_UNKNOWN,
                               .live_blocks = HEAP_UNKNOWN,
                               .allocations = HEAP_UNKNOWN,
                               .collections = stats.gc_no};
}

#else

#include <stdio.h>
#include <stdlib.h>

const char *boehm_unavailable(void) {
    return "libgc-dev was not installed when this was built (make deps build)";
}

__attribute__((noreturn)) static void die(const char *function) {
    fprintf(stderr, "mapbench: %s: %s\n", function, boehm_unavailable());
    abort();
}

void boehm_start(void) {
    die(__func__);
}
void boehm_stack_begins(void *frame) {
    (void)frame;
    die(__func__);
}
void *boehm_new(enum boehm_kind kind, size_t count, size_t size) {
    (void)kind, (void)count, (void)size;
    die(__func__);
}
void boehm_free(void *object) {
    (void)object;
    die(__func__);
}
void boehm_root(void *start, size_t bytes) {
    (void)start, (void)bytes;
    die(__func__);
}
void boehm_unroot(void *start, size_t bytes) {
    (void)start, (void)bytes;
    die(__func__);
}
bool boehm_thread(void (*f)(void *context), void *context) {
    (void)f, (void)context;
    die(__func__);
}
void boehm_collect(void) {
    die(__func__);
}
void boehm_collect_once(void) {
    die(__func__);
}
uint64_t boehm_bytes_since_collection(void) {
    die(__func__);
}
void boehm_enable(bool on) {
    (void)on;
    die(__func__);
}
void boehm_live(struct boehm_live *out, boehm_visit_fn *visit, void *context) {
    (void)out, (void)visit, (void)context;
    die(__func__);
}
void boehm_books(bool collect, struct heap_books *out) {
    (void)collect, (void)out;
    die(__func__);
}

#endif
