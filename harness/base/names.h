/* Names people type: lists of them, and the known name nearest to an unknown one. */
#ifndef MAPBENCH_NAMES_H
#define MAPBENCH_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

/* Calls `each` for every item of a comma-separated list, blanks around items dropped; empty items are
 * skipped; a comma within an item is written "\\,". Stops and returns false when `each` does. */
bool names_split(const char *list, bool (*each)(void *context, const char *item), void *context);

/* True if the word is an item of the list. */
bool names_has(const char *list, const char *word);
/* True if the list is NULL, or the word or "all" is an item of it. */
bool names_select(const char *list, const char *word);
/* False if an item of the list (NULL: has none) is none of the known words: `why` names it, as unknown_name.
 */
bool names_check(const char *list, const char *kind, const char *const *known, size_t count, struct why *why);
/* Says "unknown KIND 'NAME'" and the nearest of the candidates; false, as why_say. */
bool unknown_name(const char *kind, const char *name, const char *const *candidates, size_t count,
                  struct why *why);

/* The candidate nearest to `name` by edit distance, NULL when none is near enough to be meant. */
const char *names_nearest(const char *name, const char *const *candidates, size_t count);

#endif
