/* Releases of Go: spelled 1.24 for users, 124 in code. */
#ifndef MAPBENCH_BASE_GO_RELEASE_H
#define MAPBENCH_BASE_GO_RELEASE_H

#include <stddef.h>

#include "harness/base/why.h"

/* Returns 124 of "1.24"; 0: it is no release. */
int go_release_number(const char *text);

enum { GO_RELEASE_TEXT_SIZE = 16 };
/* Writes "1.24" of 124. Returns the room. */
const char *go_release_text(int release, char room[GO_RELEASE_TEXT_SIZE]);

/* Says "unknown release of Go 'TEXT'" and which of the known ones comes nearest to it in time; false, as
 * why_say. */
bool go_release_unknown(const char *text, const int known[], size_t count, struct why *why);

#endif
