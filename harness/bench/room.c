#include "harness/bench/room.h"

#include <stdlib.h>

#include "harness/keys/keys.h"
#include "harness/machine/machine.h"

/* The eviction buffer stays within the harness's own 64 MiB. */
static const size_t evict_bytes_most = 40u << 20;

bool bench_room_open(struct bench_room *room, size_t evict_bytes) {
    *room = (struct bench_room){
        .index = malloc(KEYS_BLOCK * sizeof *room->index),
        .keys = aligned_alloc(64, KEYS_BLOCK * (size_t)SHAPE_KEY_SIZE_MAX),
        .newcomers = malloc(KEYS_BLOCK * sizeof *room->newcomers),
        .unplaced = aligned_alloc(64, KEYS_BLOCK * (size_t)SHAPE_KEY_SIZE_MAX),
        .operations = malloc(KEYS_BLOCK * sizeof *room->operations),
        .entries_of_map = malloc(KEYS_BLOCK * sizeof *room->entries_of_map),
        .map_of_operation = malloc(KEYS_BLOCK * sizeof *room->map_of_operation),
        .maps = calloc(BENCH_MAPS_MAX, sizeof *room->maps),
        .evict_bytes = evict_bytes,
    };
    if (room->index && room->keys && room->newcomers && room->unplaced && room->operations &&
        room->entries_of_map && room->map_of_operation && room->maps)
        return true;
    bench_room_close(room);
    return false;
}

void bench_room_close(struct bench_room *room) {
    free(room->index), free(room->keys);
    free(room->newcomers), free(room->unplaced);
    free(room->operations), free(room->entries_of_map), free(room->map_of_operation);
    free(room->maps), free(room->evict);
    *room = (struct bench_room){0};
}

size_t bench_evict_bytes(void) {
    size_t last_cache = machine_last_cache_bytes();
    return last_cache && last_cache < evict_bytes_most / 2 ? 2 * last_cache : evict_bytes_most;
}

bool bench_room_evict(struct bench_room *room, bool wanted) {
    if (wanted && !room->evict) room->evict = calloc(room->evict_bytes, 1);
    if (!wanted) free(room->evict), room->evict = NULL;
    return !wanted || room->evict;
}
