/* The ground that workloads stand on: a bench with its keys and its map, and segments that are clocked. The
 * files that implement workloads include it, and bench.h, the folder's face. */
#ifndef MAPBENCH_BENCH_GROUND_H
#define MAPBENCH_BENCH_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/clock.h"
#include "harness/base/deadline.h"
#include "harness/bench/room.h"
#include "harness/keys/keys.h"
#include "harness/plan/plan.h"
#include "harness/unit/recorder.h"

/* Called just outside the clock of every segment: counters and perf are switched on and off here. */
struct bench_hooks {
    void (*start)(void *context);
    void (*stop)(void *context);
    void *context;
};

/* Positions to look up, drawn beforehand for several benches, so that drawing is done once and none of them
 * runs after it. */
struct bench_draws {
    const uint32_t *position;
    size_t count;
};

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

/* A map whose keys are replaced one by one, by churn or mixed. */
struct bench_churn {
    uint64_t pairs;       /* of a delete and a store, since the map was full */
    uint64_t digest;      /* sum of the hashes of the live keys */
    bool values_of_mixed; /* every live key has the value that mixed gives it */
    enum bench_churn_order {
        CHURN_RANDOM,
        CHURN_OLDEST_FIRST,
        CHURN_SIZED, /* random, in a map created with the hint n */
        CHURN_WALKED /* as a walk at the beginning of the generation met them */
    } order;
    void *victims; /* the keys of that walk, n of them; NULL: of other orders */
};

/* A map that held n entries, and holds a hundredth of them: positions keep[0 .. left - 1] of the last
 * deletion order. */
struct bench_sparse {
    size_t left;  /* 0: the map is none such */
    uint64_t sum; /* that a scan of it must return */
};

/* Many small maps: map j holds positions start[j] .. start[j + 1] - 1. */
struct bench_small {
    size_t maps;
    void **map;
    uint64_t *start; /* maps + 1 of them */
};

/* The sum that a scan of the full map must return. */
struct bench_full_sum {
    bool known;
    uint64_t base; /* of the keys that it is the sum of */
    uint64_t sum;
};

struct bench {
    /* Given to bench_init; valid until bench_end. All are borrowed. */
    const struct cell *cell;
    const struct map_unit *unit;
    struct keys *keys;
    struct bench_room *room;

    /* Set by who measures, between batches; bench_init has set what leaves all of it out. */
    double ns_per_tick;
    size_t block; /* keys per segment at most; bench_init sets it, it may be lowered */
    struct bench_hooks hooks;
    struct recorder *recorder; /* NULL, or where the timed loops record */
    bool open;                 /* record in the open loops, by the recorder's schedule */
    bool verify; /* check the content as well as checksums and lengths: once per unit and cell */
    bool insertion_order;
    struct deadline deadline;       /* the workload is given up after it */
    enum option_id deadline_option; /* which option says when: --limit or --budget */
    struct bench_draws draws;       /* taken from the front; empty: the cursor draws */

    /* The order in which keys are touched. bench_init and bench_rewind set it, segments move it on. */
    struct keys_cursor cursor;
    uint64_t order_seed;
    uint64_t passes; /* deletion orders used so far */

    /* The map, valid while `state` is not BENCH_NONE. Its keys are positions 0..n-1; position p is index base
     * + p of the stream. Every filling takes the next n indices (bench_next_keys), so that no branch
     * predictor learns the sequence of one filling from the last. */
    void *map;
    enum bench_state state;
    uint64_t base;
    bool base_used;

    /* Kept by workloads from batch to batch, valid until bench_next_keys; the sum while the base is its own.
     */
    struct bench_churn churn;
    struct bench_small small;
    struct bench_full_sum full_sum;
    struct bench_sparse sparse;

    /* State of the present batch, or the last: set by bench_batch and what runs in it. */
    enum bench_clock clock;
    char why[200];     /* what went wrong, for the row */
    bool wrong_result; /* a checksum, length or content was wrong: the worst kind of failure */
    bool late;         /* it was given up at the deadline */
};

struct batch {
    uint64_t ops, segments;
    double ns;         /* of all segments, on the batch's clock */
    uint64_t wall_ns;  /* of all segments */
    bool preempted;    /* the kernel took the CPU away during a segment */
    uint64_t checksum; /* of all segments */
};

/* Implements a kind of workload (plan/kinds.def): prepares the map without a clock, then runs segments until
 * the batch has `ops` operations, and compares every checksum. False: `why` is set. */
typedef bool bench_workload_fn(struct bench *bench, const struct workload *workload, uint64_t ops,
                               struct batch *out);

/* --- failures: both return false --- */

bool bench_fail(struct bench *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool bench_wrong(struct bench *bench, const char *what, uint64_t got, uint64_t expected);
/* True, with `why` set, after the deadline. */
bool bench_late(struct bench *bench);
/* True for a map that does nothing: its checksums are not compared. */
bool bench_is_baseline(const struct bench *bench);

/* --- segments --- */

/* The recording loop of a workload where the bench records, or else the plain one. */
#define BENCH_LOOP(bench, loop)                                                                              \
    (!(bench)->recorder ? (bench)->unit->run.loop                                                            \
     : (bench)->open    ? (bench)->unit->run.loop##_open                                                     \
                        : (bench)->unit->run.loop##_timed)
/* Clocks one call of a loop and adds it to the batch; returns the loop's checksum. */
uint64_t bench_segment(struct bench *bench, run_fn *loop, void *map, const struct run_args *args,
                       uint64_t ops, struct batch *out);

/* --- keys --- */

/* Drops all maps; the next n indices become the positions. */
void bench_next_keys(struct bench *bench);
/* Takes the next `count` positions that a workload of lookups or overwriting touches: from `draws`, or else
 * drawn. */
void bench_draw(struct bench *bench, const struct workload *workload, size_t count, uint64_t *out);
/* Draws positions as bench_draw would, for `draws`. */
void bench_predraw(struct bench *bench, const struct workload *workload, size_t count, uint32_t *out);
/* Keys of positions (changed to indices in place): stored copies, or probe copies. */
void bench_store_keys(struct bench *bench, uint64_t *position, size_t count, void *out);
void bench_probe_keys(struct bench *bench, uint64_t *position, size_t count, void *out);
/* The value made from a number, as checksums add it up. */
uint64_t bench_value_word(const struct bench *bench, uint64_t number);

/* --- maps --- */

/* Builds the full map unless it stands. False: `why` is set. */
bool bench_build(struct bench *bench);
/* Makes a map that holds positions 0..n-1, stored in this order, value i at position i. NULL: `why` is set.
 */
void *bench_create_full(struct bench *bench, size_t hint, bool timed, struct batch *out);
/* Returns what one scan of the full map must return. */
uint64_t bench_full_sum(struct bench *bench);
/* In a verifying round, compares the content of the full map with what was stored. */
bool bench_verify_full(struct bench *bench);
/* Adds up the hashes of the map's keys. */
uint64_t bench_digest(const struct bench *bench);
/* Compares the digest of a map whose keys were replaced with what it must be. */
bool bench_verify_digest(struct bench *bench, const char *what);
void bench_drop_map(struct bench *bench);
/* Destroys the many small maps. */
void bench_small_drop(struct bench *bench);
/* Destroys whatever maps are left. */
void bench_end(struct bench *bench);

#endif
