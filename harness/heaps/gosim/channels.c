/* Channels and who waits at them (runtime/chan.go), and goroutines that wait for ever (runtime/mgc.go,
 * findGoroutineLeaks). */
#include "internal.h"

#include <stdlib.h>

static const struct gosim_field channel_fields[] = {
    {"buf", offsetof(struct gosim_channel, buffer)},
    {"recvq.first", offsetof(struct gosim_channel, receivers_first)},
    {"recvq.last", offsetof(struct gosim_channel, receivers_last)},
    {"sendq.first", offsetof(struct gosim_channel, senders_first)},
    {"sendq.last", offsetof(struct gosim_channel, senders_last)}};
static const struct gosim_field waiter_fields[] = {{"g", offsetof(struct gosim_waiter, goroutine)},
                                                   {"next", offsetof(struct gosim_waiter, next)},
                                                   {"prev", offsetof(struct gosim_waiter, prev)},
                                                   {"elem", offsetof(struct gosim_waiter, element)},
                                                   {"c", offsetof(struct gosim_waiter, channel)}};

#define CHANNEL(release)                                                                                     \
    {.name = "chan", .size = GS_channel_##release, .pointer = channel_fields, .pointers = 5},
static const struct gosim_type channel_types[] = {GS_RELEASES(CHANNEL)};
#define WAITER(release)                                                                                      \
    _Static_assert(sizeof(struct gosim_channel) <= GS_channel_##release, "begins as runtime.hchan does");    \
    _Static_assert(sizeof(struct gosim_waiter) <= GS_waiter_##release, "begins as runtime.sudog does");
GS_RELEASES(WAITER)
#undef WAITER
#define WAITER(release)                                                                                      \
    {.name = "sudog", .size = GS_waiter_##release, .pointer = waiter_fields, .pointers = 5},
static const struct gosim_type waiter_types[] = {GS_RELEASES(WAITER)};

/* A channel with its buffer behind it, in bytes. Not scanned: its buffer is itself, and who waits is held by
 * its own goroutine. */
static const struct gosim_type flat_type = {.name = "chan", .size = 1, .pointer = gosim_untraced};

/* makechan */
struct gosim_channel *gosim_make_channel(struct gosim *heap, const struct gosim_type *element,
                                         size_t capacity) {
    size_t bytes, all, channel_bytes = heap->facts->channel;
    if (__builtin_mul_overflow(element->size, capacity, &bytes) ||
        __builtin_add_overflow(channel_bytes, bytes, &all))
        return gs_fail(heap, "a channel of %zu elements of %s is too large to address", capacity,
                       element->name);
    struct gosim_channel *channel;
    gosim_hold(heap); /* the buffer has no holder yet */
    if (element->pointers == 0 || bytes == 0) {
        channel = gosim_new(heap, &flat_type, all);
        if (channel) channel->buffer = bytes ? (char *)channel + channel_bytes : NULL;
    } else {
        void *buffer = gosim_new(heap, element, capacity);
        channel = buffer ? gosim_new(heap, &channel_types[heap->column], 1) : NULL;
        if (channel) gosim_store(heap, &channel->buffer, buffer);
    }
    gosim_release(heap);
    if (channel) channel->capacity = capacity;
    return channel;
}

/* waitq.dequeueSudoG, of those who receive */
static void leave(struct gosim *heap, struct gosim_waiter *waiter) {
    struct gosim_channel *channel = waiter->channel;
    struct gosim_waiter *next = waiter->next, *prev = waiter->prev;
    gosim_store(heap, prev ? &prev->next : &channel->receivers_first, next);
    gosim_store(heap, next ? &next->prev : &channel->receivers_last, prev);
}

void gs_stop_waiting(struct gosim *heap, struct gosim_goroutine *goroutine) {
    struct gosim_waiter *waiter = *gs_waiting_at(goroutine);
    if (waiter) leave(heap, waiter);
    gosim_store(heap, gs_waiting_at(goroutine), NULL);
}

/* chanrecv without a sender: the channel's queue and the goroutine both have the record. */
bool gosim_receive(struct gosim *heap, struct gosim_goroutine *goroutine, struct gosim_channel *channel) {
    struct gosim_waiter *waiter = gosim_new(heap, &waiter_types[heap->column], 1),
                        *last = channel->receivers_last;
    if (!waiter) return false;
    gosim_store(heap, &waiter->goroutine, gosim_goroutine_descriptor(goroutine));
    gosim_store(heap, &waiter->channel, channel);
    gosim_store(heap, &waiter->prev, last);
    gosim_store(heap, last ? &last->next : &channel->receivers_first, waiter);
    gosim_store(heap, &channel->receivers_last, waiter);
    gosim_store(heap, gs_waiting_at(goroutine), waiter);
    return true;
}

/* --- leaked goroutines --- */

void gs_leaks_begin(struct gosim *heap) {
    const struct gs_sched *sched = &heap->sched;
    for (size_t i = 0; i < sched->live_count; i++) {
        void **waiting = gs_waiting_at(sched->live[i]);
        sched->live[i]->hidden = *waiting;
        *waiting = NULL;
    }
}

static void reveal(struct gosim *heap, struct gosim_goroutine *goroutine) {
    *gs_waiting_at(goroutine) = goroutine->hidden;
    gs_mark_address(heap, (uintptr_t)goroutine->hidden);
    gs_mark_locals(heap, goroutine);
    goroutine->hidden = NULL;
}

void gs_leaks_end(struct gosim *heap) {
    const struct gs_sched *sched = &heap->sched;
    bool more = true;
    while (more) {
        more = false;
        gs_drain(heap);
        for (size_t i = 0; i < sched->live_count; i++) {
            const struct gosim_waiter *hidden = sched->live[i]->hidden;
            if (!hidden || !gs_is_marked(heap, (uintptr_t)hidden->channel)) continue;
            reveal(heap, sched->live[i]);
            more = true;
        }
    }
    heap->leaked = 0;
    for (size_t i = 0; i < sched->live_count; i++) {
        if (!sched->live[i]->hidden) continue;
        heap->leaked++;
        reveal(heap, sched->live[i]);
    }
}
