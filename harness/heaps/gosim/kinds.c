/* Kinds (a type and an element count) and classes (slot sizes): where an object of a kind goes. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const struct gosim_type no_type = {.name = "(none)", .size = 1};

/* mheap.go, initSpan: slots of up to 512 bytes leave room at the end of their span, for a bitmap of the
 * pointers in it and, with Green Tea, for mark bits. */
static uint32_t slots_of(const struct gosim *heap, uint32_t booked_bytes, uint32_t span_bytes, bool noscan) {
    uint32_t taken = 0;
    if (booked_bytes <= GS_HEADER_ABOVE_BYTES) {
        if (heap->header && !noscan) taken += span_bytes / (8 * sizeof(gs_word));
        if (booked_bytes >= GS_TINY_BYTES) taken += heap->facts->inline_marks;
    }
    return (span_bytes - taken) / booked_bytes;
}

static void set_class(const struct gosim *heap, struct gs_class *class, uint32_t booked_bytes,
                      uint32_t slot_bytes, uint32_t booked_pages, bool noscan) {
    class->noscan = noscan;
    class->booked_bytes = booked_bytes;
    class->booked_pages = booked_pages;
    class->slots = slots_of(heap, booked_bytes, booked_pages * GS_PAGE_BYTES, noscan);
    class->slot_bytes = slot_bytes;
    class->pages = slot_bytes == booked_bytes
                       ? booked_pages
                       : (class->slots * slot_bytes + GS_PAGE_BYTES - 1) / GS_PAGE_BYTES;
    /* sizeclasses.go, class_to_divmagic: exact for offsets below 2^32 / slot_bytes. */
    class->magic = ~(uint32_t)0 / slot_bytes + 1;
}

void gs_classes_open(struct gosim *heap) {
    for (uint32_t i = 2; i < GS_SPAN_CLASSES; i++) {
        const struct gs_size_class *size = &gs_size_classes[i / 2];
        set_class(heap, &heap->classes[i], size->bytes, size->bytes, size->pages, i & 1);
    }
    for (uint32_t i = 2; i < GS_SPAN_CLASSES; i++) heap->classes[i].go_class = i;
    heap->class_count = GS_SPAN_CLASSES;
}

/* A class whose slots are larger than the books say; its spans hold as many slots as Go's. 0: too many. */
static uint32_t wide_class(struct gosim *heap, uint32_t booked_class, size_t slot_bytes) {
    struct gs_class *like = &heap->classes[booked_class];
    for (uint32_t i = GS_SPAN_CLASSES; i < heap->class_count; i++) {
        struct gs_class *class = &heap->classes[i];
        if (class->slot_bytes == slot_bytes && class->booked_bytes == like->booked_bytes &&
            class->noscan == like->noscan)
            return i;
    }
    /* The magic number divides exactly as long as a span's bytes times a slot's stay below 2^32. */
    if (heap->class_count == GS_CLASSES_MAX || like->slots * (uint64_t)slot_bytes * slot_bytes >> 32)
        return 0;
    struct gs_class *class = &heap->classes[heap->class_count];
    set_class(heap, class, like->booked_bytes, (uint32_t)slot_bytes, like->booked_pages, like->noscan);
    class->go_class = booked_class;
    return heap->class_count++;
}

/* Fills in where objects of the kind go; false: no such objects are possible. */
static bool route(struct gosim *heap, struct gs_kind *kind) {
    const struct gosim_type *type = kind->type;
    bool noscan = type->pointers == 0;
    size_t bytes;
    if (__builtin_mul_overflow(type->size, kind->count, &bytes) || bytes > (size_t)PTRDIFF_MAX / 2)
        return gs_fail(heap, "%zu elements of %s are too large to address", kind->count, type->name), false;
    if (type->hidden_bytes && kind->count > 1)
        return gs_fail(heap, "%s has hidden bytes: no arrays of it are possible", type->name), false;
    kind->pointer = type->pointer;
    kind->pointers = (uint32_t)type->pointers;
    kind->elem_bytes = type->size;
    kind->bytes = bytes + type->hidden_bytes;
    if (bytes == 0 && type->hidden_bytes == 0) {
        kind->route = GS_ROUTE_ZERO;
        return true;
    }
    kind->route = noscan && bytes < GS_TINY_BYTES && type->hidden_bytes == 0 ? GS_ROUTE_TINY : GS_ROUTE_SMALL;
    unsigned size_class =
        kind->route == GS_ROUTE_TINY ? 2 : gs_size_class_of(bytes ? bytes : 1, noscan, heap->header);
    kind->class = size_class * 2 + noscan;
    if (!size_class) {
        kind->route = GS_ROUTE_LARGE;
        return true;
    }
    size_t more = type->hidden_bytes + (heap->check ? GS_RED_ZONE_BYTES : 0);
    if (!more) return true;
    kind->class =
        wide_class(heap, kind->class, (gs_size_classes[size_class].bytes + more + 15) & ~(size_t)15);
    if (kind->class) return true;
    return gs_fail(heap, "%s: too many different hidden sizes, or one too large", type->name), false;
}

static size_t hash(const struct gosim_type *type, size_t count) {
    return (((uintptr_t)type >> 3) ^ count * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u >> 20;
}

static bool grow_table(struct gosim *heap) {
    size_t slots = heap->kind_table_slots ? heap->kind_table_slots * 2 : 256;
    struct gs_kind_slot *table = calloc(slots, sizeof *table);
    if (!table) return false;
    for (size_t i = 0; i < heap->kind_table_slots; i++) {
        struct gs_kind_slot *old = &heap->kind_table[i];
        if (!old->type) continue;
        size_t at = hash(old->type, old->count) & (slots - 1);
        while (table[at].type) at = (at + 1) & (slots - 1);
        table[at] = *old;
    }
    free(heap->kind_table);
    heap->kind_table = table;
    heap->kind_table_slots = slots;
    return true;
}

static uint32_t add_kind(struct gosim *heap, const struct gosim_type *type, size_t count) {
    size_t capacity = heap->kind_capacity;
    if (!gs_grow(&heap->kinds, &capacity, heap->kind_count, sizeof *heap->kinds))
        return gs_fail(heap, "out of memory for the table of kinds"), 0;
    heap->kind_capacity = (uint32_t)capacity;
    if (heap->kind_count == 0) heap->kinds[heap->kind_count++].type = &no_type;
    struct gs_kind *kind = &heap->kinds[heap->kind_count];
    memset(kind, 0, sizeof *kind);
    kind->type = type;
    kind->count = count;
    return route(heap, kind) ? heap->kind_count++ : 0;
}

struct gs_kind *gs_kind_of(struct gosim *heap, const struct gosim_type *type, size_t count) {
    size_t key = hash(type, count);
    struct gs_kind_slot *cached = &heap->kind_cache[key % GS_KIND_CACHE];
    if (GS_LIKELY(cached->type == type && cached->count == count)) return &heap->kinds[cached->kind];
    if ((heap->kind_count + 1) * 2 > heap->kind_table_slots && !grow_table(heap))
        return gs_fail(heap, "out of memory for the table of kinds");
    size_t mask = heap->kind_table_slots - 1, at = key & mask;
    while (heap->kind_table[at].type &&
           (heap->kind_table[at].type != type || heap->kind_table[at].count != count))
        at = (at + 1) & mask;
    struct gs_kind_slot *entry = &heap->kind_table[at];
    if (!entry->type) {
        uint32_t kind = add_kind(heap, type, count);
        if (!kind) return NULL;
        *entry = (struct gs_kind_slot){.type = type, .count = count, .kind = kind};
    }
    *cached = *entry;
    return &heap->kinds[entry->kind];
}
