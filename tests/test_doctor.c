/* Doctor: findings about machines that are not this one, statistics of noise against known series. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/doctor/findings.h"
#include "harness/doctor/noise.h"
#include "harness/base/rng.h"

enum { MANY = 4000 };

/* Normal deviates by Box and Muller. */
static double normal(uint64_t *rng) {
    double u = rng_unit(rng), v = rng_unit(rng);
    return sqrt(-2 * log(u + 1e-300)) * cos(2 * M_PI * v);
}

static void test_noise_of_nothing(void **state) {
    (void)state;
    double ns[MANY];
    bool preempted[MANY] = {false};
    struct noise n;
    for (size_t i = 0; i < MANY; i++) ns[i] = 3;
    noise_judge(ns, preempted, MANY, &n);
    assert_int_equal(n.batches, MANY);
    assert_int_equal(n.used, MANY - 2);
    assert_true(n.sd_percent == 0 && n.aa_percent == 0 && n.floor_percent == 0);
    /* A steady drift, as of a clock that warms up, is taken out by the neighbours. */
    for (size_t i = 0; i < MANY; i++) ns[i] = 3 + 0.001 * (double)i;
    noise_judge(ns, preempted, MANY, &n);
    assert_true(n.sd_percent < 1e-9 && fabs(n.aa_percent) < 1e-9);
}

/* Odd batches 2 % slower: what the null must show when A and B are not the same. */
static void test_noise_sees_difference(void **state) {
    (void)state;
    double ns[101];
    bool preempted[101] = {false};
    struct noise n;
    for (size_t i = 0; i < 101; i++) ns[i] = i % 2 ? 1.02 : 1;
    noise_judge(ns, preempted, 101, &n);
    assert_true(fabs(n.aa_percent - 2) < 1e-9);
    assert_int_equal(n.rounds, 99 / NOISE_ROUND);
    assert_true(isnan(n.floor_percent)); /* four rounds are too few */
}

static void test_noise_spread_and_floor(void **state) {
    (void)state;
    double ns[MANY];
    bool preempted[MANY] = {false};
    uint64_t rng = 5;
    struct noise n;
    for (size_t i = 0; i < MANY; i++) ns[i] = 2 * exp(0.01 * normal(&rng));
    noise_judge(ns, preempted, MANY, &n);
    /* Of independent batches with sd s: s * sqrt(1 + 1/2) against the mean of two neighbours. */
    assert_true(fabs(n.sd_percent / (1.0 * sqrt(1.5)) - 1) < 0.05);
    assert_true(fabs(n.aa_percent) < 0.2);
    /* A median of 20 such ratios spreads by 1.25 s' / sqrt(20) if they were independent; neighbours share
     * batches. */
    double independent = 2.5758 * 1.2533 * 1.2247 / sqrt(NOISE_ROUND);
    assert_true(n.floor_percent > 0.7 * independent && n.floor_percent < 1.6 * independent);
    /* Twice the noise, twice the floor. */
    double floor = n.floor_percent;
    rng = 5;
    for (size_t i = 0; i < MANY; i++) ns[i] = 2 * exp(0.02 * normal(&rng));
    noise_judge(ns, preempted, MANY, &n);
    assert_true(fabs(n.floor_percent / floor - 2) < 0.1);
}

/* What was preempted does not count, nor do its neighbours. */
static void test_noise_preempted(void **state) {
    (void)state;
    double ns[300];
    bool preempted[300] = {false};
    struct noise n;
    for (size_t i = 0; i < 300; i++) {
        ns[i] = i % 10 == 5 ? 40 : 1;
        preempted[i] = i % 10 == 5;
    }
    noise_judge(ns, preempted, 300, &n);
    assert_true(n.sd_percent == 0 && fabs(n.preempted_share - 0.1) < 1e-12);
    assert_int_equal(n.used, 298 - 3 * 30);
    for (size_t i = 0; i < 300; i++) preempted[i] = true;
    noise_judge(ns, preempted, 300, &n);
    assert_true(n.used == 0 && isnan(n.sd_percent) && isnan(n.floor_percent));
    json_t *object = noise_json(&n);
    assert_true(json_is_null(json_object_get(object, "floor_percent")));
    json_decref(object);
}

static void test_noise_measures(void **state) {
    (void)state;
    struct why why;
    struct noise n;
    if (!noise_measure(0.2, NULL, &n, &why)) fail_msg("%s", why.text);
    assert_true(n.batches >= 3 && n.seconds >= 0.2 && n.cpu_per_wall > 0 && n.cpu_per_wall < 1.1);
    assert_true(n.ns_per_op > 0 && n.batch_us > 100);
    volatile sig_atomic_t stop = 1;
    assert_false(noise_measure(60, &stop, &n, &why));
    assert_non_null(strstr(why.text, "interrupted"));
}

/* --- findings --- */

static const json_t *finding(const json_t *findings, const char *name) {
    json_t *found;
    size_t i;
    json_array_foreach(findings, i, found) {
        if (strcmp(json_string_value(json_object_get(found, "name")), name) == 0) return found;
    }
    fail_msg("no finding %s", name);
    return NULL;
}

static void expect(const json_t *findings, const char *name, const char *state, const char *in_fact,
                   const char *in_advice) {
    const json_t *found = finding(findings, name);
    const char *advice = json_string_value(json_object_get(found, "advice"));
    assert_string_equal(json_string_value(json_object_get(found, "state")), state);
    if (!strstr(json_string_value(json_object_get(found, "fact")), in_fact))
        fail_msg("%s: '%s' is not in: %s", name, in_fact, json_string_value(json_object_get(found, "fact")));
    assert_true(json_string_length(json_object_get(found, "meaning")) > 0);
    if (!in_advice)
        assert_null(advice);
    else if (!advice || !strstr(advice, in_advice))
        fail_msg("%s: '%s' is not advised: %s", name, in_advice, advice);
}

static void test_events(void **state) {
    (void)state;
    json_t *probe =
        json_pack("{s:n, s:s, s:s, s:s}", "task_clock_ns", "cycles", "ENOENT: this machine has no such event",
                  "context_switches", "EACCES: /proc/sys/kernel/perf_event_paranoid is 3", "branches",
                  "the event can be opened but counts nothing");
    json_t *findings = json_array();
    findings_of_events(findings, probe, 3);
    expect(findings, "task_clock_ns", "ok", "counts", NULL);
    expect(findings, "cycles", "no", "absent: ENOENT", "PMU");
    expect(findings, "context_switches", "no", "refused: EACCES", "sysctl -w kernel.perf_event_paranoid=1");
    expect(findings, "branches", "no", "counts nothing", NULL);
    expect(findings, "perf_event_paranoid", "warn", "3", "sysctl");
    json_array_clear(findings);
    findings_of_events(findings, probe,
                       -2); /* a container that hides /proc/sys and filters the system call */
    assert_int_equal(json_array_size(findings), 4);
    expect(findings, "context_switches", "no", "refused", "--cap-add PERFMON");
    json_object_del(probe, "context_switches");
    json_array_clear(findings);
    findings_of_events(findings, probe, -1);
    expect(findings, "perf_event_paranoid", "ok", "-1", NULL);
    json_decref(findings), json_decref(probe);
}

/* The names of findings that are not ok, as a string. */
static void not_ok(const json_t *findings, char *names, size_t size) {
    json_t *found;
    size_t i, used = 0;
    names[0] = '\0';
    json_array_foreach(findings, i, found) {
        if (strcmp(json_string_value(json_object_get(found, "state")), "ok") == 0) continue;
        used += (size_t)snprintf(names + used, size - used, "%s,",
                                 json_string_value(json_object_get(found, "name")));
        /* What is wrong and can be changed comes with how. */
        assert_true(json_is_string(json_object_get(found, "advice")) ||
                    strcmp(json_string_value(json_object_get(found, "state")), "no") == 0);
    }
}

static void test_machines(void **state) {
    (void)state;
    static const struct {
        const char *machine, *expected;
    } cases[] = {
        {"{\"cpu\": \"X\", \"cpus\": 8, \"cpus_usable\": 8, \"threads_per_core\": 1, \"virtual\": null, "
         "\"thp\": "
         "\"madvise\", \"governor\": \"performance\", \"boost\": false, \"aslr\": 2, \"cpu_quota\": null}",
         ""},
        {"{\"cpu\": \"X\", \"cpus\": 8, \"cpus_usable\": 2, \"threads_per_core\": 2, \"virtual\": \"Xen\", "
         "\"thp\": "
         "\"always\", \"governor\": \"powersave\", \"boost\": true, \"aslr\": 0, \"cpu_quota\": 1.5}",
         "governor,boost,SMT,virtual machine,CPU quota,huge pages,ASLR,"},
        {"{}", "huge pages,"}, /* where next to nothing can be read, nothing is made up */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *machine = json_loads(cases[i].machine, 0, NULL), *findings = json_array();
        char names[256];
        findings_of_machine(findings, machine);
        not_ok(findings, names, sizeof names);
        assert_string_equal(names, cases[i].expected);
        json_decref(machine), json_decref(findings);
    }
}

static void test_clocks(void **state) {
    (void)state;
    struct clock_facts clocks = {0.5, 25, 10, 400, 1, 25, 1};
    json_t *machine = json_pack("{s:s, s:s}", "clocksource", "tsc", "tsc", "constant_tsc nonstop_tsc");
    json_t *findings = json_array();
    char names[256];
    findings_of_clocks(findings, &clocks, machine);
    not_ok(findings, names, sizeof names);
    assert_string_equal(names, "");
    expect(findings, "TSC", "ok", "2 GHz", NULL);
    expect(findings, "thread CPU", "ok", "400 ns", NULL);
    json_array_clear(findings);
    clocks.wall_cost_ns = 900;
    json_object_set_new(machine, "clocksource", json_string("hpet"));
    json_object_set_new(machine, "tsc", json_string("nonstop_tsc"));
    findings_of_clocks(findings, &clocks, machine);
    expect(findings, "clocksource", "warn", "hpet", "current_clocksource");
    expect(findings, "TSC", "warn", "nonstop_tsc", "thread_cpu");
    json_decref(findings), json_decref(machine);
}

static void test_conditions(void **state) {
    (void)state;
    json_t *findings = json_array();
    json_t *busy =
        json_loads("{\"loadavg_1m\": 3.5, \"pressure_cpu_avg10\": 60.0, \"memory_available_bytes\": 1000000, "
                   "\"throttled_us\": 2500000}",
                   0, NULL);
    char names[256];
    findings_of_conditions(findings, busy);
    not_ok(findings, names, sizeof names);
    assert_string_equal(names, "CPU pressure,memory available,throttled,");
    expect(findings, "throttled", "warn", "2.5 s", "quota");
    json_array_clear(findings);
    json_object_set_new(busy, "pressure_cpu_avg10", json_null());
    findings_of_conditions(findings, busy);
    expect(findings, "CPU pressure", "ok", "does not say", NULL);
    json_decref(findings), json_decref(busy);
}

static void test_noise_findings(void **state) {
    (void)state;
    struct noise quiet = {.seconds = 10,
                          .batches = 9900,
                          .used = 9700,
                          .batch_us = 1000,
                          .sd_percent = 0.7,
                          .preempted_share = 0.005,
                          .cpu_per_wall = 0.99,
                          .floor_percent = 0.3,
                          .rounds = 485};
    json_t *findings = json_array();
    char names[256];
    findings_of_noise(findings, &quiet, NULL);
    not_ok(findings, names, sizeof names);
    assert_string_equal(names, "");
    assert_int_equal(findings_exit(findings), 0);
    json_array_clear(findings);
    struct noise busy = {.seconds = 10,
                         .batches = 4000,
                         .used = 50,
                         .batch_us = 1000,
                         .sd_percent = 9,
                         .preempted_share = 0.4,
                         .cpu_per_wall = 0.5,
                         .floor_percent = NAN,
                         .rounds = 2,
                         .steal_ticks = 300};
    findings_of_noise(findings, &busy, NULL);
    not_ok(findings, names, sizeof names);
    assert_string_equal(names, "A/A spread,floor,preempted,CPU per wall time,steal,");
    expect(findings, "floor", "no", "too few batches to say", "compare");
    assert_int_equal(findings_exit(findings), 0); /* it is measured, and said not to be good */
    json_array_clear(findings);
    findings_of_noise(findings, NULL, "the thread's CPU clock does not advance");
    expect(findings, "time recorder", "no", "does not advance", NULL);
    assert_int_equal(findings_exit(findings), 4);
    json_decref(findings);
}

/* No number that there is not: every batch was preempted, clocks stand still, the kernel says nothing. */
static void test_no_nan(void **state) {
    (void)state;
    double ns[30];
    bool preempted[30];
    struct noise n = {.seconds = 1, .steal_ticks = -1};
    struct clock_facts clocks = {0};
    char printed[16384] = "";
    json_t *findings = json_array(), *nothing = json_object(),
           *machine = json_pack("{s:s}", "tsc", "constant_tsc");
    for (size_t i = 0; i < 30; i++) ns[i] = 1, preempted[i] = true;
    noise_judge(ns, preempted, 30, &n);
    findings_of_noise(findings, &n, NULL);
    findings_of_clocks(findings, &clocks, machine);
    findings_of_machine(findings, nothing);
    findings_of_conditions(findings, nothing);
    expect(findings, "A/A spread", "no", "too few batches to say, 0 of 30 ran undisturbed", "stop");
    expect(findings, "floor", "no", "too few batches to say", "compare");
    expect(findings, "memory available", "ok", "does not say", NULL);
    expect(findings, "throttled", "ok", "unknown", NULL);
    expect(findings, "caches", "ok", "unknown", NULL);
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    findings_print(findings, out);
    fclose(out);
    static const char *const numbers[] = {" nan", " -nan", " inf", " -inf", "+nan", "+inf"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strstr(printed, numbers[i])) fail_msg("%s is printed:\n%s", numbers[i], printed);
    json_decref(findings), json_decref(nothing), json_decref(machine);
}

static void test_quota_and_caches(void **state) {
    (void)state;
    json_t *findings = json_array();
    json_t *machine =
        json_loads("{\"cpu_quota\": 0.2, \"cpu_quota_group\": \"/limited\", \"caches\": [{\"level\": 1, "
                   "\"type\": \"Data\", \"bytes\": 32768}, {\"level\": 1, \"type\": \"Instruction\", "
                   "\"bytes\": 65536}], \"caches_doubted\": \"level 3 is said to have 508.0 MiB\"}",
                   0, NULL);
    findings_of_machine(findings, machine);
    expect(findings, "CPU quota", "warn", "0.20 processors, by the control group /limited", "lift it");
    expect(findings, "caches", "ok", "level 1 32.0 KiB; not believed: level 3 is said", NULL);
    json_array_clear(findings);
    json_object_set_new(machine, "cpu_quota", json_null());
    json_object_set_new(machine, "cpu_quota_why", json_string("/proc is not mounted"));
    findings_of_machine(findings, machine);
    expect(findings, "CPU quota", "warn", "unknown: /proc is not mounted", "mount");
    json_array_clear(findings);
    json_t *now = json_pack("{s:I, s:s}", "memory_available_bytes", (json_int_t)104857600, "memory_bound",
                            "the control group /m has 120.0 MiB in memory.max");
    findings_of_conditions(findings, now);
    expect(findings, "memory available", "warn", "100.0 MiB: the control group /m", "raise the limit");
    json_decref(findings), json_decref(machine), json_decref(now);
}

static void test_print(void **state) {
    (void)state;
    char printed[1024] = "";
    json_t *findings = json_array();
    finding_add(findings, "first", "a", FINDING_OK, "meaning 1", NULL, "%d %%", 5);
    finding_add(findings, "first", "longer", FINDING_NO, "meaning 2", "do this", "gone");
    finding_add(findings, "first", "b", FINDING_NO, "meaning 2", "do this", "gone too");
    finding_add(findings, "second", "c", FINDING_NO, "meaning 2", "do this", "gone");
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    findings_print(findings, out);
    fclose(out);
    assert_string_equal(printed, "first\n"
                                 "  ok    a       5 %\n"
                                 "  no    longer  gone: meaning 2 -> do this\n"
                                 "  no    b       gone too\n"
                                 "\nsecond\n"
                                 "  no    c       gone: meaning 2 -> do this\n");
    json_decref(findings);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_of_nothing),
        cmocka_unit_test(test_noise_sees_difference),
        cmocka_unit_test(test_noise_spread_and_floor),
        cmocka_unit_test(test_noise_preempted),
        cmocka_unit_test(test_noise_measures),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_noise_findings),
        cmocka_unit_test(test_no_nan),
        cmocka_unit_test(test_quota_and_caches),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
