/* 30: a wrapper of a resource outside the heap: who closes it, and when its memory goes. */
#include <stddef.h>
#include <string.h>

#include "harness/heaps/boehm_special.h"
#include "harness/retention/program/program.h"

enum { BUFFER_BYTES = 1024, COLLECTIONS = 4 };

/* The wrapper as Go has it; behind it the counter of open resources, which no Go object would hold. */
struct wrapper {
    struct wrapper *peer;
    char buffer[BUFFER_BYTES];
    size_t *open;
};
static const struct gosim_field wrapper_field[] = {{"peer", offsetof(struct wrapper, peer)}};
static const struct gosim_type type_wrapper = {"wrapper", offsetof(struct wrapper, open), wrapper_field, 1,
                                               sizeof(size_t *)};
static const struct gosim_field pointer_field[] = {{"", 0}};
static const struct gosim_type type_wrappers = {"[]*wrapper", sizeof(void *), pointer_field, 1, 0};

/* func(open) {... w ...}: a function that refers to the wrapper. */
struct capturing {
    void *code;
    struct wrapper *wrapper;
    size_t *open; /* outside the heap */
};
static const struct gosim_field capturing_field[] = {{"w", offsetof(struct capturing, wrapper)}};
static const struct gosim_type type_capturing = {"func(open) {w}", sizeof(struct capturing), capturing_field,
                                                 1, 0};

static void finalize(void *object) {
    --*((struct wrapper *)object)->open;
}
static void close_captured(void *closure) {
    --*((struct capturing *)closure)->open;
}
static void close_open(void *open) {
    --*(size_t *)open;
}

static struct wrapper *new_wrapper(struct retention *r, size_t *open) {
    struct wrapper *w = program_new(r, &type_wrapper, 1);
    if (w) w->open = open;
    return w;
}

static bool finalize_cycle(struct retention *r, struct wrapper *w) {
    struct wrapper *peer = new_wrapper(r, w->open);
    if (!peer) return false;
    program_store(r, &w->peer, peer);
    program_store(r, &peer->peer, w);
    return case_is(r, "cycle_unordered") ? boehm_set_finalizer(w, BOEHM_UNORDERED, finalize)
                                         : program_set_finalizer(r, w, finalize);
}

static bool cleanup_capturing(struct retention *r, struct wrapper *w) {
    struct capturing *closure = program_new(r, &type_capturing, 1);
    if (!closure) return false;
    program_store(r, &closure->wrapper, w);
    closure->open = w->open;
    return program_add_cleanup(r, w, close_captured, closure);
}

static bool arrange_closing(struct retention *r, struct wrapper *w) {
    if (case_is(r, "finalizer")) return program_set_finalizer(r, w, finalize);
    if (case_is(r, "finalizer_cycle") || case_is(r, "cycle_unordered")) return finalize_cycle(r, w);
    if (case_is(r, "cleanup")) return program_add_cleanup(r, w, close_open, w->open);
    if (case_is(r, "cleanup_captures")) return cleanup_capturing(r, w);
    return true;
}

struct story {
    struct retention *r;
    void **wrappers; /* a root */
    size_t open;
};

static bool open_wrappers(void *opaque) {
    struct story *s = opaque;
    if (!(s->wrappers = program_new(s->r, &type_wrappers, case_n(s->r)))) return false;
    for (size_t i = 0; i < case_n(s->r); i++) {
        struct wrapper *w = new_wrapper(s->r, &s->open);
        if (!w || !arrange_closing(s->r, w)) return false;
        program_store(s->r, &s->wrappers[i], w);
        s->open++;
    }
    return true;
}

/* A collection at a time: a second one in the same checkpoint would hide what the first one leaves. */
static bool run(struct retention *r) {
    struct story s = {.r = r};
    size_t n = case_n(r);
    if (!checkpoint(r, "base", 0, 0)) return false;
    program_root(r, &s.wrappers, "wrappers");
    if (!program_phase(r, open_wrappers, &s)) return false;
    note_number(r, "unreclaimed", (double)s.open);
    if (!checkpoint(r, "open", n, (uint64_t)n * BUFFER_BYTES)) return false;
    if (case_is(r, "close")) s.open = 0;
    s.wrappers = NULL;
    program_unroot(r, &s.wrappers);
    for (size_t done = 1; done <= COLLECTIONS; done++) {
        if (!program_collect(r)) return false;
        note_number(r, "unreclaimed", (double)s.open);
        if (!checkpoint_raw(r, "collected", done, 0)) return false;
    }
    return true;
}

static const char *cannot(const struct map_unit *unit, const char *variant) {
    (void)unit;
    return strcmp(variant, "cycle_unordered") == 0 ? "Go's finalizers know one order only, by dependency"
                                                   : NULL;
}

static const struct boehm_settings on_boehm = {
    .bound_factor = 0,
    .bound_bytes = 48 << 10, /* a table for 2,000 finalizers, 16 KiB, and 20 strays of 1,344 bytes */
};

const struct scenario scenario_wrapper_cleanup = {
    .number = 30,
    .name = "wrapper_cleanup",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_GOSIM | ON_BOEHM | ON_GO,
    .n = 2000,
    .claim =
        "An object with a finalizer needs two collections, in a cycle it never goes, and a cleanup whose "
        "function refers to the object keeps it for ever.",
    .fix = "Close explicitly; as a net use a cleanup whose function and argument do not refer to the object.",
    .references = "go#67535",
    .variant = VARIANTS(
        {"finalizer_cycle", VARIANT_LEAKY, "a finalizer on an object of a cycle: never"},
        {"cleanup_captures", VARIANT_LEAKY, "a cleanup whose function holds the object: never"},
        {"finalizer", VARIANT_LEAKY, "closed by a finalizer: memory goes a collection later"},
        {"cleanup", VARIANT_FIXED, "a cleanup (runtime.AddCleanup): memory goes at once"},
        {"close", VARIANT_FIXED, "closed by the program"},
        {"cycle_unordered", VARIANT_FIXED, "a finalizer without order, which libgc runs in a cycle too"}),
    .affected = AFFECTED(NOT_IN_BYTES("finalizer")),
    .labels = "base open collected",
    .verdict_label = "collected",
    .bound_factor = 0,
    .bound_bytes = 16 << 10,
    .cannot = cannot,
    .on_boehm = &on_boehm,
    .run = run,
};
