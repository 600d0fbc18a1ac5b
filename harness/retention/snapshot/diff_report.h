/* The difference of two checkpoints of a case, for people and for programs. */
#ifndef MAPBENCH_RETENTION_DIFF_REPORT_H
#define MAPBENCH_RETENTION_DIFF_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "harness/retention/snapshot/query.h"

struct diff_side {
    const char *label;
    size_t step;
    const struct snapshot *snapshot;
    const struct dominators *tree;
};

struct diff_report;

/* Refers to the snapshots until it is freed. NULL: out of memory. */
struct diff_report *diff_report_make(const struct diff_side *from, const struct diff_side *to);
void diff_report_free(struct diff_report *report);

/* The DIFF_REPORT_ROWS largest changes by path and by type. `names`: the case's (case_line). */
enum { DIFF_REPORT_ROWS = 20 };
void diff_report_print(const struct diff_report *report, const json_t *names, FILE *out);

/* The same as a file; and all changes, as JSON lines: one of kind "case", then of kind "path", then "type".
 * False: errno says why; nothing is left. */
bool diff_report_write_text(const struct diff_report *report, const json_t *names, const char *path);
bool diff_report_write_jsonl(const struct diff_report *report, const json_t *names, const char *path);

#endif
