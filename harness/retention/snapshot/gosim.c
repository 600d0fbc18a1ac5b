/* The only file here that knows gosim. */
#include "harness/retention/snapshot/snapshot.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/heaps/gosim/gosim.h"

enum {
    PAGE_SHIFT = 13, /* of the table that finds an object by its address; Go's page */
    CACHE = 64,      /* names by their address: types and fields are static texts */
};

struct copy {
    struct gosim *heap;
    struct snapshot_builder *builder;
    struct {
        const char *text;
        uint32_t index;
    } cache[CACHE];
    /* Addresses rise with the index. */
    uint64_t *start, *end;
    size_t objects, room;
    uint32_t *page; /* first object that ends behind the page's beginning */
    size_t pages;
    uint32_t from; /* the object whose pointers are being copied */
    size_t count;  /* its elements */
    bool failed;
};

static uint32_t name_of(struct copy *c, const char *text) {
    size_t at = ((uintptr_t)text >> 3 ^ (uintptr_t)text) % CACHE;
    if (c->cache[at].text != text) {
        c->cache[at].text = text;
        c->cache[at].index = snapshot_name(c->builder, text);
    }
    return c->cache[at].index;
}

static bool copy_object(void *context, const struct gosim_object *object) {
    struct copy *c = context;
    if (c->objects == c->room) {
        size_t room = c->room ? c->room + c->room / 2 : 1024;
        uint64_t *start = realloc(c->start, room * sizeof *start);
        if (start) c->start = start;
        uint64_t *end = start ? realloc(c->end, room * sizeof *end) : NULL;
        if (end) c->end = end;
        if (!end) {
            c->failed = true;
            return false;
        }
        c->room = room;
    }
    uint64_t address = (uintptr_t)object->address;
    c->start[c->objects] = address;
    c->end[c->objects++] = address + object->bytes;
    const char *type = object->type ? object->type->name : "(untyped)";
    return snapshot_add_object(c->builder, address, object->bytes, name_of(c, type)) != SNAPSHOT_NONE;
}

static bool index_pages(struct copy *c) {
    if (!c->objects) return true;
    uint64_t low = c->start[0] >> PAGE_SHIFT, high = c->end[c->objects - 1] >> PAGE_SHIFT;
    c->pages = high - low + 1;
    c->page = malloc((c->pages + 1) * sizeof *c->page);
    if (!c->page) return false;
    size_t object = 0;
    for (size_t p = 0; p < c->pages; p++) {
        while (object < c->objects && c->end[object] <= (low + p) << PAGE_SHIFT) object++;
        c->page[p] = (uint32_t)object;
    }
    c->page[c->pages] = (uint32_t)c->objects;
    return true;
}

/* The object that holds an address; SNAPSHOT_NONE: none of the copied ones. */
static uint32_t find_range(const struct copy *c, uint64_t address) {
    if (!c->objects || address < c->start[0]) return SNAPSHOT_NONE;
    uint64_t p = (address >> PAGE_SHIFT) - (c->start[0] >> PAGE_SHIFT);
    if (p >= c->pages) return SNAPSHOT_NONE;
    /* The object that reaches into the next page is the next page's first. */
    size_t low = c->page[p], high = c->page[p + 1] + (c->page[p + 1] < c->objects);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->end[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low < c->objects && c->start[low] <= address ? (uint32_t)low : SNAPSHOT_NONE;
}

/* Bytes of an object that the books do not count are beyond its range: gosim knows them. */
static uint32_t find(const struct copy *c, const void *value) {
    uint32_t found = find_range(c, (uintptr_t)value);
    struct gosim_object object;
    if (found == SNAPSHOT_NONE && gosim_find(c->heap, value, &object))
        found = find_range(c, (uintptr_t)object.address);
    return found;
}

static bool copy_pointer(void *context, const char *field, size_t element, void *value) {
    struct copy *c = context;
    uint32_t to = value ? find(c, value) : SNAPSHOT_NONE;
    if (to != SNAPSHOT_NONE)
        snapshot_add_edge(c->builder, c->from, to, name_of(c, field ? field : ""),
                          c->count > 1 ? (uint32_t)element : SNAPSHOT_NONE);
    return true;
}

static bool copy_pointers(void *context, const struct gosim_object *object) {
    struct copy *c = context;
    c->count = object->count;
    gosim_each_pointer(c->heap, object, copy_pointer, c);
    c->from++;
    return true;
}

static bool copy_root(void *context, enum gosim_root_kind kind, const char *name, void *value) {
    static const enum snapshot_root_kind kinds[] = {[GOSIM_GLOBAL] = ROOT_GLOBAL,
                                                    [GOSIM_STACK] = ROOT_STACK,
                                                    [GOSIM_TIMER] = ROOT_TIMER,
                                                    [GOSIM_FINALIZER] = ROOT_FINALIZER};
    struct copy *c = context;
    uint32_t to = value ? find(c, value) : SNAPSHOT_NONE;
    if (to != SNAPSHOT_NONE) snapshot_add_root(c->builder, kinds[kind], name ? name : "", to);
    return true;
}

struct snapshot *snapshot_of_gosim(struct gosim *heap, struct why *why) {
    struct copy c = {.heap = heap, .builder = snapshot_begin()};
    if (!c.builder) return snapshot_finish(NULL, why);
    gosim_each_object(heap, copy_object, &c);
    if (!c.failed) c.failed = !index_pages(&c);
    if (!c.failed) {
        gosim_each_object(heap, copy_pointers, &c);
        gosim_each_root(heap, copy_root, &c);
    }
    struct snapshot *s = snapshot_finish(c.builder, why);
    if (c.failed) {
        snapshot_free(s);
        s = snapshot_finish(NULL, why);
    }
    free(c.start);
    free(c.end);
    free(c.page);
    return s;
}
