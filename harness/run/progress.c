#include "harness/run/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"

enum { BAR_WIDTH = 24 };
static const uint64_t line_every_ns = 5000000000u;

void progress_begin(struct progress *p, const char *mode, double work_total) {
    *p = (struct progress){.work_total = work_total, .begin_ns = wall_ns()};
    if (strcmp(mode, "off") == 0)
        p->mode = PROGRESS_OFF;
    else if (strcmp(mode, "bar") == 0 || (strcmp(mode, "auto") == 0 && isatty(STDERR_FILENO)))
        p->mode = PROGRESS_BAR;
    else
        p->mode = PROGRESS_LINES;
}

/* Seconds left, from the pace so far; negative while it cannot be told. */
static double seconds_left(const struct progress *p) {
    double measured = p->work_done - p->work_skipped;
    double elapsed = (double)(wall_ns() - p->begin_ns) * 1e-9;
    if (measured <= 0 || elapsed < 1) return -1;
    return elapsed / measured * (p->work_total - p->work_done);
}

static void left_text(const struct progress *p, char *out, size_t size) {
    double left = seconds_left(p);
    if (left < 0)
        snprintf(out, size, "about %.0f s", p->work_total - p->work_done);
    else if (left < 90)
        snprintf(out, size, "%.0f s left", left);
    else
        snprintf(out, size, "%.0f min left", left / 60);
}

void progress_step(struct progress *p, const char *what) {
    char left[32];
    double share = p->work_total > 0 ? p->work_done / p->work_total : 0;
    left_text(p, left, sizeof left);
    if (p->mode == PROGRESS_BAR) {
        int filled = (int)(share * BAR_WIDTH);
        fprintf(stderr, "\r\033[K[%.*s%.*s] %3.0f %%  %s  %.70s", filled, "########################",
                BAR_WIDTH - filled, "........................", share * 100, left, what);
        fflush(stderr);
    } else if (p->mode == PROGRESS_LINES && (p->last_ns == 0 || wall_ns() - p->last_ns > line_every_ns)) {
        fprintf(stderr, "%3.0f %%  %s  %s\n", share * 100, left, what);
        p->last_ns = wall_ns();
    }
}

void progress_done(struct progress *p, double work, bool skipped) {
    p->work_done += work;
    if (skipped) p->work_skipped += work;
}

void progress_end(struct progress *p) {
    if (p->mode == PROGRESS_BAR) fprintf(stderr, "\r\033[K");
}
