/* Facts of this machine, for the results: those that do not change while a run lasts. */
#ifndef MAPBENCH_MACHINE_H
#define MAPBENCH_MACHINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* The "machine" object of run.json. Absent facts are JSON null. New reference; NULL: out of memory. */
json_t *machine_describe(void);

/* Bytes that can be allocated without swapping: the kernel's estimate, or what a control group leaves if that
 * is less. 0: unknown. */
uint64_t machine_memory_available(void);

/* Size of the data or unified cache of a level (1, 2, 3) that the first processor uses; 0: there is none, or
 * unknown. */
size_t machine_cache_bytes(unsigned level);

#endif
