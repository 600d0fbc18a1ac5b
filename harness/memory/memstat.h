/* Reads one number, the resident memory of this process, now or at most; not of what kind it is (resident.h),
 * nor what is allocated (memcount.h). It is the kernel's count, read without allocating. */
#ifndef MAPBENCH_MEMSTAT_H
#define MAPBENCH_MEMSTAT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/why.h"

struct memstat {
    int rollup_fd, status_fd; /* kept open: reading again costs no path walk and no allocation */
};

/* False: `why` names the file the kernel does not offer. */
bool memstat_open(struct memstat *stat, struct why *why);
void memstat_close(struct memstat *stat);

/* Rss of smaps_rollup: walks the page tables, so it is exact where the kernel's running counters lag by some
 * pages. Costs about 1 ms per 100 MiB resident. 0: unreadable. */
uint64_t memstat_rss_bytes(const struct memstat *stat);

/* The high-water mark of the running counter (VmHWM) since memstat_peak_reset. 0: unreadable. */
uint64_t memstat_peak_bytes(const struct memstat *stat);
bool memstat_peak_reset(void);

/* Reads every page of the program and its libraries, so that code first run later does not count as a map's
 * memory. */
void memstat_touch_program(void);

#endif
