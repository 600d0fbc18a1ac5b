/* The address space and its pages of 8 KiB.
 *
 * One reservation, so that an address inside is told from others by one subtraction, and a page's span is an
 * index away. The tables for it are reserved as a whole too and cost memory only where touched. A free run
 * keeps its length at both ends, so that neighbours merge in constant time; bins by length find a run. Go
 * prefers the lowest address instead, which changes no figure in the books.
 */
#include "internal.h"

#include <string.h>
#include <sys/mman.h>

enum {
    PAGE_FREE_END = 1, /* first or last page of a free run */
    PAGE_DIRTY = 2,    /* was used since the system last gave it */
    BINS = 129,
    GROWTH_PAGES = 512, /* Go maps its heap in steps of 4 MiB (mheap.grow, pallocChunkPages) */
};

static void *reserve(size_t bytes) {
    void *room =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return room == MAP_FAILED ? NULL : room;
}

static size_t table_bytes(size_t pages, size_t elem_bytes) {
    return (pages * elem_bytes + 4095) & ~(size_t)4095;
}

static bool open_tables(struct gosim *heap, size_t n) {
    struct gs_pages *pages = &heap->pages;
    heap->page_span = reserve(table_bytes(n, sizeof *heap->page_span));
    pages->run = reserve(table_bytes(n, sizeof *pages->run));
    pages->next = reserve(table_bytes(n, sizeof *pages->next));
    pages->prev = reserve(table_bytes(n, sizeof *pages->prev));
    pages->state = reserve(table_bytes(n, sizeof *pages->state));
    return heap->page_span && pages->run && pages->next && pages->prev && pages->state;
}

bool gs_pages_open(struct gosim *heap, size_t address_bytes) {
    struct gs_pages *pages = &heap->pages;
    size_t n = (address_bytes + GS_PAGE_BYTES - 1) >> GS_PAGE_SHIFT;
    /* A page more: the reservation starts at any 4 KiB. */
    char *room = reserve((n + 1) << GS_PAGE_SHIFT);
    if (!room) return false;
    pages->base = ((uintptr_t)room + GS_PAGE_BYTES - 1) & ~(uintptr_t)(GS_PAGE_BYTES - 1);
    uintptr_t end = (uintptr_t)room + ((n + 1) << GS_PAGE_SHIFT);
    if (pages->base > (uintptr_t)room) munmap(room, pages->base - (uintptr_t)room);
    munmap((void *)(pages->base + (n << GS_PAGE_SHIFT)), end - pages->base - (n << GS_PAGE_SHIFT));
    pages->reserved = n;
    heap->base = pages->base;
    if (open_tables(heap, n)) return true;
    gs_pages_close(heap);
    return false;
}

static void give_back(void *room, size_t bytes) {
    if (room) munmap(room, bytes);
}

void gs_pages_close(struct gosim *heap) {
    struct gs_pages *pages = &heap->pages;
    size_t n = pages->reserved;
    if (!pages->base) return;
    give_back((void *)pages->base, n << GS_PAGE_SHIFT);
    give_back(heap->page_span, table_bytes(n, sizeof *heap->page_span));
    give_back(pages->run, table_bytes(n, sizeof *pages->run));
    give_back(pages->next, table_bytes(n, sizeof *pages->next));
    give_back(pages->prev, table_bytes(n, sizeof *pages->prev));
    give_back(pages->state, table_bytes(n, sizeof *pages->state));
    memset(pages, 0, sizeof *pages);
}

/* --- free runs --- */

static size_t bin_of(size_t n) {
    return n < BINS ? n : 0;
}

static void link_run(struct gs_pages *pages, size_t first, size_t n) {
    size_t bin = bin_of(n);
    pages->run[first] = pages->run[first + n - 1] = (uint32_t)n;
    pages->state[first] |= PAGE_FREE_END;
    pages->state[first + n - 1] |= PAGE_FREE_END;
    pages->next[first] = pages->bin[bin];
    pages->prev[first] = 0;
    if (pages->bin[bin]) pages->prev[pages->bin[bin] - 1] = (uint32_t)first + 1;
    pages->bin[bin] = (uint32_t)first + 1;
    if (bin) pages->bins_used[(bin - 1) / 64] |= (uint64_t)1 << (bin - 1) % 64;
}

static void unlink_run(struct gs_pages *pages, size_t first) {
    size_t n = pages->run[first], bin = bin_of(n);
    uint32_t next = pages->next[first], prev = pages->prev[first];
    if (prev)
        pages->next[prev - 1] = next;
    else
        pages->bin[bin] = next;
    if (next) pages->prev[next - 1] = prev;
    if (bin && !pages->bin[bin]) pages->bins_used[(bin - 1) / 64] &= ~((uint64_t)1 << (bin - 1) % 64);
    pages->state[first] &= (uint8_t)~PAGE_FREE_END;
    pages->state[first + n - 1] &= (uint8_t)~PAGE_FREE_END;
}

/* The shortest run of at least n pages; SIZE_MAX: none. */
static size_t find_run(const struct gs_pages *pages, size_t n) {
    if (n < BINS) {
        for (size_t word = (n - 1) / 64; word < 2; word++) {
            uint64_t used = pages->bins_used[word];
            if (word == (n - 1) / 64) used &= ~(uint64_t)0 << (n - 1) % 64;
            if (used) return pages->bin[word * 64 + (size_t)__builtin_ctzll(used) + 1] - 1;
        }
    }
    size_t best = SIZE_MAX;
    for (uint32_t at = pages->bin[0]; at; at = pages->next[at - 1]) {
        size_t length = pages->run[at - 1];
        if (length < n) continue;
        if (best == SIZE_MAX || length < pages->run[best]) best = at - 1;
        if (length == n) break;
    }
    return best;
}

static bool take_states(struct gs_pages *pages, size_t first, size_t n) {
    bool clean = true;
    for (size_t i = first; i < first + n; i++) {
        if (!(pages->state[i] & PAGE_DIRTY)) continue;
        pages->free_dirty--;
        clean = false;
    }
    memset(pages->state + first, 0, n);
    return clean;
}

size_t gs_pages_take(struct gosim *heap, size_t n, bool *zeroed) {
    struct gs_pages *pages = &heap->pages;
    size_t first = find_run(pages, n);
    if (first != SIZE_MAX) {
        size_t length = pages->run[first];
        unlink_run(pages, first);
        if (length > n) link_run(pages, first + n, length - n);
        pages->free_pages -= n;
        *zeroed = take_states(pages, first, n);
        return first;
    }
    if (n > pages->reserved - pages->top) return SIZE_MAX;
    first = pages->top;
    pages->top += n;
    if (pages->top > pages->mapped)
        pages->mapped = (pages->top + GROWTH_PAGES - 1) / GROWTH_PAGES * GROWTH_PAGES;
    heap->used_bytes = pages->top << GS_PAGE_SHIFT;
    *zeroed = true;
    return first;
}

void gs_pages_give(struct gosim *heap, size_t first, size_t n) {
    struct gs_pages *pages = &heap->pages;
    memset(pages->state + first, PAGE_DIRTY, n);
    pages->free_pages += n;
    pages->free_dirty += n;
    if (first > 0 && pages->state[first - 1] & PAGE_FREE_END) {
        size_t before = pages->run[first - 1];
        unlink_run(pages, first - before);
        first -= before;
        n += before;
    }
    if (first + n < pages->top && pages->state[first + n] & PAGE_FREE_END) {
        size_t after = pages->run[first + n];
        unlink_run(pages, first + n);
        n += after;
    }
    link_run(pages, first, n);
}

/* --- the system's view --- */

static void clean_run(struct gs_pages *pages, size_t first, size_t n) {
    for (size_t i = first; i < first + n;) {
        size_t end = i;
        while (end < first + n && pages->state[end] & PAGE_DIRTY) end++;
        if (end == i) {
            i++;
            continue;
        }
        /* If the system refuses, the pages stay dirty: they are not zeroed, and not counted released. */
        if (madvise((void *)(pages->base + (i << GS_PAGE_SHIFT)), (end - i) << GS_PAGE_SHIFT,
                    MADV_DONTNEED) == 0) {
            for (size_t at = i; at < end; at++) pages->state[at] &= (uint8_t)~PAGE_DIRTY;
            pages->free_dirty -= end - i;
        }
        i = end;
    }
}

void gosim_scavenge(struct gosim *heap) {
    struct gs_pages *pages = &heap->pages;
    gs_sweep_all(heap);
    for (size_t bin = 0; bin < BINS; bin++)
        for (uint32_t at = pages->bin[bin]; at; at = pages->next[at - 1])
            clean_run(pages, at - 1, pages->run[at - 1]);
}

uint64_t gs_pages_resident(const struct gosim *heap) {
    enum { SYSTEM_PAGE = 4096, BATCH = 16384 };
    _Static_assert(GS_PAGE_BYTES % SYSTEM_PAGE == 0, "a heap page is made of whole system pages");
    unsigned char present[BATCH];
    size_t total = heap->used_bytes / SYSTEM_PAGE, found = 0;
    for (size_t at = 0; at < total; at += BATCH) {
        size_t n = total - at < BATCH ? total - at : BATCH;
        if (mincore((void *)(heap->base + at * SYSTEM_PAGE), n * SYSTEM_PAGE, present) != 0) break;
        for (size_t i = 0; i < n; i++) found += present[i] & 1;
    }
    return (uint64_t)found * SYSTEM_PAGE;
}
