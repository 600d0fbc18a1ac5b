/* 16, 17: a parked iterator holds the arrays that it walks, of a map that nobody else has or that has long
 * grown. */
#include <string.h>

#include "harness/retention/program/program.h"

enum { TEXT_BYTES = 16, PAIR_BYTES = 16, USER_BYTES = 1032, KEY_BYTES_MAX = 16, VALUE_BYTES_MAX = 16 };

enum { STARTED, RELEASE, DONE, CHANNELS };

/* A goroutine that is parked in its work until it is told to go on, and the channels for that. */
struct parked {
    struct gosim *heap;
    struct gosim_goroutine *goroutine;
    void **keys; /* its local variable */
    struct gosim_channel *channel[CHANNELS];
};

static bool park(struct retention *r, struct parked *p) {
    static const char *const names[CHANNELS] = {"started", "release", "done"};
    *p = (struct parked){.heap = case_gosim(r)};
    for (size_t i = 0; i < CHANNELS; i++) {
        gosim_root(p->heap, &p->channel[i], names[i]);
        if (!(p->channel[i] = program_new(r, &gosim_channel_type, 1))) return false;
    }
    p->goroutine = gosim_go(p->heap, "iterate", 0);
    struct gosim_waiter *waiter = p->goroutine ? program_new(r, &gosim_waiter_type, 1) : NULL;
    if (!waiter) return false;
    gosim_store(p->heap, &waiter->goroutine, gosim_goroutine_descriptor(p->goroutine));
    gosim_store(p->heap, &waiter->channel, p->channel[RELEASE]);
    gosim_store(p->heap, &p->channel[RELEASE]->receivers_first, waiter);
    p->keys = gosim_local(p->goroutine, "keys");
    return p->keys != NULL;
}

static void release(struct parked *p) {
    gosim_exit(p->heap, p->goroutine);
    for (size_t i = 0; i < CHANNELS; i++) gosim_unroot(p->heap, &p->channel[i]);
}

/* The first round of a range over the map. NULL: out of memory. */
static void *walk_one(struct program_map *m) {
    char key[KEY_BYTES_MAX], value[VALUE_BYTES_MAX];
    void *walk = m->unit->op.walk_begin(m->map);
    if (walk) m->unit->op.walk_next(walk, key, value);
    return walk;
}

static void walk_rest(const struct map_unit *unit, void *walk) {
    char key[KEY_BYTES_MAX], value[VALUE_BYTES_MAX];
    while (unit->op.walk_next(walk, key, value)) continue;
    unit->op.walk_end(walk);
}

/* --- 16 --- */

struct keys {
    struct gosim *heap;
    struct str *to;
    size_t n;
};

static bool take_key(void *context, const void *key, const void *val) {
    struct keys *keys = context;
    struct str *to = &keys->to[keys->n++];
    (void)val;
    gosim_store(keys->heap, &to->text, (void *)(uintptr_t)((const struct str *)key)->text);
    to->len = ((const struct str *)key)->len;
    return true;
}

static bool fill_pairs(struct retention *r, struct program_map *m) {
    for (size_t i = 0; i < case_n(r); i++) {
        struct str key = program_key(r, i);
        void *pair = key.text ? program_new(r, &type_pair, 1) : NULL;
        if (!pair || !program_put(m, &key, &pair)) return false;
    }
    return true;
}

static bool run_pins(struct retention *r) {
    struct program_map m;
    struct parked p;
    size_t n = case_n(r);
    void *walk = NULL;
    if (!checkpoint(r, "base", 0, 0) || !program_map_make(r, &m, NULL, 0, "m") || !fill_pairs(r, &m) ||
        !checkpoint(r, "filled", n, (uint64_t)n * (TEXT_BYTES + PAIR_BYTES)) || !park(r, &p))
        return false;
    if (case_is(r, "leaky") && !(walk = walk_one(&m))) return false;
    if (case_is(r, "snapshot_keys")) {
        struct keys keys = {case_gosim(r), program_new(r, &type_strings, n), 0};
        if (!keys.to) return false;
        *p.keys = keys.to;
        m.unit->op.each(m.map, take_key, &keys);
    }
    const struct map_unit *unit = m.unit;
    program_map_drop(&m);
    /* The keys of a snapshot are wanted: that is its price. */
    uint64_t wanted = case_is(r, "snapshot_keys") ? (uint64_t)n * (TEXT_BYTES + sizeof(struct str)) : 0;
    if (!checkpoint(r, "m_nil_iterator_parked", n, wanted)) return false;
    if (walk) walk_rest(unit, walk);
    release(&p);
    return checkpoint(r, "iterator_done", n, 0);
}

const struct scenario scenario_iterator_pins = {
    .number = 16,
    .name = "iterator_pins",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .n = 100000,
    .claim = "An iterator that is parked in a range holds the map's arrays and all values, though every "
             "variable with the map is nil.",
    .fix = "Copy the keys first and let go of the map, or do not wait inside a range.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY,
                         "a goroutine is parked in the first round of a range; nobody else has the map"},
                        {"snapshot_keys", VARIANT_FIXED, "collects the keys first, then lets go of the map"},
                        {"no_iterator", VARIANT_REFERENCE, "the goroutine never sees the map"}),
    .labels = "base filled m_nil_iterator_parked iterator_done",
    .verdict_label = "m_nil_iterator_parked",
    .release_label = "iterator_done",
    .bound_factor = 1.01,
    .bound_bytes = 16 << 10,
    .run = run_pins,
};

/* --- 17 --- */

enum { GROWN_BY = 4 };

/* Ends a growth that is under way: classic maps move buckets as they are written. */
static bool overwrite_all(struct retention *r, struct program_map *m) {
    for (size_t i = 0; i < case_n(r); i++) {
        struct str key = program_key(r, i);
        void *user;
        if (!key.text || !program_get(m, &key, &user) || !program_put(m, &key, &user)) return false;
    }
    return true;
}

static bool fill_users(struct retention *r, struct program_map *m) {
    for (size_t i = 0; i < case_n(r); i++) {
        struct str key = program_key(r, i);
        void *user = key.text ? program_new(r, &type_user, 1) : NULL;
        if (!user || !program_put(m, &key, &user)) return false;
    }
    return overwrite_all(r, m);
}

/* New keys without values, so that the table is replaced; then the old entries go. */
static bool grow_and_delete(struct retention *r, struct program_map *m) {
    size_t n = case_n(r);
    void *none = NULL;
    for (size_t i = n; i < GROWN_BY * n; i++) {
        struct str key = program_key(r, i);
        if (!key.text || !program_put(m, &key, &none)) return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct str key = program_key(r, i);
        if (!key.text) return false;
        program_del(m, &key);
    }
    return true;
}

static bool run_growth(struct retention *r) {
    struct program_map m;
    struct parked p;
    size_t n = case_n(r);
    uint64_t grown_live = (uint64_t)(GROWN_BY - 1) * n * TEXT_BYTES;
    void *walk = NULL;
    if (!checkpoint(r, "base", 0, 0) || !program_map_make(r, &m, NULL, 0, "m") || !fill_users(r, &m) ||
        !checkpoint(r, "filled", n, (uint64_t)n * (TEXT_BYTES + USER_BYTES)) || !park(r, &p))
        return false;
    if (case_is(r, "iterating") && !(walk = walk_one(&m))) return false;
    if (!grow_and_delete(r, &m) || !checkpoint(r, "grown_and_deleted_iterator_parked", n, grown_live))
        return false;
    if (walk) walk_rest(m.unit, walk);
    release(&p);
    bool ok = checkpoint(r, "iterator_done", n, grown_live);
    program_map_drop(&m);
    return ok;
}

/* Refuses both variants: if no iterator can be left standing, there is nothing to compare. */
static const char *growth_cannot(const struct map_unit *unit, const char *variant) {
    (void)variant;
    return unit && strncmp(unit->map, "go_", 3) != 0 ? "its walks end with the first change of the map"
                                                     : NULL;
}

const struct scenario scenario_iterator_growth = {
    .number = 17,
    .name = "iterator_growth",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .n = 20000,
    .claim =
        "A parked iterator holds the arrays from before a growth, and with a classic map every value that "
        "was in them, long after the entries were deleted.",
    .fix = "Do not wait inside a range: copy the keys first.",
    .variant =
        VARIANTS({"iterating", VARIANT_LEAKY, "a parked iterator holds the arrays from before the growth"},
                 {"none", VARIANT_FIXED, "no iterator: they go"}),
    .affected = AFFECTED(UNTIL("iterating", 124)),
    .labels = "base filled grown_and_deleted_iterator_parked iterator_done",
    .verdict_label = "grown_and_deleted_iterator_parked",
    .release_label = "iterator_done",
    .bound_factor = 8,
    .bound_bytes = 64 << 10,
    .cannot = growth_cannot,
    .run = run_growth,
};
