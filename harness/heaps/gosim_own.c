#include "harness/heaps/gosim_own.h"

#include <stdlib.h>

enum { BLOCK_SLOTS = 512 };
/* The limit of glibc's malloc, which gives larger blocks back to the system at once
 * (DEFAULT_MMAP_THRESHOLD_MAX). */
static const uint64_t kept_bytes_max = 32 << 20;

struct gosim *gosim_own_heap(struct gosim_own *own) {
    if (own->heap) return own->heap;
    own->options.at_safe_points = true;
    own->heap = gosim_open(&own->options);
    return own->heap;
}

static void **slot_at(const struct gosim_own *own, size_t i) {
    return &own->block[i / BLOCK_SLOTS][i % BLOCK_SLOTS];
}

static bool add_block(struct gosim_own *own) {
    if (own->blocks == own->room) {
        size_t room = own->room ? own->room * 2 : 16;
        void ***more = realloc(own->block, room * sizeof *more);
        if (!more) return false;
        own->block = more;
        own->room = room;
    }
    own->block[own->blocks] = calloc(BLOCK_SLOTS, sizeof(void *));
    return own->block[own->blocks] && ++own->blocks;
}

/* Gives back slots from the end on. They are the roots added last: the heap finds them at once. */
static void shrink_to(struct gosim_own *own, size_t used) {
    while (own->used > used) gosim_unroot(own->heap, slot_at(own, --own->used));
    if (own->expected > own->used) own->expected = 0;
}

/* Fills the gaps that maps have left. */
static void compact(struct gosim_own *own) {
    size_t to = 0;
    for (size_t from = 0; from < own->used; from++) {
        void *map = *slot_at(own, from);
        *slot_at(own, from) = NULL;
        if (map) *slot_at(own, to++) = map;
    }
    own->expected = 0;
    shrink_to(own, to);
}

bool gosim_own_keep(struct gosim_own *own, struct gosim *heap, void *map) {
    if (!map || heap != own->heap) return map != NULL;
    /* Half of a full table being gaps pays for closing them. */
    if (own->used == own->blocks * BLOCK_SLOTS && own->live < own->used / 2) compact(own);
    if (own->used == own->blocks * BLOCK_SLOTS && !add_block(own)) return false;
    void **slot = slot_at(own, own->used);
    if (!gosim_root(heap, slot, "map")) return false;
    *slot = map;
    own->used++;
    own->live++;
    return true;
}

/* Maps go one by one, in the order in which they were made or the last first. */
static size_t find(const struct gosim_own *own, const void *map) {
    if (own->expected < own->used && *slot_at(own, own->expected) == map) return own->expected;
    for (size_t i = own->used; i-- > 0;)
        if (*slot_at(own, i) == map) return i;
    abort(); /* destroyed twice, or never kept */
}

static void empty_heap(struct gosim_own *own) {
    bool large = gosim_heap_alloc(own->heap) > kept_bytes_max;
    gosim_collect(own->heap);
    if (large) gosim_scavenge(own->heap);
}

void gosim_own_forget(struct gosim_own *own, struct gosim *heap, void *map) {
    if (heap != own->heap || !heap) return;
    size_t at = find(own, map);
    *slot_at(own, at) = NULL;
    own->expected = at + 1;
    own->live--;
    size_t used = own->used;
    while (used > 0 && !*slot_at(own, used - 1)) used--;
    shrink_to(own, used);
    if (own->live == 0) empty_heap(own);
}

static bool add_requested(void *requested_bytes, const struct gosim_object *object) {
    *(uint64_t *)requested_bytes += object->type->size * object->count;
    return true;
}

void gosim_own_books(struct gosim_own *own, bool collect, struct heap_books *out) {
    struct gosim_stats stats;
    *out = (struct heap_books){
        .requested_bytes = HEAP_UNKNOWN, .live_blocks = HEAP_UNKNOWN, .allocations = HEAP_UNKNOWN};
    if (!own->heap) return;
    if (collect) gosim_collect(own->heap);
    out->live_bytes = gosim_heap_alloc(own->heap);
    out->peak_bytes = gosim_take_peak(own->heap);
    out->collections = gosim_collections(own->heap);
    if (!collect)
        return; /* full statistics end the present tiny block: a reading would change what it reads */
    gosim_stats(own->heap, &stats);
    out->live_blocks = stats.heap_objects;
    out->allocations = stats.mallocs;
    out->requested_bytes = 0;
    gosim_each_object(own->heap, add_requested, &out->requested_bytes);
}
