#include "harness/retention/snapshot/snapshot.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct root {
    uint32_t name, to;
    uint8_t kind;
};

/* Room for element `needed`; false: out of memory. */
#define GROW(builder, array, needed, capacity)                                                               \
    ((needed) < (capacity) || grow((builder), (void **)&(array), sizeof *(array), &(capacity)))

struct snapshot_builder {
    struct snapshot *snapshot;
    struct root *root;
    /* Elements there is room for. */
    size_t address_room, bytes_room, type_room, first_room, to_room, field_room, element_room, root_room;
    uint32_t rows; /* of first_edge that are written: edges so far belong to node rows - 1 or before */
    bool failed;
    struct why why;
};

static const char *const kind_names[ROOT_KINDS] = {"global", "stack", "timer", "finalizer"};

const char *snapshot_root_kind_name(enum snapshot_root_kind kind) {
    return kind_names[kind];
}

static void __attribute__((format(printf, 2, 3))) fail(struct snapshot_builder *b, const char *format, ...) {
    if (b->failed) return;
    va_list list;
    va_start(list, format);
    why_vsay(&b->why, format, list);
    va_end(list);
    b->failed = true;
}

/* Grows by half: the peak stays below 2.5 times what is used, and glibc moves large blocks without copying.
 */
static bool grow(struct snapshot_builder *b, void **array, size_t element_bytes, size_t *capacity) {
    size_t wanted = *capacity ? *capacity + *capacity / 2 : 64;
    void *larger = realloc(*array, wanted * element_bytes);
    if (!larger) {
        fail(b, "out of memory for a snapshot: %zu bytes refused", wanted * element_bytes);
        return false;
    }
    *array = larger;
    *capacity = wanted;
    return true;
}

uint32_t snapshot_name(struct snapshot_builder *b, const char *text) {
    if (b->failed) return 0;
    uint32_t index = names_add(&b->snapshot->names, text);
    if (index != NAMES_FULL) return index;
    fail(b, "out of memory for the names of a snapshot");
    return 0;
}

/* --- nodes and edges --- */

struct snapshot_builder *snapshot_begin(void) {
    struct snapshot_builder *b = calloc(1, sizeof *b);
    if (!b) return NULL;
    b->snapshot = calloc(1, sizeof *b->snapshot);
    if (!b->snapshot) {
        free(b);
        return NULL;
    }
    return b;
}

/* A node of any kind; the caller keeps the order objects, roots, summit. */
static uint32_t add_node(struct snapshot_builder *b, uint64_t address, uint64_t bytes, uint32_t type) {
    struct snapshot *s = b->snapshot;
    uint32_t node = s->nodes;
    if (b->failed) return SNAPSHOT_NONE;
    if (node >= SNAPSHOT_NONE - 1) {
        fail(b, "more objects than a snapshot can number (2^32 - 2)");
        return SNAPSHOT_NONE;
    }
    if (!GROW(b, s->address, node, b->address_room) || !GROW(b, s->bytes, node, b->bytes_room) ||
        !GROW(b, s->type, node, b->type_room))
        return SNAPSHOT_NONE;
    s->address[node] = address;
    s->bytes[node] = bytes;
    s->type[node] = type;
    s->total_bytes += bytes;
    return s->nodes++;
}

uint32_t snapshot_add_object(struct snapshot_builder *b, uint64_t address, uint64_t bytes, uint32_t type) {
    return add_node(b, address, bytes, type);
}

/* Rows up to and with `node` begin where the edges are now. */
static bool open_rows(struct snapshot_builder *b, uint32_t node) {
    struct snapshot *s = b->snapshot;
    for (uint32_t row = b->rows; row <= node; row++) {
        if (!GROW(b, s->first_edge, row, b->first_room)) return false;
        s->first_edge[row] = s->edges;
    }
    b->rows = node + 1;
    return true;
}

void snapshot_add_edge(struct snapshot_builder *b, uint32_t from, uint32_t to, uint32_t field,
                       uint32_t element) {
    struct snapshot *s = b->snapshot;
    if (b->failed) return;
    if (from == SNAPSHOT_NONE || from + 1 < b->rows) {
        fail(b, "an edge of node %u after one of node %u: edges must come in the order of nodes", from,
             b->rows - 1);
        return;
    }
    if (from >= b->rows && !open_rows(b, from)) return;
    if (s->edges >= SNAPSHOT_NONE - 1) {
        fail(b, "more pointers than a snapshot can number (2^32 - 2)");
        return;
    }
    if (!GROW(b, s->to, s->edges, b->to_room) || !GROW(b, s->field, s->edges, b->field_room) ||
        !GROW(b, s->element, s->edges, b->element_room))
        return;
    s->to[s->edges] = to;
    s->field[s->edges] = field;
    s->element[s->edges] = element;
    s->edges++;
}

void snapshot_add_root(struct snapshot_builder *b, enum snapshot_root_kind kind, const char *name,
                       uint32_t to) {
    struct snapshot *s = b->snapshot;
    uint32_t index = snapshot_name(b, name);
    if (b->failed || !GROW(b, b->root, s->roots, b->root_room)) return;
    b->root[s->roots++] = (struct root){.name = index, .to = to, .kind = (uint8_t)kind};
}

/* Roots and the summit become nodes behind the objects. */
static void place_roots(struct snapshot_builder *b) {
    struct snapshot *s = b->snapshot;
    uint32_t empty = snapshot_name(b, ""), summit_name = snapshot_name(b, "(roots)");
    if (b->failed) return;
    s->objects = s->nodes;
    s->root_kind = malloc(s->roots ? s->roots : 1);
    if (!s->root_kind) fail(b, "out of memory for the roots of a snapshot");
    for (uint32_t i = 0; i < s->roots && !b->failed; i++) {
        s->root_kind[i] = b->root[i].kind;
        snapshot_add_edge(b, add_node(b, 0, 0, b->root[i].name), b->root[i].to, empty, SNAPSHOT_NONE);
    }
    uint32_t summit = add_node(b, 0, 0, summit_name);
    for (uint32_t i = 0; i < s->roots && !b->failed; i++)
        snapshot_add_edge(b, summit, s->objects + i, empty, SNAPSHOT_NONE);
    if (!b->failed) open_rows(b, s->nodes);
}

static void check_edges(struct snapshot_builder *b) {
    const struct snapshot *s = b->snapshot;
    for (uint32_t e = 0; e < s->edges && !b->failed; e++)
        if (s->to[e] >= s->nodes)
            fail(b, "edge %u points to node %u, and there are %u", e, s->to[e], s->nodes);
}

struct snapshot *snapshot_finish(struct snapshot_builder *b, struct why *why) {
    if (!b) {
        why_say(why, "out of memory for a snapshot");
        return NULL;
    }
    struct snapshot *s = b->snapshot;
    if (!b->failed && b->rows > s->nodes)
        fail(b, "edges of node %u, and there are %u objects", b->rows - 1, s->nodes);
    if (!b->failed) place_roots(b);
    if (!b->failed) check_edges(b);
    if (b->failed) {
        why_say(why, "%s", b->why.text);
        snapshot_free(s);
        s = NULL;
    }
    free(b->root);
    free(b);
    return s;
}

void snapshot_free(struct snapshot *s) {
    if (!s) return;
    names_free(&s->names);
    free(s->address);
    free(s->bytes);
    free(s->type);
    free(s->first_edge);
    free(s->root_kind);
    free(s->to);
    free(s->field);
    free(s->element);
    free(s);
}
