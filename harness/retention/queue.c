#include "harness/retention/queue.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "harness/retention/case.h"

enum { AT_ONCE = 2 };

struct queued_case {
    struct case_plan plan;
    json_t *lines; /* of the caller's array */
    bool again;    /* killed, as for want of memory, beside another: runs by itself at the end */
};

void queue_add(struct case_queue *queue, const struct case_plan *plan, json_t *lines) {
    if (queue->count == queue->room) {
        queue->room = queue->room ? 2 * queue->room : 64;
        queue->at = realloc(queue->at, queue->room * sizeof *queue->at);
        if (!queue->at) abort();
    }
    json_t *own = json_array();
    json_array_append_new(lines, own);
    queue->at[queue->count++] = (struct queued_case){*plan, own, false};
}

void queue_free(struct case_queue *queue) {
    free(queue->at);
    *queue = (struct case_queue){0};
}

struct running {
    struct case_process process[AT_ONCE];
    struct queued_case *of[AT_ONCE]; /* NULL: none */
    size_t at_once, count, failed;
};

static void end_case(struct running *r, size_t i, int status) {
    struct queued_case *one = r->of[i];
    one->again = r->count > 1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool ok = case_finish(&r->process[i], status, one->lines);
    if (one->again)
        json_array_clear(one->lines);
    else
        r->failed += !ok;
    r->of[i] = NULL;
    r->count--;
}

static void start_case(struct running *r, struct queued_case *one) {
    size_t i = 0;
    while (r->of[i]) i++;
    r->of[i] = one;
    r->count++;
    case_start(&r->process[i], &one->plan);
    if (r->process[i].pid < 0) end_case(r, i, 0);
}

static void wait_for_one(struct running *r) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, 0)) < 0 && errno == EINTR) continue;
    for (size_t i = 0; i < AT_ONCE; i++)
        if (r->of[i] && (pid < 0 || r->process[i].pid == pid)) end_case(r, i, pid < 0 ? 0 : status);
}

static size_t processors(void) {
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? (size_t)CPU_COUNT(&allowed) : 1;
}

/* alone: those that read a clock, and those that want all memory; else the others. */
static void run_some(struct case_queue *queue, struct running *r, bool alone,
                     const volatile sig_atomic_t *interrupted) {
    for (size_t i = 0; i < queue->count; i++) {
        struct queued_case *one = &queue->at[i];
        if ((one->plan.scenario->timed || one->again) != alone) continue;
        while (r->count >= r->at_once) wait_for_one(r);
        if (*interrupted) break;
        start_case(r, one);
    }
    while (r->count > 0) wait_for_one(r);
}

size_t queue_run(struct case_queue *queue, const volatile sig_atomic_t *interrupted) {
    struct running r = {.at_once = processors() < AT_ONCE ? 1 : AT_ONCE};
    run_some(queue, &r, false, interrupted);
    r.at_once = 1;
    run_some(queue, &r, true, interrupted);
    return r.failed;
}
