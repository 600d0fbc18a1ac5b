#include "harness/base/python.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/plan/job.h"

/* silent: neither stream is shown; otherwise only what goes to stderr. */
static int spawn_and_wait(char *const argv[], bool silent) {
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (silent) posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    char **env = child_environment(NULL, 0);
    int error = env ? posix_spawnp(&pid, argv[0], &actions, NULL, argv, env) : ENOMEM;
    free(env);
    posix_spawn_file_actions_destroy(&actions);
    if (error) return errno = error, -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
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
