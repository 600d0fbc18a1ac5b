/* Progress of a long run on stderr: a bar that rewrites its line on a terminal, plain lines elsewhere. The
 * time left follows from the share of the estimated work that is done. */
#ifndef MAPBENCH_PROGRESS_H
#define MAPBENCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_mode { PROGRESS_OFF, PROGRESS_LINES, PROGRESS_BAR };

struct progress {
    enum progress_mode mode;
    double work_total, work_done; /* estimated seconds */
    double work_skipped;          /* of it, done by an earlier, resumed run */
    uint64_t begin_ns, last_ns;
};

/* mode: the --progress word. */
void progress_begin(struct progress *progress, const char *mode, double work_total);
/* A step begins: shows what it is. */
void progress_step(struct progress *progress, const char *what);
/* A step of so much estimated work ended; skipped: it had been done before. */
void progress_done(struct progress *progress, double work, bool skipped);
/* Clears the bar. */
void progress_end(struct progress *progress);

#endif
