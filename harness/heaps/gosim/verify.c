/* Checking heaps: red zones, poison, and a verification of everything.
 *
 * The rules, and when each is checked:
 *  - a new object's bytes behind its own, to the end of its slot, hold a pattern. It must be intact when the
 *    object dies, is freed, and at every verification: a write past the end.
 *  - a dead slot is filled with another pattern, intact until it is used again: a write after the end of
 * life.
 *  - every pointer of a live object is NULL, outside the heap, or points into a live object.
 *  - no aligned word of a pointer-free object is the address where a slot of the heap begins, alive or dead.
 *    A pointer kept there keeps nothing alive. The rule takes no number for a pointer by chance: the heap
 * lies where the system put it, in the middle of 47 bits, so counters, lengths and hashes (2^-31 a word at
 * worst) do not come near. Interior pointers are left out: they add chance and are rare without the start.
 * The handles of weak pointers are exempt.
 *  - the books agree with the bits.
 * Tiny blocks have no boundaries between the pieces that share them, only behind the block.
 */
#include "internal.h"

#include <string.h>

static const char *owner_of(const struct gosim *heap, const struct gs_span *span, uint32_t slot) {
    uint32_t owner = span->owners[slot];
    return owner && owner <= heap->owner_count ? heap->owners[owner - 1] : "nobody named";
}

static bool fault(struct gosim *heap, const struct gs_span *span, uint32_t slot, const char *what,
                  size_t offset) {
    const struct gs_kind *kind = &heap->kinds[gs_slot_kind(span, slot)];
    if (heap->fault[0]) return false; /* the first one: others often follow from it */
    snprintf(heap->fault, sizeof heap->fault, "%s: %s[%zu] at %p (%zu bytes), byte %zu, allocated by %s",
             what, kind->type->name, kind->count, (void *)gs_slot_address(span, slot), kind->bytes, offset,
             owner_of(heap, span, slot));
    if (heap->trace) fprintf(heap->trace, "gosim: %s\n", heap->fault);
    return false;
}

static size_t slot_room(const struct gs_span *span) {
    return span->slot_bytes ? span->slot_bytes : (size_t)span->pages << GS_PAGE_SHIFT;
}

static size_t object_bytes(const struct gs_kind *kind) {
    return kind->route == GS_ROUTE_TINY ? GS_TINY_BYTES : kind->bytes;
}

/* The first byte of the range that is not `byte`; NULL: all are. */
static const unsigned char *first_other(const unsigned char *from, const unsigned char *to,
                                        unsigned char byte) {
    while (from < to && *from == byte) from++;
    return from == to ? NULL : from;
}

/* Returns the end of the red zone; of a large object's rest no more than is worth checking. */
static size_t red_end(const struct gs_span *span, size_t bytes) {
    size_t room = slot_room(span);
    return room - bytes > GS_PAGE_BYTES ? bytes + GS_PAGE_BYTES : room;
}

void gs_note_new(struct gosim *heap, struct gs_span *span, uint32_t slot, const struct gs_kind *kind) {
    size_t bytes = object_bytes(kind);
    memset((char *)gs_slot_address(span, slot) + bytes, GS_RED_BYTE, red_end(span, bytes) - bytes);
    span->owners[slot] = heap->owner;
}

static bool red_zone_intact(struct gosim *heap, const struct gs_span *span, uint32_t slot) {
    size_t bytes = object_bytes(&heap->kinds[gs_slot_kind(span, slot)]);
    const unsigned char *object = (const unsigned char *)gs_slot_address(span, slot);
    const unsigned char *bad = first_other(object + bytes, object + red_end(span, bytes), GS_RED_BYTE);
    return !bad || fault(heap, span, slot, "written past the end", (size_t)(bad - object));
}

void gs_note_dead(struct gosim *heap, struct gs_span *span, uint32_t slot) {
    red_zone_intact(heap, span, slot);
    if (span->slot_bytes) memset((void *)gs_slot_address(span, slot), GS_DEAD_BYTE, span->slot_bytes);
}

void gs_note_bad_free(struct gosim *heap, struct gs_span *span, uintptr_t address) {
    uint32_t slot = span ? gs_slot_of(span, address) : 0;
    gs_fail(heap, "gosim_free: %p is not the start of a live object", (void *)address);
    if (!heap->check || heap->fault[0]) return;
    if (!span || slot >= span->slots)
        snprintf(heap->fault, sizeof heap->fault, "freed, but not of this heap or freed before: %p",
                 (void *)address);
    else if (gs_slot_address(span, slot) != address)
        fault(heap, span, slot, "freed by an address inside", address - gs_slot_address(span, slot));
    else
        fault(heap, span, slot, "freed twice", 0);
}

static bool poison_intact(struct gosim *heap, const struct gs_span *span, uint32_t slot) {
    const unsigned char *from = (const unsigned char *)gs_slot_address(span, slot);
    const unsigned char *bad = first_other(from, from + span->slot_bytes, GS_DEAD_BYTE);
    return !bad || fault(heap, span, slot, "written after it was freed", (size_t)(bad - from));
}

/* Whether a pointer may be what it is. */
static bool pointer_good(const struct gosim *heap, uintptr_t value) {
    const struct gs_span *span;
    if (value - heap->base >= heap->used_bytes) return true;
    span = gs_span_at(heap, value);
    if (!span) return false;
    uint32_t slot = gs_slot_of(span, value);
    return slot < span->slots && gs_slot_allocated(span, slot);
}

const struct gosim_field gosim_untraced[] = {{"", 0}};

static bool pointers_good(struct gosim *heap, const struct gs_span *span, uint32_t slot,
                          const struct gs_kind *kind) {
    uintptr_t object = gs_slot_address(span, slot);
    for (size_t i = 0; i < kind->count; i++)
        for (uint32_t f = 0; f < kind->pointers; f++) {
            size_t offset = i * kind->elem_bytes + kind->pointer[f].offset;
            if (pointer_good(heap, *(gs_word *)(object + offset))) continue;
            char what[96];
            snprintf(what, sizeof what, "field %s points to freed memory", kind->pointer[f].name);
            return fault(heap, span, slot, what, offset);
        }
    return true;
}

static bool starts_slot(const struct gosim *heap, uintptr_t value) {
    const struct gs_span *span = gs_span_at(heap, value);
    if (!span) return false;
    uint32_t slot = gs_slot_of(span, value);
    return slot < span->slots && gs_slot_address(span, slot) == value;
}

static bool no_hidden_pointer(struct gosim *heap, const struct gs_span *span, uint32_t slot,
                              const struct gs_kind *kind) {
    uintptr_t object = gs_slot_address(span, slot);
    if (gs_is_weak_handle_type(kind->type) || kind->type->pointer == gosim_untraced ||
        kind->route == GS_ROUTE_TINY)
        return true;
    size_t bytes = kind->elem_bytes * kind->count; /* hidden bytes may hold what they like */
    for (size_t offset = 0; offset + sizeof(uintptr_t) <= bytes; offset += sizeof(uintptr_t))
        if (starts_slot(heap, *(gs_word *)(object + offset)))
            return fault(heap, span, slot, "a pointer in an object without pointer fields", offset);
    return true;
}

static bool span_good(struct gosim *heap, const struct gs_span *span) {
    uint32_t live = 0;
    for (uint32_t slot = 0; slot < span->slots; slot++) {
        const struct gs_kind *kind = &heap->kinds[gs_slot_kind(span, slot)];
        if (!gs_slot_allocated(span, slot)) {
            /* A slot that never held an object is not poisoned. */
            if (span->owners[slot] != UINT32_MAX && !poison_intact(heap, span, slot)) return false;
            continue;
        }
        live++;
        if (!red_zone_intact(heap, span, slot)) return false;
        if (!(kind->pointers ? pointers_good(heap, span, slot, kind)
                             : no_hidden_pointer(heap, span, slot, kind)))
            return false;
    }
    return live == span->live || fault(heap, span, 0, "the number of live slots is wrong in the span of", 0);
}

static bool books_good(struct gosim *heap, uint64_t bytes, uint64_t objects) {
    struct gosim_stats stats;
    gosim_stats(heap, &stats);
    if (stats.heap_alloc == bytes && stats.heap_objects == objects) return true;
    snprintf(heap->fault, sizeof heap->fault,
             "the books say %llu bytes in %llu objects, the spans hold %llu in %llu",
             (unsigned long long)stats.heap_alloc, (unsigned long long)stats.heap_objects,
             (unsigned long long)bytes, (unsigned long long)objects);
    return false;
}

const char *gs_verify_heap(struct gosim *heap) {
    uint64_t bytes = 0, objects = 0;
    size_t page = 0;
    struct gs_span *span;
    while (!heap->fault[0] && (span = gs_span_walk(heap, &page))) {
        if (!span_good(heap, span)) break;
        bytes += span->live * span->booked_bytes;
        objects += span->live;
    }
    if (!heap->fault[0]) books_good(heap, bytes, objects);
    return heap->fault[0] ? heap->fault : NULL;
}

const char *gosim_verify(struct gosim *heap) {
    if (!heap->check) return heap->fault[0] ? heap->fault : NULL;
    gs_sweep_all(heap);
    return gs_verify_heap(heap);
}

bool gosim_owner(struct gosim *heap, const char *owner) {
    if (!heap->check) return true;
    for (uint32_t i = 0; i < heap->owner_count; i++)
        if (heap->owners[i] == owner) {
            heap->owner = i + 1;
            return true;
        }
    size_t capacity = heap->owner_capacity;
    if (!gs_grow(&heap->owners, &capacity, heap->owner_count, sizeof *heap->owners))
        return gs_fail(heap, "out of memory for the name of an owner"), false;
    heap->owner_capacity = (uint32_t)capacity;
    heap->owners[heap->owner_count++] = owner;
    heap->owner = heap->owner_count; /* 0: nobody */
    return true;
}
