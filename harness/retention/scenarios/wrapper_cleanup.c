/* 30: a wrapper of a resource outside the heap: who closes it, and when its memory goes. */
#include <stddef.h>

#include "harness/retention/program.h"

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
    gosim_store(case_gosim(r), &w->peer, peer);
    gosim_store(case_gosim(r), &peer->peer, w);
    return gosim_set_finalizer(case_gosim(r), w, finalize);
}

static bool cleanup_capturing(struct retention *r, struct wrapper *w) {
    struct capturing *closure = program_new(r, &type_capturing, 1);
    if (!closure) return false;
    gosim_store(case_gosim(r), &closure->wrapper, w);
    closure->open = w->open;
    return gosim_add_cleanup(case_gosim(r), w, close_captured, closure) != 0;
}

static bool arrange_closing(struct retention *r, struct wrapper *w) {
    struct gosim *heap = case_gosim(r);
    if (case_is(r, "finalizer")) return gosim_set_finalizer(heap, w, finalize);
    if (case_is(r, "finalizer_cycle")) return finalize_cycle(r, w);
    if (case_is(r, "cleanup")) return gosim_add_cleanup(heap, w, close_open, w->open) != 0;
    if (case_is(r, "cleanup_captures")) return cleanup_capturing(r, w);
    return true;
}

static bool open_wrappers(struct retention *r, void **wrappers, size_t *open) {
    for (size_t i = 0; i < case_n(r); i++) {
        struct wrapper *w = new_wrapper(r, open);
        if (!w || !arrange_closing(r, w)) return false;
        gosim_store(case_gosim(r), &wrappers[i], w);
        ++*open;
    }
    return true;
}

/* A collection at a time: a second one in the same checkpoint would hide what the first one leaves. */
static bool run(struct retention *r) {
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r), open = 0;
    void **wrappers = NULL;
    if (!checkpoint(r, "base", 0, 0)) return false;
    gosim_root(heap, &wrappers, "wrappers");
    if (!(wrappers = program_new(r, &type_wrappers, n)) || !open_wrappers(r, wrappers, &open)) return false;
    note_number(r, "unreclaimed", (double)open);
    if (!checkpoint(r, "open", n, (uint64_t)n * BUFFER_BYTES)) return false;
    if (case_is(r, "close")) open = 0;
    wrappers = NULL;
    gosim_unroot(heap, &wrappers);
    for (size_t done = 1; done <= COLLECTIONS; done++) {
        gosim_collect(heap);
        note_number(r, "unreclaimed", (double)open);
        if (!checkpoint_raw(r, "collected", done, 0)) return false;
    }
    return true;
}

static const struct variant variants[] = {
    {"finalizer_cycle", VARIANT_LEAKY, "a finalizer on an object of a cycle: never"},
    {"cleanup_captures", VARIANT_LEAKY, "a cleanup whose function holds the object: never"},
    {"finalizer", VARIANT_LEAKY, "closed by a finalizer: memory goes a collection later"},
    {"cleanup", VARIANT_FIXED, "a cleanup (runtime.AddCleanup): memory goes at once"},
    {"close", VARIANT_FIXED, "closed by the program"},
    {NULL, VARIANT_REFERENCE, NULL},
};

const struct scenario scenario_wrapper_cleanup = {
    .number = 30,
    .name = "wrapper_cleanup",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_GOSIM | ON_GO,
    .n = 2000,
    .claim =
        "An object with a finalizer needs two collections, in a cycle it never goes, and a cleanup whose "
        "function refers to the object keeps it for ever.",
    .fix = "Close explicitly; as a net use a cleanup whose function and argument do not refer to the object.",
    .references = "go#67535",
    .variant = variants,
    .labels = "base open collected",
    .verdict_label = "collected",
    .release_label = NULL,
    .bound_factor = 0,
    .bound_bytes = 16 << 10,
    .run = run,
};
