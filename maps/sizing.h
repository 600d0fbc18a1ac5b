/* Power-of-two capacities and cache-line aligned slot arrays, shared by the maps of this project. */
#ifndef MAPBENCH_MAPS_SIZING_H
#define MAPBENCH_MAPS_SIZING_H

#include <stddef.h>
#include <stdint.h>

enum { CACHE_LINE_BYTES = 64 };

/* Entries that `capacity` slots take at a load of num/den. Both num and den are small, den a power of two: for
 * capacity < den the division comes last, otherwise first, so that nothing overflows. */
static inline size_t load_limit(size_t capacity, size_t num, size_t den) {
    return capacity < den ? capacity * num / den : capacity / den * num;
}

/* The smallest power of two, at least `least`, that takes `entries` at a load of num/den; 0: not addressable. */
static inline size_t capacity_for(size_t entries, size_t least, size_t num, size_t den) {
    size_t capacity = least;
    while (load_limit(capacity, num, den) < entries) {
        if (capacity > SIZE_MAX / 4) return 0;
        capacity *= 2;
    }
    return capacity;
}

/* malloc aligns to 16 bytes, and large blocks start 16 bytes into a page: without care every 64-byte slot and half
 * of the 32-byte slots would span two cache lines. Slots of these sizes are allocated with SLOTS_SPARE more and used
 * from the first line boundary on; other sizes gain nothing from it. The block's own address must be kept for free. */
#define SLOTS_SPARE(type) ((size_t)(sizeof(type) % 32 == 0))

static inline void *first_line(void *block, size_t slot_bytes) {
    if (!block || slot_bytes % 32 != 0) return block;
    uintptr_t at = (uintptr_t)block, step = slot_bytes % CACHE_LINE_BYTES == 0 ? CACHE_LINE_BYTES : 32;
    return (char *)block + (-at & (step - 1));
}

#endif
