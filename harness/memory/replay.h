/* The growth that the children of memcell.c replay, and what is noted after each of its stores
 * (points.c). */
#ifndef MAPBENCH_MEMCELL_REPLAY_H
#define MAPBENCH_MEMCELL_REPLAY_H

#include "harness/keys/keys.h"
#include "harness/unit/map.h"
#include "harness/memory/shared.h"
#include "harness/preload/memcount.h"
#include "harness/memory/memstat.h"
#include "harness/memory/resident.h"
#include "harness/shapes/shape.h"

/* State of a map's arrays; a change of it shows as an event. */
struct replay_arrays {
    size_t capacity, old_capacity;
};

struct replay {
    struct memcell_shared *shared;
    const struct map_unit *unit;
    const struct shape *shape;
    struct keys *keys;
    size_t n;
    uint64_t seed;
    bool small; /* many small maps instead of one */

    uint64_t *index;      /* KEYS_BLOCK */
    unsigned char *block; /* KEYS_BLOCK keys */
    void **maps;
    size_t maps_made;
    uint64_t small_rng;
    size_t present_left; /* entries the present map still takes */

    /* Counting: the values that belong to the harness, and the present reading. */
    bool counting;                /* false: this child reads resident memory */
    memcount_read_fn *count_read; /* NULL: the unit's heap keeps books of its own */
    struct memcount floor, now;
    uint64_t collections;
    unsigned events_in_octave[MEMCELL_EVENT_KINDS];
    double octave_sum;
    /* Resident memory. */
    struct memstat memstat;
    struct resident_reader resident;
    uint64_t rss_floor_bytes;
    size_t next_point;
};

/* Reads what is allocated now: from the counter, or from the books of the unit's heap, after a collection. */
void replay_read_account(struct replay *replay, bool collect);
/* Above the floor, at the last reading. */
int64_t replay_live_bytes(const struct replay *replay);
int64_t replay_requested_bytes(const struct replay *replay);

struct replay_arrays replay_arrays(const struct replay *replay, const void *map);
/* After each store in the child that counts; `entries` stores were made. Reads the account. */
void replay_note_bytes(struct replay *replay, uint64_t entries, const struct replay_arrays *before,
                       const struct replay_arrays *after);
/* After each store in the child that reads resident memory: the same points. */
void replay_note_resident(struct replay *replay, uint64_t entries);

#endif
