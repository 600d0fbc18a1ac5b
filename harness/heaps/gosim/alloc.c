/* Allocation, after runtime/malloc.go (mallocgc), mcache.go (refill) and mcentral.go (cacheSpan). */
#include "internal.h"

#include <string.h>

enum { SWEEP_BUDGET = 100 }; /* mcentral.cacheSpan: spans to sweep before a new one is taken */

static void adopt(struct gosim *heap, struct gs_class *class, struct gs_span *span) {
    gs_list_remove(span);
    class->current = span;
    class->free_at = 0;
    class->free_word = gs_free_slots(span, 0);
    heap->heap_live += (uint64_t)(span->slots - span->live) * span->booked_bytes;
}

/* The first unswept span of a list that has a free slot once swept. */
static struct gs_span *sweep_for_slot(struct gosim *heap, struct gs_span **list, unsigned *budget) {
    while (*list && *budget) {
        struct gs_span *span = *list;
        --*budget;
        gs_sweep_span(heap, span, true);
        if (span->live < span->slots) return span;
    }
    return NULL;
}

/* mcache.refill: another span with a free slot becomes the class's current one. */
static bool refill(struct gosim *heap, uint32_t class_number) {
    struct gs_class *class = &heap->classes[class_number];
    unsigned budget = SWEEP_BUDGET;
    gs_collect_natural(heap);
    if (class->current) {
        /* A natural collection has put it among the unswept ones already. */
        gs_list_push(&class->full[GS_SWEPT], class->current);
        class->current = NULL;
    }
    struct gs_span *span = class->partial[GS_SWEPT];
    if (!span) span = sweep_for_slot(heap, &class->partial[GS_UNSWEPT], &budget);
    if (!span) span = sweep_for_slot(heap, &class->full[GS_UNSWEPT], &budget);
    if (!span) span = gs_span_new(heap, class_number);
    if (!span && gs_may_collect(heap)) {
        gs_collect_now(heap);
        span = class->partial[GS_SWEPT];
        if (!span) span = gs_span_new(heap, class_number);
    }
    if (!span) return false;
    adopt(heap, class, span);
    return true;
}

/* The words after the current one; false: the span is full. */
static bool next_free_word(struct gs_class *class) {
    const struct gs_span *span = class->current;
    uint32_t words = (span->slots + 63) / 64;
    while (++class->free_at < words) {
        class->free_word = gs_free_slots(span, class->free_at);
        if (class->free_word) return true;
    }
    return false;
}

/* A slot of the class, its contents whatever they were; NULL: out of memory. */
static inline struct gs_span *take_slot(struct gosim *heap, uint32_t class_number, uint32_t *slot) {
    struct gs_class *class = &heap->classes[class_number];
    while (GS_UNLIKELY(!class->current || !class->free_word)) {
        if (class->current && next_free_word(class)) break;
        if (!refill(heap, class_number)) return NULL;
    }
    struct gs_span *span = class->current;
    uint32_t word = class->free_at;
    uint64_t bit = class->free_word & -class->free_word;
    *slot = word * 64 + (uint32_t)__builtin_ctzll(bit);
    class->free_word ^= bit;
    span->bits[word * 2] |= bit;
    if (GS_UNLIKELY(heap->front.marking)) span->bits[word * 2 + 1] |= bit; /* allocated black */
    span->live++;
    class->mallocs++;
    return span;
}

static inline void clear_small(void *memory, uint32_t bytes) {
    gs_word *word = memory;
    for (uint32_t i = 0; i < bytes / 8; i++) {
        word[i] = 0;
        __asm__ volatile("" : : :); /* keeps the loop a loop: a call of memset costs more than it */
    }
}

static void *new_small(struct gosim *heap, uint32_t kind_number) {
    uint32_t slot;
    struct gs_span *span = take_slot(heap, heap->kinds[kind_number].class, &slot);
    if (GS_UNLIKELY(!span)) return NULL;
    if (GS_UNLIKELY(span->kinds || span->kind != kind_number)) {
        span->live--; /* it does not count yet */
        bool known = gs_span_set_kind(heap, span, slot, kind_number);
        span->live++;
        if (!known) {
            span->bits[slot / 64 * 2] &= ~((uint64_t)1 << slot % 64);
            span->bits[slot / 64 * 2 + 1] &= ~((uint64_t)1 << slot % 64);
            span->live--;
            heap->classes[span->class].mallocs--;
            return NULL;
        }
    }
    void *object = (void *)gs_slot_address(span, slot);
    if (span->needs_zero) {
        if (span->slot_bytes <= 64)
            clear_small(object, span->slot_bytes);
        else
            memset(object, 0, span->slot_bytes);
    }
    if (GS_UNLIKELY(heap->check)) gs_note_new(heap, span, slot, &heap->kinds[kind_number]);
    return object;
}

/* Pointer-free objects below 16 bytes share blocks, which live while any piece is reachable. */
static void *new_tiny(struct gosim *heap, uint32_t kind_number) {
    size_t bytes = heap->kinds[kind_number].bytes, offset = heap->tiny_offset;
    size_t align = bytes % 8 == 0 ? 8 : bytes % 4 == 0 ? 4 : bytes % 2 == 0 ? 2 : 1;
    offset = (offset + align - 1) & ~(align - 1);
    if (heap->tiny && offset + bytes <= GS_TINY_BYTES) {
        heap->tiny_offset = (uint32_t)(offset + bytes);
        heap->tiny_allocs++;
        return (void *)(heap->tiny + offset);
    }
    void *block = new_small(heap, kind_number);
    if (!block) return NULL;
    /* The block with more room left is the one to go on with. */
    if (!heap->tiny || bytes < heap->tiny_offset) {
        heap->tiny = (uintptr_t)block;
        heap->tiny_offset = (uint32_t)bytes;
    }
    return block;
}

static void *new_large(struct gosim *heap, uint32_t kind_number) {
    gs_collect_natural(heap);
    struct gs_span *span = gs_span_new_large(heap, &heap->kinds[kind_number]);
    if (!span && gs_may_collect(heap)) {
        gs_collect_now(heap);
        span = gs_span_new_large(heap, &heap->kinds[kind_number]);
    }
    if (!span) return NULL;
    span->kind = kind_number;
    span->live = 1;
    span->bits[0] = 1;
    span->bits[1] = heap->front.marking;
    if (span->needs_zero) memset((void *)span->base, 0, (size_t)span->pages << GS_PAGE_SHIFT);
    heap->large_mallocs++;
    heap->large_malloc_bytes += span->booked_bytes;
    heap->heap_live += span->booked_bytes;
    gs_list_push(&heap->classes[span->class].full[GS_SWEPT], span);
    if (heap->check) gs_note_new(heap, span, 0, &heap->kinds[kind_number]);
    return (void *)span->base;
}

void *gosim_new(struct gosim *heap, const struct gosim_type *type, size_t count) {
    struct gs_kind *kind = gs_kind_of(heap, type, count);
    if (GS_UNLIKELY(!kind)) return NULL;
    uint32_t number = (uint32_t)(kind - heap->kinds);
    if (GS_LIKELY(kind->route == GS_ROUTE_SMALL)) return new_small(heap, number);
    if (kind->route == GS_ROUTE_TINY) return new_tiny(heap, number);
    if (kind->route == GS_ROUTE_LARGE) return new_large(heap, number);
    return &heap->zero_base;
}

/* --- freeing at once --- */

static void free_slot(struct gosim *heap, struct gs_span *span, uint32_t slot) {
    struct gs_class *class = &heap->classes[span->class];
    uint64_t bit = (uint64_t)1 << slot % 64;
    if (heap->check) gs_note_dead(heap, span, slot);
    span->bits[slot / 64 * 2] &= ~bit;
    span->live--;
    span->needs_zero = true;
    class->frees++;
    heap->heap_live -= heap->heap_live < span->booked_bytes ? heap->heap_live : span->booked_bytes;
    if (class->current == span) {
        heap->heap_live += span->booked_bytes; /* its free slots count as used */
        if (slot / 64 <= class->free_at) {
            class->free_at = slot / 64;
            class->free_word = gs_free_slots(span, class->free_at);
        }
    } else if (span->live == 0) {
        gs_span_release(heap, span);
    } else if (span->list == &class->full[GS_SWEPT]) {
        gs_list_remove(span);
        gs_list_push(&class->partial[GS_SWEPT], span);
    }
}

static void free_large(struct gosim *heap, struct gs_span *span) {
    if (heap->check) gs_note_dead(heap, span, 0);
    heap->large_frees++;
    heap->large_free_bytes += span->booked_bytes;
    heap->heap_live -= heap->heap_live < span->booked_bytes ? heap->heap_live : span->booked_bytes;
    gs_span_release(heap, span);
}

void gosim_free(struct gosim *heap, void *object) {
    if (!object || object == &heap->zero_base) return;
    struct gs_span *span = gs_span_at(heap, (uintptr_t)object);
    if (!span) {
        gs_note_bad_free(heap, NULL, (uintptr_t)object);
        return;
    }
    uint32_t slot = gs_slot_of(span, (uintptr_t)object);
    /* Another piece of a tiny block may be alive, and a mark under way may still want to scan the object:
     * both are left to the next collection. */
    if (slot < span->slots && gs_slot_allocated(span, slot) &&
        (heap->front.marking || heap->kinds[gs_slot_kind(span, slot)].route == GS_ROUTE_TINY))
        return;
    if (span->unswept) gs_sweep_span(heap, span, true);
    if (slot >= span->slots || gs_slot_address(span, slot) != (uintptr_t)object ||
        !gs_slot_allocated(span, slot)) {
        gs_note_bad_free(heap, span, (uintptr_t)object);
        return;
    }
    if (heap->specials.live) gs_specials_of_freed(heap, (uintptr_t)object);
    if (span->class < 2)
        free_large(heap, span);
    else
        free_slot(heap, span, slot);
}
