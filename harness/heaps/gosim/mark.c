/* Marking, after runtime/mgcmark.go: precise by the types' pointer fields, with an explicit stack. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static bool grow_grey(struct gosim *heap) {
    size_t bytes = heap->grey_capacity * sizeof *heap->grey;
    void *more = bytes ? mremap(heap->grey, bytes, bytes * 2, MREMAP_MAYMOVE)
                       : mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more == MAP_FAILED) return false;
    heap->grey = more;
    heap->grey_capacity = bytes ? heap->grey_capacity * 2 : (1 << 20) / sizeof *heap->grey;
    return true;
}

void gs_mark_close(struct gosim *heap) {
    if (heap->grey) munmap(heap->grey, heap->grey_capacity * sizeof *heap->grey);
}

static inline void push(struct gosim *heap, uintptr_t address, uint32_t kind, uint32_t chunk) {
    if (GS_UNLIKELY(heap->grey_count == heap->grey_capacity) && !grow_grey(heap)) {
        /* A collection that cannot mark must not sweep: nothing sensible is left to do. */
        fprintf(stderr, "gosim: out of memory for the mark stack (%zu objects); free memory and run again\n",
                heap->grey_count);
        abort();
    }
    heap->grey[heap->grey_count++] = (struct gs_grey){.address = address, .kind = kind, .chunk = chunk};
}

static inline void mark(struct gosim *heap, uintptr_t address) {
    uintptr_t offset = address - heap->base;
    if (offset >= heap->used_bytes) return;
    const struct gs_span *span = heap->page_span[offset >> GS_PAGE_SHIFT];
    if (GS_UNLIKELY(!span)) return;
    uint32_t slot = gs_slot_of(span, address);
    if (GS_UNLIKELY(slot >= span->slots)) return; /* the rest of the last page */
    uint64_t *bits = &span->bits[slot / 64 * 2], bit = (uint64_t)1 << slot % 64;
    if (bits[1] & bit || !(bits[0] & bit)) return;
    bits[1] |= bit;
    if (GS_UNLIKELY(span->flags & GS_SPAN_KEYS)) gs_pairs_of_marked(heap, gs_slot_address(span, slot));
    if (span->flags & GS_SPAN_NOSCAN) return;
    uintptr_t object = gs_slot_address(span, slot);
    push(heap, object, gs_slot_kind(span, slot), 0);
}

void gs_mark_address(struct gosim *heap, uintptr_t address) {
    mark(heap, address);
}

/* Kind 0: not an object, but an address still to be marked. */
void gs_mark_later(struct gosim *heap, uintptr_t address) {
    if (address) push(heap, address, 0, 0);
}

/* Pointers seen and objects to scan wait in two rings while the memory that they need, the span's description
 * and the object, is on its way to the cache: on a shuffled heap nearly all of marking is waiting for it. */
struct marker {
    struct gosim *heap;
    uintptr_t seen[GS_RING];
    uint32_t seen_first, seen_count;
    struct gs_grey grey[GS_RING];
    uint32_t grey_first, grey_count;
};

static inline void mark_oldest_seen(struct marker *marker) {
    uintptr_t address = marker->seen[marker->seen_first];
    marker->seen_first = (marker->seen_first + 1) % GS_RING;
    marker->seen_count--;
    mark(marker->heap, address);
}

static inline void see(struct marker *marker, uintptr_t address) {
    const struct gosim *heap = marker->heap;
    uintptr_t offset = address - heap->base;
    if (offset >= heap->used_bytes) return;
    if (marker->seen_count == GS_RING) mark_oldest_seen(marker);
    __builtin_prefetch((const void *)address);
    __builtin_prefetch(heap->page_span[offset >> GS_PAGE_SHIFT]);
    marker->seen[(marker->seen_first + marker->seen_count++) % GS_RING] = address;
}

static void scan_array(struct marker *marker, const struct gs_grey *grey, const struct gs_kind *kind) {
    struct gosim *heap = marker->heap;
    size_t per_chunk = GS_CHUNK_BYTES / kind->elem_bytes + 1, first = per_chunk * grey->chunk;
    size_t last = first + per_chunk < kind->count ? first + per_chunk : kind->count;
    if (last < kind->count) push(heap, grey->address, grey->kind, grey->chunk + 1);
    uintptr_t element = grey->address + first * kind->elem_bytes;
    for (size_t i = first; i < last; i++, element += kind->elem_bytes)
        for (uint32_t f = 0; f < kind->pointers; f++)
            see(marker, *(gs_word *)(element + kind->pointer[f].offset));
    heap->scanned_bytes += (last - first) * kind->elem_bytes;
}

static inline void scan(struct marker *marker, const struct gs_grey *grey) {
    const struct gs_kind *kind = &marker->heap->kinds[grey->kind];
    if (GS_UNLIKELY(grey->kind == 0)) {
        mark(marker->heap, grey->address);
    } else if (kind->count == 1) {
        marker->heap->scanned_bytes += kind->elem_bytes;
        for (uint32_t f = 0; f < kind->pointers; f++)
            see(marker, *(gs_word *)(grey->address + kind->pointer[f].offset));
    } else {
        scan_array(marker, grey, kind);
    }
}

void gs_drain(struct gosim *heap) {
    struct marker marker = {.heap = heap};
    for (;;) {
        while (heap->grey_count && marker.grey_count < GS_RING) {
            struct gs_grey next = heap->grey[--heap->grey_count];
            __builtin_prefetch((const void *)next.address);
            marker.grey[(marker.grey_first + marker.grey_count++) % GS_RING] = next;
        }
        if (marker.grey_count) {
            struct gs_grey next = marker.grey[marker.grey_first];
            marker.grey_first = (marker.grey_first + 1) % GS_RING;
            marker.grey_count--;
            scan(&marker, &next);
        } else if (marker.seen_count) {
            while (marker.seen_count) mark_oldest_seen(&marker);
        } else {
            return;
        }
    }
}

void gs_mark_contents(struct gosim *heap, uintptr_t object) {
    const struct gs_span *span = gs_span_at(heap, object);
    if (!span || span->flags & GS_SPAN_NOSCAN) return;
    uint32_t slot = gs_slot_of(span, object);
    push(heap, gs_slot_address(span, slot), gs_slot_kind(span, slot), 0);
}

bool gs_is_marked(const struct gosim *heap, uintptr_t address) {
    const struct gs_span *span = gs_span_at(heap, address);
    if (!span) return true;
    uint32_t slot = gs_slot_of(span, address);
    return slot >= span->slots || gs_slot_marked(span, slot);
}

/* --- the write barrier --- */

/* The hybrid barrier (runtime/mbarrier.go): what is overwritten and what is stored are both marked. */
void gosim_store_marking(struct gosim *heap, void *slot, void *value) {
    heap->barriers_marking++;
    mark(heap, *(gs_word *)slot);
    mark(heap, (uintptr_t)value);
    *(gosim_slot *)slot = value;
}

static void shade_elements(struct gosim *heap, const struct gosim_type *type, const void *elements,
                           size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < type->pointers; f++) {
            uintptr_t value;
            memcpy(&value, (const char *)elements + i * type->size + type->pointer[f].offset, sizeof value);
            mark(heap, value);
        }
}

void gosim_move(struct gosim *heap, const struct gosim_type *type, void *to, const void *from, size_t count) {
    heap->barriers_bulk += count * type->pointers;
    if (heap->front.marking) {
        shade_elements(heap, type, to, count);
        shade_elements(heap, type, from, count);
    }
    memmove(to, from, count * type->size);
}
