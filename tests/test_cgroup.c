/* Control groups of machines that are not this one: versions 1 and 2, hybrid, in a container, hidden; what
 * they and ulimit leave of the memory; what plan and run say of it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <sys/resource.h>

#include "harness/machine/cgroup.h"
#include "harness/machine/conditions.h"
#include "harness/plan/job.h"
#include "harness/machine/machine.h"
#include "harness/measure/time.c"
#include "harness/machine/memory_left.h"
#include "harness/plan/options.h"
#include "harness/pair/pair.h"
#include "harness/plan/registry.h"
#include "harness/measure/row.h"
#include "harness/run/run.h"
#include "tests/support/kernel_files.h"
#include "tests/support/ready_unit.h"

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define PROC_MOUNT "22 1 0:21 / /proc rw - proc proc rw\n"

/* The quota by the files; -1: unknown, and `said` has the reason, else the group. */
static double quota(char *said, size_t size) {
    struct cgroup group;
    char by[256];
    struct why why;
    double quota;
    cgroup_find("cpu", &group);
    bool known = cgroup_cpu_quota(&group, &quota, by, sizeof by, &why);
    snprintf(said, size, "%s", known ? by : why.text);
    return known ? quota : -1;
}

static void expect_quota(double expected, const char *said) {
    char text[320];
    double found = quota(text, sizeof text);
    if (fabs(found - expected) > 1e-9 || !strstr(text, said)) fail_msg("quota %g, %s", found, text);
    json_t *machine = machine_describe();
    assert_int_equal(json_is_number(json_object_get(machine, "cpu_quota")), expected > 0);
    assert_int_equal(json_is_string(json_object_get(machine, "cpu_quota_why")), expected < 0);
    json_decref(machine);
}

static void expect_throttled(uint64_t times, uint64_t us) {
    json_t *now = conditions_now();
    assert_int_equal(json_integer_value(json_object_get(now, "throttled_times")), times);
    assert_int_equal(json_integer_value(json_object_get(now, "throttled_us")), us);
    json_decref(now);
}

static void v2_groups(void) {
    kernel_file("/proc/self/mountinfo", PROC_MOUNT V2_MOUNT);
    kernel_file("/proc/self/cgroup", "0::/a.slice/b.scope\n");
    kernel_file("/sys/fs/cgroup/cgroup.procs", "1\n");
    kernel_file("/sys/fs/cgroup/cpu.stat", "usage_usec 5\n");
    kernel_file("/sys/fs/cgroup/a.slice/cgroup.procs", "");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/cgroup.procs", "7\n");
}

static void test_quota_v2(void **state) {
    (void)state;
    v2_groups();
    expect_quota(0, "");
    expect_throttled(0, 0);
    kernel_file("/sys/fs/cgroup/a.slice/cpu.max", "20000 100000\n");
    kernel_file("/sys/fs/cgroup/a.slice/cpu.stat",
                "usage_usec 9\nnr_periods 134\nnr_throttled 130\nthrottled_usec 7000\n");
    expect_quota(0.2, "/a.slice"); /* the controller does not reach the own group: the one above limits it */
    expect_throttled(130, 7000);
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/cpu.stat", "nr_throttled 2\nthrottled_usec 11\n");
    expect_quota(0.2, "/a.slice");
    expect_throttled(132, 7011);
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "5000 50000\n");
    expect_quota(0.1, "/a.slice/b.scope");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "gibberish\n");
    expect_quota(0.2, "/a.slice"); /* a limit that is known is said, whatever another file says */
    kernel_file("/sys/fs/cgroup/a.slice/cpu.max", "max 100000\n");
    expect_quota(-1, "says 'gibberish'");
}

/* A folder in place of the file can be opened by nobody's right, but not read. */
static void test_unreadable(void **state) {
    (void)state;
    v2_groups();
    kernel_file("/sys/fs/cgroup/a.slice/cpu.max/x", "");
    kernel_file("/sys/fs/cgroup/a.slice/cpu.stat/x", "");
    expect_quota(-1, "/sys/fs/cgroup/a.slice/cpu.max: ");
    json_t *now = conditions_now();
    assert_true(json_is_null(json_object_get(now, "throttled_us")));
    json_decref(now);
}

static void v1_groups(void) {
    kernel_file("/proc/self/mountinfo",
                PROC_MOUNT "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                           "33 31 0:30 / /sys/fs/cgroup/cpuacct rw shared:4 - cgroup cgroup rw,cpuacct\n"
                           "32 31 0:29 / /sys/fs/cgroup/cpu\\040time rw shared:5 - cgroup cgroup rw,cpu\n"
                           "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                           "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    kernel_file("/proc/self/cgroup", "4:memory:/m\n3:cpuset:/\n2:cpuacct:/other\n1:cpu:/p/q\n0::/u\n");
    kernel_file("/sys/fs/cgroup/cpu time/cgroup.procs", "1\n");
    kernel_file("/sys/fs/cgroup/cpu time/p/q/cgroup.procs", "7\n");
    kernel_file("/sys/fs/cgroup/memory/m/cgroup.procs", "7\n");
}

/* A hybrid machine: version 1 has the controllers, version 2 is mounted beside it and must not be asked. */
static void test_quota_v1(void **state) {
    (void)state;
    v1_groups();
    kernel_file("/sys/fs/cgroup/unified/u/cpu.max", "1000 100000\n");
    kernel_file("/sys/fs/cgroup/cpu time/cpu.cfs_quota_us", "-1\n");
    kernel_file("/sys/fs/cgroup/cpu time/cpu.cfs_period_us", "100000\n");
    kernel_file("/sys/fs/cgroup/cpu time/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
    expect_quota(0, "");
    kernel_file("/sys/fs/cgroup/cpu time/p/cpu.cfs_quota_us", "150000\n");
    kernel_file("/sys/fs/cgroup/cpu time/p/cpu.cfs_period_us", "100000\n");
    kernel_file("/sys/fs/cgroup/cpu time/p/cpu.stat",
                "nr_periods 9\nnr_throttled 4\nthrottled_time 5000999\n");
    kernel_file("/sys/fs/cgroup/cpu time/p/q/cpu.cfs_quota_us", "-1\n");
    expect_quota(1.5, "/p");
    expect_throttled(4, 5000);
}

/* Docker with version 1: the container sees its group mounted, and the host's path to it. */
static void test_container(void **state) {
    (void)state;
    kernel_file("/proc/self/mountinfo",
                PROC_MOUNT "40 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n");
    kernel_file("/proc/self/cgroup", "3:cpu,cpuacct:/docker/abc\n");
    kernel_file("/sys/fs/cgroup/cpu/cgroup.procs", "1\n");
    kernel_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
    kernel_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    expect_quota(0.5, "/docker/abc");
    /* With a control group namespace it is the root of what there is. */
    kernel_file("/proc/self/mountinfo", V2_MOUNT);
    kernel_file("/proc/self/cgroup", "0::/\n");
    kernel_file("/sys/fs/cgroup/cgroup.procs", "1\n");
    kernel_file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    expect_quota(0.5, "/");
}

static void test_hidden(void **state) {
    (void)state;
    expect_quota(-1, "/proc is not mounted");
    kernel_file("/proc/self/mountinfo", PROC_MOUNT);
    expect_quota(0, ""); /* a kernel without control groups */
    kernel_file("/proc/self/cgroup", "0::/deep\n");
    expect_quota(-1, "the control group /deep of this process is not mounted here");
    kernel_file("/proc/self/mountinfo", PROC_MOUNT V2_MOUNT);
    kernel_file("/sys/fs/cgroup/cgroup.procs", "1\n");
    expect_quota(-1, "the control group /deep of this process is not mounted here");
    kernel_file("/proc/self/cgroup", "0::/../outside\n"); /* of the namespace */
    kernel_file("/sys/fs/outside/cgroup.procs", "1\n");
    expect_quota(-1, "/../outside");
    /* Version 1 without this controller. */
    kernel_file("/proc/self/cgroup", "3:cpuset:/\n");
    expect_quota(0, "");
}

static void expect_left(uint64_t bytes, const char *by) {
    struct memory_left left;
    memory_left_now(&left);
    assert_true(left.known);
    if (left.bytes != bytes || !strstr(left.by, by) || (!by[0] && left.by[0]))
        fail_msg("%llu bytes, by '%s'", (unsigned long long)left.bytes, left.by);
    json_t *now = conditions_now();
    assert_int_equal(json_integer_value(json_object_get(now, "memory_available_bytes")), bytes);
    assert_int_equal(json_is_string(json_object_get(now, "memory_bound")), by[0] != '\0');
    json_decref(now);
}

static void test_memory_v2(void **state) {
    (void)state;
    struct memory_left left;
    memory_left_now(&left);
    assert_false(left.known);
    v2_groups();
    kernel_file("/proc/meminfo", "MemTotal:       32000000 kB\nMemAvailable:   24000000 kB\n");
    expect_left(24000000ull * 1024, "");
    kernel_file("/sys/fs/cgroup/a.slice/memory.max", "125829120\n");
    kernel_file("/sys/fs/cgroup/a.slice/memory.current", "25829120\n");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/memory.high", "max\n");
    expect_left(100000000, "the control group /a.slice has 120.0 MiB in memory.max");
    /* Cached files give way. */
    kernel_file("/sys/fs/cgroup/a.slice/memory.stat",
                "anon 5829120\nfile 20000000\ninactive_file 12000000\nactive_file 8000000\n");
    expect_left(120000000, "/a.slice");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/memory.high", "10485760\n");
    kernel_file("/sys/fs/cgroup/a.slice/b.scope/memory.current", "10485761\n");
    expect_left(0, "the control group /a.slice/b.scope has 10.0 MiB in memory.high");
}

static void test_memory_v1(void **state) {
    (void)state;
    v1_groups();
    kernel_file("/proc/meminfo", "MemAvailable:   24000000 kB\n");
    kernel_file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    kernel_file("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "9223372036854771712\n");
    expect_left(24000000ull * 1024, "");
    kernel_file("/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "125829120\n");
    kernel_file("/sys/fs/cgroup/memory/m/memory.usage_in_bytes", "125829120\n");
    kernel_file("/sys/fs/cgroup/memory/m/memory.stat",
                "active_file 1\ntotal_inactive_file 1000\ntotal_active_file 500\n");
    expect_left(1500, "the control group /m has 120.0 MiB in memory.limit_in_bytes");
}

static void test_memory_ulimit(void **state) {
    (void)state;
    struct rlimit before, small;
    kernel_file("/proc/meminfo", "MemAvailable:   24000000 kB\n");
    kernel_file("/proc/self/status", "Name: x\nVmSize:\t  1024 kB\nVmData:\t  512 kB\n");
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    small = before;
    small.rlim_cur = 8ull << 30;
    assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
    expect_left((8ull << 30) - (1 << 20), "ulimit -v allows this process 8.0 GiB");
    assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
    expect_left(24000000ull * 1024, "");
}

/* What a command prints on the standard error. */
static int said_by(int (*command)(const struct option_values *), const struct option_values *options,
                   char *said, size_t size) {
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(NULL);
    dup2(null, STDOUT_FILENO), dup2(fileno(file), STDERR_FILENO);
    int code = command(options);
    fflush(NULL);
    dup2(out, STDOUT_FILENO), dup2(err, STDERR_FILENO);
    close(out), close(err), close(null);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = '\0';
    fclose(file);
    return code;
}

static int plan(const struct option_values *options) {
    return plan_command(NULL, options, false);
}

static int run(const struct option_values *options) {
    return run_command(NULL, options, "run");
}

static void test_run_is_refused(void **state) {
    (void)state;
    char said[1024];
    struct why why;
    struct option_values options = {0};
    static const struct {
        enum option_id id;
        const char *text;
    } chosen[] = {{OPTION_MAPS, "linear"}, {OPTION_WORKLOADS, "get"}, {OPTION_N, "4m"}};
    for (size_t i = 0; i < 3; i++)
        if (!option_set(&options, chosen[i].id, chosen[i].text, &why)) fail_msg("%s", why.text);
    v2_groups();
    kernel_file("/proc/meminfo", "MemAvailable:   24000000 kB\n");
    assert_int_equal(said_by(plan, &options, said, sizeof said), EXIT_OK);
    assert_string_equal(said, "");
    kernel_file("/sys/fs/cgroup/a.slice/memory.max", "125829120\n");
    kernel_file("/sys/fs/cgroup/a.slice/memory.current", "5829120\n");
    int (*const commands[])(const struct option_values *) = {plan, run};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(said_by(commands[i], &options, said, sizeof said), EXIT_CANNOT);
        assert_non_null(strstr(
            said, "but 114.4 MiB are available, for the control group /a.slice has 120.0 MiB in memory.max"));
    }
    /* The machine itself is too small: bad input, as ever. */
    kernel_file("/proc/meminfo", "MemAvailable:   100000 kB\n");
    assert_int_equal(said_by(run, &options, said, sizeof said), EXIT_USAGE);
    assert_non_null(strstr(said, "97.7 MiB are available: choose a smaller --n"));
    option_values_free(&options);
}

/* compare's worker holds two maps at once. */
static void test_pair_is_refused(void **state) {
    (void)state;
    struct unit_object linear = {.unit = ready_unit("linear", "u64_u64", "common", "malloc"), .file = "file", .name = "linear"};
    struct pair_plan plan = {.object = {linear, linear},
                             .workload = workload_find("get"),
                             .keys = "uniform",
                             .n = 512 << 10,
                             .seed = 1,
                             .ns_per_tick = 1,
                             .rounds = 1,
                             .batches = 2,
                             .batch_us = 100};
    enum exit_code code = EXIT_OK;
    struct why why = {""};
    v2_groups();
    kernel_file("/sys/fs/cgroup/a.slice/memory.max", "125829120\n");
    kernel_file("/sys/fs/cgroup/a.slice/memory.current", "5829120\n");
    assert_null(pair_measure(&plan, &code, &why));
    assert_int_equal(code, EXIT_CANNOT);
    if (!strstr(why.text,
                "needs up to 176.0 MiB, but 114.4 MiB are available, for the control group /a.slice"))
        fail_msg("%s", why.text);
}

/* A row during which a quota stopped the process is marked; one without is not. */
static void test_throttled_rows(void **state) {
    (void)state;
    struct measure m = {0};
    v2_groups();
    kernel_file("/sys/fs/cgroup/a.slice/cpu.stat", "nr_throttled 130\nthrottled_usec 7000\n");
    cgroup_find("cpu", &m.cpu_group);
    struct cgroup_throttled before = measure_throttled(&m);
    json_t *row = json_pack("{s:b, s:n}", "stable", true, "why_unstable");
    measure_mark_throttled(&m, row, before);
    assert_true(json_is_true(json_object_get(row, "stable")));
    kernel_file("/sys/fs/cgroup/a.slice/cpu.stat", "nr_throttled 132\nthrottled_usec 257000\n");
    measure_mark_throttled(&m, row, before);
    assert_true(json_is_false(json_object_get(row, "stable")));
    assert_string_equal(json_string_value(json_object_get(row, "why_unstable")),
                        "stopped by a control group's CPU quota: 2 times, 0.25 s");
    json_decref(row);
}

static void test_throttled_rounds(void **state) {
    (void)state;
    struct series s = {.samples = 10, .rounds = 5, .cpu_ns = 100, .wall_ns = 100};
    json_t *row = json_pack("{s:b, s:n}", "stable", true, "why_unstable");
    struct cgroup_throttled none = {7, 100}, once = {8, 250100}, longer = {8, 500100};
    series_throttled(&s, none, none);
    judge(row, &s, 1, 1, 1);
    assert_true(json_is_true(json_object_get(row, "stable")));
    series_throttled(&s, none, once);
    series_throttled(&s, once, longer); /* stopped before, and still */
    judge(row, &s, 1, 1, 1);
    assert_string_equal(json_string_value(json_object_get(row, "why_unstable")),
                        "stopped by a control group's CPU quota in 2 of 5 rounds: 1 times, 0.50 s");
    json_decref(row);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, kernel_files_begin, kernel_files_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FILES(test_quota_v2),       WITH_FILES(test_unreadable),
        WITH_FILES(test_quota_v1),       WITH_FILES(test_container),
        WITH_FILES(test_hidden),         WITH_FILES(test_memory_v2),
        WITH_FILES(test_memory_v1),      WITH_FILES(test_memory_ulimit),
        WITH_FILES(test_run_is_refused), WITH_FILES(test_pair_is_refused),
        WITH_FILES(test_throttled_rows), cmocka_unit_test(test_throttled_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
