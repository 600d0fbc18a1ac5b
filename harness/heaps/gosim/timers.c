/* The virtual clock and its timers (runtime/time.go, time/sleep.go).
 *
 * Timers that fall due at the same instant fire together, as they do when the clock has run on while the
 * program was busy: each AfterFunc gets a goroutine, and all of those exist before the first one runs.
 */
#include "internal.h"

#include <stdlib.h>

/* runtime.timerWhen */
struct when {
    struct gosim_timer *timer;
    uint64_t when_ns;
};
static const struct gosim_field when_fields[] = {{"timer", offsetof(struct when, timer)}};
static const struct gosim_type when_type = {
    .name = "[]runtime.timerWhen", .size = sizeof(struct when), .pointer = when_fields, .pointers = 1};

/* The beginning of runtime.timeTimer, what a *time.Timer points to; the object is as large as that. */
struct gosim_timer {
    void *channel;
    uint64_t init, lock;
    uint32_t state, blocked;
    uint64_t when_ns, period_ns;
    gosim_call *call;
    void *argument[2]; /* an interface: type and value; here only the value is used */
    uint64_t sequence;
    uint64_t processor; /* the P in whose heap it is */
    uint64_t send_lock, sending;
};
static const struct gosim_field timer_fields[] = {{"C", offsetof(struct gosim_timer, channel)},
                                                  {"arg", offsetof(struct gosim_timer, argument[1])}};
#define TIMER(release)                                                                                       \
    {.name = "time.Timer", .size = GS_timer_##release, .pointer = timer_fields, .pointers = 2},
static const struct gosim_type timer_types[] = {GS_RELEASES(TIMER)};
_Static_assert(sizeof(struct gosim_timer) <= GS_timer_123, "begins as runtime.timeTimer does");
enum { TIMER_HEAPED = 1, TIMER_ZOMBIE = 2 };

/* --- a P's heap of pending timers: four children each, as Go's --- */

static struct when *entries(const struct gs_timers *timers) {
    return timers->heap;
}

/* Among equals the one that was added first fires first: Go's heap leaves their order open. */
static bool before(const struct when *a, const struct when *b) {
    return a->when_ns < b->when_ns || (a->when_ns == b->when_ns && a->timer->sequence < b->timer->sequence);
}

static void put_at(struct gosim *heap, struct gs_timers *timers, size_t i, struct when when) {
    struct when *slot = entries(timers) + i;
    slot->when_ns = when.when_ns;
    gosim_store(heap, &slot->timer, when.timer);
}

static void sift_up(struct gosim *heap, struct gs_timers *timers, size_t i) {
    struct when when = entries(timers)[i];
    while (i > 0) {
        struct when parent = entries(timers)[(i - 1) / 4];
        if (!before(&when, &parent)) break;
        put_at(heap, timers, i, parent);
        i = (i - 1) / 4;
    }
    put_at(heap, timers, i, when);
}

static void sift_down(struct gosim *heap, struct gs_timers *timers, size_t i) {
    struct when when = entries(timers)[i];
    for (;;) {
        size_t first = i * 4 + 1, least = first;
        if (first >= timers->count) break;
        for (size_t child = first + 1; child < first + 4 && child < timers->count; child++)
            if (before(&entries(timers)[child], &entries(timers)[least])) least = child;
        if (!before(&entries(timers)[least], &when)) break;
        put_at(heap, timers, i, entries(timers)[least]);
        i = least;
    }
    put_at(heap, timers, i, when);
}

static bool is_zombie(const struct gs_timers *timers, size_t i) {
    return entries(timers)[i].timer->state & TIMER_ZOMBIE;
}

static void remove_at(struct gosim *heap, struct gs_timers *timers, size_t i) {
    struct gosim_timer *timer = entries(timers)[i].timer;
    if (timer->state & TIMER_ZOMBIE) timers->zombies--;
    timer->state &= ~(uint32_t)(TIMER_HEAPED | TIMER_ZOMBIE);
    struct when last = entries(timers)[--timers->count];
    put_at(heap, timers, timers->count, (struct when){0});
    if (i == timers->count) return;
    put_at(heap, timers, i, last);
    sift_up(heap, timers, i);
    sift_down(heap, timers, i);
}

/* timers.cleanHead: stopped timers leave when they come to the head or the tail of the heap. */
static void clean_ends(struct gosim *heap, struct gs_timers *timers) {
    while (timers->count) {
        if (is_zombie(timers, timers->count - 1))
            remove_at(heap, timers, timers->count - 1);
        else if (is_zombie(timers, 0))
            remove_at(heap, timers, 0);
        else
            return;
    }
}

/* timers.adjust: when more than a quarter of them are stopped, the scheduler takes those out. */
static void clean_all(struct gosim *heap, struct gs_timers *timers) {
    if (timers->zombies <= timers->count / 4) return;
    size_t kept = 0, count = timers->count;
    for (size_t i = 0; i < count; i++) {
        struct when when = entries(timers)[i];
        if (when.timer->state & TIMER_ZOMBIE)
            when.timer->state &= ~(uint32_t)(TIMER_HEAPED | TIMER_ZOMBIE);
        else
            put_at(heap, timers, kept++, when);
    }
    for (size_t i = kept; i < count; i++) put_at(heap, timers, i, (struct when){0});
    timers->count = kept;
    timers->zombies = 0;
    for (size_t i = 1; i < kept; i++) sift_up(heap, timers, i);
}

static bool add_timer(struct gosim *heap, struct gosim_timer *timer) {
    struct gs_sched *sched = &heap->sched;
    struct gs_timers *timers = &sched->timers[sched->processor];
    clean_ends(heap, timers);
    gosim_hold(heap);
    bool room = gs_append_room(heap, &when_type, &timers->heap, timers->count, &timers->capacity);
    gosim_release(heap);
    if (!room) return gs_fail(heap, "out of memory for a pending timer"), false;
    sched->added = true;
    timer->state |= TIMER_HEAPED;
    timer->processor = sched->processor;
    timer->sequence = sched->sequence++;
    put_at(heap, timers, timers->count, (struct when){timer, timer->when_ns});
    sift_up(heap, timers, timers->count++);
    return true;
}

static struct gosim_timer *new_timer(struct gosim *heap, uint64_t delay_ns, uint64_t period_ns,
                                     gosim_call *call, void *argument) {
    gosim_hold(heap); /* nothing may hold the timer and its argument before it is pending */
    struct gosim_timer *timer = gosim_new(heap, &timer_types[heap->column], 1);
    if (timer) {
        timer->when_ns = heap->sched.now_ns + delay_ns;
        timer->period_ns = period_ns;
        timer->call = call;
        gosim_store(heap, &timer->argument[1], argument);
        if (!add_timer(heap, timer)) timer = NULL;
    }
    gosim_release(heap);
    return timer;
}

struct gosim_timer *gosim_after_func(struct gosim *heap, uint64_t delay_ns, gosim_call *call,
                                     void *argument) {
    return new_timer(heap, delay_ns, 0, call, argument);
}

struct gosim_timer *gosim_ticker(struct gosim *heap, uint64_t period_ns, gosim_call *call, void *argument) {
    if (!period_ns) return gs_fail(heap, "gosim_ticker: the period must not be 0");
    return new_timer(heap, period_ns, period_ns, call, argument);
}

/* time.Time, a pointer to its location at the end */
static const struct gosim_field time_fields[] = {{"loc", 16}};
static const struct gosim_type time_type = {
    .name = "time.Time", .size = 24, .pointer = time_fields, .pointers = 1};

struct gosim_timer *gosim_new_timer(struct gosim *heap, uint64_t delay_ns) {
    gosim_hold(heap);
    struct gosim_channel *channel = gosim_make_channel(heap, &time_type, 1);
    struct gosim_timer *timer = channel ? gosim_new(heap, &timer_types[heap->column], 1) : NULL;
    gosim_release(heap);
    if (!timer) return NULL;
    timer->when_ns = heap->sched.now_ns + delay_ns;
    gosim_store(heap, &timer->channel, channel);
    return timer;
}

bool gosim_stop_timer(struct gosim *heap, struct gosim_timer *timer) {
    if (!(timer->state & TIMER_HEAPED) || timer->state & TIMER_ZOMBIE) return false;
    timer->state |= TIMER_ZOMBIE;
    heap->sched.timers[timer->processor].zombies++;
    return true;
}

uint64_t gosim_now(const struct gosim *heap) {
    return heap->sched.now_ns;
}

/* The P whose first timer falls due first; NULL: none is pending. Stopped timers at the heads are gone. */
static struct gs_timers *earliest(struct gosim *heap) {
    struct gs_timers *found = NULL;
    for (unsigned i = 0; i < GS_PROCESSORS; i++) {
        struct gs_timers *timers = &heap->sched.timers[i];
        clean_ends(heap, timers);
        if (timers->count && (!found || before(entries(timers), entries(found)))) found = timers;
    }
    return found;
}

/* The first timer's goroutine begins. NULL: out of memory. */
static struct gosim_goroutine *fire_first(struct gosim *heap, struct gs_timers *timers) {
    struct gosim_timer *timer = entries(timers)[0].timer;
    struct gosim_goroutine *goroutine = gosim_go(heap, "timer", 2048);
    if (!goroutine) return NULL;
    *gosim_local(goroutine, "timer") = timer;
    if (timer->period_ns) {
        timer->when_ns += timer->period_ns;
        entries(timers)[0].when_ns = timer->when_ns;
        sift_down(heap, timers, 0);
    } else {
        remove_at(heap, timers, 0);
    }
    return goroutine;
}

/* Everything that is due at this instant: all goroutines begin, then one after the other runs and ends. */
static bool fire_due(struct gosim *heap) {
    struct gosim_goroutine **begun = NULL;
    size_t capacity = 0, count = 0;
    struct gs_timers *timers;
    bool complete = true;
    while (complete && (timers = earliest(heap)) && entries(timers)[0].when_ns <= heap->sched.now_ns) {
        complete =
            gs_grow(&begun, &capacity, count, sizeof *begun) && (begun[count] = fire_first(heap, timers));
        count += complete;
    }
    for (size_t i = 0; i < count; i++) {
        const struct gosim_timer *timer = begun[i]->local[0].slot;
        timer->call(timer->argument[1]);
        gosim_exit(heap, begun[i]);
    }
    free(begun);
    return complete;
}

bool gosim_advance(struct gosim *heap, uint64_t ns) {
    struct gs_sched *sched = &heap->sched;
    uint64_t until = sched->now_ns + ns;
    struct gs_timers *timers;
    for (unsigned i = 0; i < GS_PROCESSORS; i++) clean_all(heap, &sched->timers[i]);
    while ((timers = earliest(heap)) && entries(timers)[0].when_ns <= until) {
        if (entries(timers)[0].when_ns > sched->now_ns) sched->now_ns = entries(timers)[0].when_ns;
        if (!fire_due(heap)) return false;
    }
    sched->now_ns = until;
    return true;
}
