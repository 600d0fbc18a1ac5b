/* Programs started by the harness: how they end, what they say, what they inherit. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/base/clock.h"
#include "harness/base/deadline.h"

enum { ENOUGH_MS = 600000 };

/* Starts a shell command line; its output goes to said_fd. */
static struct child start_shell(const char *line, int said_fd, int keep_fd) {
    struct child child;
    struct why why = {""};
    const char *argv[] = {"sh", "-c", line, NULL};
    struct child_start how = {
        .argv = argv, .out_fd = said_fd, .err_fd = said_fd, .keep_fd = {keep_fd, -1, -1}};
    assert_true(child_start(&child, &how, &why));
    return child;
}

static void expect_end(const char *line, bool success, const char *described) {
    char text[100];
    struct child child = start_shell(line, -1, -1);
    assert_true(child_wait(&child, ENOUGH_MS));
    assert_int_equal(child.pid, 0);
    assert_int_equal(child_succeeded(&child), success);
    child_describe_end(&child, text, sizeof text);
    assert_string_equal(text, described);
}

static void test_ends(void **state) {
    (void)state;
    expect_end("exit 0", true, "exited with code 0");
    expect_end("exit 3", false, "exited with code 3");
    expect_end("kill -ABRT $$", false, "was ended by SIGABRT (Aborted)");
    expect_end("kill -KILL $$", false, "was ended by SIGKILL (Killed)");
}

static void test_not_there(void **state) {
    (void)state;
    struct child child;
    struct why why = {""};
    const char *argv[] = {"no-such-program-here", NULL};
    struct child_start how = {.argv = argv, .out_fd = -1, .err_fd = -1, .keep_fd = {-1, -1, -1}};
    assert_false(child_start(&child, &how, &why));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(child.pid, 0);
    assert_string_equal(why.text, "no-such-program-here cannot be started: No such file or directory");
}

static void test_time_limit(void **state) {
    (void)state;
    char text[100];
    struct child child = start_shell("exec sleep 600", -1, -1);
    pid_t pid = child.pid;
    assert_false(child_wait(&child, 50));
    assert_int_equal(child.pid, pid);
    assert_false(child_wait_or_kill(&child, 50));
    assert_int_equal(child.pid, 0);
    child_describe_end(&child, text, sizeof text);
    assert_string_equal(text, "was ended by SIGKILL (Killed)");
    assert_int_equal(kill(pid, 0), -1); /* reaped: no zombie is left */
    assert_int_equal(errno, ESRCH);
}

/* What waits is given ten times as long as what works. */
static void test_limit_of_processor_time(void **state) {
    (void)state;
    char text[100];
    struct child waits = start_shell("exec sleep 2", -1, -1);
    assert_true(child_finish(&waits, 1));
    assert_true(child_succeeded(&waits));
    struct child works = start_shell("while :; do :; done", -1, -1);
    uint64_t began = wall_ns();
    assert_false(child_finish(&works, 0.2));
    assert_true(wall_ns() - began >= 200000000);
    child_describe_end(&works, text, sizeof text);
    assert_string_equal(text, "was ended by SIGKILL (Killed)");
    struct child hangs = start_shell("exec sleep 600", -1, -1);
    began = wall_ns();
    assert_false(child_finish(&hangs, 0.1));
    assert_true(wall_ns() - began >= 1000000000);
}

static int status_of_fork(unsigned limit_s, bool works) {
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        deadline_end_this_process(limit_s);
        if (!works) sleep(limit_s + 1);
        for (volatile bool on = works; on;) continue;
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_limit_of_a_fork(void **state) {
    (void)state;
    assert_int_equal(status_of_fork(1, false), 0);
    assert_true(deadline_ended_it(status_of_fork(1, true)));
    assert_false(deadline_ended_it(SIGKILL));
    assert_false(deadline_ended_it(0));
}

static void test_deadlines(void **state) {
    (void)state;
    clockid_t own = CLOCK_PROCESS_CPUTIME_ID;
    assert_false(deadline_passed(&deadline_never, own));
    struct deadline d = deadline_in(0, clock_read_ns(own));
    assert_true(deadline_passed(&d, own));
    d = deadline_in(1e300, clock_read_ns(own)); /* no overflow */
    assert_false(deadline_passed(&d, own));
    assert_true(deadline_wait_ms(&d) > 1000000);
    /* The time by the clock is over, that of the processor is not: not yet. */
    d = (struct deadline){UINT64_MAX, UINT64_MAX, 0};
    assert_false(deadline_passed(&d, own));
    assert_true(deadline_wait_ms(&d) <= 1000);
    d.wall_ns = 0;
    assert_true(deadline_passed(&d, own));
}

static void test_output(void **state) {
    (void)state;
    char line[100];
    int said_fd = child_output_open();
    struct child child = start_shell("echo; echo '  first'; echo second >&2; cat", said_fd, -1);
    assert_true(child_wait(&child, ENOUGH_MS)); /* cat ends: stdin is empty */
    child_output_line(said_fd, line, sizeof line);
    assert_string_equal(line, "first");
    assert_true(child_output_has(said_fd, "second"));
    assert_false(child_output_has(said_fd, "third"));
    close(said_fd);
    child_output_line(-1, line, sizeof line);
    assert_string_equal(line, "");
}

static void test_nowhere(void **state) {
    (void)state;
    struct why why = {""};
    const char *argv[] = {"sh", "-c", "[ /dev/stdout -ef /dev/null ] && ! [ /dev/stderr -ef /dev/null ]",
                          NULL};
    struct child_start how = {.argv = argv, .out_fd = CHILD_NOWHERE, .err_fd = -1, .keep_fd = {-1, -1, -1}};
    struct child child;
    int said_fd = child_output_open();
    how.err_fd = said_fd;
    assert_true(child_start(&child, &how, &why));
    assert_true(child_wait(&child, ENOUGH_MS));
    assert_true(child_succeeded(&child));
    close(said_fd);
}

/* Work of a fork: ends with the code that it is given, or by a signal. */
static int end_with(void *code) {
    if (*(int *)code < 0) raise(-*(int *)code);
    return *(int *)code;
}

static void test_fork(void **state) {
    (void)state;
    char text[100];
    struct why why;
    struct child child;
    int code = 7;
    assert_true(child_fork(&child, end_with, &code, &why));
    assert_true(child_wait(&child, -1));
    assert_int_equal(child.pid, 0);
    child_describe_end(&child, text, sizeof text);
    assert_string_equal(text, "exited with code 7");
    code = -SIGKILL;
    assert_true(child_fork(&child, end_with, &code, &why));
    assert_true(child_wait(&child, ENOUGH_MS));
    child_describe_end(&child, text, sizeof text);
    assert_string_equal(text, "was ended by SIGKILL (Killed)");
    code = -SIGSTOP; /* stands still: the time limit is noticed for forks as well */
    assert_true(child_fork(&child, end_with, &code, &why));
    assert_false(child_wait_or_kill(&child, 50));
    assert_int_equal(child.pid, 0);
}

/* Only what is handed over stays open, and under its number. */
static void test_descriptors(void **state) {
    (void)state;
    char line[300], text[16] = "";
    int said_fd = child_output_open(), kept_fd = child_output_open(), other_fd = child_output_open();
    snprintf(line, sizeof line, "printf kept >&%d; [ -e /proc/self/fd/%d ] && echo open || echo closed",
             kept_fd, other_fd);
    struct child child = start_shell(line, said_fd, kept_fd);
    assert_true(child_wait(&child, ENOUGH_MS));
    child_output_line(said_fd, line, sizeof line);
    assert_string_equal(line, "closed");
    assert_int_equal(pread(kept_fd, text, sizeof text, 0), 4);
    assert_string_equal(text, "kept");
    assert_int_equal(fcntl(kept_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(said_fd), close(kept_fd), close(other_fd);
}

/* What a child prints is read and stored: the user's locale must not change it. */
static void test_c_locale(void **state) {
    (void)state;
    char line[100];
    int said_fd = child_output_open();
    assert_int_equal(setenv("LC_ALL", "de_DE.UTF-8", 1), 0);
    assert_int_equal(setenv("LANGUAGE", "de", 1), 0);
    assert_int_equal(setenv("MAPBENCH_TEST", "kept", 1), 0);
    struct child child =
        start_shell("echo $LC_ALL $LANGUAGE $MAPBENCH_TEST; env | grep -c ^LC_ALL=", said_fd, -1);
    assert_true(child_wait(&child, ENOUGH_MS));
    child_output_line(said_fd, line, sizeof line);
    assert_string_equal(line, "C C kept");
    assert_true(child_output_has(said_fd, "kept\n1\n"));
    close(said_fd);
    const char *const replaced[] = {"MAPBENCH_TEST=other", "MAPBENCH_NEW=x"};
    char **env = child_environment(replaced, 2);
    size_t others = 0, news = 0;
    for (char **one = env; *one; one++) {
        others += strcmp(*one, "MAPBENCH_TEST=other") == 0, news += strcmp(*one, "MAPBENCH_NEW=x") == 0;
        assert_string_not_equal(*one, "MAPBENCH_TEST=kept");
        assert_string_not_equal(*one, "LC_ALL=de_DE.UTF-8");
    }
    assert_true(others == 1 && news == 1);
    free(env);
    unsetenv("LC_ALL"), unsetenv("LANGUAGE"), unsetenv("MAPBENCH_TEST");
}

/* The runner blocks and handles signals; a child must not inherit that. */
static void test_signals_are_default(void **state) {
    (void)state;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    void (*old)(int) = signal(SIGINT, SIG_IGN);
    expect_end("kill -TERM $$; sleep 600", false, "was ended by SIGTERM (Terminated)");
    expect_end("kill -INT $$; sleep 600", false, "was ended by SIGINT (Interrupt)");
    signal(SIGINT, old);
    sigprocmask(SIG_SETMASK, &before, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_limit_of_processor_time),
        cmocka_unit_test(test_limit_of_a_fork),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_signals_are_default),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_c_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
