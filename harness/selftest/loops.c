/* Every measured loop against its checksum, worked out here from what unit/loops.inc says a loop returns. */
#include "harness/base/count_of.h"
#include "harness/selftest/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/unit/recorder.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"

enum { COPIES = 3, SMALL_ENTRIES_MAX = 64, SMALL_MAPS_MAX = 300, KEYS_MIN = 4 * SMALL_ENTRIES_MAX };

/* The keys: indices [0, n) go into the map, the further ones are absent or come in by churn. */
struct bench {
    const struct map_unit *unit;
    const struct shape *shape;
    struct selftest_keys keys;
    struct mirror mirror;
    struct recorder *recorder;
    void *map;
    size_t n;
    uint64_t rng;
    enum selftest_variant {
        LOOPS_PLAIN,
        LOOPS_TIMED,
        LOOPS_OPEN
    } variant;             /* where there is such a variant */
    uint32_t *index;       /* keys of the loop to run */
    uint32_t *operations;  /* of the mixed loop: run_args.operations */
    unsigned char *buffer; /* these keys, as the loop takes them */
    size_t buffer_keys;
};

static void bench_open(struct bench *bench, const struct map_unit *unit, size_t n, uint64_t seed,
                       struct why *why) {
    size_t universe = 3 * n > KEYS_MIN ? 3 * n : KEYS_MIN;
    *bench =
        (struct bench){.unit = unit, .shape = shape_find(unit->shape), .n = n, .rng = rng_derive(seed, n)};
    selftest_keys_make(&bench->keys, bench->shape, SELFTEST_KEYS_RANDOM, universe, bench->rng);
    mirror_open(&bench->mirror, unit, &bench->keys, why);
    bench->recorder = selftest_alloc(1, sizeof *bench->recorder);
    bench->buffer_keys = 2 * n + (size_t)SMALL_MAPS_MAX * SMALL_ENTRIES_MAX;
    bench->index = selftest_alloc(bench->buffer_keys, sizeof *bench->index);
    bench->operations = selftest_alloc(n, sizeof *bench->operations);
    bench->buffer = selftest_alloc(bench->buffer_keys, bench->shape->key_size);
}

static void bench_close(struct bench *bench) {
    selftest_keys_free(&bench->keys);
    mirror_close(&bench->mirror);
    free(bench->recorder);
    free(bench->index);
    free(bench->operations);
    free(bench->buffer);
}

static const char *const variant_suffix[] = {"", "_timed", "_open"};

/* A baseline's checksums mean nothing; its loops are run all the same. */
static bool compared(const struct bench *bench) {
    return !(bench->unit->facts->traits & TRAIT_BASELINE);
}

static bool contents_agree(struct bench *bench, const char *after) {
    if (!compared(bench) || mirror_agrees(&bench->mirror, bench->map)) return true;
    char fault[160];
    snprintf(fault, sizeof fault, "%.150s", bench->mirror.why->text);
    return mirror_fail(&bench->mirror, "after loop %s, n=%zu: %s", after, bench->n, fault);
}

/* Returns what getting a key adds to a checksum: 0 when it is absent. */
static uint64_t get_term(const struct bench *bench, size_t key) {
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    if (!bench->mirror.present[key]) return 0;
    bench->shape->val_make(bench->mirror.number[key], val);
    return bench->shape->val_word(val) + 1;
}

/* --- running one loop --- */

/* The recorder saw every operation, the schedule let as many arrive, and growth events that form a chain from
 * the first capacity to the last.
 */
static bool recorder_agrees(struct bench *bench, const char *loop, size_t operations, size_t first_capacity) {
    const struct recorder *recorder = bench->recorder;
    const char *suffix = variant_suffix[bench->variant];
    size_t capacity = first_capacity, kept = recorder->n_events;
    uint64_t next_op = 0;
    if (recorder->op != operations || recorder->hist.total != operations)
        return mirror_fail(&bench->mirror, "loop %s%s, n=%zu: %llu operations recorded", loop, suffix,
                           operations, (unsigned long long)recorder->op);
    if (kept > RECORDER_EVENTS_MAX) kept = RECORDER_EVENTS_MAX;
    for (size_t i = 0; i < kept; i++) {
        const struct growth_event *event = &recorder->event[i];
        if (event->old_capacity != capacity || event->new_capacity == capacity || event->op < next_op ||
            event->op >= operations)
            return mirror_fail(&bench->mirror,
                               "loop %s%s, n=%zu: growth event %zu does not follow the one before", loop,
                               suffix, operations, i);
        capacity = event->new_capacity;
        next_op = event->op + 1;
    }
    if (kept == recorder->n_events && capacity != bench->unit->op.capacity(bench->map))
        return mirror_fail(&bench->mirror, "loop %s%s, n=%zu: a change of capacity was not recorded", loop,
                           suffix, operations);
    const struct schedule *schedule = &recorder->schedule;
    if (schedule->begun && (schedule->interval_ticks != 1 || schedule->late > operations ||
                            schedule->arrival_ticks != schedule->resumed_ticks + operations + 1))
        return mirror_fail(&bench->mirror, "loop %s%s, n=%zu: not as many operations arrived as were done",
                           loop, suffix, operations);
    return true;
}

static bool checksum_is(struct bench *bench, const char *loop, size_t n, uint64_t sum, uint64_t wanted) {
    if (!compared(bench) || sum == wanted) return true;
    return mirror_fail(&bench->mirror, "loop %s%s, n=%zu: checksum %llu, expected %llu", loop,
                       variant_suffix[bench->variant], n, (unsigned long long)sum,
                       (unsigned long long)wanted);
}

/* Fills the buffer with the `count` keys of bench->index. */
static void load_keys(struct bench *bench, size_t count, bool stored) {
    size_t size = bench->shape->key_size;
    for (size_t i = 0; i < count; i++) {
        size_t key = bench->index[i];
        memcpy(bench->buffer + i * size,
               stored ? selftest_stored(&bench->keys, key) : selftest_asked(&bench->keys, key), size);
    }
}

/* Runs the variant that the bench asks for or, where there is none, the plain loop. Arrivals are a tick
 * apart, so nothing waits for them. */
static bool loop_is(struct bench *bench, const char *loop, run_fn *run, run_fn *timed_run, run_fn *open_run,
                    size_t n, uint64_t first_value, uint64_t wanted) {
    struct run_args args = {
        .keys = bench->buffer, .n = n, .first_value = first_value, .operations = bench->operations};
    run_fn *recording = bench->variant == LOOPS_TIMED  ? timed_run
                        : bench->variant == LOOPS_OPEN ? open_run
                                                       : NULL;
    size_t capacity = bench->unit->op.capacity(bench->map);
    if (recording) {
        recorder_reset(bench->recorder, 1);
        bench->recorder->capacity = capacity;
        args.recorder = bench->recorder;
    }
    uint64_t sum = (recording ? recording : run)(bench->map, &args);
    return checksum_is(bench, loop, n, sum, wanted) &&
           (!recording || recorder_agrees(bench, loop, n, capacity));
}

#define OPEN_LOOP(bench, loop, n, first_value, wanted)                                                       \
    loop_is(bench, #loop, (bench)->unit->run.loop, (bench)->unit->run.loop##_timed,                          \
            (bench)->unit->run.loop##_open, n, first_value, wanted)
#define TIMED_LOOP(bench, loop, n, first_value, wanted)                                                      \
    loop_is(bench, #loop, (bench)->unit->run.loop, (bench)->unit->run.loop##_timed, NULL, n, first_value,    \
            wanted)
#define PLAIN_LOOP(bench, loop, n, first_value, wanted)                                                      \
    loop_is(bench, #loop, (bench)->unit->run.loop, NULL, NULL, n, first_value, wanted)

/* --- the loops --- */

static void shuffle(struct bench *bench, size_t count) {
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(&bench->rng, i);
        uint32_t swapped = bench->index[i - 1];
        bench->index[i - 1] = bench->index[j];
        bench->index[j] = swapped;
    }
}

/* Stores keys [0, n) in a random order, `first_value` being that of the first. */
static bool put_is(struct bench *bench, uint64_t first_value) {
    for (size_t i = 0; i < bench->n; i++) bench->index[i] = (uint32_t)i;
    shuffle(bench, bench->n);
    load_keys(bench, bench->n, true);
    for (size_t i = 0; i < bench->n; i++) mirror_put(&bench->mirror, bench->index[i], first_value + i);
    return OPEN_LOOP(bench, put, bench->n, first_value, bench->n) && contents_agree(bench, "put");
}

/* Looks up n keys of which one in `hit_of` is present: 1: all, 2: every other one, 0: none. */
static bool gets_are(struct bench *bench, size_t hit_of) {
    uint64_t wanted = 0;
    for (size_t i = 0; i < bench->n; i++) {
        bool hit = hit_of && i % hit_of == 0;
        bench->index[i] = (uint32_t)(rng_below(&bench->rng, bench->n) + (hit ? 0 : bench->n));
        wanted += get_term(bench, bench->index[i]);
    }
    load_keys(bench, bench->n, false);
    return OPEN_LOOP(bench, get, bench->n, 0, wanted) && PLAIN_LOOP(bench, get_chain, bench->n, 0, wanted) &&
           PLAIN_LOOP(bench, get_call, bench->n, 0, wanted) &&
           (bench->unit->engine || PLAIN_LOOP(bench, get_batch, bench->n, 0, wanted));
}

static uint64_t scan_sum(const struct bench *bench) {
    uint64_t sum = 0;
    for (size_t i = 0; i < bench->keys.n; i++)
        if (bench->mirror.present[i])
            sum += get_term(bench, i) + bench->shape->key_word(selftest_stored(&bench->keys, i));
    return sum;
}

static bool scan_is(struct bench *bench) {
    uint64_t once = scan_sum(bench);
    return PLAIN_LOOP(bench, scan, 1, 0, once) && PLAIN_LOOP(bench, scan, 3, 0, 3 * once);
}

/* A third of the victims is absent or gone already, some newcomers are there already. */
static bool churn_is(struct bench *bench, uint64_t first_value) {
    uint64_t wanted = 0;
    for (size_t i = 0; i < bench->n; i++) {
        size_t victim = rng_below(&bench->rng, bench->n * 3 / 2 + 1),
               newcomer = rng_below(&bench->rng, 2 * bench->n);
        bench->index[2 * i] = (uint32_t)victim;
        bench->index[2 * i + 1] = (uint32_t)newcomer;
        wanted += mirror_del(&bench->mirror, victim);
        mirror_put(&bench->mirror, newcomer, first_value + i);
        wanted++;
    }
    load_keys(bench, 2 * bench->n, true);
    return OPEN_LOOP(bench, churn, bench->n, first_value, wanted) && contents_agree(bench, "churn");
}

/* Lookups, deletes and stores by turns at random, of keys that are there or not. */
static bool mixed_is(struct bench *bench) {
    uint64_t wanted = 0;
    if (!bench->unit->run.mixed) return true; /* engines have no such loop */
    for (size_t i = 0; i < bench->n; i++) {
        uint32_t kind = (uint32_t)rng_below(&bench->rng, 3),
                 number = (uint32_t)rng_below(&bench->rng, 1u << 30);
        size_t key = rng_below(&bench->rng, 2 * bench->n);
        bench->index[i] = (uint32_t)key;
        bench->operations[i] = kind | number << MIXED_BITS;
        if (kind == MIXED_GET) wanted += get_term(bench, key);
        if (kind == MIXED_DEL) wanted += mirror_del(&bench->mirror, key);
        if (kind == MIXED_PUT) mirror_put(&bench->mirror, key, number), wanted++;
    }
    load_keys(bench, bench->n, true);
    return OPEN_LOOP(bench, mixed, bench->n, 0, wanted) && contents_agree(bench, "mixed");
}

static bool del_is(struct bench *bench) {
    uint64_t wanted = 0;
    for (size_t i = 0; i < bench->n; i++) bench->index[i] = (uint32_t)rng_below(&bench->rng, 2 * bench->n);
    for (size_t i = 0; i < bench->n; i++) wanted += mirror_del(&bench->mirror, bench->index[i]);
    load_keys(bench, bench->n, false);
    return TIMED_LOOP(bench, del, bench->n, 0, wanted) && contents_agree(bench, "del");
}

/* Which entry goes first is the map's own affair, so that only draining all of them has a known sum. Where
 * maps find the first entry by walking over all slots before it this is quadratic: large maps are left out.
 */
static bool drain_is(struct bench *bench) {
    size_t len = bench->mirror.len;
    if (bench->unit->engine || bench->n > 1000) return true;
    uint64_t wanted = scan_sum(bench);
    if (!TIMED_LOOP(bench, drain, len, 0, wanted)) return false;
    mirror_clear(&bench->mirror);
    return PLAIN_LOOP(bench, drain, 3, 0, 0) && contents_agree(bench, "drain");
}

/* Copies, of which the first is then emptied by hand and all by the loop; the original must not notice. */
static bool copy_and_clear_are(struct bench *bench) {
    const struct map_unit *unit = bench->unit;
    void *copies[COPIES] = {0}, *original = bench->map;
    size_t len = bench->mirror.len;
    struct run_args args = {.n = COPIES, .maps = copies};
    if (!checksum_is(bench, "copy", COPIES, unit->run.copy(original, &args), COPIES * len)) return false;
    for (size_t i = 0; i < COPIES; i++) {
        bench->map = copies[i];
        if (!copies[i]) return mirror_fail(&bench->mirror, "loop copy, n=%d: copy %zu is missing", COPIES, i);
        if (!contents_agree(bench, "copy")) return false;
    }
    unit->op.clear(copies[0]);
    uint64_t held = compared(bench) ? (COPIES - 1) * len : 0;
    if (!checksum_is(bench, "clear", COPIES, unit->run.clear(NULL, &args), held)) return false;
    for (size_t i = 0; i < COPIES; i++) {
        if (unit->op.len(copies[i]) != 0)
            return mirror_fail(&bench->mirror, "after loop clear: a map is not empty");
        unit->op.destroy(copies[i]);
    }
    bench->map = original;
    return contents_agree(bench, "clear");
}

/* --- many small maps --- */

struct small {
    void **maps;
    uint32_t *entries; /* of map i: 0 to 64 */
    size_t *first;     /* number of the first key of map i; key number k is key k % keys.n */
    size_t maps_n, total;
};

static bool small_put_is(struct bench *bench, struct small *small, uint64_t first_value) {
    for (size_t i = 0; i < small->maps_n; i++) {
        small->entries[i] = (uint32_t)rng_below(&bench->rng, SMALL_ENTRIES_MAX + 1);
        small->first[i] = small->total;
        small->total += small->entries[i];
    }
    for (size_t k = 0; k < small->total; k++) bench->index[k] = (uint32_t)(k % bench->keys.n);
    load_keys(bench, small->total, true);
    struct run_args args = {.keys = bench->buffer,
                            .n = small->maps_n,
                            .first_value = first_value,
                            .maps = small->maps,
                            .entries_of_map = small->entries};
    return checksum_is(bench, "small_put", small->maps_n,
                       bench->unit->run.small_put(bench->unit->own_heap, &args), small->total);
}

/* Small map i must hold its stretch of the keys and nothing else. */
static bool small_contents_agree(struct bench *bench, const struct small *small, uint64_t first_value) {
    for (size_t i = 0; i < small->maps_n && compared(bench); i++) {
        mirror_clear(&bench->mirror);
        for (size_t k = small->first[i]; k < small->first[i] + small->entries[i]; k++)
            mirror_put(&bench->mirror, k % bench->keys.n, first_value + k);
        bench->map = small->maps[i];
        if (!contents_agree(bench, "small_put")) return false;
    }
    return true;
}

/* Two thirds hits; the misses are keys that other small maps hold. */
static bool small_get_is(struct bench *bench, const struct small *small, uint64_t first_value) {
    uint32_t *map_of = selftest_alloc(bench->n, sizeof *map_of);
    uint64_t wanted = 0;
    for (size_t i = 0; i < bench->n; i++) {
        size_t map = rng_below(&bench->rng, small->maps_n);
        bool hit = small->entries[map] > 0 && i % 3 > 0;
        size_t k = hit ? small->first[map] + rng_below(&bench->rng, small->entries[map])
                       : small->first[map] + small->entries[map] + rng_below(&bench->rng, SMALL_ENTRIES_MAX);
        map_of[i] = (uint32_t)map;
        bench->index[i] = (uint32_t)(k % bench->keys.n);
        if (!hit) continue;
        _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
        bench->shape->val_make(first_value + k, val);
        wanted += bench->shape->val_word(val) + 1;
    }
    load_keys(bench, bench->n, false);
    struct run_args args = {
        .keys = bench->buffer, .n = bench->n, .maps = small->maps, .map_of_operation = map_of};
    bool ok = checksum_is(bench, "small_get", bench->n, bench->unit->run.small_get(NULL, &args), wanted);
    free(map_of);
    return ok;
}

static bool small_are(struct bench *bench) {
    struct small small = {.maps_n = bench->n < SMALL_MAPS_MAX ? bench->n : SMALL_MAPS_MAX};
    uint64_t first_value = rng_next(&bench->rng);
    small.maps = selftest_alloc(small.maps_n, sizeof *small.maps);
    small.entries = selftest_alloc(small.maps_n, sizeof *small.entries);
    small.first = selftest_alloc(small.maps_n, sizeof *small.first);
    bool ok = small_put_is(bench, &small, first_value) && small_contents_agree(bench, &small, first_value) &&
              small_get_is(bench, &small, first_value);
    for (size_t i = 0; ok && i < small.maps_n; i++) bench->unit->op.destroy(small.maps[i]);
    free(small.maps);
    free(small.entries);
    free(small.first);
    return ok;
}

/* --- all of them --- */

static bool all_loops(struct bench *bench) {
    uint64_t first_value = rng_next(&bench->rng);
    size_t hint = bench->variant == LOOPS_PLAIN ? bench->n : 0;
    bench->map = bench->unit->op.create(bench->unit->own_heap, hint);
    if (!bench->map) return mirror_fail(&bench->mirror, "create fails though memory is to be had");
    bool ok = put_is(bench, first_value) && gets_are(bench, 1) && gets_are(bench, 2) && gets_are(bench, 0) &&
              put_is(bench, first_value + 7 * bench->n) && scan_is(bench) && copy_and_clear_are(bench) &&
              churn_is(bench, first_value + 13) && mixed_is(bench) && gets_are(bench, 1) && scan_is(bench) &&
              del_is(bench) && gets_are(bench, 2) && drain_is(bench);
    if (ok) bench->unit->op.destroy(bench->map);
    return ok;
}

bool selftest_loops(const struct map_unit *unit, const struct selftest_options *options, struct why *why) {
    static const size_t sizes[] = {1, 2, 7, 63, 64, 65, 1000, 20000};
    bool ok = true;
    for (size_t i = 0; ok && i < COUNT_OF(sizes); i++) {
        struct bench bench;
        bench_open(&bench, unit, sizes[i], options->seed, why);
        int variants = sizes[i] > 1000 || unit->engine ? LOOPS_TIMED : LOOPS_OPEN;
        for (int variant = LOOPS_PLAIN; ok && variant <= variants; variant++) {
            bench.variant = (enum selftest_variant)variant;
            mirror_clear(&bench.mirror);
            ok = all_loops(&bench);
        }
        bench.variant = LOOPS_PLAIN;
        ok = ok && (sizes[i] > 1000 || small_are(&bench));
        bench_close(&bench);
    }
    return ok;
}
