/* Reads what the machine is busy with, its free memory included; nothing of how much this program or a map
 * takes. */
#ifndef MAPBENCH_CONDITIONS_H
#define MAPBENCH_CONDITIONS_H

#include <jansson.h>

/* loadavg_1m, pressure_cpu_avg10 (% of the last 10 s in which a runnable task waited),
 * memory_available_bytes, memory_bound (the limit that leaves no more), steal_ticks (of all processors since
 * boot, in 1/100 s), thp, governor, throttled_us and throttled_times (for how long and how often quotas of
 * the own control group and of those above it stopped them so far), own_involuntary_switches. Absent facts
 * are JSON null. New reference; NULL: out of memory. */
json_t *conditions_now(void);

#endif
