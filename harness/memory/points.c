/* Writes down points of the curve, and events, while a map grows. */
#include <string.h>

#include "harness/memory/replay.h"

static unsigned octave_of(uint64_t entries) {
    return 63u - (unsigned)__builtin_clzll(entries);
}

/* 16 sizes an octave: every size below 16, then those divisible by a sixteenth of their power of two. */
static bool is_regular_point(const struct replay *replay, uint64_t entries) {
    uint64_t step = (UINT64_C(1) << octave_of(entries)) / MEMCELL_POINTS_PER_OCTAVE;
    return entries == replay->n || step == 0 || entries % step == 0;
}

/* Garbage that a conservative collector kept below the floor may go later: that is no memory given back. */
int64_t replay_live_bytes(const struct replay *replay) {
    int64_t bytes = (int64_t)(replay->now.live_bytes - replay->floor.live_bytes);
    return replay->count_read || bytes > 0 ? bytes : 0;
}

int64_t replay_requested_bytes(const struct replay *replay) {
    return (int64_t)(replay->now.requested_bytes - replay->floor.requested_bytes);
}

static void add_point(struct replay *replay, uint64_t entries, int64_t bytes, int64_t requested) {
    struct memcell_shared *shared = replay->shared;
    if (shared->points == MEMCELL_POINTS_MAX || entries == 0) return;
    if (shared->points > 0 && shared->point[shared->points - 1].entries == entries) return;
    shared->point[shared->points++] =
        (struct memcell_point){.entries = entries, .bytes_live = bytes, .requested_bytes = requested};
}

static void note_octave(struct replay *replay, uint64_t entries) {
    struct memcell_shared *shared = replay->shared;
    double bytes_per_entry = (double)replay_live_bytes(replay) / (double)entries;
    if (entries == replay->n / 2 + 1 || bytes_per_entry < shared->octave_min)
        shared->octave_min = bytes_per_entry;
    if (entries == replay->n / 2 + 1 || bytes_per_entry > shared->octave_max)
        shared->octave_max = bytes_per_entry;
    replay->octave_sum += bytes_per_entry;
}

/* The high-water mark is the most at any reading where a heap's own books know none. */
void replay_read_account(struct replay *replay, bool collect) {
    struct heap_books books;
    struct memcell_shared *shared = replay->shared;
    if (replay->count_read) {
        replay->count_read(&replay->now);
        shared->requested_known = shared->blocks_known = shared->allocations_known = true;
        return;
    }
    uint64_t peak_bytes = replay->now.peak_bytes;
    replay->unit->heap_books(replay->unit->own_heap, collect, &books);
    if (books.peak_bytes > peak_bytes) peak_bytes = books.peak_bytes;
    replay->now =
        (struct memcount){.live_bytes = books.live_bytes,
                          .peak_bytes = books.live_bytes > peak_bytes ? books.live_bytes : peak_bytes,
                          .live_blocks = books.live_blocks,
                          .allocations = books.allocations,
                          .requested_bytes = books.requested_bytes};
    replay->collections = books.collections;
    shared->requested_known = books.requested_bytes != HEAP_UNKNOWN;
    shared->blocks_known = books.live_blocks != HEAP_UNKNOWN;
    shared->allocations_known = books.allocations != HEAP_UNKNOWN;
}

struct replay_arrays replay_arrays(const struct replay *replay, const void *map) {
    const struct map_ops *op = &replay->unit->op;
    return (struct replay_arrays){.capacity = op->capacity(map),
                                  .old_capacity = op->old_capacity ? op->old_capacity(map) : 0};
}

/* The kinds of events between two states, a bit each. Small maps have no order of events to show. */
static unsigned events_between(const struct replay *replay, const struct replay_arrays *before,
                               const struct replay_arrays *after, uint64_t collections_before) {
    unsigned kinds = 0;
    if (replay->small) return 0;
    if (after->capacity != before->capacity) kinds |= 1u << MEMCELL_GROW;
    if (after->old_capacity != before->old_capacity) {
        if (after->old_capacity) kinds |= 1u << MEMCELL_EVACUATE;
        if (before->old_capacity) kinds |= 1u << MEMCELL_EVACUATED;
    }
    if (replay->collections != collections_before) kinds |= 1u << MEMCELL_COLLECT;
    return kinds;
}

/* Lists the first events of each kind in an octave; false: none of these was among them. */
static bool list_events(struct replay *replay, uint64_t entries, unsigned kinds) {
    struct memcell_shared *shared = replay->shared;
    bool listed = false;
    if ((entries & (entries - 1)) == 0) memset(replay->events_in_octave, 0, sizeof replay->events_in_octave);
    for (unsigned kind = 0; kind < MEMCELL_EVENT_KINDS; kind++) {
        if (!(kinds >> kind & 1) || replay->events_in_octave[kind] == MEMCELL_EVENTS_PER_OCTAVE ||
            shared->events == MEMCELL_EVENTS_MAX)
            continue;
        replay->events_in_octave[kind]++;
        shared->event[shared->events++] = (struct memcell_event){.op = entries, .kind = kind};
        listed = true;
    }
    return listed;
}

void replay_note_bytes(struct replay *replay, uint64_t entries, const struct replay_arrays *before,
                       const struct replay_arrays *after) {
    int64_t before_bytes = replay_live_bytes(replay), before_requested = replay_requested_bytes(replay);
    uint64_t collections_before = replay->collections;
    replay_read_account(replay, false);
    bool listed = list_events(replay, entries, events_between(replay, before, after, collections_before));
    if (listed) add_point(replay, entries - 1, before_bytes, before_requested);
    if (listed || is_regular_point(replay, entries))
        add_point(replay, entries, replay_live_bytes(replay), replay_requested_bytes(replay));
    if (entries > replay->n / 2) note_octave(replay, entries);
}

void replay_note_resident(struct replay *replay, uint64_t entries) {
    struct memcell_shared *shared = replay->shared;
    if (replay->next_point == shared->points || shared->point[replay->next_point].entries != entries) return;
    int64_t rss = (int64_t)(memstat_rss_bytes(&replay->memstat) - replay->rss_floor_bytes);
    shared->point[replay->next_point++].rss_bytes = rss;
}
