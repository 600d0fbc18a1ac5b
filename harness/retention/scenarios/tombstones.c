/* 15: a map of constant length whose keys change: what deleted slots cost when only growth clears them. */

#include "harness/retention/program/program.h"
#include "harness/retention/units.h"

enum {
    TURNOVERS = 40, /* replacements of a key of the window */
    CHECKPOINTS = 20,
    NUMBER_ENTRY_BYTES = 8 + 8,
    POINTER_ENTRY_BYTES = 16 + 16, /* text and pair */
};

/* A window of keys over the numbers: key i with a value of its own. */
struct window {
    struct retention *r;
    struct program_map map;
    bool strings;
};

static bool window_put(struct window *w, size_t i) {
    uint64_t number = i;
    if (!w->strings) return program_put(&w->map, &number, &number);
    struct str key = program_key(w->r, i);
    uint64_t *pair = key.text ? program_new(w->r, &type_pair, 1) : NULL;
    if (!pair) return false;
    pair[0] = pair[1] = i;
    return program_put(&w->map, &key, &pair);
}

static bool window_del(struct window *w, size_t i) {
    uint64_t number = i;
    if (!w->strings) {
        program_del(&w->map, &number);
        return true;
    }
    struct str key = program_key(w->r, i);
    if (key.text) program_del(&w->map, &key);
    return key.text != NULL;
}

static bool window_open(struct window *w, struct retention *r) {
    *w = (struct window){.r = r, .strings = case_is(r, "strptr")};
    const struct map_unit *unit = retention_unit(case_unit(r)->map, w->strings ? "str_ptr" : "u64_u64");
    return program_map_make(r, &w->map, unit, 0, "window");
}

static uint64_t window_live(const struct window *w, size_t n) {
    return (uint64_t)n * (w->strings ? POINTER_ENTRY_BYTES : NUMBER_ENTRY_BYTES);
}

static bool window_fill(struct window *w, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!window_put(w, i)) return false;
        program_map_mark(&w->map, i + 1);
    }
    return checkpoint(w->r, "filled", n, window_live(w, n));
}

static bool copy_entry(void *context, const void *key, const void *val) {
    return program_put(context, key, val);
}

/* A new map with room for all, and the entries in it; the old one goes with the next collection. */
static bool window_remake(struct window *w) {
    struct program_map fresh;
    size_t entries = program_len(&w->map);
    if (!program_map_make(w->r, &fresh, w->map.unit, entries, "remade")) return false;
    w->map.unit->op.each(w->map.map, copy_entry, &fresh);
    bool complete = program_len(&fresh) == entries;
    w->map.map = fresh.map;
    program_map_drop(&fresh);
    program_map_seen(&w->map);
    return complete;
}

static bool run(struct retention *r) {
    struct window w;
    size_t n = case_n(r), moves = TURNOVERS * n;
    bool remake = case_is(r, "u64u64_remake");
    if (!window_open(&w, r) || !checkpoint(r, "base", 0, 0) || !window_fill(&w, n)) return false;
    for (size_t i = 0; i < moves; i++) {
        if (!window_del(&w, i) || !window_put(&w, n + i)) return false;
        program_map_mark(&w.map, i + 1);
        if (remake && (i + 1) % n == 0 && !window_remake(&w)) return false;
        if ((i + 1) % (moves / CHECKPOINTS) == 0 && !checkpoint(r, "churn", i + 1, window_live(&w, n)))
            return false;
    }
    program_map_drop(&w.map);
    return true;
}

const struct scenario scenario_tombstones = {
    .number = 15,
    .name = "tombstones",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .further_shapes = "str_ptr",
    .n = 100000,
    .claim = "A map of constant length grows under churn where deleted slots make it split or double, and "
             "never gives that back.",
    .fix = "Copy the entries to a new map once in a while, or take a map that rehashes in place.",
    .references = "go#70886, go#16070",
    .variant = VARIANTS({"u64u64", VARIANT_LEAKY, "a window of n keys slides 40 n times"},
                        {"strptr", VARIANT_LEAKY, "the same with strings to pointers"},
                        {"u64u64_remake", VARIANT_FIXED, "copied to a new map after every n replacements"}),
    .affected = AFFECTED(BETWEEN("u64u64,strptr", 124, 125)),
    .labels = "base filled churn",
    .verdict_label = "churn",
    .bound_factor = 5, /* 1.21 doubles at 6 entries a bucket, so that a window of 100,000 has 2^15 of them */
    .bound_bytes = 64 << 10,
    .run = run,
};

/* A small window for very long: where the growth ends. */
static bool run_long(struct retention *r) {
    enum { LAST = 84096000, FIRST = 1000, DOUBLING_UP_TO = 4000000, THEN_EVERY = 16000000 };
    struct window w;
    size_t n = case_n(r), next = FIRST;
    if (!window_open(&w, r) || !checkpoint(r, "base", 0, 0) || !window_fill(&w, n)) return false;
    for (size_t done = 1; done <= LAST; done++) {
        if (!window_del(&w, done - 1) || !window_put(&w, n + done - 1)) return false;
        program_map_mark(&w.map, done);
        if (done != next) continue;
        if (!checkpoint(r, "churn", done, window_live(&w, n))) return false;
        next += next < DOUBLING_UP_TO ? next : THEN_EVERY;
    }
    program_map_drop(&w.map);
    return true;
}

const struct scenario scenario_tombstones_long = {
    .number = 15,
    .name = "tombstones_long",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .maps = "go_hmap,go_swiss",
    .n = 1000,
    .claim = "Churn goes on growing a Swiss map for tens of millions of replacements, while the classic one "
             "saws and is reset.",
    .fix = "Copy the entries to a new map once in a while.",
    .references = "go#70886, go#16070",
    .variant = VARIANTS({"u64u64", VARIANT_LEAKY, "a small window slides 84 million times"}),
    .affected = AFFECTED(BETWEEN("u64u64", 124, 125)),
    .labels = "base filled churn",
    .verdict_label = "churn",
    .bound_factor = 4,
    .bound_bytes = 16 << 10,
    .run = run_long,
};
