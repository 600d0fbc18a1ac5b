/* The record of one pair of units, put together from what was measured. */
#ifndef MAPBENCH_PAIR_RESULT_H
#define MAPBENCH_PAIR_RESULT_H

#include <jansson.h>
#include <stdint.h>

#include "harness/bench/bench.h"
#include "harness/pair/pair.h"

/* Use that this process made of the machine so far. `conditions`: as conditions_now, owned by the caller. */
struct pair_usage {
    uint64_t cpu_ns, wall_ns;
    long involuntary_switches;
    json_t *conditions;
};
struct pair_usage pair_usage_now(void);

struct pair_batches {
    const char *keys; /* spec with every parameter */
    uint64_t ops;     /* per batch */
    enum bench_clock clock;
    json_t *rounds; /* borrowed */
};

/* New reference. */
json_t *pair_result(const struct pair_plan *plan, const struct pair_batches *batches,
                    const struct pair_usage *before, const struct pair_usage *after);

#endif
