/* Stand-ins for goroutines, and what channels are made of (runtime/proc.go, runtime2.go, chan.go). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- types as large as Go's --- */

/* runtime.g: 432 bytes in Go 1.23, 440 in 1.24, the class of 448 in both. */
struct descriptor {
    void *waiting; /* sudog */
    char rest[424];
};
static const struct gosim_field descriptor_fields[] = {{"waiting", offsetof(struct descriptor, waiting)}};
static const struct gosim_type descriptor_type = {
    .name = "runtime.g", .size = sizeof(struct descriptor), .pointer = descriptor_fields, .pointers = 1};

static const struct gosim_field pointer_fields[] = {{"", 0}};
static const struct gosim_type allgs_type = {
    .name = "[]*runtime.g", .size = sizeof(void *), .pointer = pointer_fields, .pointers = 1};

static const struct gosim_field channel_fields[] = {
    {"buf", offsetof(struct gosim_channel, buffer)},
    {"recvq.first", offsetof(struct gosim_channel, receivers_first)},
    {"recvq.last", offsetof(struct gosim_channel, receivers_last)},
    {"sendq.first", offsetof(struct gosim_channel, senders_first)},
    {"sendq.last", offsetof(struct gosim_channel, senders_last)}};
_Static_assert(sizeof(struct gosim_channel) == 104, "as large as runtime.hchan");
const struct gosim_type gosim_channel_type = {
    .name = "chan", .size = sizeof(struct gosim_channel), .pointer = channel_fields, .pointers = 5};

static const struct gosim_field waiter_fields[] = {{"g", offsetof(struct gosim_waiter, goroutine)},
                                                   {"next", offsetof(struct gosim_waiter, next)},
                                                   {"prev", offsetof(struct gosim_waiter, prev)},
                                                   {"elem", offsetof(struct gosim_waiter, element)},
                                                   {"c", offsetof(struct gosim_waiter, channel)}};
_Static_assert(sizeof(struct gosim_waiter) == 88, "as large as runtime.sudog");
const struct gosim_type gosim_waiter_type = {
    .name = "sudog", .size = sizeof(struct gosim_waiter), .pointer = waiter_fields, .pointers = 5};

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
    struct descriptor *descriptor = goroutine ? gosim_new(heap, &descriptor_type, 1) : NULL;
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

void *gosim_goroutine_descriptor(const struct gosim_goroutine *goroutine) {
    return goroutine->descriptor;
}

void gosim_exit(struct gosim *heap, struct gosim_goroutine *goroutine) {
    struct gs_sched *sched = &heap->sched;
    struct gosim_goroutine *last = sched->live[--sched->live_count];
    sched->live[goroutine->index] = last;
    last->index = goroutine->index;
    gosim_store(heap, &((struct descriptor *)goroutine->descriptor)->waiting, NULL);
    count_stack(sched, goroutine->stack_bytes, false);
    /* gfput: a stack of the first size stays with the dead goroutine until the next collection. */
    if (goroutine->stack_bytes == 2048) sched->idle_stacks++;
    goroutine->locals = 0;
    goroutine->next = sched->idle;
    sched->idle = goroutine;
}

/* --- in a collection --- */

void gs_sched_mark_roots(struct gosim *heap) {
    const struct gs_sched *sched = &heap->sched;
    gs_mark_address(heap, (uintptr_t)sched->allgs);
    for (unsigned i = 0; i < GS_PROCESSORS; i++) gs_mark_address(heap, (uintptr_t)sched->timers[i].heap);
    for (size_t i = 0; i < sched->live_count; i++)
        for (unsigned local = 0; local < sched->live[i]->locals; local++)
            gs_mark_address(heap, (uintptr_t)sched->live[i]->local[local].slot);
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
