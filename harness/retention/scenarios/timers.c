/* 20, 21, 22: a timer for each entry that is to expire: those that are forgotten, those that hit the wrong
 * entry, and those that all fire at once. On the virtual clock. */

#include "harness/retention/program/program.h"

enum {
    TTL_KEYS = 16,       /* set over and over */
    SETS_PER_PASS = 100, /* after so many sets the scheduler has a look at the timers */
    TEXT_BYTES = 16,
    ENTRY_LIVE_BYTES = TEXT_BYTES + TEXT_BYTES,
};
static const uint64_t SET_NS = 1000, MILLISECOND_NS = 1000 * 1000,
                      HOUR_NS = UINT64_C(3600) * 1000 * 1000 * 1000;

static uint64_t ttl_live(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (uint64_t)(done < TTL_KEYS ? done : TTL_KEYS) * ENTRY_LIVE_BYTES;
}

/* The map that a timer deletes from: variables of the program, outside the heap. */
struct ttl {
    struct retention *r;
    struct program_map map;
    uint64_t fired, premature, lost;
    bool checked;
};

struct entry {
    struct str value;
    struct gosim_timer *timer;
};
static const struct gosim_field entry_fields[] = {{"value", offsetof(struct entry, value.text)},
                                                  {"timer", offsetof(struct entry, timer)}};
static const struct gosim_type type_entry = {"entry", sizeof(struct entry), entry_fields, 2, 0};

/* A new entry for a key, in the map in place of the old one; its timer is still to be set. NULL: no memory.
 */
static struct entry *set_entry(struct ttl *t, struct str key, size_t i) {
    struct gosim *heap = case_gosim(t->r);
    struct entry *e = program_new(t->r, &type_entry, 1);
    struct str value = program_key(t->r, i);
    if (!e || !value.text) return NULL;
    gosim_store(heap, &e->value.text, (void *)(uintptr_t)value.text);
    e->value.len = value.len;
    return program_put(&t->map, &key, &e) ? e : NULL;
}

static bool set_timer(struct ttl *t, struct entry *e, uint64_t delay_ns, gosim_call *call, void *closure) {
    struct gosim *heap = case_gosim(t->r);
    struct gosim_timer *timer = closure ? gosim_after_func(heap, delay_ns, call, closure) : NULL;
    if (timer) gosim_store(heap, &e->timer, timer);
    return timer != NULL;
}

static bool ttl_open(struct ttl *t, struct retention *r) {
    *t = (struct ttl){.r = r, .checked = case_is(r, "checked")};
    return program_map_make(r, &t->map, NULL, 0, "cache");
}

/* --- 20 --- */

/* func() { delete(cache, k) }: code pointer and key; the cache is a global variable. */
struct delete_key {
    void *code;
    struct str key;
};
static const struct gosim_field delete_key_field[] = {{"k", offsetof(struct delete_key, key.text)}};
static const struct gosim_type type_delete_key = {"func() {k}", sizeof(struct delete_key), delete_key_field,
                                                  1, 0};

/* An hour never passes here. */
static void not_reached(void *closure) {
    (void)closure;
}

static bool set_with_timer(struct retention *r, size_t i, void *context) {
    struct ttl *t = context;
    struct str key = program_key(r, i % TTL_KEYS);
    struct entry *old;
    if (!key.text) return false;
    if (case_is(r, "stop") && program_get(&t->map, &key, &old)) gosim_stop_timer(case_gosim(r), old->timer);
    struct entry *e = set_entry(t, key, i);
    struct delete_key *closure = e ? program_new(r, &type_delete_key, 1) : NULL;
    if (!closure) return false;
    gosim_store(case_gosim(r), &closure->key.text, (void *)(uintptr_t)key.text);
    closure->key.len = key.len;
    if (!set_timer(t, e, HOUR_NS, not_reached, closure)) return false;
    return (i + 1) % SETS_PER_PASS != 0 || gosim_advance(case_gosim(r), SETS_PER_PASS * SET_NS);
}

/* One timer for all: entries in a heap by deadline, in which an overwritten one moves. */
struct deadline {
    struct str key, value;
    uint64_t at_ns, monotonic, location; /* time.Time */
    size_t place;
};
static const struct gosim_field deadline_fields[] = {{"key", offsetof(struct deadline, key.text)},
                                                     {"value", offsetof(struct deadline, value.text)}};
static const struct gosim_type type_deadline = {"deadline", sizeof(struct deadline), deadline_fields, 2, 0};
static const struct gosim_field pointer_field[] = {{"", 0}};
static const struct gosim_type type_deadlines = {"[]*deadline", sizeof(void *), pointer_field, 1, 0};

struct due {
    struct ttl ttl;
    struct deadline **at; /* a root */
    size_t count;
};

static void place(struct due *d, size_t i, struct deadline *e) {
    gosim_store(case_gosim(d->ttl.r), &d->at[i], e);
    e->place = i;
}

/* heap.Fix for a deadline that has become later. */
static void sink(struct due *d, size_t i) {
    struct deadline *e = d->at[i];
    for (size_t child; (child = 2 * i + 1) < d->count; i = child) {
        if (child + 1 < d->count && d->at[child + 1]->at_ns < d->at[child]->at_ns) child++;
        if (e->at_ns <= d->at[child]->at_ns) break;
        place(d, i, d->at[child]);
    }
    place(d, i, e);
}

static bool set_deadline(struct retention *r, size_t i, void *context) {
    struct due *d = context;
    struct gosim *heap = case_gosim(r);
    struct str key = program_key(r, i % TTL_KEYS), value = program_key(r, i);
    struct deadline *e = NULL;
    if (!key.text || !value.text) return false;
    bool found = program_get(&d->ttl.map, &key, &e);
    if (!found) {
        if (!(e = program_new(r, &type_deadline, 1)) || !program_put(&d->ttl.map, &key, &e)) return false;
        gosim_store(heap, &e->key.text, (void *)(uintptr_t)key.text);
        e->key.len = key.len;
        place(d, d->count++, e); /* later than all others: at the end */
    }
    gosim_store(heap, &e->value.text, (void *)(uintptr_t)value.text);
    e->value.len = value.len;
    e->at_ns = gosim_now(heap) + HOUR_NS + i;
    sink(d, e->place);
    return true;
}

static bool run_one_heap(struct retention *r) {
    struct due d = {0};
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r);
    gosim_root(heap, &d.at, "due");
    if (!ttl_open(&d.ttl, r) || !(d.at = (struct deadline **)program_new(r, &type_deadlines, TTL_KEYS)) ||
        !checkpoint(r, "base", 0, 0))
        return false;
    struct gosim_timer *timer = gosim_after_func(heap, HOUR_NS, not_reached, NULL);
    if (!timer || !each_with_checkpoints(r, n, set_deadline, &d, "set", ttl_live)) return false;
    program_map_drop(&d.ttl.map);
    gosim_unroot(heap, &d.at);
    bool ok = checkpoint(r, "map_dropped_timers_pending", n, 0);
    return ok;
}

static bool run_timers(struct retention *r) {
    struct ttl t;
    size_t n = case_n(r);
    if (case_is(r, "one_heap")) return run_one_heap(r);
    if (!ttl_open(&t, r) || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, set_with_timer, &t, "set", ttl_live))
        return false;
    program_map_drop(&t.map);
    return checkpoint(r, "map_dropped_timers_pending", n, 0);
}

const struct scenario scenario_ttl_timers = {
    .number = 20,
    .name = "ttl_timers",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .maps = "go_hmap,go_swiss",
    .n = 20000,
    .claim =
        "A timer for each set of a cache entry stays pending when the entry is overwritten, with all that "
        "its function captured.",
    .fix = "Stop the old entry's timer, or keep one timer and a heap of deadlines.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY,
                         "a timer of an hour for each set; those of overwritten entries stay pending"},
                        {"stop", VARIANT_FIXED, "stops the timer of the entry that is overwritten"},
                        {"one_heap", VARIANT_FIXED,
                         "one heap of deadlines, moved when an entry is overwritten, and one timer"}),
    .labels = "base set map_dropped_timers_pending",
    .verdict_label = "set",
    .release_label = "map_dropped_timers_pending",
    .bound_factor = 4,
    .bound_bytes = 128 << 10, /* the runtime's own array of timers, some of them stopped */
    .run = run_timers,
};

/* --- 21 --- */

/* func() {...}: besides the key the entry it was made for, and counters by reference. */
struct expire {
    void *code, *counters[3];
    struct str key;
    struct entry *mine;
};
static const struct gosim_field expire_fields[] = {{"k", offsetof(struct expire, key.text)},
                                                   {"mine", offsetof(struct expire, mine)}};
static const struct gosim_type type_expire = {"func() {k, mine}", sizeof(struct expire), expire_fields, 2, 0};

static void expire(void *closure) {
    const struct expire *e = closure;
    struct ttl *t = e->counters[0];
    struct entry *current = NULL;
    bool there = program_get(&t->map, &e->key, &current);
    t->fired++;
    if (there && current != e->mine) {
        t->premature++;
        if (t->checked) return;
        t->lost++;
    }
    if (there) program_del(&t->map, &e->key);
}

static bool set_expiring(struct ttl *t, size_t i, uint64_t delay_ns) {
    struct gosim *heap = case_gosim(t->r);
    struct str key = program_key(t->r, i % TTL_KEYS);
    struct entry *e = key.text ? set_entry(t, key, i) : NULL;
    struct expire *closure = e ? program_new(t->r, &type_expire, 1) : NULL;
    if (!closure) return false;
    closure->counters[0] = t;
    gosim_store(heap, &closure->key.text, (void *)(uintptr_t)key.text);
    closure->key.len = key.len;
    gosim_store(heap, &closure->mine, e);
    return set_timer(t, e, delay_ns, expire, closure);
}

static void note_ttl(const struct ttl *t) {
    note_number(t->r, "len", (double)program_len(&t->map));
    note_number(t->r, "fired", (double)t->fired);
    note_number(t->r, "premature", (double)t->premature);
    note_number(t->r, "newer_entries_deleted", (double)t->lost);
}

static bool run_premature(struct retention *r) {
    enum { TTL_MS = 300, SETTLE_MS = 1500, SETS_PER_MS = 100 };
    struct ttl t;
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r);
    if (!ttl_open(&t, r) || !checkpoint(r, "base", 0, 0)) return false;
    for (size_t i = 0; i < n; i++) {
        if (!set_expiring(&t, i, TTL_MS * MILLISECOND_NS)) return false;
        if ((i + 1) % SETS_PER_MS == 0 && !gosim_advance(heap, MILLISECOND_NS)) return false;
    }
    note_ttl(&t);
    if (!checkpoint(r, "all_set", n, ttl_live(r, n, NULL)) ||
        !gosim_advance(heap, SETTLE_MS * MILLISECOND_NS))
        return false;
    note_ttl(&t);
    bool ok = checkpoint(r, "all_fired", n, 0);
    program_map_drop(&t.map);
    return ok;
}

const struct scenario scenario_ttl_premature = {
    .number = 21,
    .name = "ttl_premature",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .maps = "go_hmap,go_swiss",
    .n = 20000,
    .claim =
        "The timer of an overwritten entry deletes the newer one long before its time: a wrong answer, not "
        "bytes.",
    .fix = "Let the timer's function compare the entry in the map with the one it was made for.",
    .variant = VARIANTS({"unchecked", VARIANT_LEAKY, "a stale timer deletes the entry set after it"},
                        {"checked", VARIANT_FIXED, "a timer deletes only the entry it was made for"}),
    .affected = AFFECTED(NOT_IN_BYTES("unchecked")),
    .labels = "base all_set all_fired",
    .verdict_label = "all_fired",
    .bound_factor = 0,
    .bound_bytes = 1 << 20, /* the runtime's arrays of 20,000 timers and their goroutines' records */
    .run = run_premature,
};

/* --- 22 --- */

/* The function of a burst's timer; it may do anything: gosim starts a goroutine for each timer of one instant
 * before the first of them runs. */
static void work(void *closure) {
    (void)closure;
}

static const struct gosim_type type_timers = {"[]*time.Timer", sizeof(void *), pointer_field, 1, 0};

static bool run_burst(struct retention *r) {
    enum { DELAY_MS = 50, MORE_COLLECTIONS = 8 };
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r), count = case_is(r, "burst") ? n : 1;
    struct gosim_stats before, after;
    void **timers = NULL;
    if (!checkpoint(r, "base", 0, 0)) return false;
    gosim_stats(heap, &before);
    gosim_root(heap, &timers, "timers");
    if (!(timers = program_new(r, &type_timers, n))) return false;
    for (size_t i = 0; i < count; i++) {
        void *timer = gosim_after_func(heap, DELAY_MS * MILLISECOND_NS, work, NULL);
        if (!timer) return false;
        gosim_store(heap, &timers[i], timer);
    }
    if (!gosim_advance(heap, DELAY_MS * MILLISECOND_NS)) return false;
    timers = NULL;
    if (!checkpoint(r, "all_fired", n, 0)) return false;
    for (size_t i = 0; i < MORE_COLLECTIONS; i++) gosim_collect(heap);
    gosim_stats(heap, &after);
    note_number(r, "bytes_per_goroutine", ((double)after.heap_alloc - (double)before.heap_alloc) / (double)n);
    bool ok = checkpoint(r, "ten_collections_later", n, 0);
    gosim_unroot(heap, &timers);
    return ok;
}

const struct scenario scenario_burst_residue = {
    .number = 22,
    .name = "burst_residue",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_GOSIM | ON_GO,
    .n = 20000,
    .claim = "Each goroutine of the largest burst leaves its descriptor behind for the life of the process.",
    .fix = "Let one timer do the work of a batch, or bound how many goroutines run at once.",
    .references = "go#9869",
    .variant = VARIANTS(
        {"burst", VARIANT_LEAKY, "all timers fire at once: a goroutine each, whose records stay for ever"},
        {"batched", VARIANT_FIXED, "one timer does the work of all"}),
    .labels = "base all_fired ten_collections_later",
    .verdict_label = "ten_collections_later",
    .bound_factor = 0,
    .bound_bytes = 16 << 10,
    .run = run_burst,
};
