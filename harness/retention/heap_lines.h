/* The heaps of cases behind one table: how each is opened and collected, and what it adds to a line. */
#ifndef MAPBENCH_RETENTION_HEAP_LINES_H
#define MAPBENCH_RETENTION_HEAP_LINES_H

#include "harness/base/why.h"
#include "harness/retention/story.h"

struct heap_lines {
    /* Opens the heap. False: `why`. */
    bool (*open)(struct retention *r, struct why *why);
    /* Returns how many collections have ended; always the same where the heap does not say. */
    uint64_t (*collections)(struct retention *r);
    /* Collects twice: what the first collection finalizes is freed by the second. False: `why`. */
    bool (*collect)(struct retention *r, struct why *why);
    /* Adds the heap's numbers. live_bytes, collected: as of write_checkpoint. resident: bytes above the base.
     */
    void (*line)(struct retention *r, json_t *line, uint64_t live_bytes, bool collected, int64_t resident);
};

extern const struct heap_lines heap_lines[]; /* by enum case_heap */

#endif
