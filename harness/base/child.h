/* A process started by this one, ended by its process id only: a program, started without a shell and with
 * exactly the descriptors it needs, or a fork. */
#ifndef MAPBENCH_CHILD_H
#define MAPBENCH_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#include "harness/base/why.h"

struct child {
    pid_t pid;    /* 0: none */
    int alive_fd; /* reads as ended when the child has ended; for poll(2) */
    int status;   /* as of waitpid(2), once ended */
};

enum { CHILD_NOWHERE = -2 }; /* as a descriptor of output: nobody reads it */

struct child_start {
    const char *const *argv; /* ends with NULL; argv[0] is looked for in PATH unless it has a slash */
    const char *const *env;  /* NULL: as child_environment without replacements */
    int out_fd, err_fd; /* what stdout and stderr become; -1: unchanged, or CHILD_NOWHERE. stdin is empty */
    int keep_fd[3];     /* further descriptors to hand over under the same numbers; -1: none */
    bool own_group;     /* Ctrl-C at the terminal does not reach it */
};

/* This process's environment with variables ("NAME=TEXT") replaced or added, and in the C locale: what
 * children print is read and stored, and a decimal comma or a translated message would be another result. The
 * caller frees the array, which refers to `replaced`. NULL: out of memory. */
char **child_environment(const char *const *replaced, size_t count);

/* False: it could not be started; `why` says so in one line, errno is set (ENOENT: no such program). */
bool child_start(struct child *child, const struct child_start *how, struct why *why);

/* Forks. The child runs `work` and ends, without exit handlers or flushing, with the code it returns. False:
 * there is no child; `why` says so in one line. */
bool child_fork(struct child *child, int (*work)(void *context), void *context, struct why *why);

/* Waits until the child has ended, at most so long, -1: however long. True: it has, and `status` is set. */
bool child_wait(struct child *child, int timeout_ms);
/* As child_wait, and kills it when the time is up. True: it ended by itself. */
bool child_wait_or_kill(struct child *child, int timeout_ms);

/* As child_wait_or_kill, the child having so many more seconds of processor time (deadline.h). */
bool child_finish(struct child *child, double seconds);
/* The clock of its processor time, while it has not been waited for. */
clockid_t child_clock(const struct child *child);

/* True for exit code 0. */
bool child_succeeded(const struct child *child);
/* "exited with code 3" or "was ended by SIGABRT (Aborted)". */
void child_describe_end(const struct child *child, char *text, size_t size);

/* A file in memory to collect a child's output in (-1: none to be had), and its first line that is not blank.
 */
int child_output_open(void);
void child_output_line(int fd, char *line, size_t size);
/* True if the collected output contains the text. */
bool child_output_has(int fd, const char *text);

#endif
