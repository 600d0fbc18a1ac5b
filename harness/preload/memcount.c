#include "harness/preload/memcount.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/address.h"

/* Initial-exec: the first access of a dynamic thread-local variable may itself allocate. */
#define THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
#define EXPORT __attribute__((visibility("default")))

enum { CHUNK_HEADER_BYTES = 8 };

/* --- the next allocator --- */

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    void *(*valloc)(size_t);
    void *(*pvalloc)(size_t);
    void (*free)(void *);
    size_t (*usable)(void *);
    bool is_glibc;
} next;

static atomic_bool next_known;
THREAD_LOCAL bool resolving;

/* dlsym may allocate (its error buffer) before the next allocator is known. The few blocks it takes come
 * from here and are never given back; they are not counted. */
static struct {
    _Alignas(16) unsigned char bytes[4096];
    atomic_size_t used;
} bootstrap;

static bool is_bootstrap(const void *ptr) {
    return (uintptr_t)ptr - (uintptr_t)bootstrap.bytes < sizeof bootstrap.bytes;
}

static void *bootstrap_new(size_t size) {
    if (size > sizeof bootstrap.bytes) return NULL;
    size_t at = atomic_fetch_add(&bootstrap.used, (size + 15) & ~(size_t)15);
    return at + size <= sizeof bootstrap.bytes ? bootstrap.bytes + at : NULL;
}

static void resolve_next(void) {
    resolving = true;
    /* Through void ** because ISO C does not convert object pointers to function pointers. */
#define RESOLVE(member, symbol) *(void **)(&next.member) = dlsym(RTLD_NEXT, symbol)
    RESOLVE(malloc, "malloc");
    RESOLVE(calloc, "calloc");
    RESOLVE(realloc, "realloc");
    RESOLVE(memalign, "memalign");
    RESOLVE(posix_memalign, "posix_memalign");
    RESOLVE(aligned_alloc, "aligned_alloc");
    RESOLVE(valloc, "valloc");
    RESOLVE(pvalloc, "pvalloc");
    RESOLVE(free, "free");
    RESOLVE(usable, "malloc_usable_size");
#undef RESOLVE
    Dl_info found;
    next.is_glibc =
        dladdr(*(void **)(&next.malloc), &found) && found.dli_fname && strstr(found.dli_fname, "libc.so");
    resolving = false;
    if (!next.malloc || !next.calloc || !next.realloc || !next.free || !next.usable) {
        static const char message[] =
            "libmemcount: no allocator behind the memory counter; preload it in front of one\n";
        if (write(STDERR_FILENO, message, sizeof message - 1) < 0) _exit(4);
        _exit(4);
    }
    atomic_store_explicit(&next_known, true, memory_order_release);
}

/* False while this thread is inside dlsym. Two threads that come here first at once both resolve, to the
 * same. */
static inline bool ready(void) {
    if (__builtin_expect(!atomic_load_explicit(&next_known, memory_order_acquire), 0)) {
        if (resolving) return false;
        resolve_next();
    }
    return true;
}

__attribute__((constructor)) static void memcount_start(void) {
    ready();
}

/* --- how many bytes of a block were not asked for --- */

/* Two bytes for every 8 of the address space (jemalloc aligns its smallest blocks to 8), in regions of
 * 64 MiB that are mapped when a block in them is first counted: a shadow memory needs no search and no lock,
 * for whoever has a block has its shadow. SLACK_LARGE: the number follows in the next four places. */
enum { REGION_BITS = 26, GRANULE_BYTES = 8, SLACK_LARGE = UINT16_MAX, SLACK_PLACES = 4 };
#define REGION_SHADOW_BYTES (((size_t)1 << REGION_BITS) / GRANULE_BYTES * sizeof(uint16_t))

static _Atomic(uint16_t *) shadow[(size_t)1 << (ADDRESS_BITS - REGION_BITS)];

/* NULL: nothing is known of this address; the slack counts as 0 then. */
static uint16_t *slack_place(const void *block, bool make) {
    uintptr_t at = (uintptr_t)block;
    if (at >> ADDRESS_BITS) return NULL;
    _Atomic(uint16_t *) *region = &shadow[at >> REGION_BITS];
    uint16_t *places = atomic_load_explicit(region, memory_order_acquire);
    if (!places && make) {
        void *fresh = mmap(NULL, REGION_SHADOW_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (fresh == MAP_FAILED) return NULL;
        if (atomic_compare_exchange_strong(region, &places, fresh))
            places = fresh;
        else
            munmap(fresh, REGION_SHADOW_BYTES);
    }
    return places ? &places[(at & (((uintptr_t)1 << REGION_BITS) - 1)) / GRANULE_BYTES] : NULL;
}

static void slack_write(const char *block, uint64_t slack_bytes) {
    uint16_t *place = slack_place(block, true);
    if (!place) return;
    *place = slack_bytes < SLACK_LARGE ? (uint16_t)slack_bytes : SLACK_LARGE;
    for (size_t i = 0; slack_bytes >= SLACK_LARGE && i < SLACK_PLACES; i++) {
        place = slack_place(block + (i + 1) * GRANULE_BYTES, true);
        if (place) *place = (uint16_t)(slack_bytes >> 16 * i);
    }
}

static uint64_t slack_read(const char *block) {
    const uint16_t *place = slack_place(block, false);
    if (!place || *place != SLACK_LARGE) return place ? *place : 0;
    uint64_t slack_bytes = 0;
    for (size_t i = 0; i < SLACK_PLACES; i++) {
        place = slack_place(block + (i + 1) * GRANULE_BYTES, false);
        if (place) slack_bytes |= (uint64_t)*place << 16 * i;
    }
    return slack_bytes;
}

/* --- counting --- */

static struct {
    _Atomic uint64_t live_bytes, peak_bytes, live_blocks, allocations, frees, failed, requested_bytes;
} counts;

#define ADD(counter, amount) atomic_fetch_add_explicit(&counts.counter, (amount), memory_order_relaxed)
#define SUB(counter, amount) atomic_fetch_sub_explicit(&counts.counter, (amount), memory_order_relaxed)
#define READ(counter) atomic_load_explicit(&counts.counter, memory_order_relaxed)

static void raise_peak(uint64_t live) {
    uint64_t peak = READ(peak_bytes);
    while (live > peak && !atomic_compare_exchange_weak_explicit(
                              &counts.peak_bytes, &peak, live, memory_order_relaxed, memory_order_relaxed)) {
    }
}

/* glibc keeps a block's size in front of it; jemalloc, mimalloc and tcmalloc keep sizes by page. */
static uint64_t header_bytes(void) {
    return next.is_glibc ? CHUNK_HEADER_BYTES : 0;
}

/* requested_bytes: what the program asked for. */
static void *counted(void *block, size_t requested_bytes) {
    if (!block) return NULL;
    uint64_t usable_bytes = next.usable(block), bytes = usable_bytes + header_bytes();
    uint64_t slack_bytes = usable_bytes > requested_bytes ? usable_bytes - requested_bytes : 0;
    slack_write(block, slack_bytes);
    ADD(requested_bytes, usable_bytes - slack_bytes);
    ADD(allocations, 1);
    ADD(live_blocks, 1);
    raise_peak(ADD(live_bytes, bytes) + bytes);
    return block;
}

static void uncount(size_t usable_bytes, uint64_t slack_bytes) {
    ADD(frees, 1);
    SUB(requested_bytes, usable_bytes - slack_bytes);
    SUB(live_blocks, 1);
    SUB(live_bytes, usable_bytes + header_bytes());
}

/* --- planned failures --- */

THREAD_LOCAL uint64_t calls_left = UINT64_MAX;

static bool must_fail(void) {
    if (__builtin_expect(calls_left == UINT64_MAX, 1)) return false;
    if (calls_left-- > 0) return false;
    calls_left = UINT64_MAX;
    ADD(failed, 1);
    errno = ENOMEM;
    return true;
}

EXPORT void memcount_fail_after(uint64_t calls);
EXPORT void memcount_fail_after(uint64_t calls) {
    calls_left = calls;
}

EXPORT void memcount_reset_peak(void);
EXPORT void memcount_reset_peak(void) {
    atomic_store_explicit(&counts.peak_bytes, READ(live_bytes), memory_order_relaxed);
}

EXPORT void memcount_read(struct memcount *out);
EXPORT void memcount_read(struct memcount *out) {
    out->live_bytes = READ(live_bytes);
    out->peak_bytes = READ(peak_bytes);
    out->live_blocks = READ(live_blocks);
    out->allocations = READ(allocations);
    out->frees = READ(frees);
    out->failed = READ(failed);
    out->requested_bytes = READ(requested_bytes);
}

/* --- the interposed functions --- */

EXPORT void *malloc(size_t size) {
    if (!ready()) return bootstrap_new(size);
    return must_fail() ? NULL : counted(next.malloc(size), size);
}

EXPORT void *calloc(size_t n, size_t size) {
    if (!ready()) return size && n > sizeof bootstrap.bytes / size ? NULL : bootstrap_new(n * size);
    return must_fail() ? NULL : counted(next.calloc(n, size), n * size);
}

EXPORT void free(void *block) {
    if (!block || is_bootstrap(block) || !ready()) return;
    int saved_errno = errno; /* free may not change it, and malloc_usable_size promises nothing */
    uncount(next.usable(block), slack_read(block));
    next.free(block);
    errno = saved_errno;
}

/* A bootstrap block has no recorded size: everything up to the end of the arena is copied at most. */
static void *leave_bootstrap(void *block, size_t size) {
    size_t room = (size_t)(bootstrap.bytes + sizeof bootstrap.bytes - (unsigned char *)block);
    void *fresh = malloc(size);
    if (fresh) memcpy(fresh, block, size < room ? size : room);
    return fresh;
}

/* glibc marks a chunk that has pages of its own by bit 1 of the size word before the block (malloc.c,
 * IS_MMAPPED); realloc moves such a chunk with mremap, without holding it twice. */
static bool is_mapped(const void *block) {
    size_t size_word;
    memcpy(&size_word, (const char *)block - sizeof size_word, sizeof size_word);
    return size_word & 2;
}

EXPORT void *realloc(void *block, size_t size) {
    if (!block) return malloc(size);
    if (is_bootstrap(block)) return leave_bootstrap(block, size);
    if (!ready()) return NULL;
    if (size == 0) { /* glibc frees */
        size_t usable_bytes = next.usable(block);
        uint64_t slack_bytes = slack_read(block);
        void *left = next.realloc(block, 0);
        uncount(usable_bytes, slack_bytes);
        return counted(left, 0);
    }
    if (must_fail()) return NULL;
    size_t old_bytes = next.usable(block);
    uint64_t old_slack_bytes = slack_read(block);
    bool remappable = next.is_glibc && is_mapped(block);
    void *moved = next.realloc(block, size);
    if (!moved) return NULL;
    size_t new_bytes = next.usable(moved);
    if (moved == block && new_bytes == old_bytes) {
        ADD(requested_bytes, old_slack_bytes - (new_bytes - size));
        slack_write(block, new_bytes - size);
        return moved;
    }
    if (moved != block &&
        !remappable) { /* both blocks were held while the contents were copied: part of the peak */
        counted(moved, size);
        uncount(old_bytes, old_slack_bytes);
        return moved;
    }
    uncount(old_bytes, old_slack_bytes);
    return counted(moved, size);
}

EXPORT void *reallocarray(void *block, size_t n, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

/* An allocator behind this one need not have every function; ENOMEM then. */
#define FORWARD(member, size, ...)                                                                           \
    (ready() && next.member ? (must_fail() ? NULL : counted(next.member(__VA_ARGS__), (size))) : missing())

static void *missing(void) {
    errno = ENOMEM;
    return NULL;
}

EXPORT void *memalign(size_t alignment, size_t size) {
    return FORWARD(memalign, size, alignment, size);
}
EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    return FORWARD(aligned_alloc, size, alignment, size);
}
EXPORT void *valloc(size_t size) {
    return FORWARD(valloc, size, size);
}
EXPORT void *pvalloc(size_t size) {
    return FORWARD(pvalloc, size, size);
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t size) {
    if (!ready() || !next.posix_memalign) return ENOMEM;
    int saved_errno = errno; /* reports by its result only */
    bool fail = must_fail();
    errno = saved_errno;
    if (fail) return ENOMEM;
    int error = next.posix_memalign(out, alignment, size);
    if (error == 0) counted(*out, size);
    return error;
}

EXPORT size_t malloc_usable_size(void *block) {
    if (!block || is_bootstrap(block) || !ready()) return 0;
    return next.usable(block);
}
