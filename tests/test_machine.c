/* Machine facts against what other programs of the system say of it, conditions, warnings. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/machine/conditions.h"
#include "harness/machine/machine.h"
#include "harness/base/sysfile.h"
#include "harness/run/warnings.h"

/* First line of a command's output, "" if it fails. */
static void shell_line(const char *command, char *line, size_t size) {
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    if (!fgets(line, (int)size, pipe)) line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (pclose(pipe) != 0) line[0] = '\0';
}

static uint64_t shell_number(const char *command) {
    char line[128];
    shell_line(command, line, sizeof line);
    return strtoull(line, NULL, 10);
}

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

static void test_machine_agrees_with_system(void **state) {
    (void)state;
    char line[256];
    json_t *machine = machine_describe();
    assert_non_null(machine);
    assert_int_equal(integer_of(machine, "cpus"), shell_number("getconf _NPROCESSORS_ONLN"));
    assert_int_equal(integer_of(machine, "cpus_usable"), shell_number("nproc"));
    assert_int_equal(integer_of(machine, "page_bytes"), shell_number("getconf PAGESIZE"));
    uint64_t total = 1024 * shell_number("awk '/^MemTotal/ { print $2 }' /proc/meminfo");
    assert_in_range(integer_of(machine, "memory_bytes"), total - total / 100, total + total / 100);
    shell_line("uname -r", line, sizeof line);
    assert_string_equal(json_string_value(json_object_get(machine, "kernel")), line);
    shell_line(". /etc/os-release && echo \"$PRETTY_NAME\"", line, sizeof line);
    if (line[0]) assert_string_equal(json_string_value(json_object_get(machine, "os")), line);
    shell_line("grep -m 1 '^model name' /proc/cpuinfo | sed 's/^[^:]*: //'", line, sizeof line);
    if (line[0]) assert_string_equal(json_string_value(json_object_get(machine, "cpu")), line);
    int64_t cores = integer_of(machine, "cores"), threads = integer_of(machine, "threads_per_core");
    assert_true(cores >= 1 && threads >= 1 && cores * threads <= integer_of(machine, "cpus"));
    uint64_t listed = shell_number(
        "cat /sys/devices/system/cpu/cpu*/topology/thread_siblings_list 2>/dev/null | sort -u | wc -l");
    if (listed) assert_int_equal(cores, listed);
    assert_true(integer_of(machine, "aslr") >= 0 && integer_of(machine, "aslr") <= 2);
    json_decref(machine);
}

static void test_hypervisor(void **state) {
    (void)state;
    uint64_t flagged = shell_number("grep -cw hypervisor /proc/cpuinfo");
    json_t *machine = machine_describe();
    const char *name = json_string_value(json_object_get(machine, "virtual"));
    if (shell_number("grep -c '^flags' /proc/cpuinfo")) /* x86 */
        assert_int_equal(name != NULL, flagged > 0);
    if (name) assert_true(strlen(name) >= 3);
    json_decref(machine);
}

/* "32K" and "1024K" as the kernel writes them, against bytes. */
static void test_caches(void **state) {
    (void)state;
    json_t *machine = machine_describe(), *caches = json_object_get(machine, "caches"), *cache;
    size_t i;
    assert_int_equal(json_array_size(caches),
                     shell_number("ls -d /sys/devices/system/cpu/cpu0/cache/index* 2>/dev/null | wc -l"));
    json_array_foreach(caches, i, cache) {
        char command[128];
        snprintf(command, sizeof command,
                 "numfmt --from=iec $(cat /sys/devices/system/cpu/cpu0/cache/index%zu/size)", i);
        assert_int_equal(integer_of(cache, "bytes"), shell_number(command));
        assert_true(integer_of(cache, "shared_by") >= 1);
        if (strcmp(json_string_value(json_object_get(cache, "type")), "Instruction") != 0)
            assert_int_equal(machine_cache_bytes((unsigned)integer_of(cache, "level")),
                             integer_of(cache, "bytes"));
    }
    assert_int_equal(machine_cache_bytes(9), 0);
    json_decref(machine);
}

static void test_memory_available(void **state) {
    (void)state;
    uint64_t by_kernel = 1024 * shell_number("awk '/^MemAvailable/ { print $2 }' /proc/meminfo");
    uint64_t available = machine_memory_available();
    assert_true(available > 0);
    assert_true(available < by_kernel + by_kernel / 4 + (64 << 20)); /* a control group may leave less */
}

static void test_conditions(void **state) {
    (void)state;
    json_t *before = conditions_now();
    assert_non_null(before);
    static const char *const names[] = {
        "loadavg_1m", "pressure_cpu_avg10", "memory_available_bytes", "steal_ticks",
        "thp",        "governor",           "throttled_us",           "own_involuntary_switches"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(json_object_get(before, names[i]));
    assert_true(json_is_real(json_object_get(before, "loadavg_1m")));
    if (access("/proc/pressure/cpu", R_OK) == 0) {
        double pressure = json_number_value(json_object_get(before, "pressure_cpu_avg10"));
        assert_true(json_is_real(json_object_get(before, "pressure_cpu_avg10")) && pressure >= 0 &&
                    pressure <= 100);
    }
    json_t *after = conditions_now();
    assert_true(integer_of(after, "steal_ticks") >= integer_of(before, "steal_ticks"));
    assert_true(integer_of(after, "steal_ticks") - integer_of(before, "steal_ticks") < 1000);
    uint64_t by_awk = shell_number("awk '/^cpu / { print $9 }' /proc/stat");
    assert_in_range(by_awk, integer_of(before, "steal_ticks"), integer_of(after, "steal_ticks") + 1000);
    json_decref(before);
    json_decref(after);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sysfile),          cmocka_unit_test(test_machine_agrees_with_system),
        cmocka_unit_test(test_hypervisor),       cmocka_unit_test(test_caches),
        cmocka_unit_test(test_memory_available), cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_machine_warnings), cmocka_unit_test(test_condition_warnings),
        cmocka_unit_test(test_warning_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
