/* Go's size classes: which block a request gets.
 *
 * Source: Go 1.23 runtime/sizeclasses.go (the 67 classes and their pages; the same in 1.22 and 1.24) and
 * runtime/msize.go, runtime/mbitmap.go (the malloc header).
 */
#ifndef GOSIM_SIZECLASS_H
#define GOSIM_SIZECLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GS_SIZE_CLASSES = 68, /* class 0: large objects, a span each */
    GS_PAGE_SHIFT = 13,
    GS_PAGE_BYTES = 1 << GS_PAGE_SHIFT,
    GS_SMALL_MAX_BYTES = 32768,
    GS_HEADER_BYTES = 8,
    GS_HEADER_ABOVE_BYTES = 512, /* bitmap of a span's end describes smaller pointerful objects */
    GS_TINY_BYTES = 16,
};

struct gs_size_class {
    uint16_t bytes;
    uint8_t pages; /* of a span */
};
extern const struct gs_size_class gs_size_classes[GS_SIZE_CLASSES];

/* The class of a request, 0: large. `header`: pointerful objects carry one (since Go 1.22). */
unsigned gs_size_class_of(size_t bytes, bool noscan, bool header);
/* Returns the bytes that the books count for a request: the class's, or whole pages. */
size_t gs_booked_bytes(size_t bytes, bool noscan, bool header);
/* runtime.growslice: the new capacity of a full slice to which one element is appended. */
size_t gs_grown_capacity(size_t capacity, size_t elem_bytes, bool noscan, bool header);

#endif
