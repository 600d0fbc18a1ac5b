/* What memcell.c and its children share: a piece of memory, so that a child writes results and progress
 * without allocating, and the parent reads how far a child came that died. */
#ifndef MAPBENCH_MEMCELL_SHARED_H
#define MAPBENCH_MEMCELL_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 16 regular points and 2 for each of 16 changes of capacity, for each of 40 octaves, fit. */
enum {
    MEMCELL_EVENTS_MAX = 640,
    MEMCELL_POINTS_MAX = 2048,
    MEMCELL_POINTS_PER_OCTAVE = 16,
    MEMCELL_CHANGES_PER_OCTAVE = 16
};

struct memcell_point {
    uint64_t entries;
    int64_t bytes_live, requested_bytes, rss_bytes; /* above the floor */
};

struct memcell_shared {
    uint64_t reached; /* entries stored so far by the present child */
    char why[200];    /* "", or why the child gave up */
    /* By the child that counts: */
    int64_t bytes_live, bytes_peak, blocks_live, allocations, requested_bytes;
    double octave_mean, octave_min, octave_max;
    size_t points, growths;
    uint64_t growth[MEMCELL_EVENTS_MAX]; /* entries after which the capacity was another */
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
