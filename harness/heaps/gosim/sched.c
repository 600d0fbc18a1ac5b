/* Stand-ins for goroutines (runtime/proc.go, runtime2.go). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The beginning of runtime.g; the object is as large as that. */
struct descriptor {
    void *waiting; /* sudog */
};
static const struct gosim_field descriptor_fields[] = {{"waiting", offsetof(struct descriptor, waiting)}};
#define DESCRIPTOR(release)                                                                                  \
    {.name = "runtime.g", .size = GS_goroutine_##release, .pointer = descriptor_fields, .pointers = 1},
static const struct gosim_type descriptor_types[] = {GS_RELEASES(DESCRIPTOR)};

static const struct gosim_field pointer_fields[] = {{"", 0}};
static const struct gosim_type allgs_type = {
    .name = "[]*runtime.g", .size = sizeof(void *), .pointer = pointer_fields, .pointers = 1};

/* append(slice, ...) to a full slice of the scheduler's: a larger one, with Go's capacity. */
bool gs_append_room(struct gosim *heap, const struct gosim_type *type, void **array, size_t count,
                    size_t *capacity) {
    if (count < *capacity) return true;
    size_t more = gs_grown_capacity(*capacity, type->size, false, heap->header);
    void *grown = gosim_new(heap, type, more);
    if (!grown) return false;
    if (count) gosim_move(heap, type, grown, *array, count);
    *array = grown;
    *capacity = more;
    if (heap->front.marking) gs_mark_address(heap, (uintptr_t)grown);
    return true;
}

/* --- goroutines --- */

static int stack_order(size_t bytes) {
    for (int order = 0; order < GS_STACK_ORDERS; order++)
        if (bytes <= (size_t)2048 << order) return order;
    return -1;
}

static void count_stack(struct gs_sched *sched, size_t bytes, bool more) {
    int order = stack_order(bytes);
    if (order >= 0)
        sched->stacks[order] += more ? 1 : (uint64_t)-1;
    else
        sched->large_stack_bytes += more ? bytes : -(uint64_t)bytes;
}

/* malg and allgadd: a descriptor is made once and never given back. */
static struct gosim_goroutine *new_goroutine(struct gosim *heap) {
    struct gs_sched *sched = &heap->sched;
    struct gosim_goroutine *goroutine = calloc(1, sizeof *goroutine);
    gosim_hold(heap);
    struct descriptor *descriptor = goroutine ? gosim_new(heap, &descriptor_types[heap->column], 1) : NULL;
    bool room = descriptor &&
                gs_append_room(heap, &allgs_type, &sched->allgs, sched->allgs_count, &sched->allgs_capacity);
    gosim_release(heap);
    if (!room) {
        free(goroutine);
        return gs_fail(heap, "out of memory for a goroutine");
    }
    goroutine->descriptor = descriptor;
    gosim_store(heap, (void **)sched->allgs + sched->allgs_count++, descriptor);
    return goroutine;
}

struct gosim_goroutine *gosim_go(struct gosim *heap, const char *name, size_t stack_bytes) {
    struct gs_sched *sched = &heap->sched;
    if (!gs_grow(&sched->live, &sched->live_capacity, sched->live_count, sizeof *sched->live))
        return gs_fail(heap, "out of memory for goroutine %s", name);
    struct gosim_goroutine *goroutine = sched->idle;
    if (goroutine) {
        sched->idle = goroutine->next;
        if (sched->idle_stacks) sched->idle_stacks--;
    } else {
        goroutine = new_goroutine(heap);
        if (!goroutine) return NULL;
    }
    goroutine->next = NULL;
    goroutine->name = name;
    goroutine->locals = 0;
    goroutine->stack_bytes = stack_bytes > 2048 ? stack_bytes : 2048;
    goroutine->index = sched->live_count;
    sched->live[sched->live_count++] = goroutine;
    count_stack(sched, goroutine->stack_bytes, true);
    return goroutine;
}

void **gosim_local(struct gosim_goroutine *goroutine, const char *name) {
    if (goroutine->locals == GS_LOCALS_MAX) return NULL;
    unsigned i = goroutine->locals++;
    goroutine->local[i].slot = NULL;
    snprintf(goroutine->local[i].name, sizeof goroutine->local[i].name, "goroutine %s: %s", goroutine->name,
             name);
    return &goroutine->local[i].slot;
}

void **gs_waiting_at(const struct gosim_goroutine *goroutine) {
    return &((struct descriptor *)goroutine->descriptor)->waiting;
}

void *gosim_goroutine_descriptor(const struct gosim_goroutine *goroutine) {
    return goroutine->descriptor;
}

void gosim_exit(struct gosim *heap, struct gosim_goroutine *goroutine) {
    struct gs_sched *sched = &heap->sched;
    struct gosim_goroutine *last = sched->live[--sched->live_count];
    sched->live[goroutine->index] = last;
    last->index = goroutine->index;
    gs_stop_waiting(heap, goroutine);
    count_stack(sched, goroutine->stack_bytes, false);
    /* gfput: a stack of the first size stays with the dead goroutine until the next collection. */
    if (goroutine->stack_bytes == 2048) sched->idle_stacks++;
    goroutine->locals = 0;
    goroutine->next = sched->idle;
    sched->idle = goroutine;
}

/* --- in a collection --- */

void gs_mark_locals(struct gosim *heap, const struct gosim_goroutine *goroutine) {
    for (unsigned i = 0; i < goroutine->locals; i++)
        gs_mark_address(heap, (uintptr_t)goroutine->local[i].slot);
}

void gs_sched_mark_roots(struct gosim *heap) {
    const struct gs_sched *sched = &heap->sched;
    gs_mark_address(heap, (uintptr_t)sched->allgs);
    for (unsigned i = 0; i < GS_PROCESSORS; i++) gs_mark_address(heap, (uintptr_t)sched->timers[i].heap);
    for (size_t i = 0; i < sched->live_count; i++)
        if (!sched->live[i]->hidden) gs_mark_locals(heap, sched->live[i]);
}

void gs_sched_each_root(struct gosim *heap, bool (*visit)(void *, enum gosim_root_kind, const char *, void *),
                        void *context, bool *go_on) {
    const struct gs_sched *sched = &heap->sched;
    if (sched->allgs) *go_on = visit(context, GOSIM_GLOBAL, "runtime.allgs", sched->allgs);
    for (unsigned i = 0; i < GS_PROCESSORS && *go_on; i++)
        if (sched->timers[i].heap)
            *go_on = visit(context, GOSIM_TIMER, "pending timers", sched->timers[i].heap);
    for (size_t i = 0; i < sched->live_count; i++)
        for (unsigned local = 0; local < sched->live[i]->locals && *go_on; local++)
            *go_on = visit(context, GOSIM_STACK, sched->live[i]->local[local].name,
                           sched->live[i]->local[local].slot);
}

/* Moves the program to the other P after a forced cycle: a goroutine that calls runtime.GC() waits for it,
 * and goes on on another P. With two of them the heaps of timers fill in turns, as the recordings of Go 1.23
 * and 1.24 show page by page. */
void gs_sched_after_cycle(struct gosim *heap, bool forced) {
    struct gs_sched *sched = &heap->sched;
    sched->idle_stacks = 0; /* markrootFreeGStacks */
    if (!forced || !sched->added) return;
    sched->processor = (sched->processor + 1) % GS_PROCESSORS;
    sched->added = false;
}

void gs_sched_close(struct gosim *heap) {
    struct gs_sched *sched = &heap->sched;
    for (size_t i = 0; i < sched->live_count; i++) free(sched->live[i]);
    for (struct gosim_goroutine *goroutine = sched->idle; goroutine;) {
        struct gosim_goroutine *next = goroutine->next;
        free(goroutine);
        goroutine = next;
    }
    free(sched->live);
}
