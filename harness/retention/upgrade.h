/* What another release of Go would change: the cases of two releases side by side. */
#ifndef MAPBENCH_RETENTION_UPGRADE_H
#define MAPBENCH_RETENTION_UPGRADE_H

#include <jansson.h>
#include <stdio.h>

#include "harness/base/why.h"

enum { UPGRADE_LIST_SIZE = 32 };
struct upgrade {
    int from, to;                     /* releases, 124 for 1.24; 0: none is asked for */
    char releases[UPGRADE_LIST_SIZE]; /* both, as a list */
    const char *map;                  /* the only one of Go's maps to look at; NULL: what each release has */
};

/* Reads two releases such as "1.24,1.27"; `maps` is NULL or one of Go's maps, which must exist in both.
 * False: `why`. */
bool upgrade_read(struct upgrade *u, const char *text, const char *maps, struct why *why);
/* Compares the verdicts, those of a map with those of the map that takes its place, real Go with real Go. New
 * array of objects: all variants that both have, with `differs`. */
json_t *upgrade_compare(const struct upgrade *u, const json_t *verdicts);
/* Prints those that differ. */
void upgrade_print(const struct upgrade *u, const json_t *compared, FILE *out);

#endif
