/* Scenario 37, conservative_root: keys that look like addresses, in memory that a conservative collector
 * scans.
 *
 * libgc cannot tell a number from a pointer. A map whose keys are 64-bit identifiers from the range in which
 * the heap happens to lie pins whatever they seem to point to: few of many small objects, but a large object
 * nearly always, for it covers a large part of the range. Keys in atomic memory are never looked at. A typed
 * array helps only as long as its objects are small: libgc scans one large typed array conservatively.
 *
 * The victims are made and dropped in a thread of their own, the collector is off meanwhile, and their
 * addresses are kept inverted, so that nothing but the map can hold them.
 */
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/boehm_heap.h"
#include "harness/retention/retention.h"
#include "harness/base/rng.h"

#ifndef __has_include
#define __has_include(file) 0
#endif
#if __has_include(<gc/gc_typed.h>)
#include <gc/gc_typed.h>
#endif

enum {
    PURPOSE = 37,      /* of the random stream */
    VICTIM_BYTES = 63, /* 64 with the byte that libgc adds */
    BUCKET_SLOTS = 8,
};
#define LARGE_BYTES ((size_t)256 << 20)
#define WINDOW_BYTES                                                                                         \
    ((uint64_t)4 << 30) /* keys are 32-bit numbers above a base: that of the heap, by chance */

struct slot {
    uint64_t key;
    uint64_t *value;
};

struct bucket {
    uint64_t key[BUCKET_SLOTS];
    uint64_t *value[BUCKET_SLOTS];
};

/* The map: an array of slots in one of four layouts, filled in order; nothing is looked up in it. */
struct map_roots {
    struct slot *slot;
    uint64_t *key;
    uint64_t **value;
    struct bucket **bucket;
};

struct story {
    struct retention *r;
    size_t n, keys;        /* victims; keys: n near the small victims, n near the large one */
    struct map_roots *map; /* outside the heap; the only root */
    uintptr_t *hidden;     /* addresses of the small victims, inverted, ascending */
    uintptr_t hidden_large;
    uint64_t pinned, pinned_bytes, large_pinned;
    uint64_t requested_bytes; /* of the map and its values */
    bool ok;
};

static int by_size(const void *a, const void *b) {
    uintptr_t left = *(const uintptr_t *)a, right = *(const uintptr_t *)b;
    return (left > right) - (left < right);
}

#if __has_include(<gc/gc_typed.h>)

/* --- the four layouts --- */

static bool typed_array_open(struct story *s) {
    const GC_word second_word = 1 << 1;
    GC_descr type = GC_make_descriptor(&second_word, sizeof(struct slot) / sizeof(GC_word));
    s->map->slot = GC_calloc_explicitly_typed(s->keys, sizeof(struct slot), type);
    s->requested_bytes += s->keys * sizeof(struct slot);
    return s->map->slot;
}

static bool typed_buckets_open(struct story *s) {
    const GC_word values = ((1 << BUCKET_SLOTS) - 1) << BUCKET_SLOTS;
    GC_descr type = GC_make_descriptor(&values, sizeof(struct bucket) / sizeof(GC_word));
    size_t buckets = (s->keys + BUCKET_SLOTS - 1) / BUCKET_SLOTS;
    s->map->bucket = boehm_new(BOEHM_SCANNED, buckets, sizeof *s->map->bucket);
    for (size_t i = 0; s->map->bucket && i < buckets; i++)
        if (!(s->map->bucket[i] = GC_MALLOC_EXPLICITLY_TYPED(sizeof(struct bucket), type))) return false;
    s->requested_bytes += buckets * (sizeof(struct bucket) + sizeof(struct bucket *));
    return s->map->bucket;
}

static bool layout_open(struct story *s) {
    if (case_is(s->r, "typed_array")) return typed_array_open(s);
    if (case_is(s->r, "typed_buckets")) return typed_buckets_open(s);
    s->requested_bytes += s->keys * sizeof(struct slot);
    if (case_is(s->r, "atomic_keys")) {
        s->map->key = boehm_new(BOEHM_ATOMIC, s->keys, sizeof *s->map->key);
        s->map->value = boehm_new(BOEHM_SCANNED, s->keys, sizeof *s->map->value);
        return s->map->key && s->map->value;
    }
    s->map->slot = boehm_new(BOEHM_SCANNED, s->keys, sizeof(struct slot));
    return s->map->slot;
}

static uint64_t *key_at(const struct map_roots *map, size_t i) {
    if (map->slot) return &map->slot[i].key;
    return map->key ? &map->key[i] : &map->bucket[i / BUCKET_SLOTS]->key[i % BUCKET_SLOTS];
}

static uint64_t **value_at(const struct map_roots *map, size_t i) {
    if (map->slot) return &map->slot[i].value;
    return map->value ? &map->value[i] : &map->bucket[i / BUCKET_SLOTS]->value[i % BUCKET_SLOTS];
}

/* --- the story --- */

static bool make_victims(struct story *s) {
    for (size_t i = 0; i < s->n; i++) {
        void *victim = boehm_new(BOEHM_ATOMIC, 1, VICTIM_BYTES);
        if (!victim) return false;
        s->hidden[i] = ~(uintptr_t)victim;
    }
    qsort(s->hidden, s->n, sizeof *s->hidden, by_size);
    s->hidden_large = ~(uintptr_t)GC_MALLOC_ATOMIC(LARGE_BYTES); /* not zeroed: none of it becomes resident */
    return s->hidden_large != ~(uintptr_t)0;
}

/* Even keys lie around the small victims, odd ones around the large one. */
static bool fill_map(struct story *s) {
    uint64_t rng = rng_derive(case_seed(s->r), PURPOSE);
    uint64_t base[2] = {~s->hidden[s->n / 2] - WINDOW_BYTES / 2,
                        ~s->hidden_large + LARGE_BYTES / 2 - WINDOW_BYTES / 2};
    for (size_t i = 0; i < s->keys; i++) {
        uint64_t key = base[i % 2] + rng_below(&rng, WINDOW_BYTES), *value = boehm_new(BOEHM_ATOMIC, 1, 8);
        if (!value) return false;
        *value = ~key;
        *key_at(s->map, i) = key;
        *value_at(s->map, i) = value;
    }
    s->requested_bytes += s->keys * sizeof(uint64_t);
    return true;
}

static void build(void *opaque) {
    struct story *s = opaque;
    boehm_enable(false); /* the victims are unreachable from the first moment */
    s->ok = make_victims(s) && layout_open(s) && fill_map(s);
    boehm_enable(true);
}

static bool values_kept(struct story *s) {
    for (size_t i = 0; i < s->keys; i++)
        if (**value_at(s->map, i) != ~*key_at(s->map, i))
            return case_fail(s->r, "a live value was collected: the layout %s is wrong", case_variant(s->r));
    return true;
}

#else

static void build(void *opaque) {
    ((struct story *)opaque)->ok = false;
}
static bool values_kept(struct story *s) {
    (void)s;
    return false;
}

#endif

static void count_pinned(void *opaque, const void *object, size_t bytes) {
    struct story *s = opaque;
    uintptr_t hidden = ~(uintptr_t)object;
    if (hidden == s->hidden_large)
        s->large_pinned++;
    else if (!bsearch(&hidden, s->hidden, s->n, sizeof hidden, by_size))
        return;
    else
        s->pinned++;
    s->pinned_bytes += bytes;
}

static bool measure(struct story *s, const char *label, const struct boehm_live *base) {
    struct boehm_live now = {0}; /* no old words on the stack that is scanned */
    boehm_collect();
    s->pinned = s->pinned_bytes = s->large_pinned = 0;
    boehm_live(&now, count_pinned, s);
    note_number(s->r, "kept_bytes", (double)now.bytes - (double)base->bytes);
    note_number(s->r, "pinned_small", (double)s->pinned);
    note_number(s->r, "pinned_large", (double)s->large_pinned);
    note_number(s->r, "pinned_bytes", (double)s->pinned_bytes);
    note_number(s->r, "reachable_objects", (double)now.objects - (double)base->objects);
    return checkpoint(s->r, label, s->keys, s->requested_bytes);
}

static bool run(struct retention *r) {
    struct boehm_live base;
    if (boehm_unavailable()) return case_fail(r, "%s", boehm_unavailable());
    struct story s = {.r = r, .n = case_n(r), .keys = 2 * case_n(r)};
    if (s.n == 0) return case_fail(r, "n is 0: at least one victim is needed");
    s.map = calloc(1, sizeof *s.map);
    s.hidden = malloc(s.n * sizeof *s.hidden);
    if (!s.map || !s.hidden) return case_fail(r, "out of memory: addresses of %zu victims", s.n);
    boehm_start();
    boehm_root(s.map, sizeof *s.map);
    boehm_collect();
    boehm_live(&base, NULL, NULL);
    note_number(r, "kept_bytes", 0);
    bool ok = checkpoint(r, "base", 0, 0);
    if (ok && !boehm_thread(build, &s)) ok = case_fail(r, "no thread can be started");
    if (ok && !s.ok) ok = case_fail(r, "out of memory: %zu victims and a map of %zu keys", s.n, s.keys);
    ok = ok && measure(&s, "dropped", &base) && values_kept(&s);
    boehm_unroot(s.map, sizeof *s.map);
    free(s.map);
    free(s.hidden);
    return ok;
}

static const char *cannot(const struct map_unit *unit, const char *variant) {
    (void)unit, (void)variant;
    return boehm_unavailable();
}

const struct scenario scenario_conservative_root = {
    .number = 37,
    .name = "conservative_root",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_BOEHM,
    .n = 200000,
    .claim =
        "Keys that look like addresses, in memory that a conservative collector scans, pin dead objects: "
        "few of the small ones, a large one nearly always.",
    .fix = "Keep keys in atomic memory, or allocate buckets as small typed objects.",
    .references = "bdwgc#21",
    .variant = VARIANTS(
        {"scanned_keys", VARIANT_LEAKY, "keys and values side by side in scanned memory"},
        {"typed_array", VARIANT_NO_FIX, "one large typed array: libgc scans it conservatively all the same"},
        {"atomic_keys", VARIANT_FIXED, "keys in an atomic array of their own"},
        {"typed_buckets", VARIANT_FIXED, "typed objects of eight keys and eight values"}),
    .labels = "base dropped",
    .verdict_label = "dropped",
    .bound_factor = 2,        /* an 8-byte value takes 16, a bucket a word for its type */
    .bound_bytes = 64 * 1024, /* of libgc itself */
    .cannot = cannot,
    .run = run,
};
