/* For the tests of gosim: a heap that collects only when it is told to, its books, and objects that hold each
 * other. */
#ifndef MAPBENCH_TESTS_GOSIM_SUPPORT_H
#define MAPBENCH_TESTS_GOSIM_SUPPORT_H

#include "harness/heaps/gosim/gosim.h"

static const struct gosim_field at_0[] = {{"pointer", 0}};
static const struct gosim_type string_type = {.name = "string", .size = 16, .pointer = at_0, .pointers = 1};
static const struct gosim_type byte_type = {.name = "byte", .size = 1};
static const struct gosim_type words_type = {.name = "[]uint64", .size = 8};
static const struct gosim_type pointer_type = {.name = "*T", .size = 8, .pointer = at_0, .pointers = 1};

static inline struct gosim *open_heap_of(int release, bool check) {
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = -1, .release = release, .check = check});
    assert_non_null(g);
    return g;
}

static inline struct gosim *open_heap(bool check) {
    return open_heap_of(0, check);
}

static inline struct gosim_stats stats_of(struct gosim *g) {
    struct gosim_stats stats;
    gosim_stats(g, &stats);
    return stats;
}

static inline uint64_t objects(struct gosim *g) {
    return stats_of(g).heap_objects;
}

struct node {
    struct node *next, *other;
    uint64_t id;
};
static const struct gosim_field node_fields[] = {{"next", offsetof(struct node, next)},
                                                 {"other", offsetof(struct node, other)}};
static const struct gosim_type node_type = {
    .name = "node", .size = sizeof(struct node), .pointer = node_fields, .pointers = 2};

static inline struct node *new_node(struct gosim *g, struct node *next, struct node *other) {
    struct node *node = gosim_new(g, &node_type, 1);
    assert_non_null(node);
    gosim_store(g, &node->next, next);
    gosim_store(g, &node->other, other);
    return node;
}

#endif
