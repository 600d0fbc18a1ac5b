/* Engines: programs outside this process that run the same measured loops on maps which cannot be compiled
 * into it. So far real Go (harness/engines/go).
 *
 * An engine map appears as ordinary units. Their loops hand a block of keys over in shared memory, tell the
 * engine to run the loop, and wait; the engine copies the keys, clocks the loop itself, on the same clocks,
 * and answers with the checksum. Everything else (keys, batching, checks, statistics) is the same code as for
 * every other map, so rounds interleave and nothing has to be written twice. One process serves one unit; it
 * is started when first used and ends when its command pipe closes.
 *
 * An engine that ends, hangs, answers nonsense or disagrees on a result is not asked again: its unit has a
 * fault from then on, which becomes the reason in every further row.
 */
#ifndef MAPBENCH_ENGINE_H
#define MAPBENCH_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/unit/map.h"

struct engine; /* the other side of one unit */

/* Times of the last loop, by the engine's own clocks. */
struct engine_segment {
    uint64_t cpu_ns; /* of the measuring thread; of the whole process where the collector is on */
    uint64_t ticks, wall_ns;
    bool preempted;
};
void engine_last_segment(const struct engine *engine, struct engine_segment *out);

/* Memory as the Go runtime reports it (runtime.MemStats under the same names). */
struct engine_memory {
    uint64_t heap_alloc, heap_objects, total_alloc, mallocs, heap_resident, sys, num_gc;
};
/* `collect` has it collect first. False: the engine has a fault. */
bool engine_memory(struct engine *engine, bool collect, struct engine_memory *out);

/* The runner's memory that holds the texts of stored string keys, mirrored by the engine so that distances
 * between texts are the same; 0 bytes: none. Before maps are made from these keys. */
void engine_mirror_text(struct engine *engine, const void *base, size_t bytes);
/* From now on the engine may use so much processor time (deadline.h); it is ended if an answer takes longer.
 */
void engine_set_limit(struct engine *engine, double seconds);
/* True once it has used more. */
bool engine_is_late(const struct engine *engine);

/* Ends the engine's process; what follows runs in a fresh one. No map of it may be left. */
void engine_restart(struct engine *engine);
/* NULL, or why the engine is not used any more. */
const char *engine_fault(const struct engine *engine);
/* The runner found a wrong result: the engine is not asked again. */
void engine_refuse(struct engine *engine, const char *why);
/* "go1.24.4", as the engine itself says: it is started to find out. The program's name where it does not run.
 */
const char *engine_version(struct engine *engine);
const char *engine_name(const struct engine *engine);

/* Ends all engines; those with a fault may be started again. */
void engines_close(void);

/* --- the units, for the registry (units.c) --- */
size_t engine_map_count(void);
const char *engine_map_name(size_t i);
size_t engine_unit_count(void);
const struct map_unit *engine_unit_at(size_t i);

/* --- the programs, for `list engines` --- */
struct engine_program {
    const char *name;    /* "go1.24" */
    const char *summary; /* what it is */
    const char *reason;  /* NULL: it runs here; otherwise why not */
    char version[96];    /* as it says itself, "" if it does not run */
};
size_t engine_program_count(void);
/* Releases newer than the newest that the ports were checked against have programs too, where they were
 * built: the texts about them, and their versions, say this. */
#define ENGINE_UNCHECKED "port not checked against this release"
/* Writes the version that a program says it has as rows name it. False: it is of another release than the
 * program's name says; `why`. */
bool engine_version_of(const char *program, const char *says, char *version, size_t size, struct why *why);
const char *engine_program_name(size_t i);
/* Starts the program to find out. */
void engine_program_describe(size_t i, struct engine_program *out);

#endif
