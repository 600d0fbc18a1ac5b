/* When something is given up: after so much processor time of a process, so that a busy machine ends nothing;
 * and DEADLINE_CLOCK times later by the clock, for what waits for ever. */
#ifndef MAPBENCH_DEADLINE_H
#define MAPBENCH_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { DEADLINE_CLOCK = 10 };

struct deadline {
    uint64_t cpu_ns; /* of the process's own clock */
    uint64_t wall_ns,
        wall_least_ns; /* CLOCK_MONOTONIC: the end, and before which no clock of processors is read */
};

static const struct deadline deadline_never = {UINT64_MAX, UINT64_MAX, UINT64_MAX};

/* `cpu_ns`: what the clock of the process that works shows now. */
struct deadline deadline_in(double seconds, uint64_t cpu_ns);
/* `cpu`: that clock, CLOCK_PROCESS_CPUTIME_ID or a child's (child_clock). */
bool deadline_passed(const struct deadline *deadline, clockid_t cpu);
/* How long to wait for an event at the most before asking again whether it has passed; for poll(2). */
int deadline_wait_ms(const struct deadline *deadline);

/* For a forked child: ends this process with a signal after so many seconds, likewise. */
void deadline_end_this_process(unsigned seconds);
/* Whether that is how a process ended; its status is as of waitpid(2). */
bool deadline_ended_it(int status);

#endif
