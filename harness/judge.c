#include "harness/judge.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/exit.h"
#include "harness/base/project.h"
#include "harness/base/python.h"
#include "harness/base/why.h"

int judge_command(const char *command, char *const *args) {
    char self[PATH_MAX];
    struct why why;
    const char *python = python_find(PYTHON_ANY, &why);
    if (!python) return complain(EXIT_CANNOT, why.text);
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length < 0) return perror("mapbench: /proc/self/exe"), EXIT_CANNOT;
    self[length] = '\0';
    size_t count = 0;
    while (args[count]) count++;
    char **argv = calloc(count + 7, sizeof *argv);
    if (!argv) return complain(EXIT_CANNOT, "out of memory");
    char *head[] = {(char *)python, "-B", "-P", "-m", "judge", (char *)command};
    memcpy(argv, head, sizeof head);
    memcpy(argv + 6, args, count * sizeof *argv);
    python_use_project();
    setenv("MAPBENCH", self, 1);
    fflush(NULL);
    execvp(python, argv);
    fprintf(stderr, "mapbench: cannot run %s: %s\n", python, strerror(errno));
    free(argv);
    return EXIT_CANNOT;
}
