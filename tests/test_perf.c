/* perf attached to this process: stand-ins for perf show every way it can fail; where the real one works,
 * only what happens between enable and disable may be counted and sampled. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/machine/perf.h"
#include "tests/support/kernel_files.h"

struct place {
    char folder[64], programs[80], path_before[4096];
};

static void write_program(const struct place *place, const char *name, const char *text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", place->programs, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, 0755), 0);
}

static void remove_all(const char *folder) {
    struct dirent *entry;
    DIR *stream = opendir(folder);
    while (stream && (entry = readdir(stream))) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (stream) closedir(stream);
    rmdir(folder);
}

static int set_up(void **state) {
    struct place *place = calloc(1, sizeof *place);
    if (!place) return -1;
    strcpy(place->folder, "/tmp/mapbench-test-XXXXXX");
    if (!mkdtemp(place->folder)) return -1;
    snprintf(place->programs, sizeof place->programs, "%s-bin", place->folder);
    snprintf(place->path_before, sizeof place->path_before, "%s", getenv("PATH"));
    *state = place;
    return mkdir(place->programs, 0755);
}

static int tear_down(void **state) {
    struct place *place = *state;
    setenv("PATH", place->path_before, 1);
    remove_all(place->folder);
    remove_all(place->programs);
    free(place);
    return 0;
}

/* The stand-ins come first in PATH, or alone. */
static void use_stand_ins(const struct place *place, bool alone) {
    char path[4200];
    snprintf(path, sizeof path, alone ? "%s" : "%s:%s", place->programs, place->path_before);
    setenv("PATH", path, 1);
}

static bool has_file(const struct place *place, const char *name) {
    char path[128];
    struct stat file;
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    return stat(path, &file) == 0 && file.st_size > 0;
}

static void test_absent(void **state) {
    struct place *place = *state;
    struct why why = {""};
    use_stand_ins(place, true);
    assert_null(perf_attach(PERF_STAT, "linear", place->folder, &why));
    assert_string_equal(why.text, "perf is not installed: make deps (linux-perf)");
}

static void test_forbidden(void **state) {
    struct place *place = *state;
    struct why why = {""};
    write_program(place, "perf",
                  "#!/bin/sh\necho 'Error:' >&2\necho 'Access limited. Consider adjusting "
                  "/proc/sys/kernel/perf_event_paranoid setting' >&2\nexit 255\n");
    use_stand_ins(place, false);
    static const char *const levels[][2] = {
        {"4\n", "paranoid is 4)"}, {"-1\n", "paranoid is -1)"}, {NULL, "paranoid is not to be read)"}};
    kernel_files_begin(NULL);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        kernel_file("/proc/sys/kernel/perf_event_paranoid", levels[i][0]);
        assert_null(perf_attach(PERF_RECORD, "linear", place->folder, &why));
        assert_non_null(strstr(why.text, "perf is forbidden here"));
        assert_non_null(strstr(why.text, levels[i][1]));
        assert_non_null(strstr(why.text, "sysctl -w kernel.perf_event_paranoid=1"));
    }
    kernel_files_end(NULL);
}

static void test_dies_at_once(void **state) {
    struct place *place = *state;
    struct why why = {""};
    write_program(place, "perf", "#!/bin/sh\necho 'no room left' >&2\nexit 3\n");
    use_stand_ins(place, false);
    assert_null(perf_attach(PERF_STAT, "linear", place->folder, &why));
    assert_string_equal(why.text, "perf exited with code 3: no room left");
}

/* A stand-in that can wait for the next command; $7 is the argument of --control. A time limit makes bash
 * wait for data on a pipe that does not block. */
#define STAND_IN "#!/bin/bash\nfds=${7#fd:}\nnext() { read -r -t 20 word <&\"${fds%,*}\"; }\n"

/* Answers the first command, dies at the second. */
static void test_dies_in_the_middle(void **state) {
    struct place *place = *state;
    struct why why = {""};
    write_program(place, "perf", STAND_IN "next\necho ack >&\"${fds#*,}\"\nnext\nkill -KILL $$\n");
    use_stand_ins(place, false);
    struct perf_session *session = perf_attach(PERF_STAT, "linear", place->folder, &why);
    if (!session) fail_msg("%s", why.text);
    perf_enable(session);
    perf_disable(session);
    perf_enable(session);
    /* Noticed, not waited for: that would say how long perf did not answer. */
    assert_false(perf_finish(session, NULL, NULL, &why));
    assert_string_equal(why.text, "perf was ended by SIGKILL (Killed)");
}

/* Obeys, but leaves no output. */
static void test_leaves_nothing(void **state) {
    struct place *place = *state;
    struct why why = {""};
    write_program(place, "perf", STAND_IN "while next; do echo ack >&\"${fds#*,}\"; done\n");
    use_stand_ins(place, false);
    struct perf_session *session = perf_attach(PERF_STAT, "linear", place->folder, &why);
    if (!session) fail_msg("%s", why.text);
    perf_enable(session);
    perf_disable(session);
    assert_false(perf_finish(session, NULL, NULL, &why));
    assert_string_equal(why.text, "perf stat left nothing in stat-linear.txt");
}

static void test_finish_of_nothing(void **state) {
    (void)state;
    assert_true(perf_finish(NULL, NULL, NULL, NULL));
}

/* --- the real perf
 * ----------------------------------------------------------------------------------------------- */

__attribute__((noinline)) static void work_inside(uint64_t cpu_ns) {
    for (uint64_t start = thread_cpu_ns(); thread_cpu_ns() - start < cpu_ns;)
        for (volatile unsigned i = 0; i < 20000; i++) continue;
}

/* Not the same code: the compiler would make one function of both. */
__attribute__((noinline)) static void work_outside(uint64_t cpu_ns) {
    for (uint64_t start = thread_cpu_ns(); thread_cpu_ns() - start < cpu_ns;)
        for (volatile unsigned i = 30000; i > 0; i--) continue;
}

static struct perf_session *attach_or_skip(enum perf_mode mode, const struct place *place) {
    struct why why = {""};
    struct perf_session *session = perf_attach(mode, "linear", place->folder, &why);
    if (session) return session;
    if (getenv("CI")) fail_msg("%s", why.text);
    print_message("skipped: %s\n", why.text);
    skip();
    return NULL;
}

enum { PHASES = 10, INSIDE_MS = 10, OUTSIDE_MS = 40 };

static void run_phases(struct perf_session *session) {
    for (unsigned i = 0; i < PHASES; i++) {
        work_outside(OUTSIDE_MS * 1000000);
        perf_enable(session);
        work_inside(INSIDE_MS * 1000000);
        perf_disable(session);
    }
    work_outside(OUTSIDE_MS * 1000000);
}

static void read_file(const struct place *place, const char *name, char **text) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", place->folder, name);
    FILE *file = fopen(path, "r");
    size_t room = 0;
    *text = NULL;
    assert_non_null(file);
    assert_true(getdelim(text, &room, '\0', file) > 0);
    fclose(file);
}

static void test_stat_counts_only_phases(void **state) {
    struct place *place = *state;
    char *text;
    struct why why = {""};
    double task_ms = 0;
    struct perf_session *session = attach_or_skip(PERF_STAT, place);
    run_phases(session);
    if (!perf_finish(session, NULL, NULL, &why)) fail_msg("%s", why.text);
    read_file(place, "stat-linear.txt", &text);
    const char *row = strstr(text, " msec task-clock");
    assert_non_null(row);
    while (row > text && row[-1] != '\n') row--;
    assert_int_equal(sscanf(row, " %lf", &task_ms), 1);
    assert_true(task_ms > 0.8 * PHASES * INSIDE_MS);
    assert_true(task_ms < 1.5 * PHASES * INSIDE_MS);
    free(text);
}

static size_t occurrences(const char *text, const char *word) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, word)); at++) count++;
    return count;
}

static void test_record_samples_only_phases(void **state) {
    struct place *place = *state;
    char *text;
    struct why why = {""};
    struct perf_session *session = attach_or_skip(PERF_RECORD, place);
    run_phases(session);
    assert_false(perf_finish(session, NULL, "flamegraph.py", &why));
    assert_string_equal(why.text,
                        "no flame graph of linear: there is no python3 to draw it with; the samples "
                        "stay as linear.perf-script");
    assert_false(has_file(place, "record-linear.data"));
    read_file(place, "linear.perf-script", &text);
    size_t inside = occurrences(text, " work_inside"), outside = occurrences(text, " work_outside");
    if (inside < 20 || outside > inside / 20) fail_msg("%zu samples inside, %zu outside", inside, outside);
    free(text);
}

/* A stand-in for python that draws by copying: what matters is how it is called and what is left. */
static void test_record_draws(void **state) {
    struct place *place = *state;
    char python[128];
    struct why why = {""};
    struct perf_session *session = attach_or_skip(PERF_RECORD, place);
    write_program(place, "drawing-python",
                  "#!/bin/sh\n[ \"$1 $4 $5\" = 'graph.py --title linear' ] && cp \"$2\" \"$3\"\n");
    snprintf(python, sizeof python, "%s/drawing-python", place->programs);
    run_phases(session);
    if (!perf_finish(session, python, "graph.py", &why)) fail_msg("%s", why.text);
    assert_true(has_file(place, "linear.svg"));
    assert_false(has_file(place, "linear.perf-script"));
    assert_false(has_file(place, "record-linear.data"));
}

static void test_record_drawing_fails(void **state) {
    struct place *place = *state;
    char python[128];
    struct why why = {""};
    struct perf_session *session = attach_or_skip(PERF_RECORD, place);
    write_program(place, "failing-python", "#!/bin/sh\necho 'flamegraph.py: cannot draw' >&2\nexit 2\n");
    snprintf(python, sizeof python, "%s/failing-python", place->programs);
    run_phases(session);
    assert_false(perf_finish(session, python, "graph.py", &why));
    assert_non_null(strstr(
        why.text, "exited with code 2: flamegraph.py: cannot draw; the samples stay as linear.perf-script"));
    assert_true(has_file(place, "linear.perf-script"));
}

int main(void) {
#define PLACED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        PLACED(test_absent),
        PLACED(test_forbidden),
        PLACED(test_dies_at_once),
        PLACED(test_dies_in_the_middle),
        PLACED(test_leaves_nothing),
        cmocka_unit_test(test_finish_of_nothing),
        PLACED(test_stat_counts_only_phases),
        PLACED(test_record_samples_only_phases),
        PLACED(test_record_draws),
        PLACED(test_record_drawing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
