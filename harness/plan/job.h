/* Profiles: job files that say what a run measures. The ini sections of a .job file:
 *
 *   [profile]  question, expect, duration: one sentence each, what the run is for
 *   [global]   options for every job
 *   [NAME]     a job: options as on the command line, without the dashes
 *
 * Options on the command line override those of every job.
 */
#ifndef MAPBENCH_JOB_H
#define MAPBENCH_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"
#include "harness/plan/options.h"

enum { JOBS_MAX = 32 };

struct job {
    char name[64];
    struct option_values options;
};

struct profile {
    char name[64];
    char *text; /* the whole file; NULL for a selection without a profile */
    char *question, *expect, *duration;
    struct option_values global;
    size_t jobs;
    struct job job[JOBS_MAX];
};

/* Reads a profile by name (profiles/NAME.job) or by path (contains '/' or ends in .job).
 * NULL: `why` names file, line and fault. The caller frees it. */
struct profile *profile_load(const char *name, struct why *why);
/* A profile of one job, "selection", with nothing set. */
struct profile *profile_empty(void);
/* Gives every job the values of [global] and, over everything, those of the command line. */
void profile_override(struct profile *profile, const struct option_values *command_line);
/* The profile that a command line asks for, with its options: the one named, "quick" if it selects nothing,
 * otherwise an empty one. NULL: `why`. */
struct profile *profile_select(const char *name, const struct option_values *options, struct why *why);
void profile_free(struct profile *profile);

/* The profiles that exist, by name, sorted; an array of `*count` strings ending in NULL, freed by
 * profile_names_free. */
char **profile_names(size_t *count);
void profile_names_free(char **names);

#endif
