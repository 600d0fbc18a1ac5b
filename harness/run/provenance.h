/* What exactly was measured: the executable, the libraries it loaded, where the measured loops lie, and how
 * each map is set up, in a form that programs can read. For run.json; all results are new references. */
#ifndef MAPBENCH_PROVENANCE_H
#define MAPBENCH_PROVENANCE_H

#include <jansson.h>

#include "harness/unit/map.h"
#include "harness/plan/plan.h"

/* {"name", "bytes", "sha256"} of this program's file; null fields where it cannot be read. */
json_t *provenance_executable(void);

/* [{"name", "file", "version", "sha256"}]: the shared objects in this process but units, a preloaded
 * allocator included, by name as linked (libc.so.6) and by the base name of the file behind it. version: what
 * follows
 * ".so." in that name, or null. */
json_t *provenance_libraries(void);

/* [{"map", "shape", "hash", "heap", "sha256", "loops"}] of a plan's compiled units, each once; sha256 of the
 * unit's shared object. loops: {loop: {"offset", "mod64"}} of the loops that the plan's workloads run: the
 * address in that object, and its place in a cache line, which moves times when it changes between two
 * builds. */
json_t *provenance_units(const struct plan *plan);

/* Adds {"name", "sha256"} of an engine's program ("go1.24") to a list, once. */
void provenance_add_engine(json_t *engines, const char *name);

/* Adds what of a map's options can be read by a program: "package" and "version" (Debian's, as installed when
 * this was built), "library" (the folder of a release beside the system's, whose version it then is), "max_load" and "growth" (numbers); each null where there is none or the text does not say.
 */
void provenance_of_map(json_t *map, const char *name, const struct map_facts *facts);

#endif
