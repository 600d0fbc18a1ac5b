#include "harness/retention/story.h"

#include <stdarg.h>
#include <string.h>

#include "harness/base/why.h"
#include "harness/heaps/boehm_heap.h"
#include "harness/retention/heap_lines.h"

enum { EVENTS_MAX = 256 };

const char *case_variant(const struct retention *r) {
    return r->plan->variant->name;
}
bool case_is(const struct retention *r, const char *variant) {
    return strcmp(r->plan->variant->name, variant) == 0;
}
size_t case_n(const struct retention *r) {
    return r->plan->n;
}
uint64_t case_seed(const struct retention *r) {
    return r->plan->seed;
}
struct gosim *case_gosim(const struct retention *r) {
    return r->gosim;
}
const struct map_unit *case_unit(const struct retention *r) {
    return r->plan->unit;
}

static const struct heap_lines *heap_of(const struct retention *r) {
    return &heap_lines[r->plan->heap];
}

/* --- lines --- */

static bool write_line(struct retention *r, json_t *line) {
    bool ok =
        json_dumpf(line, r->out, JSON_COMPACT) == 0 && fputc('\n', r->out) != EOF && fflush(r->out) == 0;
    json_decref(line);
    return ok;
}

bool case_fail(struct retention *r, const char *format, ...) {
    struct why why;
    va_list args;
    va_start(args, format);
    why_vsay(&why, format, args);
    va_end(args);
    json_t *line = case_line(r->plan);
    json_object_set_new(line, "label", json_string("error"));
    json_object_set_new(line, "error", json_string(why.text));
    write_line(r, line);
    return false;
}

void note_number(struct retention *r, const char *name, double value) {
    json_object_set_new(r->extra, name, json_real(value));
}

void mark_event(struct retention *r, const char *what, size_t step) {
    if (json_array_size(r->events) < EVENTS_MAX)
        json_array_append_new(r->events, json_pack("{s:s, s:I}", "what", what, "step", (json_int_t)step));
}

/* --- checkpoints --- */

static int64_t resident_delta(struct retention *r) {
    uint64_t now = memstat_rss_bytes(&r->memstat);
    if (!r->based) r->resident_base = now;
    return (int64_t)(now - r->resident_base);
}

/* live_bytes: as of checkpoint. collected: two collections were forced just before. */
static bool write_checkpoint(struct retention *r, const char *label, size_t step, uint64_t live_bytes,
                             bool collected) {
    if (!scenario_has_label(r->plan->scenario, label))
        return case_fail(r, "the scenario's labels do not name the checkpoint '%s'", label);
    json_t *line = case_line(r->plan);
    int64_t resident = r->resident_known ? resident_delta(r) : 0;
    json_object_set_new(line, "step", json_integer((json_int_t)step));
    json_object_set_new(line, "label", json_string(label));
    json_object_set_new(line, "semantic_live_bytes", json_integer((json_int_t)live_bytes));
    json_object_set_new(line, "rss", r->resident_known ? json_integer(resident) : json_null());
    heap_of(r)->line(r, line, live_bytes, collected, resident);
    json_object_set_new(line, "path", json_null());
    json_object_set_new(line, "dominator", json_null());
    if (r->gosim) retainers_checkpoint(&r->compared, r->gosim, r->plan, label, step, line);
    json_object_set(line, "events", r->events);
    json_object_set(line, "extra", r->extra);
    json_object_set_new(line, "error", json_null());
    json_decref(r->events), json_decref(r->extra);
    r->events = json_array(), r->extra = json_object();
    r->collections = heap_of(r)->collections(r);
    r->based = true;
    return write_line(r, line);
}

/* Marks collections that ran since the last checkpoint: only the heap saw them. */
static void mark_collections(struct retention *r, size_t step) {
    if (r->based && heap_of(r)->collections(r) != r->collections) mark_event(r, "collect", step);
}

bool checkpoint(struct retention *r, const char *label, size_t step, uint64_t live_bytes) {
    struct why why = {""}; /* a conservative collector reads the stack: no old words in it */
    mark_collections(r, step);
    if (!heap_of(r)->collect(r, &why)) return case_fail(r, "at %s %zu: %s", label, step, why.text);
    return write_checkpoint(r, label, step, live_bytes, true);
}

bool checkpoint_raw(struct retention *r, const char *label, size_t step, uint64_t live_bytes) {
    mark_collections(r, step);
    return write_checkpoint(r, label, step, live_bytes, false);
}

bool each_with_checkpoints(struct retention *r, size_t n,
                           bool (*f)(struct retention *r, size_t i, void *context), void *context,
                           const char *label,
                           uint64_t (*live)(struct retention *r, size_t done, void *context)) {
    enum { STEPS = 8 }; /* as the recordings of real Go have it */
    size_t eighth = n / STEPS ? n / STEPS : 1;
    for (size_t i = 0; i < n; i++) {
        if (!f(r, i, context)) return false;
        if ((i + 1) % eighth == 0 && !checkpoint(r, label, i + 1, live(r, i + 1, context))) return false;
    }
    return true;
}

/* --- from beginning to end --- */

bool story_open(struct retention *r, const struct case_plan *plan, FILE *out) {
    struct why why;
    *r = (struct retention){.plan = plan, .out = out, .extra = json_object(), .events = json_array()};
    r->resident_known = memstat_open(&r->memstat, &why);
    return heap_of(r)->open(r, &why) || case_fail(r, "%s", why.text);
}

bool story_run(struct retention *r) {
    if (r->plan->heap == CASE_BOEHM) boehm_stack_begins(__builtin_frame_address(0));
    return r->plan->scenario->run(r);
}

void story_close(struct retention *r) {
    retainers_finish(&r->compared, r->plan);
    fflush(r->out);
}
