/* How much memory this process can still take before it swaps, is refused, or is killed. */
#ifndef MAPBENCH_MEMORY_LEFT_H
#define MAPBENCH_MEMORY_LEFT_H

#include <stdbool.h>
#include <stdint.h>

struct memory_left {
    bool known;
    uint64_t bytes;
    char by[352]; /* the limit that leaves no more, in words; "": the machine's memory itself */
};

/* The least of: the kernel's estimate of what can be had without swapping, what the control groups leave, and
 * what the limits of this process leave (ulimit -v and -d). */
void memory_left_now(struct memory_left *left);

#endif
