/* The schedule of an open loop, on a clock of the test's own: a queue with fixed arrivals and fixed service
 * (D/D/1) has known latencies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "harness/unit/recorder.h"
#include "harness/unit/schedule.h"

static uint64_t now_ticks; /* of the test's clock, which moves one tick at a reading */

static uint64_t test_clock(void) {
    return now_ticks++;
}

/* Lets `ops` operations arrive, each served in `service` ticks but number `stalled` in `stall`; fills
 * latency. */
static void serve(struct schedule *s, size_t ops, uint64_t service, size_t stalled, uint64_t stall,
                  uint64_t *latency) {
    for (size_t i = 0; i < ops; i++) {
        uint64_t arrival = schedule_await(s, test_clock);
        now_ticks += (i == stalled ? stall : service) - 1; /* the reading was the first of them */
        latency[i] = now_ticks - arrival;
    }
}

/* A stall of S behind arrivals T apart, served in D < T: k operations later the latency is still S - k (T -
 * D), until the queue is empty; then D again. */
static void test_one_stall(void **state) {
    enum { OPS = 1000, INTERVAL = 100, SERVICE = 40, STALLED = 200, STALL = 12345 };
    uint64_t latency[OPS], start = now_ticks = 77777;
    (void)state;
    struct schedule s = schedule_make(INTERVAL);
    schedule_resume(&s, now_ticks);
    serve(&s, OPS, SERVICE, STALLED, STALL, latency);
    schedule_pause(&s, now_ticks);
    uint64_t late = 0;
    for (size_t i = 0; i < OPS; i++) {
        uint64_t wanted = SERVICE;
        if (i == STALLED) wanted = STALL;
        if (i > STALLED) {
            int64_t queued = (int64_t)STALL - (int64_t)(i - STALLED) * (INTERVAL - SERVICE);
            if (queued > SERVICE) wanted = (uint64_t)queued, late++;
        }
        assert_in_range(latency[i], wanted, wanted);
    }
    assert_int_equal(s.late, late);
    assert_int_equal(s.elapsed_ticks, (uint64_t)OPS * INTERVAL + SERVICE);
    assert_int_equal(now_ticks - start, s.elapsed_ticks);
    /* It waited whenever it did not serve. A reading that finds the operation late is service here. */
    assert_int_equal(s.elapsed_ticks - s.idle_ticks, (uint64_t)(OPS - 1) * SERVICE + STALL);
}

/* More arrives than can be served: each operation waits longer than the last by what is missing. */
static void test_overload(void **state) {
    enum { OPS = 500, INTERVAL = 30, SERVICE = 50 };
    uint64_t latency[OPS];
    (void)state;
    now_ticks = 1;
    struct schedule s = schedule_make(INTERVAL);
    schedule_resume(&s, now_ticks);
    serve(&s, OPS, SERVICE, OPS, 0, latency);
    for (size_t i = 0; i < OPS; i++) assert_int_equal(latency[i], SERVICE + i * (SERVICE - INTERVAL));
    assert_int_equal(s.late, OPS - 1);
}

/* A pause shifts the arrivals: what happens after it is what would have happened without it. */
static void test_pause(void **state) {
    enum { OPS = 400, INTERVAL = 100, SERVICE = 60, STALLED = 30, STALL = 5000 };
    uint64_t whole[OPS], parts[OPS];
    (void)state;
    for (int pauses = 0; pauses < 2; pauses++) {
        uint64_t *latency = pauses ? parts : whole;
        now_ticks = 1000;
        struct schedule s = schedule_make(INTERVAL);
        for (size_t i = 0; i < OPS; i += 40) {
            if (pauses || i == 0) schedule_resume(&s, now_ticks);
            serve(&s, 40, SERVICE, i == 0 ? STALLED : OPS, STALL, latency + i);
            if (!pauses) continue;
            schedule_pause(&s, now_ticks);
            now_ticks += 123456;
        }
        if (pauses) assert_int_equal(s.elapsed_ticks, (uint64_t)OPS * INTERVAL + SERVICE);
    }
    for (size_t i = 0; i < OPS; i++) assert_int_equal(parts[i], whole[i]);
    assert_int_equal(whole[31], STALL - 40); /* the pause after operation 39 came with a queue */
}

/* Fractions of a tick add up: a million arrivals 2.1 ticks apart end where they must, to a tick. */
static void test_fractions(void **state) {
    enum { ARRIVALS = 1000000 };
    (void)state;
    struct schedule s = schedule_make(2.1);
    schedule_resume(&s, 5);
    for (size_t i = 1; i < ARRIVALS; i++) schedule_advance(&s);
    assert_in_range(s.arrival_ticks, 5 + 2099999, 5 + 2100000);
}

/* The slots keep the slowest of each stretch, and what comes after the last counts for the last. */
static void test_slots(void **state) {
    struct recorder *r = calloc(1, sizeof *r);
    (void)state;
    recorder_reset(r, 0);
    r->slot_ops = 3;
    for (uint64_t op = 0; op < 3 * RECORDER_SLOTS; op++) recorder_add(r, op == 4 ? 1000 : op % 3, 0);
    assert_int_equal(r->slot_max[0], 2);
    assert_int_equal(r->slot_max[1], 1000);
    assert_int_equal(r->slot_max[2], 2);
    recorder_add(r, 77, 0);
    assert_int_equal(r->slot, RECORDER_SLOTS - 1);
    assert_int_equal(r->slot_max[RECORDER_SLOTS - 1], 77);
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_stall), cmocka_unit_test(test_overload), cmocka_unit_test(test_pause),
        cmocka_unit_test(test_fractions), cmocka_unit_test(test_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
