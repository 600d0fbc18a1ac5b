/* The books of a heap: what it says of the memory that it has handed out. */
#ifndef MAPBENCH_BOOKS_H
#define MAPBENCH_BOOKS_H

#include <stdint.h>

/* The value of a field that a heap cannot tell. */
#define HEAP_UNKNOWN UINT64_MAX

struct heap_books {
    uint64_t live_bytes;      /* taken for objects; counts garbage that was not collected yet */
    uint64_t peak_bytes;      /* highest live_bytes since the last reading; 0: the heap cannot tell */
    uint64_t requested_bytes; /* part of live_bytes that the program asked for; the rest is rounding */
    uint64_t live_blocks, allocations;
    uint64_t collections; /* finished since the process began */
};

#endif
