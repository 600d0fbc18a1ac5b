/* The command `mapbench retain`. */
#ifndef MAPBENCH_RETENTION_RETAIN_H
#define MAPBENCH_RETENTION_RETAIN_H

#include <jansson.h>
#include <stdbool.h>

/* Takes what follows the word `retain`, NULL at the end, and the command line as one text. Returns the exit
 * code. */
int retain_command(char **argv, const char *command);

/* Prints the options, for help. */
void retain_help(void);

/* The catalogue for `list scenarios`: an array of objects with name, summary, available, reason and more. */
json_t *retain_list(void);

/* `explain SCENARIO`: false if there is none of that name. */
bool retain_explain(const char *name);

#endif
