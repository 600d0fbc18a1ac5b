/* Planned allocation failures for builds with MAPBENCH_FAULTS (the sanitizer builds): the malloc heap asks
 * here before each allocation. Elsewhere the preloaded memory counter fails allocations (memcount.h). Every
 * thread has a plan of its own, so that a failure hits the thread that asked for it.
 */
#ifndef MAPBENCH_FAULT_H
#define MAPBENCH_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Lets `calls` allocations succeed, fails the next, then succeeds again. UINT64_MAX: never fail. */
void fault_after(uint64_t calls);
/* True when the present allocation must fail. */
bool fault_now(void);
/* Allocations failed on purpose since the thread began. */
uint64_t fault_count(void);

#ifdef __cplusplus
}
#endif
#endif
