/* Options: one table (options.def) feeds the command line, the job files, the help and the echo in the
 * results. */
#ifndef MAPBENCH_OPTIONS_H
#define MAPBENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_id {
#define OPTION(id, name, argument, fallback, scope, help) OPTION_##id,
#include "harness/plan/options.def"
#undef OPTION
    OPTION_COUNT
};

enum option_scope { OPTION_SCOPE_JOB, OPTION_SCOPE_RUN };

struct option_facts {
    const char *name, *argument, *fallback, *help; /* argument NULL: a flag, whose value is "" or "yes" */
    enum option_scope scope;
};

/* What was given, by option; NULL: not given. Strings are owned. */
struct option_values {
    char *text[OPTION_COUNT];
};

const struct option_facts *option_facts(enum option_id id);
/* False: no such option. */
bool option_find(const char *name, enum option_id *id);
/* Checks the value and stores a copy. False: `why` says what is wrong with it and names the nearest known
 * word. */
bool option_set(struct option_values *values, enum option_id id, const char *text, char *why,
                size_t why_size);
/* The value given, or the option's fallback. */
const char *option_text(const struct option_values *values, enum option_id id);
uint64_t option_number(const struct option_values *values, enum option_id id);
/* True if the comma-separated value contains the word. */
bool option_names(const struct option_values *values, enum option_id id, const char *word);
/* True if it contains the word, or "all". */
bool option_has(const struct option_values *values, enum option_id id, const char *word);
/* Fills what `values` leaves open from `defaults`. */
void option_inherit(struct option_values *values, const struct option_values *defaults);
void option_values_free(struct option_values *values);

/* Help, one line an option. */
void option_help(FILE *out);

#endif
