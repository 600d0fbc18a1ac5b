/* Releases of Go in what people type: MAP@RELEASE, and lists of releases. Which release has the map that a
 * port is of, the PORT lines of maps.def say. */
#ifndef MAPBENCH_PLAN_RELEASES_H
#define MAPBENCH_PLAN_RELEASES_H

#include <stdbool.h>

#include "harness/base/why.h"

/* False, and `why`: the name is MAP@RELEASE of a port, and that release of Go has no such map, or is not
 * known. True for all other names, known or not. */
bool release_of_map_check(const char *name, struct why *why);
/* The same for every name of a list. */
bool releases_of_maps_check(const char *list, struct why *why);
/* False, and `why`: an item is neither a release that some map has, such as 1.24, nor "all". */
bool releases_check(const char *list, struct why *why);
/* Calls `each` with MAP@RELEASE for every release of the list, "all" being all that the map has, until one
 * returns false; whether none did. */
bool releases_of_map(const char *map, const char *list, bool (*each)(void *context, const char *name),
                     void *context);

#endif
