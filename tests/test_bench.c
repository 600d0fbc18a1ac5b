/* The bench: every workload ends with the right answer on sound maps, and with `wrong_result` on planted
 * faults in the loops that it times. A map that skips work must never win. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "harness/bench/bench.h"
#include "harness/plan/options.h"
#include "harness/plan/registry.h"
#include "tests/support/ready_unit.h"

static const struct map_unit *sound; /* what the mutants below call */

/* Each mutant does its work for all but some of the keys, or pretends to. */
static uint64_t skip_last_put(void *map, const struct run_args *args) {
    struct run_args fewer = *args;
    fewer.n--;
    return sound->run.put(map, &fewer) + 1;
}
/* Stores another key besides, once the map is full. */
static uint64_t wandering_put(void *map, const struct run_args *args) {
    const uint64_t other = 0x123456789abcdef, value = 1;
    uint64_t stored = sound->run.put(map, args);
    if (args->first_value >= 500) sound->op.put(map, &other, &value);
    return stored;
}
/* Ends the process that stores into a full map. */
static uint64_t dying_put(void *map, const struct run_args *args) {
    if (args->first_value >= 500) _exit(3);
    return sound->run.put(map, args);
}
static uint64_t skip_last_get(void *map, const struct run_args *args) {
    struct run_args fewer = *args;
    fewer.n--;
    return sound->run.get(map, &fewer);
}
static uint64_t neighbour_get(void *map, const struct run_args *args) {
    return sound->run.get(map, args) + 1;
}
static uint64_t skip_last_mixed(void *map, const struct run_args *args) {
    struct run_args fewer = *args;
    fewer.n--;
    return sound->run.mixed(map, &fewer);
}
/* The right checksum, but what is stored last is another key's. */
static uint64_t misplacing_mixed(void *map, const struct run_args *args) {
    const uint64_t *keys = args->keys;
    uint64_t sum = sound->run.mixed(map, args), value;
    for (size_t i = args->n; i-- > 0;)
        if ((args->operations[i] & ((1u << MIXED_BITS) - 1)) == MIXED_PUT) {
            uint64_t other = ~keys[i];
            sound->op.get(map, &keys[i], &value);
            sound->op.del(map, &keys[i]);
            sound->op.put(map, &other, &value);
            break;
        }
    return sum;
}
static uint64_t idle_del(void *map, const struct run_args *args) {
    (void)map;
    return args->n;
}
static uint64_t idle_churn(void *map, const struct run_args *args) {
    (void)map;
    return 2 * args->n;
}
static uint64_t half_scan(void *map, const struct run_args *args) {
    return sound->run.scan(map, args) / 2;
}
static uint64_t idle_clear(void *map, const struct run_args *args) {
    uint64_t held = 0;
    (void)map;
    for (size_t i = 0; i < args->n; i++) held += sound->op.len(args->maps[i]);
    return held;
}
/* Copies the keys, but every copy is missing an entry that it claims to have. */
static uint64_t lossy_copy(void *map, const struct run_args *args) {
    uint64_t held = sound->run.copy(map, args);
    for (size_t i = 0; i < args->n; i++) sound->op.clear(args->maps[i]);
    return held;
}
static uint64_t skip_last_drain(void *map, const struct run_args *args) {
    struct run_args fewer = *args;
    fewer.n--;
    return sound->run.drain(map, &fewer);
}
/* Empties the map, and says that it met nothing but zeros. */
static uint64_t valueless_drain(void *map, const struct run_args *args) {
    sound->run.drain(map, args);
    return args->n;
}
static uint64_t skip_last_small_get(void *map, const struct run_args *args) {
    struct run_args fewer = *args;
    fewer.n--;
    return sound->run.small_get(map, &fewer);
}
static uint64_t empty_small_put(void *heap, const struct run_args *args) {
    (void)heap;
    for (size_t i = 0; i < args->n; i++) args->maps[i] = sound->op.create(NULL, 0);
    return 0;
}

static struct job job;
static struct bench_room room;

static struct cell cell_of(const struct map_unit *unit, const char *keys, size_t n) {
    return (struct cell){.job = &job,
                         .shape = shape_find(unit->shape),
                         .keys = (char *)keys,
                         .hash = unit->hash,
                         .heap = unit->heap,
                         .n = n,
                         .units = 1,
                         .unit = {unit}};
}

/* One verified trial of a workload, as the runner's first round does it; true: the right answer. */
static bool trial(const struct map_unit *unit, const char *keys_spec, size_t n, const char *workload,
                  bool *wrong, uint64_t *checksum) {
    struct why why;
    struct cell cell = cell_of(unit, keys_spec, n);
    struct keys *keys = keys_open(keys_spec, cell.shape, n, 7, &why);
    struct bench bench;
    struct batching batching;
    if (!keys) fail_msg("%s: %s", keys_spec, why.text);
    bench_init(&bench, &cell, unit, keys, &room, 7);
    bench.ns_per_tick = 1;
    bench.verify = true;
    bench_rewind(&bench, workload_find(workload), 7);
    bool ok = bench_calibrate(&bench, workload_find(workload), &batching);
    if (!ok && !bench.why[0]) fail_msg("%s failed without a reason", workload);
    *wrong = bench.wrong_result;
    *checksum = ok ? batching.checksum : 0;
    bench_end(&bench);
    keys_close(keys);
    return ok;
}

/* Every workload, several sizes, on maps of each kind; all maps agree on the checksum. */
static void test_sound_maps(void **state) {
    static const char *const maps[] = {"linear", "chained", "swiss_flat", "dense", "robin_hood"};
    static const size_t sizes[] = {1, 2, 63, 1000, 40000};
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t w = 0; w < workload_count(); w++) {
            uint64_t first = 0;
            for (size_t m = 0; m < sizeof maps / sizeof *maps; m++) {
                const struct map_unit *unit =
                    ready_unit(maps[m], s % 2 ? "str_u64" : "u64_u64", "common", "malloc");
                bool wrong;
                uint64_t checksum;
                if (!trial(unit, "uniform", sizes[s], workload_at(w)->name, &wrong, &checksum))
                    fail_msg("%s of %s, n %zu: not the right answer", workload_at(w)->name, maps[m],
                             sizes[s]);
                if (m == 0) first = checksum;
                if (checksum != first)
                    fail_msg("%s, n %zu: %s disagrees on the checksum", workload_at(w)->name, sizes[s],
                             maps[m]);
            }
        }
}

static void test_planted_faults(void **state) {
    static const struct {
        const char *workload;
        size_t run_offset;
        run_fn *mutant;
    } mutants[] = {
        {"put", offsetof(struct map_runs, put), skip_last_put},
        {"put_grow", offsetof(struct map_runs, put), skip_last_put},
        {"overwrite", offsetof(struct map_runs, put), skip_last_put},
        {"get", offsetof(struct map_runs, get), skip_last_get},
        {"get", offsetof(struct map_runs, get), neighbour_get},
        {"get_miss", offsetof(struct map_runs, get), neighbour_get},
        {"mix50", offsetof(struct map_runs, get), neighbour_get},
        {"get_chain", offsetof(struct map_runs, get_chain), skip_last_get},
        {"get_call", offsetof(struct map_runs, get_call), neighbour_get},
        {"get_batch", offsetof(struct map_runs, get_batch), skip_last_get},
        {"get_cold", offsetof(struct map_runs, get), neighbour_get},
        {"del", offsetof(struct map_runs, del), idle_del},
        {"churn", offsetof(struct map_runs, churn), idle_churn},
        {"mixed", offsetof(struct map_runs, mixed), skip_last_mixed},
        {"mixed", offsetof(struct map_runs, mixed), misplacing_mixed},
        {"scan", offsetof(struct map_runs, scan), half_scan},
        {"clear", offsetof(struct map_runs, clear), idle_clear},
        {"copy", offsetof(struct map_runs, copy), lossy_copy},
        {"small_put", offsetof(struct map_runs, small_put), empty_small_put},
        {"drain", offsetof(struct map_runs, drain), skip_last_drain},
        {"drain", offsetof(struct map_runs, drain), valueless_drain},
        {"small_get", offsetof(struct map_runs, small_get), skip_last_small_get},
        {"churn_walk", offsetof(struct map_runs, churn), idle_churn},
        {"reserve_few", offsetof(struct map_runs, put), skip_last_put},
        {"copy_put", offsetof(struct map_runs, put), skip_last_put},
        {"fork_touch", offsetof(struct map_runs, put), wandering_put},
        {"fork_touch", offsetof(struct map_runs, put), dying_put},
    };
    (void)state;
    sound = ready_unit("linear", "u64_u64", "common", "malloc");
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        struct map_unit mutant = *sound;
        bool wrong;
        uint64_t checksum;
        *(run_fn **)((char *)&mutant.run + mutants[i].run_offset) = mutants[i].mutant;
        bool ok = trial(&mutant, "uniform", 500, mutants[i].workload, &wrong, &checksum);
        /* A put that stores too little shows as memory running out or as a wrong length. */
        if (ok) fail_msg("mutant %zu of %s was not caught", i, mutants[i].workload);
    }
}

/* A workload that takes longer than its limit is given up with a reason, not waited for. */
static void test_limit(void **state) {
    const struct map_unit *unit = ready_unit("linear", "u64_u64", "common", "malloc");
    struct cell cell = cell_of(unit, "uniform", 100000);
    struct why why;
    struct keys *keys = keys_open("uniform", cell.shape, cell.n, 1, &why);
    struct bench bench;
    struct batch batch;
    (void)state;
    bench_init(&bench, &cell, unit, keys, &room, 1);
    bench.deadline = (struct deadline){0};
    assert_false(bench_batch(&bench, workload_find("get"), 10, BENCH_CLOCK_TICKS, &batch));
    assert_non_null(strstr(bench.why, "--limit"));
    assert_false(bench.wrong_result);
    assert_null(bench.map);
    bench_end(&bench);
    keys_close(keys);
}

/* Hooks are called in pairs around every segment and never nested. */
static void count_start(void *context) {
    assert_int_equal(*(int *)context % 2, 0);
    ++*(int *)context;
}
static void count_stop(void *context) {
    assert_int_equal(*(int *)context % 2, 1);
    ++*(int *)context;
}
static void test_hooks(void **state) {
    const struct map_unit *unit = ready_unit("linear", "u64_u64", "common", "malloc");
    struct cell cell = cell_of(unit, "uniform", 1000);
    struct why why;
    int calls = 0;
    struct keys *keys = keys_open("uniform", cell.shape, cell.n, 1, &why);
    struct bench bench;
    struct batch batch;
    (void)state;
    bench_init(&bench, &cell, unit, keys, &room, 1);
    bench.hooks = (struct bench_hooks){count_start, count_stop, &calls};
    assert_true(bench_batch(&bench, workload_find("get"), 3 * bench.block, BENCH_CLOCK_TICKS, &batch));
    assert_int_equal(calls, 6);
    assert_int_equal(batch.ops, 3 * bench.block);
    /* Without a clock: the same segments and the same answer, and no time. */
    const struct workload *get = workload_find("get");
    bench_rewind(&bench, get, 1);
    assert_true(bench_batch(&bench, get, 3 * bench.block, BENCH_CLOCK_TICKS, &batch));
    uint64_t checksum = batch.checksum;
    bench_rewind(&bench, get, 1);
    calls = 0;
    assert_true(bench_batch(&bench, get, 3 * bench.block, BENCH_CLOCK_NONE, &batch));
    assert_int_equal(calls, 6);
    assert_int_equal(batch.segments, 3);
    assert_int_equal(batch.checksum, checksum);
    assert_true(batch.ns == 0 && batch.wall_ns == 0);
    bench_end(&bench);
    keys_close(keys);
}

/* What runs in a child process is not counted, and says so; a child that dies is named, too. */
static void test_fork_touch(void **state) {
    sound = ready_unit("linear", "u64_u64", "common", "malloc");
    struct map_unit dying = *sound;
    struct why why;
    int calls = 0;
    (void)state;
    dying.run.put = dying_put;
    for (int hooked = 0; hooked < 2; hooked++) {
        struct cell cell = cell_of(hooked ? sound : &dying, "uniform", 500);
        struct keys *keys = keys_open("uniform", cell.shape, cell.n, 1, &why);
        struct bench bench;
        struct batch batch;
        bench_init(&bench, &cell, cell.unit[0], keys, &room, 1);
        if (hooked) bench.hooks = (struct bench_hooks){count_start, count_stop, &calls};
        assert_false(bench_batch(&bench, workload_find("fork_touch"), 500, BENCH_CLOCK_TICKS, &batch));
        assert_non_null(strstr(bench.why, hooked ? "nothing is counted" : "child ended with code 3"));
        assert_int_equal(calls, 0);
        bench_end(&bench);
        keys_close(keys);
    }
}

/* Positions drawn beforehand are those that the cursor would draw, block by block. */
static void test_draws(void **state) {
    enum { OPS = 70000 };
    static const char *const workloads[] = {"get", "mix25", "get_miss", "overwrite"};
    static uint32_t position[OPS];
    const struct map_unit *unit = ready_unit("linear", "u64_u64", "common", "malloc");
    struct why why;
    (void)state;
    for (size_t w = 0; w < sizeof workloads / sizeof *workloads; w++) {
        const struct workload *workload = workload_find(workloads[w]);
        struct cell cell = cell_of(unit, "uniform", 3000);
        struct keys *keys = keys_open("uniform", cell.shape, cell.n, 1, &why);
        struct bench bench;
        struct batch drawn, predrawn;
        bench_init(&bench, &cell, unit, keys, &room, 1);
        bench_rewind(&bench, workload, 5);
        assert_true(bench_batch(&bench, workload, OPS, BENCH_CLOCK_THREAD_CPU, &drawn));
        bench_rewind(&bench, workload, 5);
        bench_predraw(&bench, workload, OPS, position);
        bench.draws = (struct bench_draws){position, OPS};
        assert_true(bench_batch(&bench, workload, OPS, BENCH_CLOCK_THREAD_CPU, &predrawn));
        assert_int_equal(predrawn.checksum, drawn.checksum);
        assert_int_equal(bench.draws.count, 0);
        assert_ptr_equal(bench.draws.position, position + OPS);
        bench_end(&bench);
        keys_close(keys);
    }
}

static int open_room(void **state) {
    (void)state;
    return bench_room_open(&room, 1 << 20) ? 0 : -1;
}
static int close_room(void **state) {
    (void)state;
    bench_room_close(&room);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_maps), cmocka_unit_test(test_planted_faults),
        cmocka_unit_test(test_limit),      cmocka_unit_test(test_hooks),
        cmocka_unit_test(test_fork_touch), cmocka_unit_test(test_draws)};
    return cmocka_run_group_tests(tests, open_room, close_room);
}
