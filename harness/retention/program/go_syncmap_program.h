/* Go 1.23's sync.Map as a program on a gosim heap: object for object what the real one allocates.
 *
 * maps/go/syncmap.h is the port that is measured; it frees what it replaces and keeps typed entries. Here the
 * read and dirty maps are Go maps (shape any_ptr), entries are objects of 8 bytes, keys and values are boxed,
 * and nothing is freed but by the collector.
 *
 * Source: Go 1.23.5 sync/map.go (The Go Authors, BSD licence), written anew; functions name their original.
 */
#ifndef MAPBENCH_RETENTION_GO_SYNCMAP_PROGRAM_H
#define MAPBENCH_RETENTION_GO_SYNCMAP_PROGRAM_H

#include "harness/retention/program/program.h"

/* --- interface values, as Go boxes them --- */

/* A string: an object of 16 bytes for its header, besides the text. data NULL: out of memory. */
struct any program_box_string(struct retention *r, struct str s);
/* A string that is only looked for: its header stays where it is, on the caller's stack or in its constants.
 */
struct any program_lent_string(const struct str *s);
/* An int: below 256 a static one, else an object of 8 bytes without pointers. data NULL: out of memory. */
struct any program_box_int(struct retention *r, uint64_t number);
/* An int that is only looked for. */
struct any program_lent_int(const uint64_t *number);
/* A pointer is its own data word. */
struct any program_box_pointer(void *pointer);

/* --- the map --- */

struct go_read_only;
struct go_syncmap { /* a global variable: its pointers are roots */
    struct retention *r;
    const struct map_unit *unit;
    struct go_read_only *read;
    void *dirty; /* a map of shape any_ptr; NULL: none */
    size_t misses;
};

/* `unit`: a Go map of shape any_ptr on this heap. */
void go_syncmap_open(struct go_syncmap *m, struct retention *r, const struct map_unit *unit);
void go_syncmap_close(struct go_syncmap *m);

/* False: out of memory. */
bool go_syncmap_store(struct go_syncmap *m, struct any key, struct any value);
bool go_syncmap_load(struct go_syncmap *m, struct any key, bool *found);
bool go_syncmap_delete(struct go_syncmap *m, struct any key);
/* Range, up to the first call of its function: the promotion is all that it leaves behind. */
bool go_syncmap_range_begin(struct go_syncmap *m);
/* Entries that have a value. */
size_t go_syncmap_len(const struct go_syncmap *m);

#endif
