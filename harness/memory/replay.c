/* The children of memcell.c: replay one growth and write down what it takes. */
#include <dlfcn.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness/keys/keys.h"
#include "harness/memory/memcell.h"
#include "harness/memory/replay.h"
#include "harness/memory/resident.h"
#include "harness/plan/registry.h"
#include "harness/base/rng.h"
#include "harness/base/why.h"
#include "harness/shapes/shape.h"

enum { WARM_UP_ENTRIES = 1000, SMALL_MAP_ENTRIES_MAX = 64, MMAP_THRESHOLD_BYTES = 128 * 1024 };

__attribute__((format(printf, 2, 3))) static bool give_up(struct replay *replay, const char *format, ...) {
    va_list list;
    va_start(list, format);
    why_vsay(&replay->shared->why, format, list);
    va_end(list);
    return false;
}

/* --- preparation --- */

static void fill_block(struct replay *replay, size_t first) {
    size_t count = replay->n - first < KEYS_BLOCK ? replay->n - first : KEYS_BLOCK;
    for (size_t i = 0; i < count; i++) replay->index[i] = first + i;
    keys_store(replay->keys, replay->index, count, replay->block);
}

/* Makes every key once, so that what the stream allocates, and the text of string keys, is in place before
 * the floor. */
static void touch_keys(struct replay *replay) {
    uint64_t sum = 0;
    for (size_t first = 0; first < replay->n; first += KEYS_BLOCK) {
        size_t count = replay->n - first < KEYS_BLOCK ? replay->n - first : KEYS_BLOCK;
        fill_block(replay, first);
        for (size_t i = 0; i < count; i++)
            sum += replay->shape->key_hash(replay->block + i * replay->shape->key_size);
    }
    __asm__ volatile("" ::"r"(sum)); /* the hash reads all of a key's text; this keeps it */
}

static void *store_first(struct replay *replay, size_t count) {
    void *map = replay->unit->op.create(replay->unit->own_heap, 0);
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    fill_block(replay, 0);
    for (size_t i = 0; map && i < count; i++) {
        replay->shape->val_make(i, val);
        if (!replay->unit->op.put(map, replay->block + i * replay->shape->key_size, val)) break;
    }
    return map;
}

/* A library's one-time state is not part of a map either. */
static void warm_up(struct replay *replay) {
    void *map = store_first(replay, replay->n < WARM_UP_ENTRIES ? replay->n : WARM_UP_ENTRIES);
    replay->unit->op.destroy(map);
    memstat_touch_program();
    malloc_trim(0); /* what the warm-up and the key stream left free would hide the map's first pages */
}

static uint32_t small_entries(uint64_t *rng) {
    return (uint32_t)(1 + rng_below(rng, SMALL_MAP_ENTRIES_MAX));
}

static bool make_room(struct replay *replay) {
    size_t maps = 1;
    if (replay->small) {
        uint64_t rng = replay->small_rng;
        for (size_t given = small_entries(&rng); given < replay->n; given += small_entries(&rng)) maps++;
    }
    replay->index = malloc(KEYS_BLOCK * sizeof *replay->index);
    replay->block = malloc(KEYS_BLOCK * replay->shape->key_size);
    replay->maps = malloc(maps * sizeof *replay->maps);
    if (!replay->index || !replay->block || !replay->maps)
        return give_up(replay, "out of memory: cannot hold a block of keys and pointers to %zu maps", maps);
    memset(replay->index, 1, KEYS_BLOCK * sizeof *replay->index);
    memset(replay->block, 1, KEYS_BLOCK * replay->shape->key_size);
    memset(replay->maps, 1, maps * sizeof *replay->maps);
    for (size_t i = 0; i < MEMCELL_POINTS_MAX; i++)
        replay->shared->point[i].rss_bytes = 0; /* touched: resident now */
    return true;
}

/* --- growth --- */

/* The next key block; what making it allocates is the harness's, so the floor moves along. */
static void next_block(struct replay *replay, size_t first) {
    if (!replay->count_read) { /* keys come from malloc, whatever the map's heap is */
        fill_block(replay, first);
        return;
    }
    struct memcount before, after;
    replay->count_read(&before);
    fill_block(replay, first);
    replay->count_read(&after);
    replay->floor.live_bytes += after.live_bytes - before.live_bytes;
    replay->floor.live_blocks += after.live_blocks - before.live_blocks;
    replay->floor.allocations += after.allocations - before.allocations;
    replay->floor.requested_bytes += after.requested_bytes - before.requested_bytes;
    replay->now = after;
}

/* The map that takes the next entry; NULL: out of memory. */
static void *present_map(struct replay *replay) {
    if (replay->present_left > 0) {
        replay->present_left--;
        return replay->maps[replay->maps_made - 1];
    }
    void *map = replay->unit->op.create(replay->unit->own_heap, 0);
    if (!map) return NULL;
    replay->maps[replay->maps_made++] = map;
    replay->present_left = (replay->small ? small_entries(&replay->small_rng) : replay->n) - 1;
    return map;
}

static bool grow(struct replay *replay) {
    const struct map_unit *unit = replay->unit;
    _Alignas(16) unsigned char val[SHAPE_VAL_SIZE_MAX];
    for (size_t i = 0; i < replay->n; i++) {
        if (i % KEYS_BLOCK == 0) next_block(replay, i);
        void *map = present_map(replay);
        struct replay_arrays before = {0}, after;
        if (map) before = replay_arrays(replay, map);
        replay->shape->val_make(i, val);
        if (!map || !unit->op.put(map, replay->block + i % KEYS_BLOCK * replay->shape->key_size, val))
            return give_up(replay, "out of memory after %zu of %zu entries", i, replay->n);
        replay->shared->reached = i + 1;
        after = replay_arrays(replay, map);
        if (replay->counting)
            replay_note_bytes(replay, i + 1, &before, &after);
        else
            replay_note_resident(replay, i + 1);
    }
    return true;
}

/* Finds the counter that was preloaded; a heap with books of its own needs none. */
static bool open_count(struct replay *replay) {
    memcount_reset_peak_fn *reset_peak;
    replay->counting = true;
    if (replay->unit->heap_books) return true;
    *(void **)&replay->count_read = dlsym(RTLD_DEFAULT, "memcount_read");
    *(void **)&reset_peak = dlsym(RTLD_DEFAULT, "memcount_reset_peak");
    if (!replay->count_read || !reset_peak)
        return give_up(
            replay,
            "bytes cannot be counted: libmemcount.so was not preloaded (a static or privileged program?)");
    reset_peak();
    return true;
}

static bool count_bytes(struct replay *replay) {
    struct memcell_shared *shared = replay->shared;
    if (!open_count(replay)) return false;
    replay_read_account(replay, true); /* the garbage of the warm-up is no part of the map */
    replay->floor = replay->now;
    uint64_t peak_floor_bytes = replay->floor.live_bytes;
    shared->layers_requested_known = shared->requested_known;
    if (!grow(replay)) return false;
    shared->bytes_peak = (int64_t)(replay->now.peak_bytes - peak_floor_bytes);
    replay_read_account(replay, true);
    shared->bytes_live = replay_live_bytes(replay);
    shared->requested_bytes = replay_requested_bytes(replay);
    shared->blocks_live = (int64_t)(replay->now.live_blocks - replay->floor.live_blocks);
    shared->allocations = (int64_t)(replay->now.allocations - replay->floor.allocations);
    shared->octave_mean = replay->octave_sum / (double)(replay->n - replay->n / 2);
    return true;
}

static bool read_resident(struct replay *replay) {
    struct memcell_shared *shared = replay->shared;
    struct resident before, after;
    if (!memstat_open(&replay->memstat, &shared->why) || !resident_open(&replay->resident, 0, &shared->why))
        return false;
    memstat_peak_reset();
    uint64_t peak_floor_bytes = memstat_peak_bytes(&replay->memstat);
    if (!resident_read(&replay->resident, &before)) return give_up(replay, "resident memory cannot be read");
    replay->rss_floor_bytes = memstat_rss_bytes(&replay->memstat);
    if (!grow(replay)) return false;
    if (!resident_read(&replay->resident, &after)) return give_up(replay, "resident memory cannot be read");
    shared->huge_bytes = (int64_t)(after.huge_bytes - before.huge_bytes);
    shared->minor_faults = (int64_t)(after.minor_faults - before.minor_faults);
    shared->major_faults = (int64_t)(after.major_faults - before.major_faults);
    shared->rss_delta = (int64_t)(memstat_rss_bytes(&replay->memstat) - replay->rss_floor_bytes);
    shared->rss_peak_delta = (int64_t)(memstat_peak_bytes(&replay->memstat) - peak_floor_bytes);
    /* The kernel's running counter may lag by some pages behind the exact walk. */
    for (size_t i = 0; i < shared->points; i++)
        if (shared->point[i].rss_bytes > shared->rss_peak_delta)
            shared->rss_peak_delta = shared->point[i].rss_bytes;
    return true;
}

/* --- the command --- */

static bool prepare(struct replay *replay, char **argv) {
    struct memcell_shared *shared = replay->shared;
    replay->unit = registry_find(argv[MEMCELL_ARG_MAP], argv[MEMCELL_ARG_SHAPE], argv[MEMCELL_ARG_HASH],
                                 argv[MEMCELL_ARG_HEAP]);
    replay->shape = shape_find(argv[MEMCELL_ARG_SHAPE]);
    replay->n = strtoull(argv[MEMCELL_ARG_N], NULL, 10);
    replay->seed = strtoull(argv[MEMCELL_ARG_SEED], NULL, 10);
    replay->small = strcmp(argv[MEMCELL_ARG_WORKLOAD], "small_put") == 0;
    replay->small_rng = rng_derive(replay->seed, 0x5a11);
    if (!replay->unit || !replay->shape || !registry_load(replay->unit))
        return give_up(replay, "memory-cell: there is no unit %s/%s/%s/%s", argv[MEMCELL_ARG_MAP],
                       argv[MEMCELL_ARG_SHAPE], argv[MEMCELL_ARG_HASH], argv[MEMCELL_ARG_HEAP]);
    if (replay->n == 0) return give_up(replay, "memory-cell: the number of entries is 0");
    if (!replay->small && strcmp(argv[MEMCELL_ARG_WORKLOAD], "put_grow") != 0)
        return give_up(replay,
                       "memory-cell: workload %s is not measured for memory; use put_grow or small_put",
                       argv[MEMCELL_ARG_WORKLOAD]);
    replay->keys = keys_open(argv[MEMCELL_ARG_KEYS], replay->shape, replay->n, replay->seed, &shared->why);
    if (!replay->keys || !make_room(replay)) return false;
    touch_keys(replay);
    warm_up(replay);
    return true;
}

static struct memcell_shared *attach(const char *fd_text) {
    void *shared =
        mmap(NULL, sizeof(struct memcell_shared), PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd_text), 0);
    return shared == MAP_FAILED ? NULL : shared;
}

/* Maps and keys are not given back: the process ends here, and the system is faster at it. */
int memcell_child(int argc, char **argv) {
    struct replay replay = {0};
    struct why why;
    const struct rlimit no_core = {0, 0};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* no orphan goes on measuring */
    setrlimit(RLIMIT_CORE,
              &no_core); /* a library that aborts for want of memory leaves no image of all it had */
    /* glibc's initial setting, held: it rises with every large block freed, and a key stream that frees some
     * would decide where the map's arrays go. */
    mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES);
    if (argc != MEMCELL_ARGS || !(replay.shared = attach(argv[MEMCELL_ARG_FD]))) {
        fprintf(stderr, "mapbench: memory-cell is an internal command; use: mapbench run --record memory\n");
        return 2;
    }
    if (strcmp(argv[MEMCELL_ARG_PAGES], "small") == 0 && !resident_small_pages(&why)) {
        give_up(&replay, "%s", why.text);
        return 1;
    }
    bool counting = strcmp(argv[MEMCELL_ARG_MODE], "bytes") == 0;
    bool done = prepare(&replay, argv) && (counting ? count_bytes(&replay) : read_resident(&replay));
    return done ? 0 : 1;
}
