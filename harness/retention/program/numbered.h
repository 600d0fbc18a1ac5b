/* A map of the program whose entries are known by number, whatever its key and value types: for the scenarios
 * about tables. */
#ifndef MAPBENCH_RETENTION_NUMBERED_H
#define MAPBENCH_RETENTION_NUMBERED_H

#include "harness/retention/program/program.h"

enum { KEY_TEXT_BYTES = 16 };
/* The text of program_key(r, i), for lookups with a key that the map does not keep: on the stack, as in Go.
 */
static inline struct str key_to_find(char text[KEY_TEXT_BYTES], size_t i) {
    text[0] = 'k', text[1] = 'e', text[2] = 'y', text[3] = '-';
    for (size_t at = KEY_TEXT_BYTES; at-- > 4; i /= 10) text[at] = (char)('0' + i % 10);
    return (struct str){text, KEY_TEXT_BYTES};
}

/* Deletes what the map has; a map that does not find it ends the case with a line. */
bool delete_present(struct program_map *m, const void *key);

struct numbered_types;
struct numbered {
    struct retention *r;
    const struct numbered_types *types;
    struct program_map map;
    const char *cells; /* what keys of types ptru64 point into: set by the scenario */
};

/* `types` as the variants name them: u64u64, strstr, u64_129 ... (numbered.c has all); what follows them
 * (_remake) is ignored. NULL: the case's map is not compiled for them. */
const struct map_unit *numbered_unit(const struct map_unit *unit, const char *types);
/* Empty, with room for `hint`. False: out of memory, or no such unit. */
bool numbered_make(struct retention *r, struct numbered *t, const char *types, size_t hint);
void numbered_drop(struct numbered *t);

bool numbered_put(struct numbered *t, size_t i);
bool numbered_del(struct numbered *t, size_t i); /* which must be there */
bool numbered_get(struct numbered *t, size_t i);
size_t numbered_walk(struct numbered *t);  /* entries that a walk meets */
bool numbered_remake(struct numbered *t);  /* copies the entries to a new map made for so many */
bool numbered_replace(struct numbered *t); /* a new, empty map in the variable */
/* Puts a copy of the map into the variable of `copy`, which has one of the same types: the map's own copy (in
 * Go maps.Clone); entry by entry into a map made for so many; or into one that grows (in Go maps.Collect). */
enum copy_way { COPY_WHOLE, COPY_BY_LOOP, COPY_COLLECTED };
bool numbered_copy(struct numbered *t, struct numbered *copy, enum copy_way way);
uint64_t numbered_entry_bytes(const struct numbered *t); /* key and value, with what each of them points to */

#endif
