/* The command line of one command: its words, and its options of the table. */
#ifndef MAPBENCH_PLAN_ARGUMENTS_H
#define MAPBENCH_PLAN_ARGUMENTS_H

#include "harness/base/why.h"
#include "harness/plan/options.h"

enum { ARGUMENT_WORDS_MAX = 64 };

struct arguments {
    char **argv;      /* the whole command line, NULL at its end; [1] is the command */
    const char *line; /* the same as text, for the results */
    size_t words;
    const char *word[ARGUMENT_WORDS_MAX];
    struct option_values options;
};

/* Reads what stands behind the command: words, --name value, --name=value and flags. False: `why`. What was
 * read until then is freed by option_values_free in any case. */
bool arguments_read(struct arguments *a, const char *command, struct why *why);

#endif
