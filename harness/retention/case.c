#include "harness/retention/case.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/base/deadline.h"
#include "harness/base/sizes.h"
#include "harness/base/why.h"
#include "harness/machine/memory_left.h"
#include "harness/retention/story.h"

/* --- the child --- */

/* Makes this process the one that the kernel ends when memory runs out, not the one that holds all results.
 */
static void end_first(void) {
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return; /* where it is not to be had the kernel takes the largest: this one as a rule */
    ssize_t written = write(fd, "1000", 4);
    (void)written;
    close(fd);
}

static int run_child(const struct case_plan *plan, int fd) {
    const struct rlimit no_core = {0, 0};
    struct retention r;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
    setrlimit(RLIMIT_CORE, &no_core);
    end_first();
    deadline_end_this_process(plan->limit_s);
    if (!story_open(&r, plan, fdopen(fd, "w"))) return 1;
    bool ok = story_run(&r);
    if (!ok && r.gosim && *gosim_why(r.gosim)) case_fail(&r, "%s", gosim_why(r.gosim));
    story_close(&r);
    return ok ? 0 : 1;
}

/* --- the parent --- */

/* Reads the child's lines; the last may be torn. Closes fd. */
static void read_lines(int fd, json_t *lines) {
    FILE *in = lseek(fd, 0, SEEK_SET) == 0 ? fdopen(fd, "r") : NULL;
    char *text = NULL;
    size_t room = 0;
    while (in && getline(&text, &room, in) > 0) {
        json_t *line = json_loads(text, 0, NULL);
        if (line) json_array_append_new(lines, line);
    }
    free(text);
    if (in)
        fclose(in);
    else
        close(fd);
}

static bool has_error(const json_t *lines, size_t from) {
    for (size_t i = from; i < json_array_size(lines); i++)
        if (json_is_string(json_object_get(json_array_get(lines, i), "error"))) return true;
    return false;
}

/* SIGKILL comes from the kernel when memory runs out: says how much there is. */
static void why_killed(struct why *why) {
    struct memory_left left;
    char have[32];
    memory_left_now(&left);
    why_say(why, "ended by SIGKILL");
    if (left.known)
        why_add(why, ", for want of memory as a rule: %s are available here%s%s; choose a smaller --n",
                size_bytes_text((double)left.bytes, have, sizeof have), left.by[0] ? ", for " : "", left.by);
}

void case_start(struct case_process *p, const struct case_plan *plan) {
    *p = (struct case_process){.plan = plan, .fd = child_output_open(), .pid = -1};
    fflush(NULL);
    if (p->fd < 0)
        why_say(&p->why, "cannot make a place for its output: %s", strerror(errno));
    else if ((p->pid = fork()) < 0)
        why_say(&p->why, "cannot start a process: %s", strerror(errno));
    if (p->pid == 0) _exit(run_child(plan, p->fd));
}

bool case_finish(struct case_process *p, int status, json_t *lines) {
    size_t before = json_array_size(lines);
    if (p->fd >= 0) read_lines(p->fd, lines);
    if (p->why.text[0])
        status = 0; /* it did not start */
    else if (deadline_ended_it(status))
        why_say(&p->why, "gave up after %u s (--limit)", p->plan->limit_s);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        why_killed(&p->why);
    else if (WIFSIGNALED(status))
        why_say(&p->why, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0)
        why_say(&p->why, "failed");
    if (p->why.text[0] && !has_error(lines, before)) {
        json_t *line = case_line(p->plan);
        json_object_set_new(line, "label", json_string("error"));
        json_object_set_new(line, "error", json_string(p->why.text));
        json_array_append_new(lines, line);
    }
    return !has_error(lines, before);
}
