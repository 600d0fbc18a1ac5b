/* Dominators of a graph, and what each node retains.
 *
 * Node d DOMINATES v if every path from the start to v goes through d: without d, v would be garbage. The
 * closest such d is v's immediate dominator; they form a tree. What v RETAINS is the weight of its subtree.
 *
 * Semi-NCA (L. Georgiadis, "Linear-Time Algorithms for Dominators and Related Problems", 2005): depth-first
 * search, semidominators with path compression, then for each node the nearest common ancestor by climbing
 * the tree built so far. No recursion. The iteration of Cooper, Harvey and Kennedy is quadratic on doubly
 * linked lists (1M nodes: minutes).
 */
#ifndef MAPBENCH_DOMINATORS_H
#define MAPBENCH_DOMINATORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOMINATORS_NONE UINT32_MAX

struct graph {
    uint32_t nodes, start;
    const uint32_t *first_edge; /* nodes + 1 */
    const uint32_t *to;
};

/* Nodes are renumbered in the order of the search: ORDER 0 is the start, and a dominator comes before all
 * that it dominates. Arrays by order are smaller and nearer than by node; use them in loops. */
struct dominators {
    uint32_t nodes, reached;
    uint32_t *order_of;   /* by node; DOMINATORS_NONE: not reachable */
    uint32_t *node_at;    /* by order */
    uint32_t *parent;     /* by order: the order of the immediate dominator; 0 of the start itself */
    uint64_t *retained;   /* by order */
    uint64_t work_bytes;  /* the most that was allocated at once, results included, the graph not */
    uint64_t cross_edges; /* that needed the path compression */
};

/* NULL: out of memory. `weight` by node. */
struct dominators *dominators_find(const struct graph *graph, const uint64_t *weight);
void dominators_free(struct dominators *dominators);

/* Returns, by order, the sums over subtrees of `weight` (by node). NULL: out of memory. */
uint64_t *dominators_sum(const struct dominators *dominators, const uint64_t *weight);
/* Returns, by order, the child with the largest `value` (by order), the first of equals; DOMINATORS_NONE: a
 * leaf. NULL: out of memory. */
uint32_t *dominators_heaviest(const struct dominators *dominators, const uint64_t *value);

/* Returns the immediate dominator; DOMINATORS_NONE: the node is the start, or not reachable. */
static inline uint32_t dominator_of(const struct dominators *d, uint32_t node) {
    uint32_t order = d->order_of[node];
    return order == DOMINATORS_NONE || order == 0 ? DOMINATORS_NONE : d->node_at[d->parent[order]];
}
/* 0: not reachable. */
static inline uint64_t retained_by(const struct dominators *d, uint32_t node) {
    uint32_t order = d->order_of[node];
    return order == DOMINATORS_NONE ? 0 : d->retained[order];
}

#endif
