/* The measuring part of the pair worker, on units of this program: every workload, what is reported, what is
 * refused. Units from files are tested in test_pair.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "harness/pair/pair.h"
#include "harness/pair/shake.h"
#include "harness/plan/registry.h"
#include "tests/support/ready_unit.h"

enum { ROUNDS = 3, BATCHES = 4 };

static struct pair_plan plan_of(const struct map_unit *base, const struct map_unit *new, const char *workload,
                                size_t n) {
    return (struct pair_plan){.object = {{.unit = base, .file = "base.so", .name = "b-b-b-b"},
                                         {.unit = new, .file = "new.so", .name = "n-n-n-n"}},
                              .workload = workload_find(workload),
                              .keys = "uniform",
                              .n = n,
                              .seed = 3,
                              .ns_per_tick = 0.5, /* times are not judged here */
                              .rounds = ROUNDS,
                              .placement = {PAIR_FREE, PAIR_SHAKE, PAIR_REBUILD},
                              .batches = BATCHES,
                              .batch_us = 50};
}

static json_t *measured(const struct pair_plan *plan) {
    struct why why = {""};
    enum exit_code code;
    json_t *out = pair_measure(plan, &code, &why);
    if (!out) fail_msg("%s: %s", plan->workload->name, why.text);
    assert_int_equal(code, EXIT_OK);
    return out;
}

static const struct map_unit *unit(const char *map, const char *shape, const char *heap) {
    const struct map_unit *found = ready_unit(map, shape, "common", heap);
    if (!found) fail_msg("no unit %s %s", map, shape);
    return found;
}

/* Every round has its batches, all of them took time, and the loop that ran is named. */
static void check_rounds(json_t *out, const char *workload) {
    static const char *const placements[] = {"free", "shake", "rebuild"};
    json_t *rounds = json_object_get(out, "rounds");
    assert_int_equal(json_array_size(rounds), ROUNDS);
    for (size_t r = 0; r < ROUNDS; r++) {
        json_t *round = json_array_get(rounds, r), *times = json_object_get(round, "ns_per_op"), *time;
        size_t i;
        assert_string_equal(json_string_value(json_object_get(round, "placement")), placements[r]);
        /* Fewer where a pass takes long on a slow machine. */
        assert_in_range(json_array_size(times), 6, 2 * BATCHES);
        assert_int_equal(json_array_size(times) % 2, 0);
        assert_int_equal(json_array_size(json_object_get(round, "preempted")), json_array_size(times));
        json_array_foreach(times, i, time) if (!(json_real_value(time) > 0))
            fail_msg("%s: no time", workload);
    }
    assert_int_equal(json_object_size(json_object_get(json_object_get(out, "base"), "hot")), 2);
    assert_true(json_integer_value(json_object_get(out, "cpu_ns")) > 0);
}

/* With one map in both places, and with two that differ in everything. */
static void test_every_workload(void **state) {
    static const char *const shapes[] = {"u64_u64", "str_u64"};
    (void)state;
    for (size_t s = 0; s < 2; s++)
        for (size_t w = 0; w < workload_count(); w++) {
            const char *workload = workload_at(w)->name;
            struct pair_plan plan =
                plan_of(unit("linear", shapes[s], "malloc"),
                        unit(w % 2 ? "chained" : "linear", shapes[s], "malloc"), workload, 700);
            plan.extra_percent = w % 3 ? 0 : 7;
            json_t *out = measured(&plan);
            check_rounds(out, workload);
            uint64_t ops = (uint64_t)json_integer_value(json_object_get(out, "batch_ops"));
            if (workload_uses_up(plan.workload)) assert_int_equal(ops % plan.n, 0);
            json_decref(out);
        }
}

/* Heaps of the unit's own, shared by the two variants here. */
static void test_heaps(void **state) {
    static const char *const heaps[] = {"arena", "refcount", "boehm", "gosim"};
    (void)state;
    for (size_t h = 0; h < 4; h++) {
        const struct map_unit *on = unit("linear", "u64_u64", heaps[h]);
        if (on->unavailable) continue;
        for (size_t w = 0; w < 2; w++) {
            struct pair_plan plan = plan_of(on, on, w ? "put_grow" : "get", 700);
            json_decref(measured(&plan));
        }
    }
}

/* The text of strings is kept for two generations of keys: variants that use keys up must not share a stream.
 */
static void test_real_keys(void **state) {
    static const char *const workloads[] = {"put_grow", "churn", "del", "get", "copy", "clear"};
    (void)state;
    for (size_t w = 0; w < 6; w++) {
        const struct map_unit *on = unit("chained", "str_u64", "malloc");
        struct pair_plan plan = plan_of(on, on, workloads[w], 40);
        plan.rounds = 1, plan.batches = 30, plan.placement[0] = PAIR_REBUILD;
        json_decref(measured(&plan));
    }
}

static const struct map_unit *sound;
static unsigned calls_until_wrong;

static uint64_t sometimes_wrong_get(void *map, const struct run_args *args) {
    return sound->run.get(map, args) + (calls_until_wrong > 0 && --calls_until_wrong == 0);
}

/* Also in the middle of the batches, and as the new variant alone. */
static void test_wrong_result(void **state) {
    (void)state;
    sound = unit("linear", "u64_u64", "malloc");
    struct map_unit broken = *sound;
    broken.run.get = sometimes_wrong_get;
    for (unsigned calls = 1; calls <= 16; calls += 5) {
        struct pair_plan plan = plan_of(sound, &broken, "get", 700);
        struct why why = {""};
        enum exit_code code = EXIT_OK;
        calls_until_wrong = calls;
        assert_null(pair_measure(&plan, &code, &why));
        assert_int_equal(code, EXIT_CHECK_FAILED);
        assert_non_null(strstr(
            why.text, "new, unit n-n-n-n in new.so, get, n=700: wrong result: the sum over looked-up"));
    }
}

static void test_refused(void **state) {
    static const struct {
        const char *workload, *keys, *why;
        size_t n;
        enum exit_code code;
    } cases[] = {{"get", "unifrom", "unknown keys 'unifrom'", 700, EXIT_USAGE},
                 {"put", "zipf", "would measure the same as uniform", 700, EXIT_USAGE},
                 {"get", "file:/nonexistent/keys", "/nonexistent/keys", 700, EXIT_USAGE}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct map_unit *on = unit("linear", "str_u64", "malloc");
        struct pair_plan plan = plan_of(on, on, cases[i].workload, cases[i].n);
        struct why why = {""};
        enum exit_code code = EXIT_OK;
        plan.keys = cases[i].keys;
        assert_null(pair_measure(&plan, &code, &why));
        assert_int_equal(code, cases[i].code);
        if (!strstr(why.text, cases[i].why)) fail_msg("%s: %s", cases[i].keys, why.text);
    }
}

/* One seed gives one plan: who begins, in every round. Over seeds both do, and rounds begin independently. */
static void test_seeds(void **state) {
    enum { SEEDS = 16 };
    const struct map_unit *on = unit("linear", "u64_u64", "malloc");
    char begins[SEEDS * ROUNDS + 1] = "";
    size_t base_begins = 0, changes = 0;
    (void)state;
    for (uint64_t run = 0; run <= SEEDS; run++) { /* the last one repeats the first */
        struct pair_plan plan = plan_of(on, on, "get", 64);
        plan.batches = 1, plan.batch_us = 5, plan.seed = 1 + run % SEEDS;
        json_t *out = measured(&plan), *round;
        size_t r;
        json_array_foreach(json_object_get(out, "rounds"), r, round) {
            char first = json_string_value(json_object_get(round, "starts"))[0];
            if (run == SEEDS)
                assert_int_equal(first, begins[r]);
            else
                begins[run * ROUNDS + r] = first;
        }
        json_decref(out);
    }
    for (size_t i = 0; i < SEEDS * ROUNDS; i++) {
        base_begins += begins[i] == 'b';
        changes += i % ROUNDS > 0 && begins[i] != begins[i - 1];
    }
    assert_in_range(base_begins, SEEDS, 2 * SEEDS);     /* of 3 * SEEDS */
    assert_in_range(changes, SEEDS / 2, 3 * SEEDS / 2); /* of 2 * SEEDS */
}

static void test_shake(void **state) {
    uint64_t rng = 5;
    (void)state;
    for (size_t i = 0; i < 20; i++) {
        struct pair_shake shake = {0};
        size_t bytes = 0;
        assert_true(pair_shake_begin(&shake, &rng));
        for (size_t p = 0; p < PAIR_SHAKE_PAGES_MAX; p++) bytes += shake.pages[p].bytes;
        assert_in_range(bytes, 4096, PAIR_SHAKE_PAGES_MAX << 20);
        assert_non_null(shake.block[0]);
        pair_shake_end(&shake);
        assert_null(shake.block[0]);
        pair_shake_end(&shake); /* nothing is left to give back */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_workload), cmocka_unit_test(test_heaps),
        cmocka_unit_test(test_real_keys),      cmocka_unit_test(test_wrong_result),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_shake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
