#include "harness/base/python.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "harness/base/count_of.h"
#include "harness/base/project.h"
#include "harness/base/child.h"
#include "harness/base/exit.h"

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
    for (size_t i = 0; !found && i < COUNT_OF(candidates); i++)
        if (candidates[i] && can_draw(candidates[i])) found = candidates[i];
    if (!found)
        snprintf(why, why_size,
                 "no python3 here has matplotlib, numpy and scipy: make deps (python3-matplotlib "
                 "python3-numpy python3-scipy)");
    return found;
}

enum { FOLDERS_MAX = 64 }; /* more than the command line takes */

void python_use_project(void) {
    char path[2 * PATH_MAX];
    const char *root = project_root(), *before = getenv("PYTHONPATH");
    size_t length = strlen(root);
    if (before && strncmp(before, root, length) == 0 && strchr(":", before[length])) return;
    snprintf(path, sizeof path, "%s%s%s", root, before ? ":" : "", before ? before : "");
    setenv("PYTHONPATH", path, 1);
}

int report_draw(char *const *folders, char *why, size_t why_size) {
    char *head[] = {(char *)python_find(why, why_size), "-m", "plots.report"};
    enum { HEAD = sizeof head / sizeof *head };
    char *argv[HEAD + FOLDERS_MAX + 1] = {NULL};
    if (!head[0]) return EXIT_CANNOT;
    memcpy(argv, head, sizeof head);
    for (size_t i = 0; folders[i] && i < FOLDERS_MAX; i++) argv[HEAD + i] = folders[i];
    python_use_project();
    int status = spawn_and_wait(argv, false);
    if (status != 0)
        snprintf(why, why_size, "plots/report.py ended with %d, its message stands above", status);
    return status == EXIT_OK || status == EXIT_USAGE ? status : EXIT_CANNOT;
}
