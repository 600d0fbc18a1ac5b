/* Threads on one map of the sync.Map ports: included after the map file and the stress_ names of its
 * operations. Meant for ThreadSanitizer (tests/test_go_syncmap.sh), but finds wrong answers without it too.
 *
 * The keys fall into two kinds. OWNED keys belong to one thread, which knows what it stored: every answer
 * about them is checked. CONTENDED keys are stored and deleted by all; a value names its key, so a value that
 * another key had, or that was freed, shows. Map lengths are compared with what is left when all threads are
 * done.
 */
#include <pthread.h>

#include "harness/base/rng.h"

enum { THREADS = 4, OWNED = 64, CONTENDED = 32, STEPS = 40000, ROUNDS = 3 };

struct worker {
    struct map *map;
    uint64_t rng, number;
    uint64_t owned_first;
    bool clears; /* this round clears: only answers about values hold */
    uint64_t stored[OWNED];
    bool there[OWNED];
    const char *fault;
    pthread_barrier_t *start; /* so that they meet */
    pthread_t thread;
};

/* A value of a key: the key above, a running number below. */
static uint64_t worker_val(struct worker *w, uint64_t key) {
    return key << 40 | (++w->number & 0xffffffffffu);
}

static void worker_expect(struct worker *w, bool holds, const char *fault) {
    if (!holds && !w->fault) w->fault = fault;
}

static void worker_owned_step(struct worker *w, uint64_t dice) {
    size_t i = rng_below(&w->rng, OWNED);
    uint64_t key = w->owned_first + i, val = worker_val(w, key), seen = 0;
    bool flag;
    if (dice < 50) {
        flag = map_load(w->map, key, &seen);
        worker_expect(w, w->clears || flag == w->there[i],
                      "an owned key is there or absent against its history");
        worker_expect(w, !flag || w->clears || seen == w->stored[i],
                      "an owned key has another value than stored");
        worker_expect(w, !flag || seen >> 40 == key, "an owned key has another key's value");
    } else if (dice < 80) {
        worker_expect(w, stress_swap(w->map, key, val, &seen, &flag), "a store fails");
        worker_expect(w, w->clears || flag == w->there[i], "a swap's answer is not the key's history");
        worker_expect(w, !flag || w->clears || seen == w->stored[i],
                      "a swap returns another value than stored");
        w->stored[i] = val;
        w->there[i] = true;
    } else if (dice < 95) {
        flag = stress_delete(w->map, key, &seen);
        worker_expect(w, w->clears || flag == w->there[i], "a delete's answer is not the key's history");
        worker_expect(w, !flag || w->clears || seen == w->stored[i],
                      "a delete returns another value than stored");
        w->there[i] = false;
    } else {
        bool had = w->there[i];
        worker_expect(w, stress_compare_and_swap(w->map, key, w->stored[i], val, &flag), "a store fails");
        worker_expect(w, w->clears || flag == had, "a compare-and-swap's answer is not the key's history");
        if (flag) w->stored[i] = val;
    }
}

static void worker_contended_step(struct worker *w, uint64_t dice) {
    uint64_t key = rng_below(&w->rng, CONTENDED), val = worker_val(w, key), seen = key << 40;
    bool flag = false;
    if (dice < 40)
        map_load(w->map, key, &seen);
    else if (dice < 60)
        worker_expect(w, stress_swap(w->map, key, val, &seen, &flag), "a store fails");
    else if (dice < 75)
        stress_delete(w->map, key, &seen);
    else if (dice < 90)
        worker_expect(w, stress_load_or_store(w->map, key, val, &seen, &flag), "a store fails");
    else if (map_load(w->map, key, &seen))
        stress_compare_and_delete(w->map, key, seen);
    worker_expect(w, seen >> 40 == key, "a contended key has another key's value");
}

/* No key comes twice, and no value is another key's. */
static void worker_scan(struct worker *w) {
    bool met[CONTENDED + THREADS * OWNED] = {false};
    struct map_iter iter;
    map_key key;
    const map_val *val;
    map_iter_start(w->map, &iter);
    while (map_iter_next(&iter, &key, &val)) {
        worker_expect(w, key < CONTENDED + THREADS * OWNED && *val >> 40 == key,
                      "a scan meets a wrong entry");
        if (key >= CONTENDED + THREADS * OWNED) return;
        worker_expect(w, !met[key], "a scan meets a key twice");
        met[key] = true;
    }
}

static void *worker_run(void *opaque) {
    struct worker *w = opaque;
    pthread_barrier_wait(w->start);
    for (size_t i = 0; i < STEPS && !w->fault; i++) {
        uint64_t dice = rng_below(&w->rng, 100);
        if (rng_below(&w->rng, 400) == 0)
            worker_scan(w);
        else if (w->clears && rng_below(&w->rng, 1000) == 0)
            map_clear(w->map);
        else if (rng_below(&w->rng, 2))
            worker_owned_step(w, dice);
        else
            worker_contended_step(w, dice);
    }
    return NULL;
}

/* After the threads: the owned keys are what their owners left, and the map is sound. */
static void worker_verify(struct worker *w) {
    for (size_t i = 0; i < OWNED; i++) {
        uint64_t seen = 0;
        bool found = map_load(w->map, w->owned_first + i, &seen);
        if (!w->clears && found != w->there[i])
            fail_msg("an owned key is there or absent against its history");
        if (!w->clears && found && seen != w->stored[i]) fail_msg("an owned key lost its last value");
        w->there[i] = found;
        w->stored[i] = seen;
    }
}

static void stress_round(struct worker *workers, struct map *map, size_t round) {
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, THREADS);
    map_share(map);
    for (size_t i = 0; i < THREADS; i++) {
        workers[i].start = &start;
        workers[i].clears = round == ROUNDS - 1;
        if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]) != 0) fail_msg("no thread");
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(workers[i].thread, NULL);
    pthread_barrier_destroy(&start);
    size_t counted = map_len(map);
    map_quiesce(map);
    if (round < ROUNDS - 1 && counted != map_len(map))
        fail_msg("the length is %zu, but %zu entries are there", counted, map_len(map));
    for (size_t i = 0; i < THREADS; i++) {
        if (workers[i].fault) fail_msg("round %zu, thread %zu: %s", round, i, workers[i].fault);
        worker_verify(&workers[i]);
    }
    const char *fault = map_check(map);
    if (fault) fail_msg("round %zu: %s", round, fault);
}

static void test_threads(void **unused) {
    static struct worker workers[THREADS];
    struct map *map = map_create(NULL, 0);
    (void)unused;
    assert_non_null(map);
    for (size_t i = 0; i < THREADS; i++)
        workers[i] = (struct worker){.map = map,
                                     .rng = rng_derive(20240229, i),
                                     .number = (uint64_t)i << 32,
                                     .owned_first = CONTENDED + i * OWNED};
    for (size_t round = 0; round < ROUNDS; round++) stress_round(workers, map, round);
    map_destroy(map);
}
