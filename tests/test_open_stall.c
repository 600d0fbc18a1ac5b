/* The open loops of a unit whose growths stall: the queue behind them shows in the tail, and pauses between
 * blocks do not. The unit is compiled here. */
#define UNIT_SYMBOL stalling_unit
#define UNIT_MAP "stalling"
#define UNIT_MAP_FILE "tests/support/stalling_map.h"
#define UNIT_SHAPE_FILE "harness/shapes/u64_u64.h"
#define UNIT_HEAP_FILE "harness/heaps/malloc.h"
#define UNIT_HASH "common"
#define UNIT_HASH_common
#include "harness/unit/map_unit.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "harness/base/rng.h"

enum { N = 1 << 17, BLOCK = 1 << 14 };

static uint64_t keys[N];

/* Fills a map in blocks with a pause between them; returns the ticks that the loops took. */
static uint64_t fill(run_fn *loop, struct recorder *r, uint64_t pause_ns) {
    void *map = stalling_unit.op.create(NULL, 0);
    uint64_t ticks = 0;
    assert_non_null(map);
    r->capacity = stalling_unit.op.capacity(map);
    for (size_t done = 0; done < N; done += BLOCK) {
        struct run_args args = {.keys = keys + done, .n = BLOCK, .first_value = done, .recorder = r};
        uint64_t start = ticks_start();
        assert_int_equal(loop(map, &args), BLOCK);
        ticks += ticks_stop() - start;
        for (uint64_t begin = wall_ns(); wall_ns() - begin < pause_ns;) {
        }
    }
    assert_int_equal(stalling_unit.op.len(map), N);
    stalling_unit.op.destroy(map);
    return ticks;
}

static void test_stalls_show_in_the_open_loop(void **state) {
    struct recorder *r = calloc(1, sizeof *r);
    (void)state;
    recorder_reset(r, 0);
    uint64_t closed_ticks = fill(stalling_unit.run.put_timed, r, 0);
    uint64_t closed_p999 = hist_quantile(&r->hist, .999);
    size_t growths = r->n_events;
    assert_in_range(growths, 10, 40);

    recorder_reset(r, 2 * (double)closed_ticks / N); /* half load */
    fill(stalling_unit.run.put_open, r, 0);
    assert_int_equal(r->op, N);
    assert_int_equal(r->n_events, growths);
    assert_true(hist_quantile(&r->hist, .999) > 20 * closed_p999);
    /* Each stall makes those behind it late: many times more operations than there were growths. */
    assert_true(r->schedule.late > 100 * growths);
    assert_true(r->schedule.idle_ticks > 0 && r->schedule.idle_ticks < r->schedule.elapsed_ticks);
    free(r);
}

/* A pause ten times as long as a stall is no part of any latency, nor of the schedule's time. */
static void test_pauses_do_not_show(void **state) {
    enum { PAUSE_NS = 10000000 };
    struct recorder *r = calloc(1, sizeof *r);
    (void)state;
    recorder_reset(r, 0);
    uint64_t closed_ticks = fill(stalling_unit.run.put_timed, r, 0);
    double interval = 2 * (double)closed_ticks / N;
    recorder_reset(r, interval);
    uint64_t begin = wall_ns(), begin_ticks = ticks_start();
    uint64_t loop_ticks = fill(stalling_unit.run.put_open, r, PAUSE_NS);
    double ns_per_tick = (double)(wall_ns() - begin) / (double)(ticks_stop() - begin_ticks);
    double pauses_ticks = (double)(N / BLOCK) * PAUSE_NS / ns_per_tick;
    double all_ticks = (double)(ticks_stop() - begin_ticks);
    assert_true((double)r->schedule.elapsed_ticks <= (double)loop_ticks);
    assert_true((double)r->schedule.elapsed_ticks < all_ticks - 0.9 * pauses_ticks);
    free(r);
}

static void test_every_loop_has_its_open_one(void **state) {
    (void)state;
#define X(loop) assert_non_null(stalling_unit.run.loop##_open);
    MAP_OPEN_LOOPS(X)
#undef X
}

int main(void) {
    uint64_t rng = 7;
    for (size_t i = 0; i < N; i++) keys[i] = rng_next(&rng);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stalls_show_in_the_open_loop),
        cmocka_unit_test(test_pauses_do_not_show),
        cmocka_unit_test(test_every_loop_has_its_open_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
