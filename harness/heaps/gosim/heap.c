/* A heap as a whole: opening, closing, roots. */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const size_t DEFAULT_ADDRESS_BYTES = (size_t)64 << 30, LEAST_ADDRESS_BYTES = (size_t)1 << 30;

uint64_t gs_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool gs_grow(void *array, size_t *capacity, size_t count, size_t elem_bytes) {
    void *old;
    if (count < *capacity) return true;
    size_t more = *capacity ? *capacity * 2 : 16;
    memcpy(&old, array, sizeof old);
    char *grown = realloc(old, more * elem_bytes);
    if (!grown) return false;
    memset(grown + *capacity * elem_bytes, 0, (more - *capacity) * elem_bytes);
    memcpy(array, &grown, sizeof grown);
    *capacity = more;
    return true;
}

void *gs_fail(struct gosim *heap, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(heap->why, sizeof heap->why, format, arguments);
    va_end(arguments);
    return NULL;
}

const char *gosim_why(const struct gosim *heap) {
    return heap->why;
}

/* splitmix64 (Steele, Lea and Flood 2014). */
uint64_t gosim_random(struct gosim *heap) {
    uint64_t x = heap->random += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Without a wish any reservation of 1 GiB or more will do: a limit on address space may forbid the default.
 */
static bool open_pages(struct gosim *heap, size_t wanted) {
    if (wanted) return gs_pages_open(heap, wanted);
    for (size_t bytes = DEFAULT_ADDRESS_BYTES; bytes >= LEAST_ADDRESS_BYTES; bytes /= 2)
        if (gs_pages_open(heap, bytes)) return true;
    return false;
}

struct gosim *gosim_open(const struct gosim_options *options) {
    static const struct gosim_options defaults = {0};
    struct gosim *heap = calloc(1, sizeof *heap);
    if (!heap) return NULL;
    if (!options) options = &defaults;
    heap->gogc = options->gogc ? options->gogc : 100;
    heap->memory_limit = options->memory_limit;
    heap->trace = options->trace;
    heap->check = options->check;
    heap->random = options->seed;
    heap->header = options->header_since_go == 0 || options->header_since_go >= 122;
    heap->at_safe_points = options->at_safe_points;
    heap->opened_ns = gs_clock_ns();
    if (!open_pages(heap, options->address_bytes)) {
        free(heap);
        return NULL;
    }
    gs_classes_open(heap);
    gs_set_goal(heap);
    return heap;
}

void gosim_close(struct gosim *heap) {
    if (!heap) return;
    gs_spans_close(heap);
    gs_specials_close(heap);
    gs_sched_close(heap);
    gs_mark_close(heap);
    gs_pages_close(heap);
    free(heap->kinds);
    free(heap->kind_table);
    free(heap->roots);
    free(heap->owners);
    free(heap);
}

bool gosim_root(struct gosim *heap, void *slot, const char *name) {
    if (!gs_grow(&heap->roots, &heap->root_capacity, heap->root_count, sizeof *heap->roots))
        return gs_fail(heap, "out of memory for root %s", name), false;
    heap->roots[heap->root_count++] = (struct gs_root){.slot = slot, .name = name};
    if (heap->front.marking) gs_mark_address(heap, *(gs_word *)slot);
    return true;
}

void gosim_unroot(struct gosim *heap, void *slot) {
    /* Roots come and go like a stack mostly. */
    for (size_t i = heap->root_count; i-- > 0;) {
        if (heap->roots[i].slot != slot) continue;
        memmove(heap->roots + i, heap->roots + i + 1, (heap->root_count - i - 1) * sizeof *heap->roots);
        heap->root_count--;
        return;
    }
}
