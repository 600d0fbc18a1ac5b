/* Two units measured against each other in one process: each comes from a shared object that `make
 * pair-units` links (harness/pair/pair.mk), usually of two revisions of one map.
 *
 * Times of two processes differ by more than what is looked for, above all since their pages lie elsewhere.
 * Here both variants share process, keys, clock and minute. Short batches alternate strictly - a batch that
 * follows its own variant runs faster - and in several rounds the code is loaded and the maps are built anew.
 */
#ifndef MAPBENCH_PAIR_H
#define MAPBENCH_PAIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/unit/load.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/plan/workload.h"

/* Loads unit MAP-SHAPE-HASH-HEAP from a shared object and checks that this program can drive it: interface,
 * shape, availability. `private_copy`: a mapping of its own, though the file may be loaded already; needed to
 * measure a file against itself. EXIT_OK; EXIT_USAGE (no such file, no shared object, no such unit) or
 * EXIT_CANNOT (another interface, missing symbols, a library that is not installed) with the reason in `why`.
 */
enum exit_code pair_load(struct unit_object *out, const char *file, const char *name, bool private_copy,
                         struct why *why);
/* Loads the object's unit once more, from `file`, at an address drawn from `rng`; the former copy stays. A
 * branch predictor knows code by its address, and for some loops it settles for long in a worse state at one
 * address than at another. Failures as of pair_load. */
enum exit_code pair_move(struct unit_object *object, const char *file, uint64_t *rng, struct why *why);
/* True if both paths lead to one file, which the loader would map once. */
bool pair_same_file(const char *a, const char *b);

enum pair_placement {
    PAIR_FREE,    /* as first built */
    PAIR_SHAKE,   /* built anew after other memory was taken, so that the maps get other pages */
    PAIR_REBUILD, /* built anew in the other order: each variant gets what the other had */
};
enum { PAIR_ROUNDS_MAX = 64, PAIR_BATCHES_MAX = 1000, PAIR_LINKS_MAX = 64 };
const char *pair_placement_name(enum pair_placement placement);
bool pair_placement_find(const char *name, enum pair_placement *out);

/* One unit's code linked at several places within a page, which the loader keeps (make pair-units PAD=BYTES):
 * a loop may be slower by several percent at some of them, and any edit of the unit moves it. */
struct pair_links {
    const char *file[PAIR_LINKS_MAX];
    size_t count;
};

enum pair_variant { PAIR_BASE, PAIR_NEW, PAIR_VARIANTS };

struct pair_plan {
    struct unit_object object[PAIR_VARIANTS];
    const struct workload *workload;
    const char *keys;
    size_t n;
    uint64_t seed;
    double ns_per_tick; /* clock_calibrate */
    size_t rounds;
    enum pair_placement placement[PAIR_ROUNDS_MAX];
    unsigned batches; /* per variant and round */
    double batch_us;
    struct pair_links links[PAIR_VARIANTS]; /* what rounds load, in turn; both or none */
    double extra_percent; /* operations that the new variant does but does not count: a known slowdown */
};

/* Measures one cell. An object with
 *
 * - abi: 1, of this format; workload, keys, n, seed, extra_percent: as asked for, parameters spelled out
 * - base, new {unit, file, hot}: hot has the measured loop's address within its file, by name, and NAME_mod64
 * - batch_ops: operations per batch, of both variants; clock: "thread_cpu" or "ticks" (docs/method.md)
 * - rounds [{placement, loop_at {base, new}, starts, ns_per_op, preempted}]: loop_at: the address of the
 * measured loop; starts: "base" or "new", the variant of the first batch; ns_per_op in the order of
 * execution, variants alternating; preempted: 1 where the kernel took the processor away
 * - cpu_ns, wall_ns, involuntary_switches: of this process while it calibrated, built and measured
 * - pressure_cpu_avg10: % of the last 10 s in which a runnable task of the machine waited, and steal_ticks,
 * in 1/100 s meanwhile; null where the kernel does not tell
 *
 * New reference. NULL: `why`, and in *code EXIT_CHECK_FAILED (a wrong result), EXIT_USAGE (keys) or
 * EXIT_CANNOT. */
json_t *pair_measure(const struct pair_plan *plan, enum exit_code *code, struct why *why);

/* The hidden command `mapbench pair-worker`, of which `compare` starts one process after the other; argv[0]
 * is its name. Returns the exit code. */
int pair_worker(int argc, char **argv);

#endif
