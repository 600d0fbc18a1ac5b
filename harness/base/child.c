#include "harness/base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/deadline.h"

enum { KEEP_MAX = sizeof((struct child_start *)0)->keep_fd / sizeof(int) };

static int redirect(posix_spawn_file_actions_t *actions, int fd, int stream) {
    if (fd == CHILD_NOWHERE)
        return posix_spawn_file_actions_addopen(actions, stream, "/dev/null", O_WRONLY, 0);
    return fd >= 0 ? posix_spawn_file_actions_adddup2(actions, fd, stream) : 0;
}

/* A descriptor duplicated onto itself loses close-on-exec in the child (glibc 2.29, POSIX.1-2024). */
static int hand_over(posix_spawn_file_actions_t *actions, const struct child_start *how, int alive_write_fd) {
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    for (size_t i = 0; !error && i < KEEP_MAX; i++)
        if (how->keep_fd[i] >= 0)
            error = posix_spawn_file_actions_adddup2(actions, how->keep_fd[i], how->keep_fd[i]);
    if (!error) error = posix_spawn_file_actions_adddup2(actions, alive_write_fd, alive_write_fd);
    if (!error) error = redirect(actions, how->out_fd, STDOUT_FILENO);
    if (!error) error = redirect(actions, how->err_fd, STDERR_FILENO);
    return error;
}

/* The child begins with default signal dispositions and an empty mask, whatever the runner has set for
 * itself. */
static int set_attributes(posix_spawnattr_t *attributes, bool own_group) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(attributes, &all);
    if (!error && own_group) error = posix_spawnattr_setpgroup(attributes, 0);
    if (!error)
        error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                         (own_group ? POSIX_SPAWN_SETPGROUP : 0));
    return error;
}

char **child_environment(const char *const *replaced, size_t count) {
    static const char *const c_locale[] = {"LC_ALL=C", "LANGUAGE=C"};
    enum { LOCALE = sizeof c_locale / sizeof *c_locale };
    size_t present = 0, kept = 0;
    while (environ[present]) present++;
    const char **env = calloc(present + count + LOCALE + 1, sizeof *env);
    if (!env) return NULL;
    for (size_t i = 0; i < present; i++) {
        bool ours = false;
        for (size_t k = 0; k < count + LOCALE; k++) {
            const char *new = k < count ? replaced[k] : c_locale[k - count];
            ours |= strncmp(environ[i], new, (size_t)(strchr(new, '=') - new) + 1) == 0;
        }
        if (!ours) env[kept++] = environ[i];
    }
    for (size_t k = 0; k < count; k++) env[kept++] = replaced[k];
    for (size_t k = 0; k < LOCALE; k++) env[kept++] = c_locale[k];
    return (char **)env;
}

bool child_start(struct child *child, const struct child_start *how, struct why *why) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int alive[2] = {-1, -1};
    char **env = how->env ? NULL : child_environment(NULL, 0);
    *child = (struct child){.alive_fd = -1};
    /* Only the child holds the writing end: the reading end hangs up when the child ends, however it ends. */
    int error = pipe2(alive, O_CLOEXEC) == 0 ? 0 : errno;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (!error) error = hand_over(&actions, how, alive[1]);
    if (!error) error = set_attributes(&attributes, how->own_group);
    if (!error)
        error = posix_spawnp(&child->pid, how->argv[0], &actions, &attributes, (char *const *)how->argv,
                             how->env ? (char *const *)how->env
                             : env    ? env
                                      : environ);
    free(env);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (alive[1] >= 0) close(alive[1]);
    if (!error) {
        child->alive_fd = alive[0];
        return true;
    }
    if (alive[0] >= 0) close(alive[0]);
    child->pid = 0;
    why_say(why, "%s cannot be started: %s", how->argv[0], strerror(error));
    errno = error;
    return false;
}

bool child_fork(struct child *child, int (*work)(void *context), void *context, struct why *why) {
    int alive[2];
    *child = (struct child){.alive_fd = -1};
    if (pipe2(alive, O_CLOEXEC) != 0) return why_say(why, "cannot make a pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        close(alive[0]); /* the writing end is closed by the end of the process */
        _exit(work(context));
    }
    if (pid < 0) why_say(why, "cannot start a process: %s", strerror(errno));
    close(alive[1]);
    if (pid > 0)
        *child = (struct child){.pid = pid, .alive_fd = alive[0]};
    else
        close(alive[0]);
    return pid > 0;
}

static void reap(struct child *child) {
    while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR) continue;
    close(child->alive_fd);
    child->pid = 0;
    child->alive_fd = -1;
}

bool child_wait(struct child *child, int timeout_ms) {
    if (child->pid && timeout_ms < 0) reap(child);
    uint64_t deadline_ns = wall_ns() + (uint64_t)timeout_ms * 1000000;
    while (child->pid) {
        uint64_t now_ns = wall_ns();
        int left_ms = now_ns >= deadline_ns ? 0 : (int)((deadline_ns - now_ns + 999999) / 1000000);
        struct pollfd ended = {.fd = child->alive_fd, .events = POLLIN};
        int ready = poll(&ended, 1, left_ms);
        if (ready > 0) reap(child);
        if (ready == 0) return false;
    }
    return true;
}

static bool end(struct child *child) {
    kill(child->pid, SIGKILL);
    reap(child);
    return false;
}

bool child_wait_or_kill(struct child *child, int timeout_ms) {
    return child_wait(child, timeout_ms) || end(child);
}

clockid_t child_clock(const struct child *child) {
    clockid_t clock;
    return clock_getcpuclockid(child->pid, &clock) == 0 ? clock : CLOCK_MONOTONIC;
}

bool child_finish(struct child *child, double seconds) {
    struct deadline deadline = deadline_in(seconds, clock_read_ns(child_clock(child)));
    while (!child_wait(child, deadline_wait_ms(&deadline)))
        if (deadline_passed(&deadline, child_clock(child))) return end(child);
    return true;
}

bool child_succeeded(const struct child *child) {
    return WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
}

void child_describe_end(const struct child *child, char *text, size_t size) {
    if (WIFEXITED(child->status)) {
        snprintf(text, size, "exited with code %d", WEXITSTATUS(child->status));
        return;
    }
    int number = WTERMSIG(child->status);
    const char *name = sigabbrev_np(number), *meaning = strsignal(number);
    snprintf(text, size, "was ended by SIG%s (%s)", name ? name : "?", meaning ? meaning : "unknown");
}

int child_output_open(void) {
    return memfd_create("output", MFD_CLOEXEC);
}

static void output_head(int fd, char *text, size_t size) {
    ssize_t got = fd >= 0 ? pread(fd, text, size - 1, 0) : 0;
    text[got > 0 ? got : 0] = '\0';
}

void child_output_line(int fd, char *line, size_t size) {
    char text[8192];
    output_head(fd, text, sizeof text);
    const char *start = text + strspn(text, " \t\r\n");
    snprintf(line, size, "%.*s", (int)strcspn(start, "\r\n"), start);
}

bool child_output_has(int fd, const char *words) {
    char text[8192];
    output_head(fd, text, sizeof text);
    return strstr(text, words) != NULL;
}
