#include "harness/base/deadline.h"

#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/clock.h"

struct deadline deadline_in(double seconds, uint64_t cpu_ns) {
    enum { YEAR_S = 365 * 24 * 3600 }; /* and no sum overflows */
    uint64_t ns = (uint64_t)((seconds < YEAR_S ? seconds : YEAR_S) * 1e9), now = wall_ns();
    return (struct deadline){cpu_ns + ns, now + DEADLINE_CLOCK * ns, now + ns};
}

bool deadline_passed(const struct deadline *deadline, clockid_t cpu) {
    uint64_t now = wall_ns();
    if (now < deadline->wall_least_ns) return false;
    return now >= deadline->wall_ns || clock_read_ns(cpu) >= deadline->cpu_ns;
}

int deadline_wait_ms(const struct deadline *deadline) {
    enum { EVERY_MS = 100 };
    uint64_t now = wall_ns();
    if (now >= deadline->wall_least_ns) return EVERY_MS;
    uint64_t ms = (deadline->wall_least_ns - now) / 1000000 + 1;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

void deadline_end_this_process(unsigned seconds) {
    const struct rlimit limit = {seconds, RLIM_INFINITY};
    setrlimit(RLIMIT_CPU, &limit);
    alarm(seconds < UINT_MAX / DEADLINE_CLOCK ? DEADLINE_CLOCK * seconds : UINT_MAX);
}

bool deadline_ended_it(int status) {
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGALRM);
}
