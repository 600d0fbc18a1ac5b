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
    struct child_start how = {.argv = (const char *const *)argv,
                              .out_fd = CHILD_NOWHERE,
                              .err_fd = silent ? CHILD_NOWHERE : -1,
                              .keep_fd = {-1, -1, -1},
                              .own_group = interrupts_are_ignored()};
    if (!child_start(&child, &how, NULL)) return -1;
    child_wait(&child, -1);
    return WIFEXITED(child.status) ? WEXITSTATUS(child.status) : 128 + WTERMSIG(child.status);
}

/* Exit status of the probe: 64 and the number of packages it can import. */
enum { HAS_NOTHING = 64, HAS_ALL = HAS_NOTHING + 3 };

/* Asks an interpreter what it can import; 0: it is none, or older than 3.11. -P: not from the working folder.
 */
static int packages_of(const char *python) {
    static const char probe[] = "import importlib, sys\n"
                                "found = 64\n"
                                "for name in ('numpy', 'scipy', 'matplotlib'):\n"
                                "    try:\n"
                                "        importlib.import_module(name)\n"
                                "        found += 1\n"
                                "    except ImportError:\n"
                                "        pass\n"
                                "sys.exit(found if sys.version_info >= (3, 11) else 0)\n";
    char *argv[] = {(char *)python, "-P", "-c", (char *)probe, NULL};
    int status = spawn_and_wait(argv, true);
    return status >= HAS_NOTHING && status <= HAS_ALL ? status : 0;
}

static struct {
    const char *program;
    int packages;
} found;

static void look_for_python(void) {
    const char *chosen = getenv("MAPBENCH_PYTHON");
    const char *candidates[] = {chosen ? chosen : "python3", chosen ? NULL : "/usr/bin/python3"};
    for (size_t i = 0; i < COUNT_OF(candidates) && found.packages < HAS_ALL; i++) {
        int packages = candidates[i] ? packages_of(candidates[i]) : 0;
        if (packages > found.packages) found.program = candidates[i], found.packages = packages;
    }
}

const char *python_find(enum python_need need, struct why *why) {
    const char *chosen = getenv("MAPBENCH_PYTHON");
    if (!found.program) look_for_python();
    if (!found.program)
        why_say(why, "%s%s is no python3 of version 3.11 or newer: make deps (python3)",
                chosen ? "MAPBENCH_PYTHON=" : "what PATH has", chosen ? chosen : "");
    else if (need == PYTHON_DRAWS && found.packages < HAS_ALL)
        why_say(why,
                "%s cannot import matplotlib, numpy and scipy: make deps (python3-matplotlib "
                "python3-numpy python3-scipy)",
                found.program);
    else
        return found.program;
    return NULL;
}

enum { FOLDERS_MAX = 64 }; /* as many words as a command line takes */

void python_use_project(void) {
    char path[2 * PATH_MAX];
    const char *root = project_root(), *before = getenv("PYTHONPATH");
    size_t length = strlen(root);
    if (before && strncmp(before, root, length) == 0 && strchr(":", before[length])) return;
    /* an empty entry would be the working folder */
    snprintf(path, sizeof path, "%s%s%s", root, before && *before ? ":" : "", before ? before : "");
    setenv("PYTHONPATH", path, 1);
}

int report_draw(char *const *folders, struct why *why) {
    char *head[] = {(char *)python_find(PYTHON_ANY, why), "-P", "-m", "plots.report"};
    enum { HEAD = sizeof head / sizeof *head };
    char *argv[HEAD + FOLDERS_MAX + 1] = {NULL};
    if (!head[0]) return EXIT_CANNOT;
    memcpy(argv, head, sizeof head);
    for (size_t i = 0; folders[i] && i < FOLDERS_MAX; i++) argv[HEAD + i] = folders[i];
    python_use_project();
    int status = spawn_and_wait(argv, false);
    if (status != 0) why_say(why, "plots/report.py ended with %d, its message stands above", status);
    return status == EXIT_OK || status == EXIT_USAGE ? status : EXIT_CANNOT;
}
