#include "harness/base/python.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/child.h"
#include "harness/plan/job.h"

static bool interrupts_are_ignored(void) {
    struct sigaction now;
    return sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* Returns the exit code. silent: neither stream is shown; otherwise only what goes to stderr. Who ignores
 * Ctrl-C does so for the program it waits for. */
static int spawn_and_wait(char *const argv[], bool silent) {
    struct child child;
    char ignored[128];
    struct child_start how = {.argv = (const char *const *)argv,
                              .out_fd = CHILD_NOWHERE,
                              .err_fd = silent ? CHILD_NOWHERE : -1,
                              .keep_fd = {-1, -1, -1},
                              .own_group = interrupts_are_ignored()};
    if (!child_start(&child, &how, ignored, sizeof ignored)) return -1;
    child_wait(&child, -1);
    return WIFEXITED(child.status) ? WEXITSTATUS(child.status) : 128 + WTERMSIG(child.status);
}

static bool can_draw(const char *python) {
    char *argv[] = {(char *)python, "-c", "import matplotlib, numpy, scipy", NULL};
    return spawn_and_wait(argv, true) == 0;
}

const char *python_find(char *why, size_t why_size) {
    static const char *found;
    const char *chosen = getenv("MAPBENCH_PYTHON");
    if (chosen && !found && !can_draw(chosen)) {
        snprintf(why, why_size, "MAPBENCH_PYTHON=%s cannot import matplotlib, numpy and scipy", chosen);
        return NULL;
    }
    const char *candidates[] = {chosen, "python3", "/usr/bin/python3"};
    for (size_t i = 0; !found && i < sizeof candidates / sizeof *candidates; i++)
        if (candidates[i] && can_draw(candidates[i])) found = candidates[i];
    if (!found)
        snprintf(why, why_size,
                 "no python3 here can draw: apt-get install python3-matplotlib python3-numpy python3-scipy");
    return found;
}

enum { FOLDERS_MAX = 64 }; /* more than the command line takes */

int report_draw(char *const *folders, char *why, size_t why_size) {
    char program[PATH_MAX + 32], *argv[FOLDERS_MAX + 3] = {NULL};
    const char *python = python_find(why, why_size);
    if (!python) return 4;
    snprintf(program, sizeof program, "%s/plots/report.py", project_root());
    argv[0] = (char *)python;
    argv[1] = program;
    for (size_t i = 0; folders[i] && i < FOLDERS_MAX; i++) argv[i + 2] = folders[i];
    int status = spawn_and_wait(argv, false);
    if (status != 0)
        snprintf(why, why_size, "plots/report.py ended with %d, its message stands above", status);
    return status == 2 ? 2 : status == 0 ? 0 : 4;
}
