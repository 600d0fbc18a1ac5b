/* Shared declarations of gosim's files. Names here begin with gs_; nothing outside this folder includes it.
 *
 * Words, as Go's: a SPAN is a run of 8 KiB pages cut into slots of one size, or one large object. A CLASS
 * (Go's span class) is a slot size with or without pointers; classes beyond Go's own have slots larger than
 * the books say, for hidden bytes and red zones. A KIND is a type and an element count: what a slot holds.
 * A slot's kind is the span's, or, once a span holds several kinds, in the span's table.
 *
 * A mark bit belongs to the cycle under way, an allocated bit is the truth about the slot; a sweep copies
 * marked to allocated. While a span is unswept (list UNSWEPT), allocated slots without a mark are garbage.
 *
 * The files from pages.c to verify.c are a circle, as in Go's runtime: allocation collects, and a collection
 * calls what the program asked for, which allocates. basics, sizeclass and kinds stand below it, heap and
 * timers above. The order of calls:
 * - alloc calls pacer (is it time?), which calls sweep (the rest of the last cycle), then mark (all roots);
 * - pacer then calls special (finalizers and cleanups now due): these and sched (goroutines) call alloc;
 * - alloc calls spans, spans call sweep (garbage is used before new pages), then pages; sweep calls spans.
 * The recursion ends at gs_may_collect: no cycle begins within a cycle, or while gosim_hold forbids it.
 */
#ifndef GOSIM_INTERNAL_H
#define GOSIM_INTERNAL_H

#include "gosim.h"
#include "sizeclass.h"

/* A word of an object, whatever the program has declared it to be. */
typedef uintptr_t gs_word __attribute__((may_alias));

#define GS_LIKELY(x) __builtin_expect(!!(x), 1)
#define GS_UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    GS_SPAN_CLASSES = 2 * GS_SIZE_CLASSES, /* 2 * size class + noscan */
    GS_CLASSES_MAX = 1024,
    GS_TINY_CLASS = 2 * 2 + 1,
    GS_RED_ZONE_BYTES = 32,
    GS_LOCALS_MAX = 8,
    GS_PROCESSORS = 2,   /* as many as the machine had on which Go was recorded */
    GS_STACK_ORDERS = 4, /* 2, 4, 8, 16 KiB, cut from spans of 32 KiB */
};
enum { GS_SWEPT, GS_UNSWEPT };
enum { GS_SPAN_NOSCAN = 1, GS_SPAN_KEYS = 2 /* holds keys of ephemerons */ };
enum { GS_RED_BYTE = 0xFD, GS_DEAD_BYTE = 0xDB };

struct gs_span {
    /* The fields that marking reads: one cache line. */
    uintptr_t base;
    uint64_t *bits;  /* word i: bits[2i] allocated, bits[2i + 1] marked */
    uint32_t *kinds; /* NULL while every object is of `kind` */
    uint32_t kind;
    uint32_t slot_bytes; /* 0: one large object */
    uint32_t magic;      /* slot index = offset * magic >> 32; 0 for a large object */
    uint32_t slots;
    uint32_t flags;
    uint32_t class; /* 0, 1: a large object */
    uint32_t pages;
    uint32_t live; /* allocated slots */
    /* The rest. */
    struct gs_span *next, *prev;
    struct gs_span **list; /* head of the list it is in; NULL: in none */
    uint64_t booked_bytes; /* of a slot */
    uint32_t booked_pages;
    uint32_t marked; /* objects, once marking has ended and until the sweep */
    uint32_t bits_capacity, kinds_capacity, owners_capacity;
    bool unswept, needs_zero;
    uint32_t *kinds_room; /* kept while the span is of no use or holds one kind */
    uint32_t *owners;     /* checking heaps: who allocated a slot */
} __attribute__((aligned(64)));

struct gs_class {
    struct gs_span *current; /* allocated from; in no list */
    uint64_t free_word;      /* free slots among the 64 of word free_at */
    uint32_t free_at;
    uint32_t slot_bytes, booked_bytes, slots, pages, booked_pages, magic;
    bool noscan;
    uint64_t mallocs, frees;
    struct gs_span *partial[2], *full[2]; /* by GS_SWEPT, GS_UNSWEPT */
};

enum gs_route { GS_ROUTE_SMALL, GS_ROUTE_TINY, GS_ROUTE_LARGE, GS_ROUTE_ZERO };
struct gs_kind {
    const struct gosim_field *pointer;
    uint32_t pointers;
    uint32_t class;
    size_t elem_bytes, count;
    const struct gosim_type *type;
    size_t bytes; /* that the program may touch: hidden ones included */
    enum gs_route route;
};
struct gs_kind_slot { /* of the lookup caches */
    const struct gosim_type *type;
    size_t count;
    uint32_t kind;
};
enum { GS_KIND_CACHE = 512 };

struct gs_grey { /* an object, or the rest of one, still to be scanned */
    uintptr_t address;
    uint32_t kind;
    uint32_t chunk; /* of GS_CHUNK_BYTES, for arrays */
};
enum { GS_CHUNK_BYTES = 128 << 10, GS_RING = 16 };

struct gs_root {
    void *slot;
    const char *name;
};

enum gs_special_kind {
    GS_NO_SPECIAL,
    GS_SPECIAL_FINALIZER,
    GS_SPECIAL_WEAK,
    GS_SPECIAL_CLEANUP,
    GS_SPECIAL_PAIR
};
struct gs_special {
    uintptr_t object;
    enum gs_special_kind kind;
    uint32_t next, generation; /* next of the same bucket, or of the free list; 0 ends */
    gosim_call *call;
    void *value; /* weak: the handle; cleanup: its closure; pair: the value that the object keeps */
};
struct gs_due {
    gosim_call *call;
    void *argument, *object; /* object: kept until the call has returned */
};
struct gs_specials {
    struct gs_special *at; /* from 1 */
    uint32_t *bucket;      /* heads, by object */
    uint32_t used, capacity, free, live, buckets;
    uint32_t finalizers, weaks, cleanups, pairs;
    struct gs_due *due;
    size_t due_first, due_count, due_capacity;
    bool running;
};

struct gosim_goroutine {
    struct gosim_goroutine *next;
    const char *name;
    void *descriptor; /* runtime.g, a heap object */
    size_t stack_bytes;
    size_t index; /* among the live ones */
    unsigned locals;
    struct {
        void *slot;
        char name[48];
    } local[GS_LOCALS_MAX];
};
struct gs_timers { /* of a P */
    void *heap;    /* a heap array of runtime.timerWhen */
    size_t count, capacity, zombies;
};
struct gs_sched {
    struct gosim_goroutine **live, *idle;
    size_t live_count, live_capacity;
    void *allgs; /* runtime.allgs: a heap array of descriptors */
    size_t allgs_count, allgs_capacity;
    uint64_t stacks[GS_STACK_ORDERS], idle_stacks, large_stack_bytes;
    struct gs_timers timers[GS_PROCESSORS];
    unsigned processor; /* that the program runs on */
    bool added;         /* a timer, since it has come there */
    uint64_t now_ns, sequence;
};

struct gs_pages {
    uintptr_t base;
    size_t reserved, top, mapped; /* pages: of the address space, ever used, mapped in Go's steps */
    size_t free_pages, free_dirty;
    uint32_t *run;         /* length of a free run, at its first and last page */
    uint32_t *next, *prev; /* of free runs of one bin, at their first page; page + 1, 0 ends */
    uint8_t *state;
    uint32_t bin[129]; /* runs of 1..128 pages; 0: longer ones */
    uint64_t bins_used[2];
    size_t metadata_bytes;
};

struct gosim {
    struct gosim_front front; /* must be first */
    /* Marking. */
    uintptr_t base, used_bytes;
    struct gs_span **page_span;
    struct gs_kind *kinds;
    struct gs_grey *grey;
    size_t grey_count, grey_capacity;
    uint64_t scanned_bytes;
    uint64_t random; /* state of gosim_random */
    /* Allocation. */
    bool check;
    bool header; /* malloc header, since Go 1.22 */
    int release;
    bool at_safe_points;
    uintptr_t tiny;
    uint32_t tiny_offset;
    uint64_t tiny_allocs;
    uint64_t heap_live, trigger; /* collect when heap_live reaches trigger */
    unsigned held;
    struct gs_kind_slot kind_cache[GS_KIND_CACHE];
    struct gs_class classes[GS_CLASSES_MAX];
    uint32_t class_count, kind_count, kind_capacity;
    struct gs_kind_slot *kind_table; /* every kind, open addressing */
    size_t kind_table_slots;
    struct gs_span *idle_spans;
    uint64_t inuse_pages; /* as booked */
    uint64_t large_mallocs, large_frees, large_malloc_bytes, large_free_bytes;
    struct gs_pages pages;
    uint64_t zero_base; /* where objects of no bytes are */
    /* Collecting. */
    int gogc;
    size_t memory_limit;
    FILE *trace;
    bool sweep_pending;
    uint32_t sweep_class;
    uint64_t num_gc, num_forced, goal, goal_before, heap_marked, marked_objects, marked_bytes, mark_ns,
        pause_ns, opened_ns;
    uint64_t alloc_at_start,
        alloc_peak; /* at the last collection's begin; the most, of those since it was taken */
    uint64_t barriers_marking, barriers_bulk;
    struct gs_root *roots;
    size_t root_count, root_capacity;
    struct gs_specials specials;
    struct gs_sched sched;
    /* Checking. */
    const char **owners;
    uint32_t owner, owner_count, owner_capacity;
    char why[192], fault[320];
};

/* basics.c */
/* Makes room for one more in a growable array, zeroed. False: out of memory. */
bool gs_grow(void *array, size_t *capacity, size_t count, size_t elem_bytes);
uint64_t gs_clock_ns(void);
/* Whether a collection may begin now: none is under way, nothing holds it off, and the pacer is on. */
bool gs_may_collect(const struct gosim *heap);
/* Notes the reason. Returns NULL. */
void *gs_fail(struct gosim *heap, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* pages.c */
bool gs_pages_open(struct gosim *heap, size_t address_bytes);
void gs_pages_close(struct gosim *heap);
/* The first of n contiguous pages, marked as used; *zeroed: they hold zeros. SIZE_MAX: none left. */
size_t gs_pages_take(struct gosim *heap, size_t n, bool *zeroed);
void gs_pages_give(struct gosim *heap, size_t first, size_t n);
uint64_t gs_pages_resident(const struct gosim *heap);

/* kinds.c */
struct gs_kind *gs_kind_of(struct gosim *heap, const struct gosim_type *type,
                           size_t count); /* NULL: why says */
void gs_classes_open(struct gosim *heap);

/* spans.c */
struct gs_span *gs_span_new(struct gosim *heap, uint32_t class);
struct gs_span *gs_span_new_large(struct gosim *heap, const struct gs_kind *kind);
void gs_span_release(struct gosim *heap, struct gs_span *span);
void gs_list_push(struct gs_span **list, struct gs_span *span);
void gs_list_remove(struct gs_span *span);
bool gs_span_set_kind(struct gosim *heap, struct gs_span *span, uint32_t slot, uint32_t kind);
void gs_spans_close(struct gosim *heap);

static inline uint32_t gs_slot_of(const struct gs_span *span, uintptr_t address) {
    return (uint32_t)((address - span->base) * span->magic >> 32);
}
static inline uintptr_t gs_slot_address(const struct gs_span *span, uint32_t slot) {
    return span->base + (uintptr_t)slot * span->slot_bytes;
}
static inline bool gs_slot_allocated(const struct gs_span *span, uint32_t slot) {
    return span->bits[slot / 64 * 2] >> slot % 64 & 1;
}
static inline bool gs_slot_marked(const struct gs_span *span, uint32_t slot) {
    return span->bits[slot / 64 * 2 + 1] >> slot % 64 & 1;
}
static inline uint32_t gs_slot_kind(const struct gs_span *span, uint32_t slot) {
    return span->kinds ? span->kinds[slot] : span->kind;
}
static inline uint64_t gs_free_slots(const struct gs_span *span, uint32_t word) {
    uint64_t free = ~span->bits[word * 2];
    uint32_t beyond = span->slots - word * 64;
    return beyond >= 64 ? free : free & (((uint64_t)1 << beyond) - 1);
}
/* The span that an address lies in; NULL: in none. */
static inline struct gs_span *gs_span_at(const struct gosim *heap, uintptr_t address) {
    uintptr_t offset = address - heap->base;
    return offset < heap->used_bytes ? heap->page_span[offset >> GS_PAGE_SHIFT] : NULL;
}
/* Spans in address order, from page *page on; NULL: no more. */
struct gs_span *gs_span_walk(const struct gosim *heap, size_t *page);

/* mark.c */
void gs_mark_address(struct gosim *heap, uintptr_t address); /* marks its object and remembers to scan it */
void gs_mark_contents(struct gosim *heap, uintptr_t object); /* what it points to, not the object itself */
void gs_drain(struct gosim *heap);
void gs_mark_later(struct gosim *heap, uintptr_t address); /* the same, by way of the mark stack */
void gs_mark_close(struct gosim *heap);
bool gs_is_marked(const struct gosim *heap, uintptr_t address); /* true for what is outside the heap */

/* sweep.c */
void gs_sweep_begin(struct gosim *heap); /* every span becomes unswept */
uint32_t gs_sweep_span(struct gosim *heap, struct gs_span *span, bool keep);
bool gs_sweep_some(struct gosim *heap, size_t pages); /* until so many pages are free */
void gs_sweep_all(struct gosim *heap);
void gs_flush(struct gosim *heap); /* current spans go back to the lists */

/* pacer.c */
void gs_collect_natural(struct gosim *heap); /* if it is time to */
void gs_collect_now(struct gosim *heap);     /* before giving up for lack of memory */
void gs_set_goal(struct gosim *heap);

/* stats.c */
uint64_t gs_heap_alloc(const struct gosim *heap);
uint64_t gs_stack_bytes(const struct gosim *heap);
void gs_trace_line(struct gosim *heap, bool forced, uint64_t at_end, uint64_t total_ns);

/* special.c */
void gs_specials_mark_roots(struct gosim *heap);
void gs_specials_after_mark(struct gosim *heap); /* revives, clears, queues */
void gs_specials_of_freed(struct gosim *heap, uintptr_t object);
void gs_pairs_of_marked(struct gosim *heap, uintptr_t object);
void gs_specials_each_root(struct gosim *heap,
                           bool (*visit)(void *, enum gosim_root_kind, const char *, void *), void *context,
                           bool *go_on);
bool gs_pairs_each(struct gosim *heap, uintptr_t object, bool (*visit)(void *, const char *, size_t, void *),
                   void *context);
bool gs_is_weak_handle_type(const struct gosim_type *type);
void gs_specials_close(struct gosim *heap);

/* sched.c */
/* append(array, ...): a larger array, with Go's capacity, if this one is full. */
bool gs_append_room(struct gosim *heap, const struct gosim_type *type, void **array, size_t count,
                    size_t *capacity);
void gs_sched_mark_roots(struct gosim *heap);
void gs_sched_each_root(struct gosim *heap, bool (*visit)(void *, enum gosim_root_kind, const char *, void *),
                        void *context, bool *go_on);
void gs_sched_after_cycle(struct gosim *heap, bool forced);
void gs_sched_close(struct gosim *heap);

/* verify.c: checking heaps */
void gs_note_new(struct gosim *heap, struct gs_span *span, uint32_t slot, const struct gs_kind *kind);
void gs_note_dead(struct gosim *heap, struct gs_span *span,
                  uint32_t slot); /* looks at its red zone, poisons it */
void gs_note_bad_free(struct gosim *heap, struct gs_span *span, uintptr_t address);
const char *gs_verify_heap(struct gosim *heap);

#endif
