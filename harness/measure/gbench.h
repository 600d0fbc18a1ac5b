/* Google Benchmark behind a C border.
 *
 * C owns the measured loop: a benchmark is a C function that runs whole batches, asking once per batch
 * whether to go on and reporting its time by hand (manual time). An iteration in Google Benchmark's sense is
 * one map operation, so its real_time is nanoseconds per operation and its compare.py can read the JSON. No
 * exception crosses the border; names are copied.
 */
#ifndef MAPBENCH_GBENCH_H
#define MAPBENCH_GBENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/why.h"

#ifdef __cplusplus
extern "C" {
#endif

struct gbench_state;
/* Must call gbench_next before each batch until it returns false, and gbench_time once after each. */
typedef void gbench_body(struct gbench_state *state, void *context);

/* False when all batches have run. */
bool gbench_next(struct gbench_state *state);
/* The measured time of the batch just run. */
void gbench_time(struct gbench_state *state, double seconds);
/* Ends the benchmark as failed; gbench_next returns false from then on. */
void gbench_error(struct gbench_state *state, const char *message);

/* Runs one benchmark of `batches` batches of ops_per_batch operations and returns Google Benchmark's JSON
 * report (a malloc'ed string the caller frees), or NULL with a message in `why`. */
char *gbench_run(const char *name, uint64_t ops_per_batch, unsigned batches, gbench_body *body, void *context,
                 struct why *why);

#ifdef __cplusplus
}
#endif
#endif
