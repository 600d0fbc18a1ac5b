/* The command `units`: builds units without measuring. */
#ifndef MAPBENCH_UNITS_COMMAND_H
#define MAPBENCH_UNITS_COMMAND_H

#include <stddef.h>

/* Each word is a profile, whose plan's units are built, or an extended regular expression for the whole of
 * MAP-SHAPE-HASH-HEAP; no word: all units. Returns the exit code: EXIT_CANNOT if one could not be built,
 * EXIT_NOTHING if a word matches none. */
int units_command(const char *const words[], size_t count);

#endif
