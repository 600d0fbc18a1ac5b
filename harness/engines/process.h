/* One running engine program: started, asked line by line, ended. Used by the files of the engines only. */
#ifndef MAPBENCH_ENGINE_PROCESS_H
#define MAPBENCH_ENGINE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/child.h"
#include "harness/base/deadline.h"
#include "harness/base/why.h"
#include "harness/engines/wire.h"

struct engine_process {
    struct child child;
    int command_fd, answer_fd, error_fd; /* -1: not running */
    struct wire_block *block;
    char line[512]; /* the last answer, without its end */
    char pending[512];
    size_t pending_size;
};

/* Finds a program of engines.def: BUILD/engines/NAME beside the running executable, or in
 * $MAPBENCH_ENGINES. False: it is not there. */
bool engine_program_path(const char *name, char *path, size_t size);

/* Starts the program and takes its first line, which is left in `line`. False: `why`. */
bool engine_process_start(struct engine_process *p, const char *path, const char *kind, const char *shape,
                          const char *collector, struct deadline deadline, struct why *why);
/* Writes a command (without line end) and waits for the answer, left in `line`. False: `why`. */
bool engine_process_ask(struct engine_process *p, const char *command, struct deadline deadline,
                        struct why *why);
/* Ends it, if need be by a signal. */
void engine_process_end(struct engine_process *p);

#endif
