/* The sizes Go's allocator hands out, on which the ports' bucket arrays and tables depend.
 *
 * Words:  NOSCAN memory holds no pointers. Pointerful blocks of 513 bytes to 32 KiB carry a HEADER of 8 bytes
 *         (since Go 1.22), which comes out of the block.
 * Source: Go 1.23 (The Go Authors, BSD licence): runtime/sizeclasses.go (the 67 classes), runtime/msize.go
 *         (roundupsize), runtime/mbitmap.go (minSizeForMallocHeader), runtime/map.go (makeBucketArray).
 */
#ifndef MAPBENCH_MAPS_GO_SIZECLASS_H
#define MAPBENCH_MAPS_GO_SIZECLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GO_HEADER_BYTES = 8,
    GO_HEADER_ABOVE_BYTES = 512, /* 64-bit: 8 pointers' worth of bitmap for each of 8 bytes */
    GO_SMALL_MAX_BYTES = 32768,
    GO_PAGE_BYTES = 8192,
};

/* The smallest class that takes so many bytes, at most GO_SMALL_MAX_BYTES. */
static inline size_t go_size_class(size_t bytes) {
    static const uint16_t classes[] = {
        8,     16,    24,    32,    48,    64,    80,    96,    112,   128,   144,  160,   176,   192,
        208,   224,   240,   256,   288,   320,   352,   384,   416,   448,   480,  512,   576,   640,
        704,   768,   896,   1024,  1152,  1280,  1408,  1536,  1792,  2048,  2304, 2688,  3072,  3200,
        3456,  4096,  4864,  5376,  6144,  6528,  6784,  6912,  8192,  9472,  9728, 10240, 10880, 12288,
        13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768};
    size_t low = 0, high = sizeof classes / sizeof *classes - 1;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (classes[middle] < bytes)
            low = middle + 1;
        else
            high = middle;
    }
    return classes[low];
}

/* Bytes of a request's block that the header takes. */
static inline size_t go_header_bytes(size_t bytes, bool noscan) {
    bool small = bytes <= GO_SMALL_MAX_BYTES - GO_HEADER_BYTES;
    return !noscan && small && bytes > GO_HEADER_ABOVE_BYTES ? GO_HEADER_BYTES : 0;
}

/* Bytes the allocator spends on a request: what the runtime's statistics count. */
static inline size_t go_allocated_bytes(size_t bytes, bool noscan) {
    if (bytes == 0) return 0;
    if (bytes <= GO_SMALL_MAX_BYTES - GO_HEADER_BYTES)
        return go_size_class(bytes + go_header_bytes(bytes, noscan));
    size_t rounded = bytes + GO_PAGE_BYTES - 1;
    return rounded < bytes ? bytes : rounded & ~(size_t)(GO_PAGE_BYTES - 1);
}

/* The memory that something occupies: bytes as the runtime's statistics count them, and blocks. */
struct go_occupied {
    size_t bytes, blocks;
};
static inline void go_occupy(struct go_occupied *occupied, size_t bytes, bool noscan) {
    occupied->bytes += go_allocated_bytes(bytes, noscan);
    occupied->blocks++;
}

/* roundupsize: bytes that a request of this size could use. */
static inline size_t go_usable_bytes(size_t bytes, bool noscan) {
    return go_allocated_bytes(bytes, noscan) - go_header_bytes(bytes, noscan);
}

/* makeBucketArray: buckets in an array for 2^b, those allocated in advance for overflows included. */
static inline size_t go_array_buckets(unsigned b, size_t bucket_bytes, bool noscan) {
    size_t buckets = (size_t)1 << b;
    if (b < 4) return buckets;
    buckets += (size_t)1 << (b - 4);
    size_t bytes = bucket_bytes * buckets, usable = go_usable_bytes(bytes, noscan);
    return usable == bytes ? buckets : usable / bucket_bytes;
}

/* growslice (runtime/slice.go, nextslicecap): the capacity of a full list of pointers when one is appended.
 */
static inline size_t go_slice_grown(size_t capacity) {
    size_t wanted = capacity < 256 ? capacity * 2 : capacity + (capacity + 3 * 256) / 4;
    return go_usable_bytes((wanted ? wanted : 1) * sizeof(void *), false) / sizeof(void *);
}

#endif
