/* Which releases of Go a scenario's statements hold for: in which a variant keeps too much, and in which not.
 */
#ifndef MAPBENCH_RETENTION_AFFECTED_H
#define MAPBENCH_RETENTION_AFFECTED_H

#include <jansson.h>

#include "harness/retention/retention.h"

/* Whether Go has the scenario at all: it is told on the heap that keeps Go's books, or on real Go. */
bool scenario_is_of_go(const struct scenario *s);
/* Whether the variant keeps too much in that release (124 is Go 1.24); never for reference variants. */
bool variant_affected(const struct scenario *s, const struct variant *v, int release);
/* Whether its bytes kept tell: more than the bound where it is affected, no more elsewhere. */
bool variant_shows_in_bytes(const struct scenario *s, const struct variant *v);
/* What the variant is in that release: a leaky one that is fixed there counts as fixed, a fix that does not
 * help there as none. release 0, where the map is not Go's: as the catalogue has it. */
enum variant_role variant_role_in(const struct scenario *s, const struct variant *v, int release);

enum { AFFECTED_TEXT_SIZE = 48 };
/* Writes what a user of that release should know: "fixed in 1.25", "not fixed up to 1.27", "affected, fixed
 * in 1.25", "not affected before 1.24"; of a fix that helps everywhere "". Returns the room. */
const char *affected_text(const struct scenario *s, const struct variant *v, int release,
                          char room[AFFECTED_TEXT_SIZE]);
/* The same without a release: "in 1.24, fixed in 1.25", "from 1.25, not fixed up to 1.27". */
const char *affected_range(const struct scenario *s, const struct variant *v, char room[AFFECTED_TEXT_SIZE]);

/* Sets affected_in (the known releases in which it keeps too much), affected_from and fixed_in of an object:
 * null where that is all or none of them, or where Go has no part in the scenario. */
void affected_json(const struct scenario *s, const struct variant *v, json_t *into);

/* The release that a line's map follows, or without a map its collector; 0: neither is Go's. */
int line_release(const json_t *line);

#endif
