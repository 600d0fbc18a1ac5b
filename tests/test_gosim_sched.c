/* gosim's virtual clock: timers, tickers, goroutines and their channels, against recorded sizes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "harness/base/rng.h"
#include "tests/support/gosim_support.h"

/* --- the clock --- */

struct firing {
    struct gosim *g;
    uint64_t at[64];
    size_t count;
    uint64_t most_goroutines;
};
static void fired(void *argument) {
    struct firing *firing = *(struct firing **)argument; /* a closure: a heap object with one captured word */
    uint64_t now = stats_of(firing->g).goroutines;
    if (now > firing->most_goroutines) firing->most_goroutines = now;
    if (firing->count < 64) firing->at[firing->count] = gosim_now(firing->g);
    firing->count++;
}

static void *closure(struct gosim *g, struct firing *firing) {
    static const struct gosim_type type = {.name = "func()", .size = 24, .pointer = at_0, .pointers = 1};
    struct firing **made = gosim_new(g, &type, 1);
    assert_non_null(made);
    *made = firing;
    return made;
}

static void test_timers(void **state) {
    (void)state;
    struct gosim *g = open_heap_of(124, true);
    struct firing firing = {.g = g};
    uint64_t base = stats_of(g).heap_alloc;
    static const uint64_t delays[] = {50, 10, 30, 20, 40, 10};
    struct gosim_timer *timer[6];
    for (int i = 0; i < 6; i++) timer[i] = gosim_after_func(g, delays[i], fired, closure(g, &firing));
    gosim_collect(g);
    gosim_collect(g);
    /* 112 a timer, 24 a closure, and the P's slice of 8 entries of 16: nothing else holds them. */
    assert_int_equal(stats_of(g).heap_alloc - base, 6 * (112 + 24) + 128);
    assert_true(gosim_stop_timer(g, timer[2]));
    assert_false(gosim_stop_timer(g, timer[2]));
    gosim_advance(g, 9);
    assert_int_equal(firing.count, 0);
    gosim_advance(g, 16);
    assert_int_equal(firing.count, 3);
    assert_int_equal(firing.at[0], 10);
    assert_int_equal(firing.at[1], 10);
    assert_int_equal(firing.at[2], 20);
    assert_int_equal(firing.most_goroutines, 3); /* the program and the two at 10 */
    assert_int_equal(stats_of(g).goroutines, 1);
    gosim_advance(g, 1000);
    assert_int_equal(firing.count, 5);
    assert_int_equal(gosim_now(g), 1025);
    gosim_collect(g);
    /* Two descriptors remain for ever, with their slice of two, and the empty slice of timers. */
    assert_int_equal(stats_of(g).heap_alloc - base, 2 * 448 + 16 + 128);
    gosim_close(g);
}

static void test_ticker(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct firing firing = {.g = g};
    struct gosim_timer *ticker = gosim_ticker(g, 100, fired, closure(g, &firing));
    gosim_collect(g);
    gosim_advance(g, 1050);
    assert_int_equal(firing.count, 10);
    for (size_t i = 0; i < 10; i++) assert_int_equal(firing.at[i], (i + 1) * 100);
    assert_true(gosim_stop_timer(g, ticker));
    gosim_advance(g, 1000);
    assert_int_equal(firing.count, 10);
    assert_null(gosim_ticker(g, 0, fired, NULL));
    gosim_close(g);
}

/* Many timers in random order fire in order. */
static void test_timer_order(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    struct firing firing = {.g = g};
    uint64_t rng = 3, expected = 0;
    for (int i = 0; i < 5000; i++) {
        struct gosim_timer *timer =
            gosim_after_func(g, 1 + rng_below(&rng, 1000000), fired, closure(g, &firing));
        if (i % 3 == 0)
            assert_true(gosim_stop_timer(g, timer));
        else
            expected++;
        if (i % 1000 == 999) gosim_collect(g);
    }
    uint64_t last = 0;
    while (firing.count < expected) {
        size_t before = firing.count;
        gosim_advance(g, 1);
        if (firing.count == before) continue;
        assert_true(gosim_now(g) > last);
        last = gosim_now(g);
    }
    assert_true(last <= 1000000);
    gosim_close(g);
}

/* The recorded afterfunc curve: map aside, 20,000 timers that nothing stops, checkpoints of two collections.
 */
static void test_afterfunc_curve(void **state) {
    (void)state;
    static const uint64_t expected[] = {40960, 81920, 122880, 163840, 221184, 278528, 319488, 360448};
    struct gosim *g = open_heap(false);
    struct firing firing = {.g = g};
    for (size_t i = 0; i < 20000; i++) {
        gosim_after_func(g, 3600000000000, fired, closure(g, &firing));
        if ((i + 1) % 2500) continue;
        gosim_collect(g);
        gosim_collect(g);
        assert_int_equal(stats_of(g).heap_alloc - (i + 1) * (112 + 24), expected[i / 2500]);
    }
    gosim_close(g);
}

/* The fixed variant of it: each of 16 keys' timers is stopped before the next is set. */
static void test_stopped_timers_leave(void **state) {
    (void)state;
    enum { KEYS = 16, EACH = 136 };
    struct gosim *g = open_heap(true);
    struct firing firing = {.g = g};
    struct gosim_timer *timer[KEYS] = {0};
    for (size_t i = 0; i < 20000; i++) {
        if (timer[i % KEYS]) assert_true(gosim_stop_timer(g, timer[i % KEYS]));
        timer[i % KEYS] = gosim_after_func(g, 3600000000000, fired, closure(g, &firing));
    }
    gosim_collect(g);
    assert_in_range(stats_of(g).heap_alloc, KEYS * EACH + 256, (KEYS + 1) * EACH + 512);
    /* Stopped in the middle they stay until the scheduler looks. */
    for (size_t i = 1; i < KEYS - 1; i++) gosim_stop_timer(g, timer[(20000 + i) % KEYS]);
    gosim_collect(g);
    assert_in_range(stats_of(g).heap_alloc, KEYS * EACH, KEYS * EACH + 1024);
    gosim_advance(g, 1);
    gosim_collect(g);
    assert_in_range(stats_of(g).heap_alloc, 2 * EACH, 2 * EACH + 1024);
    gosim_advance(g, 3600000000000);
    assert_int_equal(firing.count, 2);
    gosim_close(g);
}

static void check_goroutines(int release, uint64_t least, uint64_t most) {
    enum { MANY = 5000 };
    struct gosim *g = open_heap_of(release, false);
    static struct gosim_goroutine *goroutine[MANY];
    for (size_t i = 0; i < MANY; i++) {
        goroutine[i] = gosim_go(g, "consumer", 2048);
        assert_non_null(goroutine[i]);
        struct gosim_channel *channel = gosim_make_channel(g, &string_type, 1);
        *gosim_local(goroutine[i], "ch") = channel;
        assert_true(gosim_receive(g, goroutine[i], channel));
    }
    gosim_collect(g);
    struct gosim_stats stats = stats_of(g);
    /* Recorded: 20,001 objects, 10,256,384 of stacks, 5001 goroutines. */
    assert_in_range(stats.heap_alloc, least - 10000, most);
    assert_int_equal(stats.heap_objects, 20001);
    assert_int_equal(stats.stack_inuse, 10256384);
    assert_int_equal(stats.goroutines, MANY + 1);
    for (size_t i = 0; i < MANY; i++) gosim_exit(g, goroutine[i]);
    gosim_collect(g);
    stats = stats_of(g);
    assert_int_equal(stats.heap_objects, MANY + 1); /* descriptors for ever */
    assert_int_equal(stats.stack_inuse, 0);
    for (size_t i = 0; i < MANY; i++) gosim_go(g, "again", 2048);
    assert_int_equal(objects(g), MANY + 1);
    gosim_close(g);
}

/* The recorded bytes of the curve goroutine_chan: 48 more for each since 1.26. */
static void test_goroutines(void **state) {
    (void)state;
    check_goroutines(124, 3409488, 3419488);
    check_goroutines(125, 3409472, 3419872);
    check_goroutines(127, 3649360, 3654568);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_ticker),
        cmocka_unit_test(test_timer_order),
        cmocka_unit_test(test_afterfunc_curve),
        cmocka_unit_test(test_stopped_timers_leave),
        cmocka_unit_test(test_goroutines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
