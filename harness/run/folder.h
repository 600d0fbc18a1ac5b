/* The folder of a run while it is being written. It has a temporary name, FINAL.partial, and is renamed when
 * complete.
 *
 * Rows are appended a step at a time (one recorder in one cell), flushed to disk before the step counts as
 * done, so an interrupted run loses at most the step it was in, and --resume goes on behind the last one
 * done.
 */
#ifndef MAPBENCH_RUNFOLDER_H
#define MAPBENCH_RUNFOLDER_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "harness/base/why.h"

struct runfolder {
    char final[PATH_MAX], partial[PATH_MAX];
    FILE *rows, *gbench, *done;
    size_t steps_done; /* found when resuming */
    char **step_done;
};

/* Bad input (the folder exists already, or is not ours) as opposed to a folder that cannot be written. */
enum runfolder_result { RUNFOLDER_OK, RUNFOLDER_USAGE, RUNFOLDER_CANNOT };

/* Makes `out`.partial, or opens it again to resume. `selection` identifies what is measured: only a partial
 * run of the same selection is resumed. out NULL: results/NAME below the project, or the newest partial run
 * there that matches. */
enum runfolder_result runfolder_open(struct runfolder *folder, const char *out, const char *name,
                                     const char *selection, bool resume, struct why *why);
bool runfolder_step_done(const struct runfolder *folder, const char *step);
/* Appends a step's rows and Google Benchmark reports (arrays) and marks the step done. False: the disk
 * refused; what was written before stays valid. */
bool runfolder_append(struct runfolder *folder, const char *step, const json_t *rows, const json_t *gbench,
                      struct why *why);
/* Writes a file of the folder as indented JSON. */
bool runfolder_write_json(const struct runfolder *folder, const char *name, const json_t *value,
                          struct why *why);
/* NULL: it is not there, or broken. */
json_t *runfolder_read_json(const struct runfolder *folder, const char *name);
/* All rows written so far, as a new array; reads the file again. */
json_t *runfolder_rows(const struct runfolder *folder, struct why *why);
/* Completes the folder: gbench.json from its parts, SHA256SUMS, the rename. */
bool runfolder_finish_gbench(struct runfolder *folder, struct why *why);
bool runfolder_finish(struct runfolder *folder, struct why *why);
void runfolder_close(struct runfolder *folder);
/* Removes a folder in which nothing was measured. */
void runfolder_discard_if_empty(struct runfolder *folder);

bool runfolder_is_empty(const struct runfolder *folder);

/* The complete run below a folder that was written last; false: there is none. */
bool runfolder_newest(const char *results, char *newest, size_t size);

#endif
