/* The memory that memcell.c and its children share: a child writes results and progress without allocating,
 * and the parent reads how far a child came that died. */
#ifndef MAPBENCH_MEMCELL_SHARED_H
#define MAPBENCH_MEMCELL_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"

enum memcell_event_kind {
    MEMCELL_GROW,      /* the capacity is another */
    MEMCELL_EVACUATE,  /* an old array began to be emptied */
    MEMCELL_EVACUATED, /* the old array is empty, and given up */
    MEMCELL_COLLECT,   /* the heap collected */
    MEMCELL_EVENT_KINDS
};

/* 16 regular points and 2 for each of 16 events of a kind, for each of 40 octaves, fit. */
enum {
    MEMCELL_OCTAVES = 40,
    MEMCELL_POINTS_PER_OCTAVE = 16,
    MEMCELL_EVENTS_PER_OCTAVE = 16, /* of a kind */
    MEMCELL_EVENTS_MAX = MEMCELL_OCTAVES * MEMCELL_EVENTS_PER_OCTAVE * MEMCELL_EVENT_KINDS,
    MEMCELL_POINTS_MAX = MEMCELL_OCTAVES * MEMCELL_POINTS_PER_OCTAVE + 2 * MEMCELL_EVENTS_MAX,
};

struct memcell_event {
    uint64_t op; /* the store, from 1, after which it was seen */
    enum memcell_event_kind kind;
};

struct memcell_point {
    uint64_t entries;
    int64_t bytes_live, requested_bytes, rss_bytes; /* above the floor */
};

struct memcell_shared {
    uint64_t reached; /* entries stored so far by the present child */
    struct why why;   /* "", or why the child gave up */
    /* By the child that counts: */
    int64_t bytes_live, bytes_peak, blocks_live, allocations, requested_bytes;
    double octave_mean, octave_min, octave_max;
    bool requested_known, blocks_known, allocations_known; /* a heap's own books may lack them */
    bool layers_requested_known; /* at every point, not just after the last collection */
    size_t points, events;
    struct memcell_event event[MEMCELL_EVENTS_MAX];
    /* By the child that reads resident memory, besides rss_bytes of each point: */
    int64_t rss_delta, rss_peak_delta, huge_bytes, minor_faults, major_faults;
    struct memcell_point point[MEMCELL_POINTS_MAX];
};

/* The arguments of the hidden command, in this order after its name. */
enum memcell_argument {
    MEMCELL_ARG_MODE = 1, /* "bytes" or "resident" */
    MEMCELL_ARG_FD,       /* of the shared memory */
    MEMCELL_ARG_MAP,
    MEMCELL_ARG_SHAPE,
    MEMCELL_ARG_HASH,
    MEMCELL_ARG_HEAP,
    MEMCELL_ARG_KEYS,
    MEMCELL_ARG_N,
    MEMCELL_ARG_SEED,
    MEMCELL_ARG_WORKLOAD,
    MEMCELL_ARG_PAGES, /* "small": without transparent huge pages, or "" */
    MEMCELL_ARGS
};

#endif
