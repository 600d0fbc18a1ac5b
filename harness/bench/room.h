/* Buffers shared by the benches of a run: a few MiB whatever n is, and the eviction buffer of cold lookups.
 */
#ifndef MAPBENCH_BENCH_ROOM_H
#define MAPBENCH_BENCH_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BENCH_MAPS_MAX = 1024 };

/* The contents of all buffers are valid within one segment only. */
struct bench_room {
    uint64_t *index;      /* KEYS_BLOCK: positions, then the indices of their keys */
    void *keys;           /* KEYS_BLOCK keys, as the loop takes them */
    uint64_t *newcomers;  /* KEYS_BLOCK: churn, mixed: positions of the keys to store */
    void *unplaced;       /* KEYS_BLOCK keys: churn, mixed: not yet at their operations' places in `keys` */
    uint32_t *operations; /* KEYS_BLOCK: mixed: what operation i does, MIXED_* */
    uint32_t *entries_of_map;   /* KEYS_BLOCK: small_put */
    uint32_t *map_of_operation; /* KEYS_BLOCK: small_get */
    void **maps;                /* BENCH_MAPS_MAX: clear, copy */
    unsigned char *evict;       /* evict_bytes; only while cold lookups are measured (bench_room_evict) */
    size_t evict_bytes;
};

/* Returns the bytes that cold lookups need to evict the caches: twice the last one, within limits. */
size_t bench_evict_bytes(void);
/* False: out of memory, and nothing is open. */
bool bench_room_open(struct bench_room *room, size_t evict_bytes);
void bench_room_close(struct bench_room *room);
/* Has the eviction buffer or gives it back: it and the small maps' tables together would exceed the harness's
 * 64 MiB. */
bool bench_room_evict(struct bench_room *room, bool wanted);

#endif
