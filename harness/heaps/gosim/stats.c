/* The books, as runtime/mstats.go reads them. */
#include "internal.h"

#include <string.h>

uint64_t gs_stack_bytes(const struct gosim *heap) {
    uint64_t spans = 0;
    for (unsigned order = 0; order < GS_STACK_ORDERS; order++) {
        uint64_t per_span = 16u >> order, stacks = heap->sched.stacks[order];
        if (order == 0) stacks += heap->sched.idle_stacks;
        spans += (stacks + per_span - 1) / per_span;
    }
    return spans * 32768 + heap->sched.large_stack_bytes;
}

struct totals {
    uint64_t mallocs, frees, malloc_bytes, free_bytes;
};

static struct totals add_up(const struct gosim *heap) {
    struct totals sum = {.mallocs = heap->large_mallocs + heap->tiny_allocs,
                         .frees = heap->large_frees + heap->tiny_allocs,
                         .malloc_bytes = heap->large_malloc_bytes,
                         .free_bytes = heap->large_free_bytes};
    for (uint32_t i = 2; i < heap->class_count; i++) {
        const struct gs_class *class = &heap->classes[i];
        sum.mallocs += class->mallocs;
        sum.frees += class->frees;
        sum.malloc_bytes += class->mallocs * class->booked_bytes;
        sum.free_bytes += class->frees * class->booked_bytes;
    }
    return sum;
}

uint64_t gs_heap_alloc(const struct gosim *heap) {
    struct totals sum = add_up(heap);
    return sum.malloc_bytes - sum.free_bytes;
}

uint64_t gosim_heap_alloc(const struct gosim *heap) {
    return gs_heap_alloc(heap);
}

uint64_t gosim_take_peak(struct gosim *heap) {
    uint64_t peak = heap->alloc_peak;
    heap->alloc_peak = 0;
    return peak;
}

uint64_t gosim_collections(const struct gosim *heap) {
    return heap->num_gc;
}

/* Spans that a program has from the start, as those of Go 1.25 and 1.27 do: an object of the runtime's is in
 * one of each such class. The first span of ours is taken to be that one. */
static uint64_t runtime_pages(const struct gosim *heap) {
    enum { NOSCAN_MAX_BYTES = 64, SCAN_MAX_BYTES = 160 };
    uint64_t pages = 0;
    for (uint32_t i = 2; heap->in_program && i < GS_SPAN_CLASSES; i++) {
        const struct gs_class *class = &heap->classes[i];
        if (class->spans == 0 && class->booked_bytes <= (class->noscan ? NOSCAN_MAX_BYTES : SCAN_MAX_BYTES))
            pages += class->booked_pages;
    }
    return pages;
}

void gosim_stats(struct gosim *heap, struct gosim_stats *out) {
    gs_flush(heap); /* as ReadMemStats does: a new tiny block begins */
    struct totals sum = add_up(heap);
    uint64_t stacks = gs_stack_bytes(heap), mapped = (uint64_t)heap->pages.mapped << GS_PAGE_SHIFT;
    memset(out, 0, sizeof *out);
    out->mallocs = sum.mallocs;
    out->frees = sum.frees;
    out->heap_objects = sum.mallocs - sum.frees;
    out->total_alloc = sum.malloc_bytes;
    out->heap_alloc = sum.malloc_bytes - sum.free_bytes;
    out->heap_inuse = (heap->inuse_pages + runtime_pages(heap)) << GS_PAGE_SHIFT;
    out->heap_sys = mapped;
    out->heap_idle = mapped > out->heap_inuse ? mapped - out->heap_inuse : 0;
    uint64_t kept = (uint64_t)heap->pages.free_dirty << GS_PAGE_SHIFT;
    out->heap_released = out->heap_idle > kept ? out->heap_idle - kept : 0;
    out->stack_inuse = stacks;
    out->next_gc = heap->goal;
    out->pause_total_ns = heap->pause_ns;
    out->num_gc = heap->num_gc;
    out->num_forced_gc = heap->num_forced;
    out->goroutines = heap->sched.live_count + 1; /* the program itself */
    out->mark_ns = heap->mark_ns;
    out->marked_objects = heap->marked_objects;
    out->marked_bytes = heap->marked_bytes;
    out->scanned_bytes = heap->scanned_bytes;
    out->barriers_idle = heap->front.barriers_idle;
    out->barriers_marking = heap->barriers_marking;
    out->barriers_bulk = heap->barriers_bulk;
    out->tiny_allocs = heap->tiny_allocs;
    out->resident_bytes = gs_pages_resident(heap);
}

static const char *milliseconds(char room[24], uint64_t ns) {
    /* fmtNSAsMS (runtime/string.go): three digits that matter */
    double ms = (double)ns / 1e6;
    snprintf(room, 24, ms >= 10 ? "%.0f" : ms >= 1 ? "%.1f" : ms >= 0.1 ? "%.2f" : "%.3f", ms);
    return room;
}

/* The line of GODEBUG=gctrace=1. All of a cycle is one pause on one processor: it stands in the place of mark
 * termination; the concurrent phases take no time. */
void gs_trace_line(struct gosim *heap, bool forced, uint64_t at_end, uint64_t total_ns) {
    char pause[24];
    uint64_t since = gs_clock_ns() - heap->opened_ns;
    milliseconds(pause, total_ns);
    fprintf(heap->trace,
            "gc %llu @%.3fs %llu%%%s: 0+0+%s ms clock, 0+0/0/0+%s ms cpu, %llu->%llu->%llu MB, %llu MB goal, "
            "%llu MB stacks, %llu MB globals, 1 P%s\n",
            (unsigned long long)heap->num_gc, (double)since / 1e9,
            (unsigned long long)(since ? heap->pause_ns * 100 / since : 0),
            heap->leak_check ? " (checking for goroutine leaks)" : "", pause, pause,
            (unsigned long long)(heap->alloc_at_start >> 20), (unsigned long long)(at_end >> 20),
            (unsigned long long)(heap->marked_bytes >> 20), (unsigned long long)(heap->goal_before >> 20),
            (unsigned long long)(gs_stack_bytes(heap) >> 20),
            (unsigned long long)(heap->root_count * sizeof(void *) >> 20), forced ? " (forced)" : "");
}

struct scanned {
    uint64_t objects, spans;
};

/* "scan: total 3 objs", and where objects are scanned span by span how many of all, and how many spans. Span
 * by span Go takes what Green Tea has mark bits for; how many of them at a time is chance: all are counted as
 * those of sparse spans. */
static void print_scanned(const struct gosim *heap, struct scanned alone, struct scanned in_spans) {
    unsigned long long all = alone.objects + in_spans.objects;
    if (heap->facts->scan_lines == 1)
        fprintf(heap->trace, "%llu objs\n", all);
    else
        fprintf(heap->trace, "%llu+%llu+0=%llu objs, %llu+0=%llu spans\n", (unsigned long long)alone.objects,
                (unsigned long long)in_spans.objects, all, (unsigned long long)in_spans.spans,
                (unsigned long long)in_spans.spans);
}

/* The size class of a span, 0: a large object's. */
static unsigned size_class_of(const struct gs_span *span) {
    unsigned class = 0;
    while (span->class >= 2 && gs_size_classes[class].bytes != span->booked_bytes) class ++;
    return class;
}

/* dumpScanStats: the lines of gctrace=2. After marking, before anything is swept. */
void gs_trace_scans(struct gosim *heap) {
    struct scanned by_class[GS_SIZE_CLASSES] = {{0}}, alone = {0}, in_spans = {0};
    const struct gs_span *span;
    if (!heap->facts->scan_lines) return;
    for (size_t page = 0; (span = gs_span_walk(heap, &page));) {
        if (span->flags & GS_SPAN_NOSCAN || !span->marked) continue;
        unsigned class = size_class_of(span);
        /* Large ones are scanned in pieces (mgcmark.go, maxObletBytes). */
        uint64_t objects = class ? span->marked : (span->booked_bytes + GS_CHUNK_BYTES - 1) / GS_CHUNK_BYTES;
        bool as_span = heap->facts->inline_marks && class && span->booked_bytes >= GS_TINY_BYTES &&
                       span->booked_bytes <= GS_HEADER_ABOVE_BYTES;
        struct scanned *sum = as_span ? &in_spans : &alone;
        by_class[class].objects += objects;
        by_class[class].spans += as_span;
        sum->objects += objects;
        sum->spans += as_span;
    }
    fprintf(heap->trace, "scan: total ");
    print_scanned(heap, alone, in_spans);
    for (unsigned class = 0; class < GS_SIZE_CLASSES; class ++) {
        struct scanned one = by_class[class];
        if (!one.objects) continue;
        if (class)
            fprintf(heap->trace, "scan: class %uB ", gs_size_classes[class].bytes);
        else
            fprintf(heap->trace, "scan: class L ");
        print_scanned(heap, one.spans ? (struct scanned){0} : one, one.spans ? one : (struct scanned){0});
    }
}
