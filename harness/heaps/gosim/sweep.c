/* Sweeping: lazily when a span is wanted, all of it at a forced collection (runtime/mgcsweep.go). */
#include "internal.h"

#include <string.h>

void gs_flush(struct gosim *heap) {
    for (uint32_t i = 0; i < heap->class_count; i++) {
        struct gs_class *class = &heap->classes[i];
        struct gs_span *span = class->current;
        if (!span) continue;
        class->current = NULL;
        class->free_word = 0;
        uint64_t spare = (uint64_t)(span->slots - span->live) * span->booked_bytes;
        heap->heap_live -= heap->heap_live < spare ? heap->heap_live : spare;
        gs_list_push(span->live < span->slots ? &class->partial[GS_SWEPT] : &class->full[GS_SWEPT], span);
    }
    heap->tiny = 0;
}

static void move_list(struct gs_span **from, struct gs_span **to) {
    *to = *from;
    *from = NULL;
    for (struct gs_span *span = *to; span; span = span->next) {
        span->list = to;
        span->unswept = true;
    }
}

void gs_sweep_begin(struct gosim *heap) {
    for (uint32_t i = 0; i < heap->class_count; i++) {
        struct gs_class *class = &heap->classes[i];
        move_list(&class->partial[GS_SWEPT], &class->partial[GS_UNSWEPT]);
        move_list(&class->full[GS_SWEPT], &class->full[GS_UNSWEPT]);
    }
    heap->sweep_pending = true;
    heap->sweep_class = 0;
}

/* Checks and poisons the dead objects of a span, on a checking heap. */
static void note_dead(struct gosim *heap, struct gs_span *span) {
    for (uint32_t slot = 0; slot < span->slots; slot++)
        if (gs_slot_allocated(span, slot) && !gs_slot_marked(span, slot)) gs_note_dead(heap, span, slot);
}

/* Frees what is not marked. Unless it is to be kept, a span that becomes empty is given back. Returns the
 * pages given back. */
uint32_t gs_sweep_span(struct gosim *heap, struct gs_span *span, bool keep) {
    struct gs_class *class = &heap->classes[span->class];
    uint32_t words = (span->slots + 63) / 64, freed = span->live - span->marked;
    if (heap->check && freed) note_dead(heap, span);
    for (uint32_t i = 0; i < words; i++) {
        span->bits[i * 2] = span->bits[i * 2 + 1];
        span->bits[i * 2 + 1] = 0;
    }
    span->live = span->marked;
    span->unswept = false;
    if (freed) span->needs_zero = true;
    if (span->class < 2) {
        heap->large_frees += freed;
        heap->large_free_bytes += freed * span->booked_bytes;
    } else {
        class->frees += freed;
    }
    if (span->live == 0) {
        if (!heap->check) span->kinds = NULL;
        if (!keep || span->class < 2) {
            uint32_t pages = span->pages;
            gs_span_release(heap, span);
            return pages;
        }
    }
    gs_list_remove(span);
    gs_list_push(span->live < span->slots ? &class->partial[GS_SWEPT] : &class->full[GS_SWEPT], span);
    return 0;
}

bool gs_sweep_some(struct gosim *heap, size_t pages) {
    size_t given = 0;
    while (heap->sweep_class < heap->class_count) {
        struct gs_class *class = &heap->classes[heap->sweep_class];
        struct gs_span *span = class->full[GS_UNSWEPT] ? class->full[GS_UNSWEPT] : class->partial[GS_UNSWEPT];
        if (!span) {
            heap->sweep_class++;
            continue;
        }
        given += gs_sweep_span(heap, span, false);
        if (given >= pages) return true;
    }
    heap->sweep_pending = false;
    return false;
}

void gs_sweep_all(struct gosim *heap) {
    if (heap->sweep_pending) gs_sweep_some(heap, SIZE_MAX);
}
