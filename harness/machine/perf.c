#include "harness/machine/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/base/clock.h"
#include "harness/base/sysfile.h"

enum {
    READY_MS = 200000, /* perf reads the maps of every library before it answers */
    ANSWER_MS = 60000,
    FINISH_S = 60,       /* a recording is written out */
    DRAW_S = 300,        /* resolving the symbols of some hundred thousand samples */
    SAMPLES_PER_S = 4999 /* a prime, so as not to march in step with a loop */
};

/* Switches and migrations happen in the kernel: where only user space may be counted, perf would print zeros.
 */
#define KERNEL_EVENTS "context-switches,cpu-migrations,"
#define STAT_EVENTS                                                                                          \
    "task-clock,page-faults,minor-faults,major-faults,cycles,instructions,branches,"                         \
    "branch-misses,cache-references,cache-misses,L1-dcache-loads,L1-dcache-load-misses,LLC-load-misses,"     \
    "dTLB-load-misses"

static bool may_count_kernel(void) {
    int paranoid = 2;
    char text[32];
    if (!sysfile_read("/proc/sys/kernel/perf_event_paranoid", text, sizeof text) ||
        sscanf(text, "%d", &paranoid) != 1)
        paranoid = 2;
    return geteuid() == 0 || paranoid < 2;
}

struct perf_session {
    enum perf_mode mode;
    char map[64], folder[PATH_MAX - 128]; /* what path_of makes of them fits PATH_MAX */
    struct child perf;
    int command[2], answer[2]; /* pipes: [0] reads, [1] writes; this side keeps all ends, so none breaks */
    int output_fd;             /* what perf says */
    struct why broken;         /* "", or what went wrong on the way */
};

/* FOLDER/<prefix>MAP<suffix> */
static void path_of(const struct perf_session *session, const char *prefix, const char *suffix, char *path) {
    snprintf(path, PATH_MAX, "%s/%s%s%s", session->folder, prefix, session->map, suffix);
}

/* The folder may get its final name later. */
static const char *name_of(const char *path) {
    return strrchr(path, '/') + 1;
}

static void free_session(struct perf_session *session) {
    const int fds[] = {session->command[0], session->command[1], session->answer[0], session->answer[1],
                       session->output_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] >= 0) close(fds[i]);
    free(session);
}

/* Why perf ended by itself, in one line. */
static void explain_end(const struct perf_session *session, struct why *why) {
    char end[100], line[160], level[32];
    child_describe_end(&session->perf, end, sizeof end);
    child_output_line(session->output_fd, line, sizeof line);
    if (child_output_has(session->output_fd, "perf_event_paranoid") ||
        child_output_has(session->output_fd, "ermission") ||
        child_output_has(session->output_fd, "not permitted")) {
        bool known = sysfile_read("/proc/sys/kernel/perf_event_paranoid", level, sizeof level);
        why_say(why,
                "perf is forbidden here (/proc/sys/kernel/perf_event_paranoid is %s): run sysctl -w "
                "kernel.perf_event_paranoid=1 as root, or run as root",
                known ? level : "not to be read");
    } else {
        why_say(why, "perf %s%s%s", end, line[0] ? ": " : "", line);
    }
}

/* One answer from perf, which ends with a newline. False: `why` says why there is none. */
static bool await_answer(struct perf_session *session, int timeout_ms, struct why *why) {
    uint64_t deadline_ns = wall_ns() + (uint64_t)timeout_ms * 1000000;
    for (;;) {
        char text[64];
        ssize_t got = read(session->answer[0], text, sizeof text);
        if (got > 0 && memchr(text, '\n', (size_t)got)) return true;
        if (session->perf.pid == 0 || child_wait(&session->perf, 0)) {
            explain_end(session, why);
            return false;
        }
        uint64_t now_ns = wall_ns();
        if (now_ns >= deadline_ns) return why_say(why, "perf did not answer within %d s", timeout_ms / 1000);
        struct pollfd events[] = {{.fd = session->answer[0], .events = POLLIN},
                                  {.fd = session->perf.alive_fd, .events = POLLIN}};
        poll(events, 2, (int)((deadline_ns - now_ns) / 1000000) + 1);
    }
}

static bool command(struct perf_session *session, const char *word, int timeout_ms, struct why *why) {
    char line[32], stale[64];
    int length = snprintf(line, sizeof line, "%s\n", word);
    while (read(session->answer[0], stale, sizeof stale) > 0)
        continue; /* a late answer to a command given up */
    if (write(session->command[1], line, (size_t)length) != length)
        return why_say(why, "perf takes no commands: %s", strerror(errno));
    return await_answer(session, timeout_ms, why);
}

static bool start(struct perf_session *session, struct why *why) {
    char pid[16], control[48], rate[16], path[PATH_MAX];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(control, sizeof control, "fd:%d,%d", session->command[0], session->answer[1]);
    snprintf(rate, sizeof rate, "%d", SAMPLES_PER_S);
    path_of(session, session->mode == PERF_STAT ? "stat-" : "record-",
            session->mode == PERF_STAT ? ".txt" : ".data", path);
    const char *const stat[] = {
        "perf", "stat",      "-p",    pid,  "-D",
        "-1",   "--control", control, "-e", may_count_kernel() ? KERNEL_EVENTS STAT_EVENTS : STAT_EVENTS,
        "-o",   path,        NULL};
    const char *const record[] = {"perf",  "record", "-p",        pid,  "-D", "-1", "--control",
                                  control, "-e",     "cpu-clock", "-F", rate, "-g", "--no-buildid-cache",
                                  "-o",    path,     NULL};
    struct child_start how = {.argv = session->mode == PERF_STAT ? stat : record,
                              .out_fd = session->output_fd,
                              .err_fd = session->output_fd,
                              .own_group = true,
                              .keep_fd = {session->command[0], session->answer[1], -1}};
    if (!child_start(&session->perf, &how, why)) {
        if (errno == ENOENT) why_say(why, "perf is not installed: make deps (linux-perf)");
        return false;
    }
    /* Every event is off already (-D -1): the answer says that perf has attached and listens. */
    if (command(session, "disable", READY_MS, why)) return true;
    if (session->perf.pid) child_wait_or_kill(&session->perf, 0);
    unlink(path);
    return false;
}

struct perf_session *perf_attach(enum perf_mode mode, const char *map, const char *folder, struct why *why) {
    struct perf_session *session = calloc(1, sizeof *session);
    if (!session) {
        why_say(why, "out of memory: cannot start perf");
        return NULL;
    }
    session->mode = mode;
    session->command[0] = session->command[1] = session->answer[0] = session->answer[1] = -1;
    session->output_fd = child_output_open();
    int map_length = snprintf(session->map, sizeof session->map, "%s", map);
    int folder_length = snprintf(session->folder, sizeof session->folder, "%s", folder);
    if (map_length >= (int)sizeof session->map || folder_length >= (int)sizeof session->folder)
        why_say(why, "perf has nowhere to write: the path %s is too long", folder);
    else if (session->output_fd < 0 || pipe2(session->command, O_CLOEXEC | O_NONBLOCK) != 0 ||
             pipe2(session->answer, O_CLOEXEC | O_NONBLOCK) != 0)
        why_say(why, "perf cannot be controlled: %s", strerror(errno));
    else if (start(session, why))
        return session;
    free_session(session);
    return NULL;
}

static void switch_events(struct perf_session *session, const char *word) {
    if (session->broken.text[0]) return;
    command(session, word, ANSWER_MS, &session->broken);
}

void perf_enable(struct perf_session *session) {
    switch_events(session, "enable");
}

void perf_disable(struct perf_session *session) {
    switch_events(session, "disable");
}

/* perf writes its output on SIGINT, then ends by that signal. */
static bool end_perf(struct perf_session *session, struct why *why) {
    if (session->perf.pid) {
        kill(session->perf.pid, SIGINT);
        if (!child_finish(&session->perf, FINISH_S) && !session->broken.text[0])
            why_say(&session->broken, "perf did not end within %d s", FINISH_S);
    }
    int status = session->perf.status;
    bool ended_well = child_succeeded(&session->perf) ||
                      (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) ||
                      (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGINT);
    if (session->broken.text[0])
        why_say(why, "%s", session->broken.text);
    else if (!ended_well)
        explain_end(session, why);
    return ended_well && !session->broken.text[0];
}

/* Runs a program to its end with stdout into a file (NULL: collected with stderr). */
static bool run_program(const char *const *argv, const char *out_path, struct why *why) {
    struct child child;
    char end[100], line[160];
    int said_fd = child_output_open();
    int out_fd = out_path ? open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : said_fd;
    bool done = false;
    if (said_fd < 0 || out_fd < 0) {
        why_say(why, "%s cannot be written: %s", out_path ? name_of(out_path) : "the output",
                strerror(errno));
    } else if (child_start(&child,
                           &(struct child_start){
                               .argv = argv, .out_fd = out_fd, .err_fd = said_fd, .keep_fd = {-1, -1, -1}},
                           why)) {
        bool in_time = child_finish(&child, DRAW_S);
        done = in_time && child_succeeded(&child);
        child_describe_end(&child, end, sizeof end);
        child_output_line(said_fd, line, sizeof line);
        if (!in_time) snprintf(end, sizeof end, "took longer than %d s", DRAW_S);
        if (!done) why_say(why, "%s %s%s%s", argv[0], end, line[0] ? ": " : "", line);
    }
    if (out_path && out_fd >= 0) close(out_fd);
    if (said_fd >= 0) close(said_fd);
    return done;
}

static bool draw(const struct perf_session *session, const char *python, const char *flamegraph,
                 struct why *why) {
    char data[PATH_MAX], script[PATH_MAX], svg[PATH_MAX];
    struct why reason;
    path_of(session, "record-", ".data", data);
    path_of(session, "", ".perf-script", script);
    path_of(session, "", ".svg", svg);
    /* Inlined frames would start addr2line for every address. */
    const char *const to_text[] = {"perf", "script", "-i", data, "--no-inline", NULL};
    const char *const to_picture[] = {python, flamegraph, script, svg, "--title", session->map, NULL};
    if (!run_program(to_text, script, &reason))
        return why_say(why, "no flame graph of %s: %s; the recording stays as %s", session->map, reason.text,
                       name_of(data));
    unlink(data);
    if (!python || !flamegraph)
        why_say(&reason, "there is no %s to draw it with", python ? "flamegraph.py" : "python3");
    else if (run_program(to_picture, NULL, &reason)) {
        unlink(script);
        return true;
    }
    return why_say(why, "no flame graph of %s: %s; the samples stay as %s", session->map, reason.text,
                   name_of(script));
}

static bool deliver(const struct perf_session *session, const char *python, const char *flamegraph,
                    struct why *why) {
    char path[PATH_MAX];
    struct stat file;
    if (session->mode == PERF_RECORD) return draw(session, python, flamegraph, why);
    path_of(session, "stat-", ".txt", path);
    if (stat(path, &file) == 0 && file.st_size > 0) return true;
    return why_say(why, "perf stat left nothing in %s", name_of(path));
}

bool perf_finish(struct perf_session *session, const char *python, const char *flamegraph, struct why *why) {
    if (!session) return true;
    bool ok = end_perf(session, why) && deliver(session, python, flamegraph, why);
    free_session(session);
    return ok;
}
