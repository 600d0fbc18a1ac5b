/* Finalizers, cleanups, weak pointers and ephemerons: records about objects, outside the heap
 * (runtime/mheap.go, specials; mfinal.go; mcleanup.go; internal/weak).
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The handle of a weak pointer: its word is an address that does not keep the object. */
struct gosim_weak {
    uintptr_t object;
};
#define WEAK(release) {.name = "weak handle", .size = GS_weak_handle_##release},
static const struct gosim_type weak_types[] = {GS_RELEASES(WEAK)};

bool gs_is_weak_handle_type(const struct gosim_type *type) {
    return type >= weak_types && type < weak_types + sizeof weak_types / sizeof *weak_types;
}

/* --- the table --- */

static uint32_t *bucket_of(struct gs_specials *specials, uintptr_t object) {
    return &specials->bucket[(object >> 3) * 0x9E3779B97F4A7C15u >> 32 & (specials->buckets - 1)];
}

static bool rehash(struct gs_specials *specials) {
    uint32_t buckets = specials->buckets ? specials->buckets * 2 : 64;
    uint32_t *room = calloc(buckets, sizeof *room);
    if (!room) return false;
    free(specials->bucket);
    specials->bucket = room;
    specials->buckets = buckets;
    for (uint32_t i = 1; i <= specials->used; i++) {
        struct gs_special *special = &specials->at[i];
        if (special->kind == GS_NO_SPECIAL) continue;
        uint32_t *head = bucket_of(specials, special->object);
        special->next = *head;
        *head = i;
    }
    return true;
}

static uint32_t *counter_of(struct gs_specials *specials, enum gs_special_kind kind) {
    return kind == GS_SPECIAL_FINALIZER ? &specials->finalizers
           : kind == GS_SPECIAL_WEAK    ? &specials->weaks
           : kind == GS_SPECIAL_CLEANUP ? &specials->cleanups
                                        : &specials->pairs;
}

static uint32_t add(struct gosim *heap, uintptr_t object, enum gs_special_kind kind) {
    struct gs_specials *specials = &heap->specials;
    if (specials->live >= specials->buckets && !rehash(specials))
        return gs_fail(heap, "out of memory for the table of finalizers and weak pointers"), 0;
    uint32_t index = specials->free;
    if (index) {
        specials->free = specials->at[index].next;
    } else {
        size_t capacity = specials->capacity;
        if (!gs_grow(&specials->at, &capacity, specials->used + 1, sizeof *specials->at))
            return gs_fail(heap, "out of memory for finalizers and weak pointers"), 0;
        specials->capacity = (uint32_t)capacity;
        index = ++specials->used;
    }
    struct gs_special *special = &specials->at[index];
    uint32_t *head = bucket_of(specials, object), generation = special->generation + 1;
    *special = (struct gs_special){.object = object, .kind = kind, .next = *head, .generation = generation};
    *head = index;
    specials->live++;
    ++*counter_of(specials, kind);
    return index;
}

static void drop(struct gs_specials *specials, uint32_t index) {
    struct gs_special *special = &specials->at[index];
    uint32_t *link = bucket_of(specials, special->object);
    while (*link != index) link = &specials->at[*link].next;
    *link = special->next;
    --*counter_of(specials, special->kind);
    specials->live--;
    special->kind = GS_NO_SPECIAL;
    special->value = special->argument = NULL;
    special->closure = NULL;
    special->next = specials->free;
    specials->free = index;
}

static uint32_t find(struct gs_specials *specials, uintptr_t object, enum gs_special_kind kind) {
    if (!specials->buckets) return 0;
    for (uint32_t i = *bucket_of(specials, object); i; i = specials->at[i].next)
        if (specials->at[i].object == object && specials->at[i].kind == kind) return i;
    return 0;
}

static bool is_object(struct gosim *heap, const void *object, const char *what) {
    struct gosim_object found;
    if (gosim_find(heap, object, &found) && found.address == object) return true;
    gs_fail(heap, "%s: %p is not the start of an object of this heap", what, object);
    return false;
}

void gs_specials_close(struct gosim *heap) {
    free(heap->specials.at);
    free(heap->specials.bucket);
    free(heap->specials.due);
}

/* --- what the program asks for --- */

static bool set_finalizer(struct gosim *heap, void *object, gosim_call *call, struct gosim_closure *closure) {
    struct gs_specials *specials = &heap->specials;
    if (!is_object(heap, object, "gosim_set_finalizer")) return false;
    uint32_t index = find(specials, (uintptr_t)object, GS_SPECIAL_FINALIZER);
    if (!call && !closure) {
        if (index) drop(specials, index);
        return true;
    }
    if (index) return gs_fail(heap, "gosim_set_finalizer: the object at %p has one already", object), false;
    index = add(heap, (uintptr_t)object, GS_SPECIAL_FINALIZER);
    if (!index) return false;
    specials->at[index].call = call;
    specials->at[index].closure = closure;
    if (heap->front.marking) {
        gs_mark_contents(heap, (uintptr_t)object);
        gs_mark_address(heap, (uintptr_t)closure);
    }
    return true;
}

bool gosim_set_finalizer(struct gosim *heap, void *object, void (*call)(void *object)) {
    return set_finalizer(heap, object, call, NULL);
}

bool gosim_set_finalizer_closure(struct gosim *heap, void *object, struct gosim_closure *closure) {
    return set_finalizer(heap, object, NULL, closure);
}

static uint64_t add_cleanup(struct gosim *heap, void *object, struct gs_special made,
                            const struct gosim_type *type, const void *argument) {
    if (!is_object(heap, object, "gosim_add_cleanup")) return 0;
    gosim_hold(heap); /* perhaps nothing holds the object any more */
    bool complete = gs_cleanup_make(heap, &made, type, argument);
    gosim_release(heap);
    uint32_t index = complete ? add(heap, (uintptr_t)object, GS_SPECIAL_CLEANUP) : 0;
    if (!index) return 0;
    struct gs_special *special = &heap->specials.at[index];
    special->call = made.call;
    special->value = made.value;
    special->closure = made.closure;
    special->argument = made.argument;
    special->by_pointer = made.by_pointer;
    return (uint64_t)special->generation << 32 | index;
}

uint64_t gosim_add_cleanup(struct gosim *heap, void *object, gosim_call *call, void *argument) {
    if (object == argument)
        return gs_fail(heap, "gosim_add_cleanup: the argument is the object, which would never die"), 0;
    return add_cleanup(heap, object, (struct gs_special){.call = call, .by_pointer = true}, NULL, &argument);
}

uint64_t gosim_add_cleanup_of(struct gosim *heap, void *object, gosim_call *call,
                              struct gosim_closure *closure, const struct gosim_type *type,
                              const void *argument) {
    return add_cleanup(heap, object, (struct gs_special){.call = call, .closure = closure}, type, argument);
}

void gosim_stop_cleanup(struct gosim *heap, uint64_t id) {
    uint32_t index = (uint32_t)id;
    if (index == 0 || index > heap->specials.used) return;
    struct gs_special *special = &heap->specials.at[index];
    if (special->kind == GS_SPECIAL_CLEANUP && special->generation == id >> 32) drop(&heap->specials, index);
}

struct gosim_weak *gosim_weak_make(struct gosim *heap, void *object) {
    if (!is_object(heap, object, "gosim_weak_make")) return NULL;
    uint32_t index = find(&heap->specials, (uintptr_t)object, GS_SPECIAL_WEAK);
    if (index) return heap->specials.at[index].value;
    index = add(heap, (uintptr_t)object, GS_SPECIAL_WEAK);
    if (!index) return NULL;
    gosim_hold(heap); /* nothing holds the handle yet, and perhaps nothing the object */
    struct gosim_weak *weak = gosim_new(heap, &weak_types[heap->column], 1);
    gosim_release(heap);
    if (!weak) {
        drop(&heap->specials, index);
        return NULL;
    }
    weak->object = (uintptr_t)object;
    heap->specials.at[index].value = weak;
    return weak;
}

void *gosim_weak_value(struct gosim *heap, struct gosim_weak *weak) {
    if (!weak || !weak->object) return NULL;
    if (heap->front.marking) gs_mark_address(heap, weak->object);
    return (void *)weak->object;
}

bool gosim_ephemeron(struct gosim *heap, void *key, void *value) {
    if (!is_object(heap, key, "gosim_ephemeron")) return false;
    uint32_t index = add(heap, (uintptr_t)key, GS_SPECIAL_PAIR);
    if (!index) return false;
    heap->specials.at[index].value = value;
    gs_span_at(heap, (uintptr_t)key)->flags |= GS_SPAN_KEYS;
    if (heap->front.marking && gs_is_marked(heap, (uintptr_t)key)) gs_mark_address(heap, (uintptr_t)value);
    return true;
}

/* --- in a collection --- */

void gs_pairs_of_marked(struct gosim *heap, uintptr_t object) {
    struct gs_specials *specials = &heap->specials;
    if (!specials->pairs) return;
    for (uint32_t i = *bucket_of(specials, object); i; i = specials->at[i].next) {
        const struct gs_special *special = &specials->at[i];
        /* Recursion would be as deep as a chain of pairs: the value waits on the mark stack as a root would.
         */
        if (special->object == object && special->kind == GS_SPECIAL_PAIR)
            gs_mark_later(heap, (uintptr_t)special->value);
    }
}

bool gs_pairs_each(struct gosim *heap, uintptr_t object, bool (*visit)(void *, const char *, size_t, void *),
                   void *context) {
    struct gs_specials *specials = &heap->specials;
    for (uint32_t i = *bucket_of(specials, object); i; i = specials->at[i].next) {
        const struct gs_special *special = &specials->at[i];
        if (special->object == object && special->kind == GS_SPECIAL_PAIR &&
            !visit(context, "(ephemeron)", 0, special->value))
            return false;
    }
    return true;
}

/* mgcmark.go, markrootSpans: what an object with a finalizer refers to is kept, the object itself is not. */
void gs_specials_mark_roots(struct gosim *heap) {
    struct gs_specials *specials = &heap->specials;
    for (size_t i = 0; i < specials->due_count; i++) {
        const struct gs_due *due = &specials->due[specials->due_first + i];
        gs_mark_address(heap, (uintptr_t)due->object);
        gs_mark_address(heap, (uintptr_t)due->argument);
        gs_mark_address(heap, (uintptr_t)due->box);
        gs_mark_address(heap, (uintptr_t)due->closure);
    }
    for (uint32_t i = 1; i <= specials->used; i++) {
        const struct gs_special *special = &specials->at[i];
        if (special->kind == GS_SPECIAL_FINALIZER) gs_mark_contents(heap, special->object);
        if (special->kind == GS_SPECIAL_WEAK || special->kind == GS_SPECIAL_CLEANUP)
            gs_mark_address(heap, (uintptr_t)special->value);
        gs_mark_address(heap, (uintptr_t)special->closure);
        gs_mark_address(heap, (uintptr_t)special->argument);
    }
}

static void enqueue(struct gosim *heap, struct gs_due due) {
    struct gs_specials *specials = &heap->specials;
    if (!gs_grow(&specials->due, &specials->due_capacity, specials->due_first + specials->due_count,
                 sizeof *specials->due)) {
        fprintf(stderr, "gosim: out of memory for %zu calls that are due; free memory and run again\n",
                specials->due_count);
        abort();
    }
    specials->due[specials->due_first + specials->due_count++] = due;
}

static void end_weak(struct gs_specials *specials, uint32_t index) {
    ((struct gosim_weak *)specials->at[index].value)->object = 0;
    drop(specials, index);
}

static void end_cleanup(struct gosim *heap, uint32_t index) {
    const struct gs_special *special = &heap->specials.at[index];
    enqueue(heap,
            (struct gs_due){.call = special->call,
                            .argument = special->by_pointer ? *(void **)special->argument : special->argument,
                            .object = special->value,
                            .box = special->argument,
                            .closure = special->closure});
    drop(&heap->specials, index);
}

/* mgcsweep.go, sweep: weak pointers to dead objects are cleared first; a dead object with a finalizer is
 * kept for the call, and its cleanups wait until it is dead for good. */
void gs_specials_after_mark(struct gosim *heap) {
    struct gs_specials *specials = &heap->specials;
    if (!specials->live) return;
    for (uint32_t i = 1; i <= specials->used; i++)
        if (specials->at[i].kind == GS_SPECIAL_WEAK && !gs_is_marked(heap, specials->at[i].object))
            end_weak(specials, i);
    /* Whether an object is dead is decided for all before any is revived. */
    size_t first_revived = specials->due_count;
    for (uint32_t i = 1; i <= specials->used; i++) {
        const struct gs_special *special = &specials->at[i];
        if (special->kind != GS_SPECIAL_FINALIZER || gs_is_marked(heap, special->object)) continue;
        void *object = (void *)special->object;
        enqueue(heap, (struct gs_due){.call = special->call,
                                      .argument = object,
                                      .object = object,
                                      .closure = special->closure});
        drop(specials, i);
    }
    for (size_t i = first_revived; i < specials->due_count; i++)
        gs_mark_address(heap, (uintptr_t)specials->due[specials->due_first + i].object);
    gs_drain(heap);
    for (uint32_t i = 1; i <= specials->used; i++) {
        const struct gs_special *special = &specials->at[i];
        if (special->kind == GS_NO_SPECIAL || gs_is_marked(heap, special->object)) continue;
        if (special->kind == GS_SPECIAL_CLEANUP) end_cleanup(heap, i);
        if (special->kind == GS_SPECIAL_PAIR) drop(specials, i);
    }
}

void gs_specials_of_freed(struct gosim *heap, uintptr_t object) {
    struct gs_specials *specials = &heap->specials;
    uint32_t next;
    for (uint32_t i = *bucket_of(specials, object); i; i = next) {
        next = specials->at[i].next;
        if (specials->at[i].object != object) continue;
        if (specials->at[i].kind == GS_SPECIAL_WEAK)
            end_weak(specials, i);
        else if (specials->at[i].kind == GS_SPECIAL_CLEANUP)
            end_cleanup(heap, i);
        else
            drop(specials, i);
    }
}

size_t gosim_run_due(struct gosim *heap) {
    struct gs_specials *specials = &heap->specials;
    size_t ran = 0;
    if (specials->running) return 0; /* a call that is due has collected */
    specials->running = true;
    while (specials->due_count) {
        /* Stays in the queue, a root, until it has returned; the call may queue more. */
        struct gs_due due = specials->due[specials->due_first];
        if (due.closure)
            due.closure->call(due.closure->captured, due.argument);
        else
            due.call(due.argument);
        ran++;
        specials->due_first++;
        specials->due_count--;
    }
    specials->due_first = 0;
    specials->running = false;
    return ran;
}

void gs_specials_each_root(struct gosim *heap,
                           bool (*visit)(void *, enum gosim_root_kind, const char *, void *), void *context,
                           bool *go_on) {
    struct gs_specials *specials = &heap->specials;
    for (size_t i = 0; i < specials->due_count && *go_on; i++)
        *go_on = visit(context, GOSIM_FINALIZER, "call that is due",
                       specials->due[specials->due_first + i].object);
    for (uint32_t i = 1; i <= specials->used && *go_on; i++) {
        const struct gs_special *special = &specials->at[i];
        const struct gs_span *span;
        if (special->kind == GS_SPECIAL_WEAK)
            *go_on = visit(context, GOSIM_FINALIZER, "weak handle", special->value);
        if (special->kind == GS_SPECIAL_CLEANUP)
            *go_on = visit(context, GOSIM_FINALIZER, "cleanup", special->value);
        bool in_record = special->kind == GS_SPECIAL_CLEANUP && !gs_cleanup_has_fields(heap);
        if (in_record && special->argument && *go_on)
            *go_on = visit(context, GOSIM_FINALIZER, "cleanup: arg", special->argument);
        if ((in_record || special->kind == GS_SPECIAL_FINALIZER) && special->closure && *go_on)
            *go_on = visit(context, GOSIM_FINALIZER, "function of a finalizer or cleanup", special->closure);
        if (special->kind != GS_SPECIAL_FINALIZER) continue;
        span = gs_span_at(heap, special->object);
        const struct gs_kind *kind = &heap->kinds[gs_slot_kind(span, gs_slot_of(span, special->object))];
        for (size_t field = 0; field < kind->pointers * kind->count && *go_on; field++) {
            size_t element = field / kind->pointers, f = field % kind->pointers;
            void *value =
                *(gosim_slot *)(special->object + element * kind->elem_bytes + kind->pointer[f].offset);
            if (value) *go_on = visit(context, GOSIM_FINALIZER, "object with a finalizer", value);
        }
    }
}
