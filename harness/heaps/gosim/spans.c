/* Spans: runs of pages cut into slots, or one large object. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void gs_list_push(struct gs_span **list, struct gs_span *span) {
    span->next = *list;
    span->prev = NULL;
    if (*list) (*list)->prev = span;
    *list = span;
    span->list = list;
}

void gs_list_remove(struct gs_span *span) {
    if (!span->list) return;
    if (span->prev)
        span->prev->next = span->next;
    else
        *span->list = span->next;
    if (span->next) span->next->prev = span->prev;
    span->next = span->prev = NULL;
    span->list = NULL;
}

static struct gs_span *idle_span(struct gosim *heap) {
    struct gs_span *span = heap->idle_spans;
    if (span) {
        heap->idle_spans = span->next;
        span->next = NULL;
        return span;
    }
    span = aligned_alloc(64, sizeof *span);
    if (!span) return NULL;
    memset(span, 0, sizeof *span);
    heap->pages.metadata_bytes += sizeof *span;
    return span;
}

static void retire(struct gosim *heap, struct gs_span *span) {
    span->next = heap->idle_spans;
    heap->idle_spans = span;
}

static bool make_bits(struct gosim *heap, struct gs_span *span) {
    uint32_t words = (span->slots + 63) / 64 * 2;
    if (words > span->bits_capacity) {
        uint64_t *bits = malloc(words * sizeof *bits);
        if (!bits) return false;
        free(span->bits);
        heap->pages.metadata_bytes += (words - span->bits_capacity) * sizeof *bits;
        span->bits = bits;
        span->bits_capacity = words;
    }
    memset(span->bits, 0, words * sizeof *span->bits);
    if (heap->check && span->slots > span->owners_capacity) {
        uint32_t *owners = malloc(span->slots * sizeof *owners);
        if (!owners) return false;
        free(span->owners);
        span->owners = owners;
        span->owners_capacity = span->slots;
    }
    if (heap->check)
        memset(span->owners, 0xFF, span->slots * sizeof *span->owners); /* never held an object */
    return true;
}

/* Pages for a span whose sizes are filled in; false: out of memory. */
static bool place(struct gosim *heap, struct gs_span *span) {
    bool zeroed;
    if (heap->sweep_pending) gs_sweep_some(heap, span->pages);
    size_t first = gs_pages_take(heap, span->pages, &zeroed);
    if (first == SIZE_MAX) {
        gs_sweep_all(heap);
        first = gs_pages_take(heap, span->pages, &zeroed);
        if (first == SIZE_MAX) return false;
    }
    span->base = heap->base + (first << GS_PAGE_SHIFT);
    span->needs_zero = !zeroed;
    for (size_t i = 0; i < span->pages; i++) heap->page_span[first + i] = span;
    heap->inuse_pages += span->booked_pages;
    heap->classes[heap->classes[span->class].go_class].spans++;
    return true;
}

static struct gs_span *fresh(struct gosim *heap, const struct gs_span *sizes) {
    struct gs_span *span = idle_span(heap);
    if (!span) return gs_fail(heap, "out of memory for a span's description");
    span->kinds = NULL;
    span->kind = span->live = span->marked = 0;
    span->unswept = false;
    span->slot_bytes = sizes->slot_bytes;
    span->magic = sizes->magic;
    span->slots = sizes->slots;
    span->flags = sizes->flags;
    span->class = sizes->class;
    span->pages = sizes->pages;
    span->booked_bytes = sizes->booked_bytes;
    span->booked_pages = sizes->booked_pages;
    if (make_bits(heap, span) && place(heap, span)) return span;
    retire(heap, span);
    return gs_fail(heap, "out of memory: no %u pages of 8 KiB left of %zu", sizes->pages,
                   heap->pages.reserved);
}

struct gs_span *gs_span_new(struct gosim *heap, uint32_t class_number) {
    const struct gs_class *class = &heap->classes[class_number];
    struct gs_span sizes = {.slot_bytes = class->slot_bytes,
                            .magic = class->magic,
                            .slots = class->slots,
                            .flags = class->noscan ? GS_SPAN_NOSCAN : 0,
                            .class = class_number,
                            .pages = class->pages,
                            .booked_bytes = class->booked_bytes,
                            .booked_pages = class->booked_pages};
    return fresh(heap, &sizes);
}

struct gs_span *gs_span_new_large(struct gosim *heap, const struct gs_kind *kind) {
    size_t booked = kind->elem_bytes * kind->count,
           room = kind->bytes + (heap->check ? GS_RED_ZONE_BYTES : 0);
    size_t booked_pages = (booked + GS_PAGE_BYTES - 1) >> GS_PAGE_SHIFT;
    size_t pages = (room + GS_PAGE_BYTES - 1) >> GS_PAGE_SHIFT;
    if (pages > heap->pages.reserved)
        return gs_fail(heap, "out of memory: %zu bytes are more than the heap's %zu", room,
                       heap->pages.reserved << GS_PAGE_SHIFT);
    struct gs_span sizes = {.slots = 1,
                            .flags = kind->pointers ? 0 : GS_SPAN_NOSCAN,
                            .class = kind->class,
                            .pages = (uint32_t)pages,
                            .booked_bytes = (uint64_t)booked_pages << GS_PAGE_SHIFT,
                            .booked_pages = (uint32_t)booked_pages};
    return fresh(heap, &sizes);
}

void gs_span_release(struct gosim *heap, struct gs_span *span) {
    size_t first = (span->base - heap->base) >> GS_PAGE_SHIFT;
    gs_list_remove(span);
    memset(heap->page_span + first, 0, span->pages * sizeof *heap->page_span);
    heap->inuse_pages -= span->booked_pages;
    heap->classes[heap->classes[span->class].go_class].spans--;
    gs_pages_give(heap, first, span->pages);
    retire(heap, span);
}

bool gs_span_set_kind(struct gosim *heap, struct gs_span *span, uint32_t slot, uint32_t kind) {
    if (!span->kinds) {
        /* A checking heap wants to know what dead slots held. */
        if (!heap->check && (span->live == 0 || span->kind == kind)) {
            span->kind = kind;
            return true;
        }
        if (span->slots > span->kinds_capacity) {
            uint32_t *room = malloc(span->slots * sizeof *room);
            if (!room) return gs_fail(heap, "out of memory for a span's kinds"), false;
            heap->pages.metadata_bytes += (span->slots - span->kinds_capacity) * sizeof *room;
            free(span->kinds_room);
            span->kinds_room = room;
            span->kinds_capacity = span->slots;
        }
        for (uint32_t i = 0; i < span->slots; i++) span->kinds_room[i] = span->kind;
        span->kinds = span->kinds_room;
    }
    span->kinds[slot] = kind;
    return true;
}

struct gs_span *gs_span_walk(const struct gosim *heap, size_t *page) {
    for (size_t at = *page; at < heap->pages.top; at++) {
        struct gs_span *span = heap->page_span[at];
        if (!span) continue;
        *page = at + span->pages;
        return span;
    }
    *page = heap->pages.top;
    return NULL;
}

static void destroy(struct gs_span *span) {
    free(span->bits);
    free(span->kinds_room);
    free(span->owners);
    free(span);
}

void gs_spans_close(struct gosim *heap) {
    size_t page = 0;
    struct gs_span *span;
    while ((span = gs_span_walk(heap, &page))) destroy(span);
    while ((span = heap->idle_spans)) {
        heap->idle_spans = span->next;
        destroy(span);
    }
}
