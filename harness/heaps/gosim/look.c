/* Looking at the heap: objects, roots, pointers. */
#include "internal.h"

static void describe(const struct gosim *heap, const struct gs_span *span, uint32_t slot,
                     struct gosim_object *out) {
    const struct gs_kind *kind = &heap->kinds[gs_slot_kind(span, slot)];
    *out = (struct gosim_object){.address = (void *)gs_slot_address(span, slot),
                                 .type = kind->type,
                                 .bytes = span->booked_bytes,
                                 .count = kind->count};
}

bool gosim_find(const struct gosim *heap, const void *address, struct gosim_object *out) {
    const struct gs_span *span = gs_span_at(heap, (uintptr_t)address);
    if (!span) return false;
    uint32_t slot = gs_slot_of(span, (uintptr_t)address);
    if (slot >= span->slots || !gs_slot_allocated(span, slot)) return false;
    if (span->unswept && !gs_slot_marked(span, slot)) return false;
    describe(heap, span, slot, out);
    return true;
}

void gosim_each_object(struct gosim *heap, bool (*visit)(void *, const struct gosim_object *),
                       void *context) {
    size_t page = 0;
    struct gs_span *span;
    gs_sweep_all(heap);
    while ((span = gs_span_walk(heap, &page)))
        for (uint32_t slot = 0; slot < span->slots; slot++) {
            if (!gs_slot_allocated(span, slot)) continue;
            struct gosim_object object;
            describe(heap, span, slot, &object);
            if (!visit(context, &object)) return;
        }
}

void gosim_each_root(struct gosim *heap, bool (*visit)(void *, enum gosim_root_kind, const char *, void *),
                     void *context) {
    bool go_on = true;
    for (size_t i = 0; i < heap->root_count && go_on; i++)
        go_on = visit(context, GOSIM_GLOBAL, heap->roots[i].name, *(gosim_slot *)heap->roots[i].slot);
    if (go_on) gs_sched_each_root(heap, visit, context, &go_on);
    if (go_on) gs_specials_each_root(heap, visit, context, &go_on);
}

void gosim_each_pointer(struct gosim *heap, const struct gosim_object *object,
                        bool (*visit)(void *, const char *, size_t, void *), void *context) {
    const struct gosim_type *type = object->type;
    const char *element = object->address;
    for (size_t i = 0; type->pointers && i < object->count; i++, element += type->size)
        for (size_t f = 0; f < type->pointers; f++) {
            void *value = *(const gosim_slot *)(element + type->pointer[f].offset);
            if (value && !visit(context, type->pointer[f].name, i, value)) return;
        }
    if (heap->specials.pairs) gs_pairs_each(heap, (uintptr_t)object->address, visit, context);
}
