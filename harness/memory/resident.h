/* Reads the resident memory of a process by kind (private, shared, in huge pages, swapped), and its page
 * faults; not what it allocated. For this process or another one (a forked child, say), as the kernel counts,
 * and without allocating.
 *
 * Rss of smaps_rollup walks the page tables: exact where the running counters of /proc/PID/statm lag by some
 * pages, at about 1 ms per 100 MiB. Pages shared after fork(2) are resident in both processes; only
 * private_dirty_bytes tells what one of them has copied for itself.
 * Source: proc(5); Linux Documentation/filesystems/proc.rst.
 */
#ifndef MAPBENCH_RESIDENT_H
#define MAPBENCH_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/base/why.h"

struct resident {
    uint64_t rss_bytes;
    uint64_t private_dirty_bytes; /* written by this process and mapped by no other */
    uint64_t shared_dirty_bytes;  /* written, and still shared with a forked process */
    uint64_t huge_bytes;          /* of rss_bytes, in transparent huge pages (AnonHugePages) */
    uint64_t swap_bytes;
    uint64_t minor_faults, major_faults; /* page faults since the process began, without and with input */
};

struct resident_reader {
    pid_t pid; /* 0: this process */
    int rollup_fd, status_fd, stat_fd;
};

/* Keeps the files open: reading again costs no path walk. False: `why` names what the kernel does not offer.
 */
bool resident_open(struct resident_reader *reader, pid_t pid, struct why *why);
void resident_close(struct resident_reader *reader);

/* False: unreadable (the process has ended). */
bool resident_read(const struct resident_reader *reader, struct resident *out);

/* The high-water mark of resident memory (VmHWM) since resident_peak_reset, by the kernel's running counter.
 * 0: unreadable. */
uint64_t resident_peak_bytes(const struct resident_reader *reader);
/* Writes 5 to clear_refs: the mark becomes what is resident now. */
bool resident_peak_reset(const struct resident_reader *reader);

/* Keeps this process and its children on the smallest pages, whatever the machine is set to. False: `why`. */
bool resident_small_pages(struct why *why);
/* Transparent huge pages as the machine is set: "always", "madvise", "never"; "" where the kernel has none.
 */
void resident_thp_setting(char *word, size_t size);
/* Bytes of one such page; 0 where there are none. */
size_t resident_huge_page_bytes(void);

#endif
