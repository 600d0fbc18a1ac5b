/* Facts of this machine, for the results: those that do not change while a run lasts. */
#ifndef MAPBENCH_MACHINE_H
#define MAPBENCH_MACHINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The "machine" object of run.json. Absent facts are JSON null. New reference; NULL: out of memory. */
json_t *machine_describe(void);

/* Size of the last cache before memory that the first processor uses; 0: unknown. */
size_t machine_last_cache_bytes(void);

#endif
