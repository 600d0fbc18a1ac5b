/* A heap as a whole: opening, closing, roots. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static const size_t DEFAULT_ADDRESS_BYTES = (size_t)64 << 30, LEAST_ADDRESS_BYTES = (size_t)1 << 30;

/* Reserves the address space. If the caller names no size, any of 1 GiB or more will do: a limit may forbid
 * the default. */
static bool open_pages(struct gosim *heap, size_t wanted) {
    if (wanted) return gs_pages_open(heap, wanted);
    for (size_t bytes = DEFAULT_ADDRESS_BYTES; bytes >= LEAST_ADDRESS_BYTES; bytes /= 2)
        if (gs_pages_open(heap, bytes)) return true;
    return false;
}

const int gosim_releases[] = {123, 124, 125, 126, 127};
const size_t gosim_release_count = sizeof gosim_releases / sizeof *gosim_releases;

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
    heap->release = options->release ? options->release : gosim_releases[gosim_release_count - 1];
    heap->header = heap->release >= 122;
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
