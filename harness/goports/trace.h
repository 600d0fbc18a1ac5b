/* Structural traces of the ports of Go's maps: a script of operations drives a port, and what the real
 * runtime would show is printed, row by row, event by event, or as a digest after each word of the script
 * (docs/go-ports.md).
 */
#ifndef MAPBENCH_TRACE_H
#define MAPBENCH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/base/why.h"

/* Bytes: after each word, what the map would occupy in Go's heap; go_hmap and go_swiss only. */
enum trace_output { TRACE_ROWS, TRACE_EVENTS, TRACE_DIGEST, TRACE_BYTES };

/* The assignment that Go's compiler calls for a map's type: which may prune, since when (maps/go/swiss.h).
 * In the order of maps/go/swiss_slot.h. */
enum trace_assignment { TRACE_ASSIGN_GENERIC, TRACE_ASSIGN_FAST, TRACE_ASSIGN_POINTER };

struct trace_options {
    int release; /* of Go, 124 for 1.24 */
    enum trace_assignment assignment;
    uint64_t hashkey[4]; /* as Go's runtime keeps it; the ports hash with the memhash fallback */
    uint64_t seed;       /* hash0 of the classic map, seed of the Swiss map */
    enum trace_output output;
    FILE *out;
};

enum trace_kind {
    TRACE_MAKE,
    TRACE_INSERT,
    TRACE_DELETE,
    TRACE_SLIDE,
    TRACE_CLEAR,
    TRACE_GET,
    TRACE_SEED,
    TRACE_CLONE, /* go_swiss only */
    TRACE_STORE, /* from here on: sync maps only */
    TRACE_LOAD,
    TRACE_REMOVE,
    TRACE_RANGE,
};

/* make H: a = H. insert, delete, get A..B: keys a to b, both included. slide W K: a = W, b = K.
 * seed S: a = S, which is within the map's range. store, load, delete K of a sync map: a = K. */
struct trace_word {
    enum trace_kind kind;
    uint64_t a, b;
};

/* Runs the words on one port and returns an exit code; unless that is EXIT_OK, `why` says in one line what
 * could not be done. */
typedef int trace_fn(const struct trace_options *options, const struct trace_word *words, size_t count,
                     struct why *why);

struct go_occupied; /* maps/go/sizeclass.h */
/* The line of TRACE_BYTES. */
void trace_print_bytes(FILE *out, size_t count, const struct go_occupied *occupied);

/* Prints "NAME":{"LABEL":COUNT,...}, for labels that have a count: i, or 2^i with log2. */
enum { TRACE_COUNTED_MAX = 64 };
void trace_print_counts(FILE *out, const char *name, const size_t *counts, bool log2);

trace_fn trace_go_hmap, trace_go_swiss, trace_go_swiss_split, trace_go_syncmap;

/* The command. hashkey: four hex numbers with commas between them; seed: a number in C notation; NULL or
 * empty: zeros. assignment: fast (also NULL or empty), pointer or generic. Prints to stdout; returns the exit
 * code. */
int trace_command(const char *map, const char *ops, const char *hashkey, const char *seed,
                  const char *assignment, enum trace_output output);

#endif
