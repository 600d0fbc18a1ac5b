/* A bench: one unit in one cell, with a live map, able to run any workload in measured segments.
 *
 * A SEGMENT is one call of a measured loop over one block of keys; only segments are clocked. Keys are drawn,
 * maps built, copies destroyed between them. A BATCH is a row of segments that takes about 1 ms (or one pass
 * over the map where a workload uses the map up: filling, deleting), and yields one sample: nanoseconds per
 * operation. Every segment's checksum is compared with what it must be; a batch cannot end without the right
 * answer.
 *
 * This header is for who measures. Workloads are implemented in this folder, on ground.h.
 */
#ifndef MAPBENCH_BENCH_H
#define MAPBENCH_BENCH_H

#include "harness/bench/ground.h"

/* The batching of a workload on a bench, found by bench_calibrate and used in every round. */
struct batching {
    uint64_t ops;  /* operations per batch: whole passes for workloads that take them (workload_in_passes) */
    unsigned most; /* batches per round at most, so that passes over large maps do not take minutes */
    enum bench_clock clock;
    uint64_t checksum; /* of the first trial, which is the same for every map */
};

/* Opens a bench without a map; bench_end (ground.h) ends it. */
void bench_init(struct bench *bench, const struct cell *cell, const struct map_unit *unit, struct keys *keys,
                struct bench_room *room, uint64_t seed);
/* Goes back to the first keys and the first order of the workload, so that every map's next batch is the
 * same. */
void bench_rewind(struct bench *bench, const struct workload *workload, uint64_t seed);
/* Runs a short stretch of the workload (also the warm-up after a build) and finds the batching. */
bool bench_calibrate(struct bench *bench, const struct workload *workload, struct batching *out);
/* Runs a stretch of the workload without finding a batching: the warm-up of the later rounds. */
bool bench_warm_up(struct bench *bench, const struct workload *workload);
/* Runs one batch of about `ops` operations. False: `why` is set, the map is gone. */
bool bench_batch(struct bench *bench, const struct workload *workload, uint64_t ops, enum bench_clock clock,
                 struct batch *out);

#endif
