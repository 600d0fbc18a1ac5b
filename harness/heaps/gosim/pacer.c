/* When to collect, and the phases of a collection (runtime/mgcpacer.go, mgc.go).
 *
 * Go starts a cycle at the trigger, so that marking beside the program ends at the goal. The runway it needs
 * follows from how much is allocated while marking: nothing here, where the world stops. The trigger then
 * lies at its upper clamp, 95 % of the way from what is marked to the goal.
 */
#include "internal.h"

enum { HEAP_MINIMUM = 4 << 20, SWEEP_DISTANCE = 1 << 20, HEADROOM_MIN = 1 << 20, HEADROOM_PERCENT = 3 };

/* gcController.memoryLimitHeapGoal: what the limit leaves after everything that is not live heap. */
static uint64_t limit_goal(const struct gosim *heap) {
    uint64_t inuse = heap->inuse_pages << GS_PAGE_SHIFT, alloc = gs_heap_alloc(heap);
    uint64_t overhead = gs_stack_bytes(heap) + heap->pages.metadata_bytes +
                        (uint64_t)heap->grey_capacity * sizeof *heap->grey +
                        (inuse > alloc ? inuse - alloc : 0);
    uint64_t goal = overhead < heap->memory_limit ? heap->memory_limit - overhead : 0;
    uint64_t headroom = goal * HEADROOM_PERCENT / 100;
    if (headroom < HEADROOM_MIN) headroom = HEADROOM_MIN;
    goal = goal > headroom ? goal - headroom : 0;
    return goal < heap->heap_marked ? heap->heap_marked : goal;
}

void gs_set_goal(struct gosim *heap) {
    uint64_t roots = gs_stack_bytes(heap) + heap->root_count * sizeof(void *), goal = UINT64_MAX;
    if (heap->gogc >= 0) {
        uint64_t percent = (uint64_t)heap->gogc, least = (uint64_t)HEAP_MINIMUM * percent / 100;
        goal = heap->heap_marked + (heap->heap_marked + roots) * percent / 100;
        if (goal < least) goal = least;
        /* heapGoalInternal: sweeping wants some way to go. */
        if (goal < heap->heap_marked + SWEEP_DISTANCE) goal = heap->heap_marked + SWEEP_DISTANCE;
    }
    if (heap->memory_limit) {
        uint64_t limited = limit_goal(heap);
        if (limited < goal) goal = limited;
    }
    heap->goal = goal;
    if (goal == UINT64_MAX) {
        heap->trigger = UINT64_MAX;
        return;
    }
    /* Above the limit Go's limiter keeps the collector from taking all of the time: a sixteenth must be
     * allocated between two collections in any case. */
    uint64_t runway = goal > heap->heap_marked ? (goal - heap->heap_marked) * 95 / 100 : 0;
    uint64_t least = heap->heap_marked / 16 + GS_PAGE_BYTES;
    heap->trigger = heap->heap_marked + (runway > least ? runway : least);
}

void gosim_set_gogc(struct gosim *heap, int percent) {
    heap->gogc = percent;
    gs_set_goal(heap);
}

/* --- a cycle --- */

static void mark_roots(struct gosim *heap) {
    if (heap->tiny) gs_mark_address(heap, heap->tiny); /* gcMarkTinyAllocs */
    for (size_t i = 0; i < heap->root_count; i++) gs_mark_address(heap, *(gs_word *)heap->roots[i].slot);
    gs_sched_mark_roots(heap);
    gs_specials_mark_roots(heap);
}

void gosim_begin_mark(struct gosim *heap) {
    if (heap->front.marking) return;
    uint64_t start = gs_clock_ns();
    gs_sweep_all(heap);
    heap->alloc_at_start = gs_heap_alloc(heap);
    if (heap->alloc_at_start > heap->alloc_peak) heap->alloc_peak = heap->alloc_at_start;
    heap->goal_before = heap->goal;
    heap->scanned_bytes = 0;
    heap->front.marking = true;
    if (heap->leak_check) gs_leaks_begin(heap);
    mark_roots(heap);
    if (heap->leak_check) gs_leaks_end(heap);
    heap->mark_ns = gs_clock_ns() - start;
}

bool gosim_marking(const struct gosim *heap) {
    return heap->front.marking;
}

static void count_marked(struct gosim *heap) {
    size_t page = 0;
    struct gs_span *span;
    heap->marked_objects = heap->marked_bytes = 0;
    while ((span = gs_span_walk(heap, &page))) {
        uint32_t marked = 0;
        for (uint32_t i = 0; i < (span->slots + 63) / 64; i++)
            marked += (uint32_t)__builtin_popcountll(span->bits[i * 2 + 1]);
        span->marked = marked;
        heap->marked_objects += marked;
        heap->marked_bytes += marked * span->booked_bytes;
    }
}

static void end_mark(struct gosim *heap, bool forced) {
    uint64_t start = gs_clock_ns();
    gs_drain(heap);
    gs_specials_after_mark(heap);
    uint64_t at_end = gs_heap_alloc(heap);
    heap->front.marking = heap->front.due = false;
    gs_flush(heap);
    count_marked(heap);
    gs_sched_after_cycle(heap, forced);
    heap->heap_marked = heap->heap_live = heap->marked_bytes;
    gs_sweep_begin(heap);
    heap->num_gc++;
    heap->num_forced += forced;
    gs_set_goal(heap);
    uint64_t now = gs_clock_ns();
    heap->mark_ns += now - start;
    heap->pause_ns += heap->mark_ns;
    if (heap->trace) gs_trace_line(heap, forced, at_end, heap->mark_ns);
    if (heap->trace && heap->trace_scans) gs_trace_scans(heap);
    heap->leak_check = false;
    if (heap->check) {
        gs_sweep_all(heap);
        gs_verify_heap(heap);
    }
}

void gosim_end_mark(struct gosim *heap) {
    if (heap->front.marking) end_mark(heap, false);
}

void gosim_collect(struct gosim *heap) {
    gosim_end_mark(heap);
    gosim_begin_mark(heap);
    end_mark(heap, true);
    gs_sweep_all(heap);
    gosim_run_due(heap);
}

size_t gosim_leaked_goroutines(struct gosim *heap) {
    if (!heap->facts->leak_cycles) return SIZE_MAX;
    gosim_end_mark(heap);
    heap->leak_check = true;
    gosim_collect(heap);
    return heap->leaked;
}

void gs_collect_natural(struct gosim *heap) {
    if (GS_LIKELY(heap->heap_live < heap->trigger)) return;
    heap->front.due = heap->at_safe_points;
    if (!gs_may_collect(heap)) return;
    gosim_begin_mark(heap);
    end_mark(heap, false);
}

void gosim_collect_due(struct gosim *heap) {
    if (heap->held || heap->front.marking) return;
    gosim_begin_mark(heap);
    end_mark(heap, false);
}

void gs_collect_now(struct gosim *heap) {
    gosim_begin_mark(heap);
    end_mark(heap, false);
    gs_sweep_all(heap);
}
