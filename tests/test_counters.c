/* Event counters. What a machine forbids is skipped with its reason, except where the reason itself is the
 * test. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/machine/counters.c"
#include "harness/base/sysfile.h"
#include "harness/base/why.h"
#include "tests/support/kernel_files.h"

static size_t event(const struct counters *counters, const char *name) {
    for (size_t i = 0; i < counters_count(counters); i++)
        if (strcmp(counters_name(counters, i), name) == 0) return i;
    fail_msg("events.def has no event %s", name);
    return 0;
}

/* The value of an event that every Linux has; skips the test where even that is forbidden. */
static double value_or_skip(const struct counters *counters, const char *name) {
    double value;
    size_t i = event(counters, name);
    if (counters_value(counters, i, &value)) return value;
    print_message("skipped: %s: %s\n", name, counters_why(counters, i));
    skip();
    return 0;
}

static void touch_fresh_pages(size_t pages) {
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    volatile char *fresh =
        mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(fresh != MAP_FAILED);
    madvise((void *)fresh, pages * page_bytes, MADV_NOHUGEPAGE);
    for (size_t i = 0; i < pages; i++) fresh[i * page_bytes] = 1;
    munmap((void *)fresh, pages * page_bytes);
}

/* Counts add up over many phases and nothing between them counts. Page faults are the one event whose true
 * number a test can know; a few more happen in passing (a first call of a library function). */
static void test_counts_only_phases(void **state) {
    (void)state;
    enum { PHASES = 300, PAGES = 64, SLACK = 40 };
    struct counters *counters = counters_open();
    assert_non_null(counters);
    counters_reset(counters);
    for (unsigned i = 0; i < PHASES; i++) {
        touch_fresh_pages(3 * PAGES);
        counters_start(counters);
        touch_fresh_pages(PAGES);
        counters_stop(counters);
    }
    double faults = value_or_skip(counters, "page_faults");
    assert_in_range((unsigned)faults, PHASES * PAGES, PHASES * PAGES + SLACK);
    double minor = value_or_skip(counters, "minor_faults"), major = value_or_skip(counters, "major_faults");
    assert_true(minor + major == faults);
    counters_reset(counters);
    counters_start(counters);
    counters_stop(counters);
    assert_in_range((unsigned)value_or_skip(counters, "page_faults"), 0, SLACK);
    counters_close(counters);
}

static void spin(uint64_t cpu_ns) {
    for (uint64_t start = thread_cpu_ns(); thread_cpu_ns() - start < cpu_ns;) continue;
}

/* Against the thread's CPU clock, which is read inside the phase. */
static void test_task_clock(void **state) {
    (void)state;
    struct counters *counters = counters_open();
    uint64_t inside_ns = 0;
    counters_reset(counters);
    for (unsigned i = 0; i < 10; i++) {
        spin(6000000);
        counters_start(counters);
        uint64_t start = thread_cpu_ns();
        spin(3000000);
        inside_ns += thread_cpu_ns() - start;
        counters_stop(counters);
    }
    double task_ns = value_or_skip(counters, "task_clock_ns");
    assert_true(task_ns > 0.9 * (double)inside_ns);
    assert_true(task_ns < 1.3 * (double)inside_ns);
    counters_close(counters);
}

/* An event has a value or a reason, never both, never neither; where there is no PMU no cycles are made up.
 */
static void test_value_or_reason(void **state) {
    (void)state;
    struct counters *counters = counters_open();
    counters_reset(counters);
    counters_start(counters);
    spin(5000000);
    counters_stop(counters);
    for (size_t i = 0; i < counters_count(counters); i++) {
        double value = -1;
        bool known = counters_value(counters, i, &value);
        const char *why = counters_why(counters, i);
        assert_int_equal(known, why == NULL);
        assert_true(known ? value >= 0 : strlen(why) > 20);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(counters_name(counters, i), counters_name(counters, j));
    }
    double cycles, instructions;
    if (counters_value(counters, event(counters, "cycles"), &cycles)) {
        assert_true(counters_value(counters, event(counters, "instructions"), &instructions));
        assert_true(cycles > 0 && instructions > 0 && instructions / cycles < 20);
    }
    counters_close(counters);
}

static void test_probe_names_every_event(void **state) {
    (void)state;
    struct counters *counters = counters_open();
    json_t *probe = counters_probe();
    assert_int_equal(json_object_size(probe), counters_count(counters));
    for (size_t i = 0; i < counters_count(counters); i++) {
        json_t *entry = json_object_get(probe, counters_name(counters, i));
        assert_non_null(entry);
        assert_true(json_is_null(entry) || json_is_string(entry));
    }
    json_decref(probe);
    counters_close(counters);
}

/* In a child that may not open events: reasons that say what to do. The child's exit code is the line that
 * failed. */
static int check_unprivileged(void) {
    if (setgid(65534) != 0 || setuid(65534) != 0) return __LINE__ & 0xff;
    struct counters *counters = counters_open();
    size_t switches = event(counters, "context_switches");
    double value;
    if (counters_value(counters, switches, &value)) return __LINE__ & 0xff;
    const char *why = counters_why(counters, switches);
    if (strncmp(why, "EACCES: ", 8) != 0 && strncmp(why, "EPERM: ", 7) != 0) return __LINE__ & 0xff;
    if (!strstr(why, "perf_event_paranoid is ") || !strstr(why, "sysctl -w kernel.perf_event_paranoid=1"))
        return __LINE__ & 0xff;
    counters_close(counters);
    return 0;
}

static void test_reasons(void **state) {
    (void)state;
    static const struct event kernel = {.scope = KERNEL, .type = PERF_TYPE_SOFTWARE},
                              user = {.scope = USER, .type = PERF_TYPE_HARDWARE};
    static const struct {
        const struct event *event;
        int error;
        const char *level, *said;
    } cases[] = {
        {&kernel, EACCES, "4\n",
         "EACCES: /proc/sys/kernel/perf_event_paranoid is 4; run sysctl -w kernel.perf_event_paranoid=1 as "
         "root"},
        {&user, EPERM, "3\n",
         "EPERM: /proc/sys/kernel/perf_event_paranoid is 3; run sysctl -w kernel.perf_event_paranoid=2 as "
         "root"},
        {&user, EACCES, NULL, "EACCES: perf_event_open is forbidden here (a container's seccomp filter?)"},
        {&user, ENOSYS, NULL, "ENOSYS: this kernel was built without perf events"},
        {&user, ENOENT, "2\n", "ENOENT: this machine has no such event (no PMU"},
        {&kernel, ENOENT, "2\n", "ENOENT: this machine has no such event"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct why why;
        kernel_file("/proc/sys/kernel/perf_event_paranoid", cases[i].level);
        explain_failure(cases[i].event, cases[i].error, &why);
        if (strncmp(why.text, cases[i].said, strlen(cases[i].said)) != 0) fail_msg("%zu: %s", i, why.text);
    }
}

static void test_unprivileged_reasons(void **state) {
    (void)state;
    uint64_t level = 0;
    if (getuid() != 0 || !sysfile_number("/proc/sys/kernel/perf_event_paranoid", &level) || level < 2) {
        print_message("skipped: needs root, to give it up, and kernel.perf_event_paranoid of 2 or more\n");
        skip();
    }
    pid_t child = fork();
    if (child == 0) _exit(check_unprivileged());
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_no_descriptors(void **state) {
    (void)state;
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct counters *counters = counters_open();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_non_null(counters);
    double value;
    size_t faults = event(counters, "page_faults");
    assert_false(counters_value(counters, faults, &value));
    assert_non_null(strstr(counters_why(counters, faults), "too many open files"));
    counters_start(counters);
    counters_stop(counters);
    assert_false(counters_value(counters, faults, &value));
    counters_close(counters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_only_phases),
        cmocka_unit_test(test_task_clock),
        cmocka_unit_test(test_value_or_reason),
        cmocka_unit_test(test_probe_names_every_event),
        cmocka_unit_test_setup_teardown(test_reasons, kernel_files_begin, kernel_files_end),
        cmocka_unit_test(test_unprivileged_reasons),
        cmocka_unit_test(test_no_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
