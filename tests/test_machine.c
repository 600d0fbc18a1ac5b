/* Machine facts and conditions from the files of machines that are not this one, warnings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/bench/bench.h"
#include "harness/machine/caches.h"
#include "harness/machine/conditions.h"
#include "harness/machine/machine.h"
#include "harness/base/sysfile.h"
#include "harness/run/warnings.h"
#include "tests/support/kernel_files.h"

static const char *in_folder(const char *folder, const char *name, char *path, size_t size) {
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void test_sysfile(void **state) {
    (void)state;
    char folder[] = "/tmp/mapbench-test-XXXXXX", path[64], text[64];
    uint64_t number;
    assert_non_null(mkdtemp(folder));
    in_folder(folder, "file", path, sizeof path);

    assert_false(sysfile_read(path, text, sizeof text));
    assert_string_equal(text, "");
    assert_false(sysfile_number(path, &number));
    write_file(path, "  12 kB\n\n");
    assert_true(sysfile_read(path, text, sizeof text));
    assert_string_equal(text, "  12 kB");
    assert_false(sysfile_number(path, &number));
    write_file(path, "max\n");
    assert_false(sysfile_number(path, &number));
    write_file(path, "18446744073709551615\n");
    assert_true(sysfile_number(path, &number));
    assert_true(number == UINT64_MAX);
    assert_true(sysfile_read(path, text, 5));
    assert_string_equal(text, "1844");

    write_file(path, "always [madvise] never\n");
    assert_true(sysfile_choice(path, text, sizeof text));
    assert_string_equal(text, "madvise");
    assert_false(sysfile_choice(path, text, 7)); /* does not fit: nothing is better than a part */
    assert_string_equal(text, "");
    write_file(path, "always never\n");
    assert_false(sysfile_choice(path, text, sizeof text));

    assert_true(sysfile_field("RssFile: 1 kB\nRss:\t 22 kB\n", "Rss", &number));
    assert_int_equal(number, 22);
    assert_false(sysfile_field("RssFile: 1 kB\n", "Rss", &number));
    assert_false(sysfile_field("", "Rss", &number));
    unlink(path);
    rmdir(folder);
}

static int64_t integer_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value)) fail_msg("%s is not an integer", name);
    return json_integer_value(value);
}

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

#define CPU "/sys/devices/system/cpu"

static void a_server(void) {
    kernel_file("/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU 9000\nmicrocode\t: 0xd0\n"
                                 "flags\t\t: fpu constant_tsc nonstop_tsc sse\n\nprocessor\t: 1\n");
    kernel_file("/etc/os-release", "NAME=\"D\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    kernel_file(CPU "/online", "0-3,8-11\n");
    for (int i = 0; i < 12; i++) {
        char path[128], text[32];
        if (i >= 4 && i < 8) continue;
        snprintf(path, sizeof path, CPU "/cpu%d/topology/thread_siblings_list", i);
        snprintf(text, sizeof text, "%d,%d\n", i % 8, i % 8 + 8);
        kernel_file(path, text);
    }
    kernel_file(CPU "/cpu0/cpufreq/scaling_governor", "powersave\n");
    kernel_file(CPU "/vulnerabilities/meltdown", "Not affected\n");
    kernel_file(CPU "/vulnerabilities/spectre_v1", "Mitigation: barriers\n");
    kernel_file(CPU "/vulnerabilities/spectre_v2", "Mitigation: retpolines\n");
    kernel_file(CPU "/intel_pstate/no_turbo", "1\n");
    kernel_file(CPU "/smt/control", "on\n");
    kernel_file("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    kernel_file("/proc/sys/vm/nr_hugepages", "3\n");
    kernel_file("/proc/sys/kernel/randomize_va_space", "2\n");
    kernel_file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
}

static void test_machine(void **state) {
    (void)state;
    a_server();
    json_t *machine = machine_describe();
    assert_int_equal(integer_of(machine, "cpus"), 8);
    assert_int_equal(integer_of(machine, "cores"), 4);
    assert_int_equal(integer_of(machine, "threads_per_core"), 2);
    assert_int_equal(integer_of(machine, "huge_pages_reserved"), 3);
    assert_string_equal(text_of(machine, "cpu"), "Some CPU 9000");
    assert_string_equal(text_of(machine, "os"), "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(text_of(machine, "governor"), "powersave");
    assert_string_equal(text_of(machine, "thp"), "madvise");
    assert_string_equal(text_of(machine, "microcode"), "0xd0");
    assert_string_equal(text_of(machine, "tsc"), "constant_tsc nonstop_tsc");
    assert_string_equal(text_of(machine, "clocksource"), "tsc");
    assert_string_equal(text_of(machine, "mitigations"),
                        "spectre_v1: Mitigation: barriers; spectre_v2: Mitigation: retpolines");
    assert_true(json_is_false(json_object_get(machine, "boost")));
    assert_true(integer_of(machine, "aslr") == 2 ||
                integer_of(machine, "aslr") == 0); /* 0: under a debugger */
    json_decref(machine);
}

/* A machine that says nothing of itself, as in a chroot without /proc and /sys: everything is null or a fact
 * that system calls tell. */
static void test_machine_without_files(void **state) {
    (void)state;
    static const char *const nulls[] = {
        "os",    "governor", "thp",       "microcode",      "tsc", "clocksource", "mitigations",
        "boost", "smt",      "cpu_quota", "cpu_quota_group"};
    json_t *machine = machine_describe();
    assert_non_null(machine);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        if (!json_is_null(json_object_get(machine, nulls[i]))) fail_msg("%s is not null", nulls[i]);
    assert_true(integer_of(machine, "cpus") >= 1 && integer_of(machine, "cores") >= 1);
    assert_true(integer_of(machine, "cpus_usable") >= 1 && integer_of(machine, "page_bytes") >= 4096);
    assert_non_null(text_of(machine, "cpu")); /* its architecture */
    assert_non_null(text_of(machine, "cpu_quota_why"));
    json_decref(machine);
}

/* --- caches --- */

static void cache_file(unsigned index, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, CPU "/cpu0/cache/index%u/%s", index, name);
    kernel_file(path, text);
}

static void cache_files(unsigned index, const char *level, const char *type, const char *size,
                        const char *shared) {
    cache_file(index, "level", level), cache_file(index, "type", type);
    cache_file(index, "size", size), cache_file(index, "shared_cpu_list", shared);
}

static long libc_level3 = -1;

/* A C library that knows the caches from cpuid. */
static long by_libc(int name) {
    return name == _SC_LEVEL1_DCACHE_SIZE  ? 48 << 10
           : name == _SC_LEVEL2_CACHE_SIZE ? 2 << 20
           : name == _SC_LEVEL3_CACHE_SIZE ? libc_level3
                                           : -1;
}

static void test_caches_of_sys(void **state) {
    (void)state;
    struct caches caches;
    cache_files(0, "1\n", "Data\n", "32K\n", "0,8\n");
    cache_files(1, "1\n", "Instruction\n", "64K\n", "0,8\n");
    cache_files(2, "2\n", "Unified\n", "1024K\n", "0,8\n");
    cache_files(3, "3\n", "Unified\n", "32M\n", "0-7,8-15\n");
    caches_read(&caches, 16, by_libc);
    assert_int_equal(caches.count, 4);
    assert_int_equal(caches_bytes(&caches, 1), 32 << 10); /* not the instructions' */
    assert_int_equal(caches_bytes(&caches, 2), 1 << 20);
    assert_int_equal(caches_last_bytes(&caches), 32 << 20);
    assert_int_equal(caches.cache[3].shared_by, 16);
    assert_int_equal(caches_bytes(&caches, 9), 0);
    assert_string_equal(caches.doubt, "");
    json_t *machine = machine_describe();
    assert_int_equal(json_array_size(json_object_get(machine, "caches")), 4);
    assert_true(json_is_null(json_object_get(machine, "caches_doubted")));
    json_decref(machine);
    assert_int_equal(machine_last_cache_bytes(), 32 << 20);
    assert_int_equal(bench_evict_bytes(), 40 << 20); /* no more than the harness may take */

    /* A guest of two processors is shown the cache of its host: nothing is to follow from it. */
    cache_files(3, "3\n", "Unified\n", "491520K\n", "0-1\n");
    caches_read(&caches, 2, by_libc);
    assert_int_equal(caches.count, 3);
    assert_int_equal(caches_bytes(&caches, 3), 0);
    assert_int_equal(caches_last_bytes(&caches), 0);
    assert_string_equal(caches.doubt,
                        "level 3 is said to have 480.0 MiB, more than 64 MiB for each of 2 processors");
    assert_int_equal(bench_evict_bytes(), 40 << 20);
    machine = machine_describe();
    assert_int_equal(json_array_size(json_object_get(machine, "caches")), 3);
    assert_string_equal(text_of(machine, "caches_doubted"), caches.doubt);
    json_decref(machine);

    /* A kernel that knows the level, but not the size (some of ARM's). */
    cache_file(3, "size", NULL);
    caches_read(&caches, 2, by_libc);
    assert_int_equal(caches.count, 3);
    assert_int_equal(caches_last_bytes(&caches), 1 << 20);
    assert_int_equal(bench_evict_bytes(), 2 << 20);
}

static void test_caches_of_libc(void **state) {
    (void)state;
    struct caches caches;
    libc_level3 = 24 << 20;
    caches_read(&caches, 8, by_libc);
    assert_int_equal(caches.count, 3);
    assert_int_equal(caches_last_bytes(&caches), 24 << 20);
    assert_int_equal(caches.cache[2].shared_by, 0);
    libc_level3 = 508L << 20; /* seen where the kernel exports no caches */
    caches_read(&caches, 2, by_libc);
    assert_int_equal(caches.count, 2);
    assert_int_equal(caches_last_bytes(&caches), 0);
    assert_non_null(strstr(caches.doubt, "508.0 MiB"));
    libc_level3 = 1 << 20;
    caches_read(&caches, 2, by_libc);
    assert_int_equal(caches.count, 2);
    assert_string_equal(caches.doubt, "level 3 is said to have 1.0 MiB, less than level 2");
    libc_level3 = -1;
    caches_read(&caches, 2, by_libc);
    assert_int_equal(caches_last_bytes(&caches), 2 << 20);
    assert_string_equal(caches.doubt, "");
}

/* --- conditions --- */

static void test_conditions(void **state) {
    (void)state;
    kernel_file("/proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\nfull avg10=0.00\n");
    kernel_file("/proc/stat", "cpu  10 20 30 40 50 60 70 4711 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n");
    kernel_file("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:  123456 kB\n");
    kernel_file("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
    kernel_file(CPU "/cpu0/cpufreq/scaling_governor", "performance\n");
    json_t *now = conditions_now();
    assert_true(json_number_value(json_object_get(now, "pressure_cpu_avg10")) == 12.5);
    assert_int_equal(integer_of(now, "steal_ticks"), 4711);
    assert_int_equal(integer_of(now, "memory_available_bytes"), 123456 * 1024);
    assert_string_equal(text_of(now, "thp"), "always");
    assert_string_equal(text_of(now, "governor"), "performance");
    assert_true(integer_of(now, "own_involuntary_switches") >= 0);
    json_decref(now);
}

static void test_conditions_without_files(void **state) {
    (void)state;
    static const char *const nulls[] = {
        "pressure_cpu_avg10", "memory_available_bytes", "memory_bound",   "steal_ticks", "thp",
        "governor",           "throttled_us",           "throttled_times"};
    json_t *now = conditions_now();
    assert_non_null(now);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        if (!json_is_null(json_object_get(now, nulls[i]))) fail_msg("%s is not null", nulls[i]);
    json_decref(now);
}

/* The warnings, as a string of their ids. */
static void ids_of(const struct warnings *warnings, char *ids, size_t size) {
    json_t *list = warnings_json(warnings), *entry;
    size_t i, used = 0;
    ids[0] = '\0';
    json_array_foreach(list, i, entry) {
        assert_true(json_string_length(json_object_get(entry, "text")) > 0);
        assert_true(json_string_length(json_object_get(entry, "advice")) > 0);
        used +=
            (size_t)snprintf(ids + used, size - used, "%s ", json_string_value(json_object_get(entry, "id")));
    }
    json_decref(list);
}

static void expect_machine_warnings(const char *machine_text, const char *probe_text, const char *flags,
                                    const char *expected) {
    struct warnings warnings = {0};
    char ids[512];
    json_t *machine = json_loads(machine_text, 0, NULL), *probe = json_loads(probe_text, 0, NULL);
    assert_true(machine && probe);
    warnings_from_machine(&warnings, machine, probe, flags);
    ids_of(&warnings, ids, sizeof ids);
    assert_string_equal(ids, expected);
    json_decref(machine);
    json_decref(probe);
}

static void test_machine_warnings(void **state) {
    (void)state;
    const char *good = "{\"virtual\": null, \"governor\": \"performance\", \"thp\": \"madvise\", \"aslr\": "
                       "2, \"cpu_quota\": null}";
    const char *can = "{\"cycles\": null, \"context_switches\": null}";
    expect_machine_warnings(good, can, "-O3 -g", "");
    expect_machine_warnings("{\"virtual\": \"KVM\", \"governor\": \"powersave\", \"thp\": \"always\", "
                            "\"aslr\": 0, \"cpu_quota\": 1.5}",
                            can, "-O3",
                            "virtual_machine cpu_quota governor_not_performance thp_always aslr_off ");
    expect_machine_warnings(good, "{\"cycles\": \"ENOENT: none\", \"context_switches\": null}", NULL,
                            "no_hardware_counters ");
    expect_machine_warnings(good, "{\"cycles\": \"EACCES: no\", \"context_switches\": \"EACCES: no\"}", NULL,
                            "counters_forbidden ");
    expect_machine_warnings(good, "{\"cycles\": \"ENOENT: none\", \"context_switches\": \"EACCES: no\"}",
                            NULL, "no_hardware_counters counters_forbidden ");
    expect_machine_warnings(good, can, "-O1 -fsanitize=address", "sanitized_build unoptimised_build ");
}

static void test_condition_warnings(void **state) {
    (void)state;
    static const struct {
        const char *before, *after, *expected;
    } cases[] = {
        {"{\"loadavg_1m\": 0.1, \"steal_ticks\": 5}", "{\"loadavg_1m\": 1.2, \"steal_ticks\": 9}", ""},
        {"{\"loadavg_1m\": 0.9}", "{\"loadavg_1m\": 1.0}", "busy_machine "},
        {"{\"loadavg_1m\": 0.1}", "{\"loadavg_1m\": 1.9}", "busy_machine "},
        {"{\"loadavg_1m\": 0.1, \"pressure_cpu_avg10\": 30.0}", "{}", "busy_machine "},
        {"{\"loadavg_1m\": 1.9, \"pressure_cpu_avg10\": 0.0}", "{}", ""},
        {"{\"loadavg_1m\": null, \"steal_ticks\": 5}", "{\"steal_ticks\": 900}", "noisy_steal "},
        {"{\"steal_ticks\": 5}", "{\"steal_ticks\": null}", ""},
        {"{\"memory_available_bytes\": 100000000, \"throttled_us\": 0}", "{\"throttled_us\": 1}",
         "cpu_quota low_memory "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct warnings warnings = {0};
        char ids[256];
        json_t *before = json_loads(cases[i].before, 0, NULL), *after = json_loads(cases[i].after, 0, NULL);
        warnings_from_conditions(&warnings, before, after, 1);
        ids_of(&warnings, ids, sizeof ids);
        assert_string_equal(ids, cases[i].expected);
        json_decref(before);
        json_decref(after);
    }
    struct warnings unfinished = {0};
    warnings_from_conditions(&unfinished, NULL, NULL, 1);
    assert_false(warnings_raised(&unfinished, WARNING_busy_machine));
}

static void test_warning_text(void **state) {
    (void)state;
    struct warnings warnings = {0};
    char printed[1024] = "";
    warnings_add(&warnings, WARNING_unstable_rows, "%d of %d", 1, 9);
    warnings_add(&warnings, WARNING_unstable_rows, "%d of %d", 2, 9);
    warnings_add(&warnings, WARNING_single_round, NULL);
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    warnings_print(&warnings, out);
    fclose(out);
    assert_non_null(strstr(printed, "warning: some rows are unstable (2 of 9): their why_unstable says why"));
    assert_non_null(strstr(printed, "warning: only one round was measured: rows have"));
    assert_null(strstr(printed, "1 of 9"));
    json_t *list = warnings_json(&warnings);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, kernel_files_begin, kernel_files_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sysfile),
        WITH_FILES(test_machine),
        WITH_FILES(test_machine_without_files),
        WITH_FILES(test_caches_of_sys),
        WITH_FILES(test_caches_of_libc),
        WITH_FILES(test_conditions),
        WITH_FILES(test_conditions_without_files),
        cmocka_unit_test(test_machine_warnings),
        cmocka_unit_test(test_condition_warnings),
        cmocka_unit_test(test_warning_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
