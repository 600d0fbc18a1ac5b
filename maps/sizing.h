/* Power-of-two capacities and cache-line aligned arrays, shared by the maps of this project. */
#ifndef MAPBENCH_MAPS_SIZING_H
#define MAPBENCH_MAPS_SIZING_H

#include <stddef.h>
#include <stdint.h>

/* Entries that `capacity` slots take at a load of num/den. Both num and den are small, den a power of two:
 * for capacity < den the division comes last, otherwise first, so that nothing overflows. */
static inline size_t load_limit(size_t capacity, size_t num, size_t den) {
    return capacity < den ? capacity * num / den : capacity / den * num;
}

/* The smallest power of two, at least `least`, that takes `entries` at a load of num/den; 0: not addressable.
 */
static inline size_t capacity_for(size_t entries, size_t least, size_t num, size_t den) {
    size_t capacity = least;
    while (load_limit(capacity, num, den) < entries) {
        if (capacity > SIZE_MAX / 4) return 0;
        capacity *= 2;
    }
    return capacity;
}

/* malloc aligns to 16 bytes, and large blocks start 16 bytes into a page: without care every 64-byte slot
 * would span two cache lines, and no slot's number would tell its line. Arrays of LINE_ALIGNED_MIN_BYTES and
 * more are therefore allocated with a few elements to spare and used from the first line boundary on; in
 * smaller ones the spare would weigh more than the gain. The block's own address must be kept for freeing it.
 */
enum { LINE_BYTES = 64, MALLOC_ALIGNMENT_BYTES = 16, LINE_ALIGNED_MIN_BYTES = 4096 };

/* A collecting heap must find elements where an object begins. */
#ifdef HEAP_COLLECTS
enum { LINE_SPARE_ALLOWED = 0 };
#else
enum { LINE_SPARE_ALLOWED = 1 };
#endif

/* Elements to allocate beyond `count` of `size` bytes each. */
static inline size_t line_spare(size_t count, size_t size) {
    return !LINE_SPARE_ALLOWED || count < LINE_ALIGNED_MIN_BYTES / size
               ? 0
               : (LINE_BYTES - MALLOC_ALIGNMENT_BYTES + size - 1) / size;
}

/* The beginning of such an array in its block. */
static inline void *line_start(void *block, size_t spare) {
    return spare ? (char *)block + (-(uintptr_t)block & (LINE_BYTES - 1)) : block;
}

/* Gives a map two new arrays, or neither: `metas` zeroed elements in its field `meta`, `count` uninitialised
 * ones in its field `slots`, on a line boundary as line_start says. meta_block and slots_block of the map
 * take what was allocated. False: out of memory, and the map is what it was. A macro, as a heap must see the
 * types. */
#define two_arrays_new(map, meta, metas, slots, count)                                                       \
    two_arrays_new_(map, meta, meta##_block, metas, slots, slots##_block, count)
#define two_arrays_new_(map, meta, meta_block, metas, slots, slots_block, count)                             \
    ({                                                                                                       \
        __typeof__((map)->meta) new_meta = HEAP_NEW_ZEROED(HEAP_OF(map), __typeof__(*(map)->meta), metas);   \
        size_t spare = line_spare(count, sizeof *(map)->slots);                                              \
        __typeof__((map)->slots) new_slots =                                                                 \
            new_meta ? HEAP_NEW(HEAP_OF(map), __typeof__(*(map)->slots), (count) + spare) : NULL;            \
        if (new_slots) {                                                                                     \
            HEAP_STORE(HEAP_OF(map), &(map)->meta_block, new_meta);                                          \
            HEAP_STORE(HEAP_OF(map), &(map)->slots_block, new_slots);                                        \
            (map)->meta = new_meta;                                                                          \
            (map)->slots = (__typeof__((map)->slots))line_start(new_slots, spare);                           \
        } else {                                                                                             \
            HEAP_FREE(HEAP_OF(map), new_meta);                                                               \
        }                                                                                                    \
        new_slots != NULL;                                                                                   \
    })

#endif
