/* Builds units on demand: finds which shared objects are missing or out of date, and has make build just
 * these. */
#ifndef MAPBENCH_UNIT_BUILD_H
#define MAPBENCH_UNIT_BUILD_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

/* The shared object of a unit: BUILD/units/NAME.so of the build that this program belongs to; static storage
 * until the next call. */
const char *unit_file(const char *name);

/* Whether a file is one of these objects. */
bool unit_is_object(const char *path);

/* True if the object is there, whole, of this program's build id, and no source that it was made of is newer.
 */
bool unit_is_current(const char *name);

/* Builds the units named, several at a time, with a line of progress on stderr where that is a terminal and
 * one line of what and how many in any case. One that fails costs only itself: its compiler's output is shown
 * and kept in BUILD/units/NAME.log. Two programs that build take turns. `why`: what kept make from running at
 * all (no make, no compiler, a folder that cannot be written or is full), else empty. False: some were not
 * built. A signal that interrupts ends make and all that it started, then this program with EXIT_INTERRUPTED.
 */
bool units_build(const char *const names[], size_t count, struct why *why);

/* The first error line of the compiler where the last try to build a unit failed; false: it did not fail, or
 * its sources have changed since. */
bool unit_build_failure(const char *name, struct why *why);

#endif
