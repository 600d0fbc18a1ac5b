/* A bench: one unit in one cell, with a live map, able to run any workload in measured segments.
 *
 * A SEGMENT is one call of a measured loop over one block of keys; only segments are clocked. Keys are drawn,
 * maps built, copies destroyed between them. A BATCH is a row of segments that takes about 1 ms (or one pass
 * over the map where a workload uses the map up: filling, deleting), and yields one sample: nanoseconds per
 * operation. Every segment's checksum is compared with what it must be; a batch cannot end without the right
 * answer.
 */
#ifndef MAPBENCH_BENCH_H
#define MAPBENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/clock.h"
#include "harness/base/deadline.h"
#include "harness/keys/keys.h"
#include "harness/plan/plan.h"
#include "harness/unit/recorder.h"

/* Called just outside the clock of every segment: counters and perf are switched on and off here. */
struct bench_hooks {
    void (*start)(void *context);
    void (*stop)(void *context);
    void *context;
};

/* Buffers shared by the benches of a run: a few MiB whatever n is, and the eviction buffer of cold lookups.
 */
struct bench_room {
    uint64_t *index;      /* KEYS_BLOCK */
    uint64_t *index2;     /* KEYS_BLOCK: churn's newcomers */
    void *keys;           /* KEYS_BLOCK keys */
    void *keys2;          /* KEYS_BLOCK keys: churn's newcomers before they are paired */
    uint32_t *what;       /* KEYS_BLOCK: what the operations of the mixed loop do */
    void **maps;          /* BENCH_MAPS_MAX: clear and copy */
    unsigned char *evict; /* of evict_bytes; only while cold lookups are measured (bench_room_evict) */
    size_t evict_bytes;
};
enum { BENCH_MAPS_MAX = 1024 };

enum bench_clock {
    BENCH_CLOCK_THREAD_CPU,
    BENCH_CLOCK_TICKS,
    BENCH_CLOCK_NONE, /* segments are not clocked: between the hooks runs the loop alone */
};

enum bench_state {
    BENCH_NONE,        /* no map */
    BENCH_FULL,        /* grown from empty by storing positions 0..n-1 with values 0..n-1 */
    BENCH_OVERWRITTEN, /* as full, but with other values */
    BENCH_WORN,        /* has other keys or another capacity than a grown map */
};

/* Many small maps: map j holds positions start[j] .. start[j + 1] - 1. */
struct bench_small {
    size_t maps;
    void **map;
    uint64_t *start; /* maps + 1 of them */
};

/* Positions to look up, drawn beforehand for several benches, so that drawing is done once and none of them
 * runs after it. */
struct bench_draws {
    const uint32_t *position;
    size_t count;
};

struct bench {
    const struct cell *cell;
    const struct map_unit *unit;
    struct keys *keys; /* borrowed */
    struct bench_room *room;
    struct bench_hooks hooks;  /* may be empty */
    struct recorder *recorder; /* NULL, or where the timed loops record */
    bool open;                 /* record in the open loops, by the recorder's schedule */
    double ns_per_tick;
    size_t block;             /* keys per segment at most */
    struct deadline deadline; /* the workload is given up after it */
    bool insertion_order;
    bool verify; /* check the content as well as checksums and lengths: once per unit and cell */

    /* A map's keys are positions 0..n-1; position p is index base + p of the stream. Every filling takes the
     * next n indices, so that no branch predictor learns the sequence of one filling from the last. */
    uint64_t base;
    bool filled; /* base has been used */
    void *map;
    enum bench_state state;
    struct keys_cursor cursor;
    struct bench_draws draws; /* taken from the front; empty: the cursor draws */
    uint64_t order_seed;
    uint64_t passes;       /* deletion orders used so far */
    uint64_t churned;      /* pairs since the map was full */
    uint64_t churn_digest; /* sum of the hashes of the live keys while churning */
    bool mixed;            /* every live key has the value that the mixed workload gives it */
    struct bench_small small;
    uint64_t scan_sum; /* what a scan of the full map must return; known for the base scan_sum_base */
    uint64_t scan_sum_base;
    bool scan_sum_known;

    enum bench_clock clock; /* of the present batch */
    char why[200];          /* what went wrong, for the row */
    bool wrong_result;      /* a checksum, length or content was wrong: the worst kind of failure */
};

struct batch {
    uint64_t ops, segments;
    double ns;         /* of all segments, on the batch's clock */
    uint64_t wall_ns;  /* of all segments */
    bool preempted;    /* the kernel took the CPU away during a segment */
    uint64_t checksum; /* of all segments */
};

/* How a workload is batched on a bench, found by bench_calibrate and used in every round. */
struct batching {
    uint64_t ops;  /* operations per batch: whole passes for workloads that use the map up */
    unsigned most; /* batches per round at most, so that passes over large maps do not take minutes */
    enum bench_clock clock;
    uint64_t checksum; /* of the first trial, which is the same for every map */
};

/* What cold lookups need to evict the caches: twice the last one, within limits. */
size_t bench_evict_bytes(void);
bool bench_room_open(struct bench_room *room, size_t evict_bytes);
void bench_room_close(struct bench_room *room);
/* Has the eviction buffer or gives it back: it and the small maps' tables together would exceed the harness's
 * 64 MiB. */
bool bench_room_evict(struct bench_room *room, bool wanted);

void bench_init(struct bench *bench, const struct cell *cell, const struct map_unit *unit, struct keys *keys,
                struct bench_room *room, uint64_t seed);
/* Destroys whatever maps are left. */
void bench_end(struct bench *bench);

/* Back to the first keys and the first order of the workload, so that every map's next batch is the same. */
void bench_rewind(struct bench *bench, const struct workload *workload, uint64_t seed);
/* Builds the full map unless it stands. False: `why` is set. */
bool bench_build(struct bench *bench);
/* The next `count` positions that a workload of lookups or overwriting would draw, from the cursor. */
void bench_predraw(struct bench *bench, const struct workload *workload, size_t count, uint32_t *out);
/* Runs a short stretch of the workload (also the warm-up after a build) and finds the batching. */
bool bench_calibrate(struct bench *bench, const struct workload *workload, struct batching *out);
/* Runs a stretch of the workload without finding a batching: the warm-up of the later rounds. */
bool bench_warm_up(struct bench *bench, const struct workload *workload);
/* Runs one batch of about `ops` operations. False: `why` is set, the map is gone. */
bool bench_batch(struct bench *bench, const struct workload *workload, uint64_t ops, enum bench_clock clock,
                 struct batch *out);

/* Times the kernel has taken the CPU away from this thread. */
long bench_preemptions(void);

/* --- for the files that implement workloads --- */
typedef bool bench_workload_fn(struct bench *bench, const struct workload *workload, uint64_t ops,
                               struct batch *out);
bool bench_fail(struct bench *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool bench_wrong(struct bench *bench, const char *what, uint64_t got, uint64_t expected);
/* Clocks one call of a loop and adds it to the batch; returns the loop's checksum. */
uint64_t bench_segment(struct bench *bench, run_fn *loop, void *map, const struct run_args *args,
                       uint64_t ops, struct batch *out);
/* In a verifying round, compares the content of the full map with what was stored. */
bool bench_verify_full(struct bench *bench);
/* Drops all maps; the next n indices become the positions. */
void bench_next_keys(struct bench *bench);
/* Keys of positions (changed to indices in place): stored copies, or probe copies. */
void bench_store_keys(struct bench *bench, uint64_t *position, size_t count, void *out);
void bench_probe_keys(struct bench *bench, uint64_t *position, size_t count, void *out);
void *bench_create_full(struct bench *bench, size_t hint, bool timed, struct batch *out);
/* What one scan of the full map must return. */
uint64_t bench_full_sum(struct bench *bench);
void bench_drop_map(struct bench *bench);
uint64_t bench_value_word(const struct bench *bench, uint64_t number);
bool bench_is_baseline(const struct bench *bench);
bool bench_late(struct bench *bench);

bench_workload_fn bench_put, bench_overwrite, bench_get, bench_get_cold, bench_del, bench_churn, bench_mixed,
    bench_scan, bench_clear, bench_copy, bench_small_put, bench_small_get;
/* The recording loop of a workload where the bench records, or else the plain one. */
#define BENCH_LOOP(bench, loop)                                                                              \
    (!(bench)->recorder ? (bench)->unit->run.loop                                                            \
     : (bench)->open    ? (bench)->unit->run.loop##_open                                                     \
                        : (bench)->unit->run.loop##_timed)
/* Operations that a segment of the mixed workload holds at most. */
uint64_t bench_mixed_most(const struct bench *bench);
/* The sum of the hashes of the map's keys. */
uint64_t bench_digest(const struct bench *bench);
/* Destroys the many small maps. */
void bench_small_drop(struct bench *bench);

#endif
