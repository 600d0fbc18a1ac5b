#include "harness/retention/case.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/deadline.h"
#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/boehm_special.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/memory/memstat.h"
#include "harness/retention/holders.h"

enum { EVENTS_MAX = 256 };

/* Hash seeds decide at which side of a checkpoint a table splits or is reset. Of the first streams of seeds
 * the one that begins here is nearest to the recordings of real Go (tests/fixtures/go/retention.txt): the
 * default. */
enum { RECORDED_PHASE = 7 };

struct retention {
    const struct case_plan *plan;
    struct gosim *gosim;
    struct gosim_stats base, last;
    struct boehm_live boehm_base;
    bool based;
    FILE *out;
    json_t *extra, *events;
    struct holders holders;
    struct memstat memstat;
    bool resident_known;
    uint64_t resident_base;
};

const char *case_heap_name(enum case_heap heap) {
    static const char *const names[] = {"gosim", "boehm", "malloc"};
    return names[heap];
}

const char *role_name(enum variant_role role) {
    static const char *const names[] = {"leaky", "fixed", "no_fix", "reference"};
    return names[role];
}

json_t *case_line(const struct case_plan *plan) {
    const struct scenario *s = plan->scenario;
    return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s, s:I, s:s, s:I}", "scenario", s->name, "variant",
                     plan->variant->name, "role", role_name(plan->variant->role), "map",
                     plan->unit ? plan->unit->map : NULL, "heap", case_heap_name(plan->heap), "engine", "c",
                     "n", (json_int_t)plan->n, "shape", plan->unit ? plan->unit->shape : "", "seed",
                     (json_int_t)plan->seed);
}

/* --- what scenarios call --- */

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

static bool write_line(struct retention *r, json_t *line) {
    bool ok =
        json_dumpf(line, r->out, JSON_COMPACT) == 0 && fputc('\n', r->out) != EOF && fflush(r->out) == 0;
    json_decref(line);
    return ok;
}

bool case_fail(struct retention *r, const char *format, ...) {
    char why[300];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    json_t *line = case_line(r->plan);
    json_object_set_new(line, "label", json_string("error"));
    json_object_set_new(line, "error", json_string(why));
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

static int64_t resident_delta(struct retention *r) {
    uint64_t now = memstat_rss_bytes(&r->memstat);
    if (!r->based) r->resident_base = now;
    return (int64_t)(now - r->resident_base);
}

static void add_heap(struct retention *r, json_t *line, uint64_t live_bytes, bool collected) {
    struct gosim_stats s;
    gosim_stats(r->gosim, &s);
    if (!r->based) r->base = s;
    int64_t kept = (int64_t)(s.heap_alloc - r->base.heap_alloc);
    json_t *numbers = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "heap_alloc", (json_int_t)s.heap_alloc,
        "heap_objects", (json_int_t)s.heap_objects, "d_heap_alloc", (json_int_t)kept, "d_heap_objects",
        (json_int_t)(s.heap_objects - r->base.heap_objects), "heap_inuse", (json_int_t)s.heap_inuse,
        "total_alloc", (json_int_t)(s.total_alloc - r->base.total_alloc), "mallocs",
        (json_int_t)(s.mallocs - r->base.mallocs), "stack_inuse", (json_int_t)s.stack_inuse, "num_gc",
        (json_int_t)s.num_gc, "goroutines", (json_int_t)s.goroutines, "after_forced_gc", collected);
    json_object_update(line, numbers);
    json_decref(numbers);
    json_object_set_new(line, "amplification",
                        live_bytes ? json_real((double)kept / (double)live_bytes) : json_null());
    note_number(r, "mark_ns", (double)s.mark_ns);
    note_number(r, "scanned_bytes", (double)s.scanned_bytes);
    r->last = s;
}

/* What the last collection left, and without one just before, what was allocated since. Those bytes are of no
 * known number of objects, and heap_objects leaves them out. */
static void add_boehm(struct retention *r, json_t *line, uint64_t live_bytes, bool collected) {
    const json_t *noted = json_object_get(r->extra, "kept_bytes");
    uint64_t since_bytes = collected ? 0 : boehm_bytes_since_collection();
    struct boehm_live now;
    boehm_live(&now, NULL, NULL);
    now.bytes += since_bytes;
    if (!r->based) r->boehm_base = now;
    int64_t kept = (int64_t)(now.bytes - r->boehm_base.bytes);
    double judged = noted ? json_number_value(noted) : (double)kept;
    json_t *numbers =
        json_pack("{s:I, s:I, s:I, s:I, s:b}", "heap_alloc", (json_int_t)now.bytes, "heap_objects",
                  (json_int_t)now.objects, "d_heap_alloc", (json_int_t)kept, "d_heap_objects",
                  (json_int_t)(now.objects - r->boehm_base.objects), "after_forced_gc", collected);
    json_object_update(line, numbers);
    json_decref(numbers);
    json_object_set_new(line, "amplification",
                        live_bytes ? json_real(judged / (double)live_bytes) : json_null());
}

/* Of another heap the kernel says what it takes, unless the scenario measures it in its own way (pages that
 * two processes share) and notes it as "kept_bytes". */
static void add_resident(struct retention *r, json_t *line, uint64_t live_bytes, int64_t resident) {
    const json_t *noted = json_object_get(r->extra, "kept_bytes");
    double kept = noted ? json_number_value(noted) : (double)resident;
    json_object_set_new(line, "heap_alloc", json_null());
    json_object_set_new(line, "heap_objects", json_null());
    json_object_set_new(line, "d_heap_alloc", json_null());
    json_object_set_new(line, "d_heap_objects", json_null());
    json_object_set_new(line, "amplification",
                        live_bytes ? json_real(kept / (double)live_bytes) : json_null());
}

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
    if (r->gosim)
        add_heap(r, line, live_bytes, collected);
    else if (r->plan->heap == CASE_BOEHM)
        add_boehm(r, line, live_bytes, collected);
    else
        add_resident(r, line, live_bytes, resident);
    json_object_set_new(line, "path", json_null());
    json_object_set_new(line, "dominator", json_null());
    if (r->gosim) holders_checkpoint(&r->holders, r->gosim, r->plan, label, step, line);
    json_object_set(line, "events", r->events);
    json_object_set(line, "extra", r->extra);
    json_object_set_new(line, "error", json_null());
    json_decref(r->events), json_decref(r->extra);
    r->events = json_array(), r->extra = json_object();
    r->based = true;
    return write_line(r, line);
}

/* Those since the last checkpoint; nobody knows of them but the heap. */
static void mark_collections(struct retention *r, size_t step) {
    struct gosim_stats now;
    if (!r->gosim || !r->based) return;
    gosim_stats(r->gosim, &now);
    if (now.num_gc != r->last.num_gc) mark_event(r, "collect", step);
}

bool checkpoint(struct retention *r, const char *label, size_t step, uint64_t live_bytes) {
    mark_collections(r, step);
    if (r->gosim) {
        gosim_collect(r->gosim);
        gosim_collect(r->gosim); /* what the first one finalized is freed by the second */
        const char *fault = r->plan->check ? gosim_verify(r->gosim) : NULL;
        if (fault) return case_fail(r, "the heap is corrupt at %s %zu: %s", label, step, fault);
    } else if (r->plan->heap == CASE_BOEHM) {
        if (!boehm_collect_and_run() || !boehm_collect_and_run())
            return case_fail(r, "no thread can be started");
    }
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
    size_t quarter = n / STEPS ? n / STEPS : 1;
    for (size_t i = 0; i < n; i++) {
        if (!f(r, i, context)) return false;
        if ((i + 1) % quarter == 0 && !checkpoint(r, label, i + 1, live(r, i + 1, context))) return false;
    }
    return true;
}

/* --- the child --- */

static int child(const struct case_plan *plan, int fd) {
    const struct rlimit no_core = {0, 0};
    struct retention r = {
        .plan = plan, .out = fdopen(fd, "w"), .extra = json_object(), .events = json_array()};
    char why[200];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
    deadline_end_this_process(plan->limit_s);
    r.resident_known = memstat_open(&r.memstat, why, sizeof why);
    if (plan->heap == CASE_GOSIM) {
        /* Collections happen at checkpoints only, so that a scenario's own variables need not be roots. */
        struct gosim_options options = {
            .gogc = -1, .check = plan->check, .seed = plan->seed + RECORDED_PHASE};
        r.gosim = gosim_open(&options);
        if (!r.gosim) return case_fail(&r, "out of memory: no address space for a heap"), 1;
    }
    if (plan->heap == CASE_BOEHM) boehm_start(); /* on this thread, which lives as long as the case */
    bool ok = plan->scenario->run(&r);
    if (!ok && r.gosim && gosim_why(r.gosim) && *gosim_why(r.gosim)) case_fail(&r, "%s", gosim_why(r.gosim));
    holders_finish(&r.holders, plan);
    fflush(r.out);
    return ok ? 0 : 1;
}

/* Takes the child's lines; the last may be torn. */
static void take_lines(int fd, json_t *lines) {
    FILE *in = fdopen(fd, "r");
    char *text = NULL;
    size_t room = 0;
    while (in && getline(&text, &room, in) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        if (line) json_array_append_new(lines, line);
    }
    free(text);
    if (in) fclose(in);
}

static bool has_error(const json_t *lines, size_t from) {
    for (size_t i = from; i < json_array_size(lines); i++)
        if (json_is_string(json_object_get(json_array_get(lines, i), "error"))) return true;
    return false;
}

bool case_run(const struct case_plan *plan, json_t *lines) {
    size_t before = json_array_size(lines);
    int ends[2], status = 0;
    char why[200] = "";
    fflush(NULL);
    if (pipe(ends) != 0) snprintf(why, sizeof why, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = why[0] ? -1 : fork();
    if (pid == 0) {
        close(ends[0]);
        _exit(child(plan, ends[1]));
    }
    if (pid > 0) {
        close(ends[1]);
        take_lines(ends[0], lines);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
        if (deadline_ended_it(status))
            snprintf(why, sizeof why, "gave up after %u s (--limit)", plan->limit_s);
        else if (WIFSIGNALED(status))
            snprintf(why, sizeof why, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
        else if (WEXITSTATUS(status) != 0)
            snprintf(why, sizeof why, "failed");
    } else if (!why[0]) {
        snprintf(why, sizeof why, "cannot start a process: %s", strerror(errno));
    }
    if (why[0] && !has_error(lines, before)) {
        json_t *line = case_line(plan);
        json_object_set_new(line, "label", json_string("error"));
        json_object_set_new(line, "error", json_string(why));
        json_array_append_new(lines, line);
    }
    return !has_error(lines, before);
}
