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

#include "harness/keys.h"
#include "harness/memcell.h"
#include "harness/memcell_shared.h"
#include "harness/memcount.h"
#include "harness/memstat.h"
#include "harness/heaps/gosim_own.h"
#include "harness/registry.h"
#include "harness/retention/resident.h"
#include "harness/rng.h"
#include "harness/shape.h"

enum { WARM_UP_ENTRIES = 1000, SMALL_MAP_ENTRIES_MAX = 64, MMAP_THRESHOLD_BYTES = 128 * 1024 };

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

    /* Counting: the counter's values that belong to the harness, and the present reading. */
    bool counting;                /* false: this child reads resident memory */
    memcount_read_fn *count_read; /* malloc's; NULL while a collecting heap's own books are read */
    struct gosim_own *collecting; /* that heap */
    struct memcount floor, now;
    unsigned changes_in_octave;
    double octave_sum;
    size_t octave_readings;
    /* Resident memory. */
    struct memstat memstat;
    struct resident_reader resident;
    uint64_t rss_floor_bytes;
    size_t next_point;
};

__attribute__((format(printf, 2, 3))) static bool give_up(struct replay *replay, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(replay->shared->why, sizeof replay->shared->why, format, list);
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

/* --- points --- */

static unsigned octave_of(uint64_t entries) {
    return 63u - (unsigned)__builtin_clzll(entries);
}

/* 16 sizes an octave: every size below 16, then those divisible by a sixteenth of their power of two. */
static bool is_regular_point(const struct replay *replay, uint64_t entries) {
    uint64_t step = (UINT64_C(1) << octave_of(entries)) / MEMCELL_POINTS_PER_OCTAVE;
    return entries == replay->n || step == 0 || entries % step == 0;
}

static int64_t live_bytes(const struct replay *replay) {
    return (int64_t)(replay->now.live_bytes - replay->floor.live_bytes);
}

static int64_t requested_bytes(const struct replay *replay) {
    return (int64_t)(replay->now.requested_bytes - replay->floor.requested_bytes);
}

static void add_point(struct replay *replay, uint64_t entries, int64_t bytes, int64_t requested) {
    struct memcell_shared *shared = replay->shared;
    if (shared->points == MEMCELL_POINTS_MAX || entries == 0) return;
    if (shared->points > 0 && shared->point[shared->points - 1].entries == entries) return;
    shared->point[shared->points++] =
        (struct memcell_point){.entries = entries, .bytes_live = bytes, .requested_bytes = requested};
}

static void note_octave(struct replay *replay, uint64_t entries) {
    struct memcell_shared *shared = replay->shared;
    double bytes_per_entry = (double)live_bytes(replay) / (double)entries;
    bool first = replay->octave_readings++ == 0;
    if (first || bytes_per_entry < shared->octave_min) shared->octave_min = bytes_per_entry;
    if (first || bytes_per_entry > shared->octave_max) shared->octave_max = bytes_per_entry;
    replay->octave_sum += bytes_per_entry;
}

/* What the heap holds once it has been collected. */
static void read_collected(struct replay *replay) {
    struct gosim_own_books books;
    gosim_own_collected(replay->collecting, &books);
    replay->now.live_bytes = books.live_bytes;
    replay->now.live_blocks = books.objects;
    replay->now.allocations = books.allocations;
    replay->now.requested_bytes = books.requested_bytes;
}

static void note_peak(struct replay *replay, uint64_t held_bytes) {
    if (held_bytes > replay->now.peak_bytes) replay->now.peak_bytes = held_bytes;
}

/* After each store on a collecting heap. Points are of what is alive, so each takes a collection: none is
 * taken before a change of capacity, which nobody can foresee. */
static void note_collected(struct replay *replay, uint64_t entries, bool capacity_changed) {
    struct memcell_shared *shared = replay->shared;
    struct gosim *heap = replay->collecting->heap;
    note_peak(replay, gosim_heap_alloc(heap));
    note_peak(replay, gosim_take_peak(heap)); /* of a collection within this store */
    if ((entries & (entries - 1)) == 0) replay->changes_in_octave = 0;
    if (capacity_changed && replay->changes_in_octave++ < MEMCELL_CHANGES_PER_OCTAVE &&
        shared->growths < MEMCELL_EVENTS_MAX)
        shared->growth[shared->growths++] = entries;
    if (!is_regular_point(replay, entries)) return;
    read_collected(replay);
    add_point(replay, entries, live_bytes(replay), requested_bytes(replay));
    if (entries > replay->n / 2) note_octave(replay, entries);
}

/* After each store in the child that counts. */
static void note_bytes(struct replay *replay, uint64_t entries, bool capacity_changed) {
    struct memcell_shared *shared = replay->shared;
    int64_t before_bytes = live_bytes(replay), before_requested = requested_bytes(replay);
    replay->count_read(&replay->now);
    if ((entries & (entries - 1)) == 0) replay->changes_in_octave = 0;
    bool mark = capacity_changed && replay->changes_in_octave < MEMCELL_CHANGES_PER_OCTAVE;
    if (mark) {
        replay->changes_in_octave++;
        add_point(replay, entries - 1, before_bytes, before_requested);
        if (shared->growths < MEMCELL_EVENTS_MAX) shared->growth[shared->growths++] = entries;
    }
    if (mark || is_regular_point(replay, entries))
        add_point(replay, entries, live_bytes(replay), requested_bytes(replay));
    if (entries > replay->n / 2) note_octave(replay, entries);
}

/* After each store in the child that reads resident memory: the same points. */
static void note_resident(struct replay *replay, uint64_t entries) {
    struct memcell_shared *shared = replay->shared;
    if (replay->next_point == shared->points || shared->point[replay->next_point].entries != entries) return;
    int64_t rss = (int64_t)(memstat_rss_bytes(&replay->memstat) - replay->rss_floor_bytes);
    shared->point[replay->next_point++].rss_bytes = rss;
}

/* --- growth --- */

/* The next key block; what making it allocates is the harness's, so the floor moves along. */
static void next_block(struct replay *replay, size_t first) {
    if (!replay->count_read) { /* a collecting heap holds nothing of the harness */
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
        size_t capacity = map ? unit->op.capacity(map) : 0;
        replay->shape->val_make(i, val);
        if (!map || !unit->op.put(map, replay->block + i % KEYS_BLOCK * replay->shape->key_size, val))
            return give_up(replay, "out of memory after %zu of %zu entries", i, replay->n);
        replay->shared->reached = i + 1;
        bool changed = replay->counting && !replay->small && unit->op.capacity(map) != capacity;
        if (!replay->counting)
            note_resident(replay, i + 1);
        else if (replay->collecting)
            note_collected(replay, i + 1, changed);
        else
            note_bytes(replay, i + 1, changed);
    }
    return true;
}

/* The values before the first entry. */
static bool take_floor(struct replay *replay) {
    memcount_reset_peak_fn *reset_peak;
    if (strcmp(replay->unit->heap, "gosim") == 0) {
        replay->collecting = (struct gosim_own *)replay->unit->own_heap;
        if (!replay->collecting->heap) return give_up(replay, "out of memory for the collecting heap");
        read_collected(replay);
        replay->floor = replay->now;
        gosim_take_peak(replay->collecting->heap);
        return true;
    }
    *(void **)&replay->count_read = dlsym(RTLD_DEFAULT, "memcount_read");
    *(void **)&reset_peak = dlsym(RTLD_DEFAULT, "memcount_reset_peak");
    if (!replay->count_read || !reset_peak)
        return give_up(
            replay,
            "bytes cannot be counted: libmemcount.so was not preloaded (a static or privileged program?)");
    reset_peak();
    replay->count_read(&replay->floor);
    replay->now = replay->floor;
    return true;
}

static bool count_bytes(struct replay *replay) {
    struct memcell_shared *shared = replay->shared;
    replay->counting = true;
    if (!take_floor(replay)) return false;
    uint64_t peak_floor_bytes = replay->floor.live_bytes;
    if (!grow(replay)) return false;
    shared->bytes_live = live_bytes(replay);
    shared->requested_bytes = requested_bytes(replay);
    shared->bytes_peak = (int64_t)(replay->now.peak_bytes - peak_floor_bytes);
    shared->blocks_live = (int64_t)(replay->now.live_blocks - replay->floor.live_blocks);
    shared->allocations = (int64_t)(replay->now.allocations - replay->floor.allocations);
    shared->octave_mean = replay->octave_sum / (double)replay->octave_readings;
    return true;
}

static bool read_resident(struct replay *replay) {
    struct memcell_shared *shared = replay->shared;
    struct resident before, after;
    if (!memstat_open(&replay->memstat, shared->why, sizeof shared->why) ||
        !resident_open(&replay->resident, 0, shared->why, sizeof shared->why))
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
    if (!replay->unit || !replay->shape || replay->unit->unavailable)
        return give_up(replay, "memory-cell: there is no unit %s/%s/%s/%s", argv[MEMCELL_ARG_MAP],
                       argv[MEMCELL_ARG_SHAPE], argv[MEMCELL_ARG_HASH], argv[MEMCELL_ARG_HEAP]);
    if (replay->n == 0) return give_up(replay, "memory-cell: the number of entries is 0");
    if (!replay->small && strcmp(argv[MEMCELL_ARG_WORKLOAD], "put_grow") != 0)
        return give_up(replay,
                       "memory-cell: workload %s is not measured for memory; use put_grow or small_put",
                       argv[MEMCELL_ARG_WORKLOAD]);
    replay->keys = keys_open(argv[MEMCELL_ARG_KEYS], replay->shape, replay->n, replay->seed, shared->why,
                             sizeof shared->why);
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
    if (strcmp(argv[MEMCELL_ARG_PAGES], "small") == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0) {
        give_up(&replay, "this kernel cannot turn huge pages off for a process (PR_SET_THP_DISABLE)");
        return 1;
    }
    bool counting = strcmp(argv[MEMCELL_ARG_MODE], "bytes") == 0;
    bool done = prepare(&replay, argv) && (counting ? count_bytes(&replay) : read_resident(&replay));
    return done ? 0 : 1;
}
