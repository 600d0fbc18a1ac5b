/* Options: one table (options.def) feeds every command line, the job files, the help and the echo in the
 * results. */
#ifndef MAPBENCH_OPTIONS_H
#define MAPBENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/base/why.h"

enum option_id {
#define OPTION(id, name, argument, fallback, scope, commands, help) OPTION_##id,
#include "harness/plan/options.def"
#undef OPTION
    OPTION_COUNT
};

/* The place in a profile that may set it: any section, [global] alone, none. */
enum option_scope { OPTION_SCOPE_JOB, OPTION_SCOPE_RUN, OPTION_SCOPE_COMMAND };

struct option_facts {
    const char *name, *argument, *fallback, *commands, *help; /* argument NULL: a flag */
    enum option_scope scope;
};

/* The values given, by option; NULL: not given. A flag's is "yes", and so is a value left out. Strings are
 * owned. */
struct option_values {
    char *text[OPTION_COUNT];
};

const struct option_facts *option_facts(enum option_id id);
/* The option of this name that the command takes; job files are read with those of "run". False: none. */
bool option_find(const char *name, const char *command, enum option_id *id);
/* The names of all options that the command takes; returns how many. */
size_t option_list(const char *command, const char *names[OPTION_COUNT]);
/* The commands, as a list, that have an option of this name; NULL: none. */
const char *option_commands(const char *name);
/* True for a command that takes what a profile has. */
bool option_selects(const char *command);
/* Checks the value and stores a copy. False: `why` says what is wrong with it and names the nearest known
 * word. */
bool option_set(struct option_values *values, enum option_id id, const char *text, struct why *why);
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

/* Help, one line for every option of the command. */
void option_help(const char *command, FILE *out);

#endif
