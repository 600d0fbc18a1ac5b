#include "harness/retention/snapshot/dominators.h"

#include <stdlib.h>
#include <string.h>

enum {
    FAR = 24, /* edges ahead at which what is known of a target is prefetched */
    NEAR = 12,
};

/* An edge from a later node of the search to an earlier one (or to its ancestor): the only kind whose source
 * must be evaluated. In a list per target. */
struct cross {
    uint32_t from, next;
};

/* The forest of nodes already processed. */
struct link {
    uint32_t ancestor;
    uint32_t label; /* the least semidominator on the way to the ancestor; while searching: the next edge */
};

struct work {
    const struct graph *graph;
    struct dominators *result;
    uint32_t *semi;
    struct link *link;
    uint32_t *head; /* of the list of cross edges: index + 1; 0: none */
    struct cross *cross;
    uint32_t crosses, cross_room;
};

/* --- depth-first search --- */

static bool add_cross(struct work *w, uint32_t to, uint32_t from) {
    if (w->crosses == w->cross_room) {
        size_t room = w->cross_room ? w->cross_room + (size_t)w->cross_room / 4 : 1024;
        struct cross *larger = room < UINT32_MAX ? realloc(w->cross, room * sizeof *larger) : NULL;
        if (!larger) return false;
        w->cross = larger;
        w->cross_room = (uint32_t)room;
    }
    w->cross[w->crosses] = (struct cross){.from = from, .next = w->head[to]};
    w->head[to] = ++w->crosses;
    return true;
}

/* Arrays of pointers are long and their targets anywhere: fetch early what visiting them will read. */
static inline void prefetch(const struct work *w, const uint32_t *to) {
    const uint32_t far = to[FAR], near = to[NEAR];
    __builtin_prefetch(&w->result->order_of[far], 1);
    __builtin_prefetch(&w->graph->first_edge[far]);
    __builtin_prefetch(&w->graph->to[w->graph->first_edge[near]]);
}

static inline uint32_t visit(struct work *w, uint32_t node, uint32_t parent) {
    struct dominators *d = w->result;
    uint32_t order = d->reached++;
    d->order_of[node] = order;
    d->node_at[order] = node;
    d->parent[order] = parent;
    w->semi[order] = parent;
    w->head[order] = 0;
    return order;
}

/* Numbers what is reachable. A node's semidominator starts as the least of its tree parent and of the
 * ancestors that point to it past the tree: paths of one edge. */
static bool search(struct work *w) {
    const uint32_t *first = w->graph->first_edge, *edges = w->graph->to;
    uint32_t *order_of = w->result->order_of;
    uint32_t current = visit(w, w->graph->start, 0);
    uint32_t edge = first[w->graph->start], end = first[w->graph->start + 1];
    for (;;) {
        while (edge < end) {
            if (end - edge > FAR) prefetch(w, edges + edge);
            uint32_t node = edges[edge++], order = order_of[node];
            if (order == DOMINATORS_NONE) {
                order = visit(w, node, current);
                if (first[node] == first[node + 1]) continue;
                w->link[current].label = edge;
                current = order;
                edge = first[node];
                end = first[node + 1];
            } else if (order > current) {
                if (current < w->semi[order]) w->semi[order] = current;
            } else if (order < current && order != 0 && !add_cross(w, order, current)) {
                return false;
            }
        }
        if (current == 0) return true;
        current = w->result->parent[current];
        edge = w->link[current].label;
        end = first[w->result->node_at[current] + 1];
    }
}

/* --- semidominators --- */

/* The least semidominator from `node` up to, not including, its tree's root; only nodes after `last` are
 * linked. Compresses the path; turns its pointers round to find the way back without a stack. */
static uint32_t evaluate(struct link *link, uint32_t node, uint32_t last) {
    if (link[node].ancestor <= last) return link[node].label;
    uint32_t previous = DOMINATORS_NONE, at = node;
    while (link[at].ancestor > last) {
        uint32_t up = link[at].ancestor;
        link[at].ancestor = previous;
        previous = at;
        at = up;
    }
    uint32_t root = link[at].ancestor, least = link[at].label;
    while (previous != DOMINATORS_NONE) {
        at = previous;
        previous = link[at].ancestor;
        if (least < link[at].label) link[at].label = least;
        least = link[at].label;
        link[at].ancestor = root;
    }
    return least;
}

static void find_semidominators(struct work *w) {
    struct link *link = w->link;
    for (uint32_t i = 0; i < w->result->reached; i++) link[i].ancestor = w->result->parent[i];
    for (uint32_t i = w->result->reached - 1; i > 0; i--) {
        uint32_t least = w->semi[i];
        for (uint32_t c = w->head[i]; c; c = w->cross[c - 1].next) {
            uint32_t candidate = evaluate(link, w->cross[c - 1].from, i);
            if (candidate < least) least = candidate;
        }
        w->semi[i] = link[i].label = least;
    }
}

/* The dominator is the nearest ancestor, in the tree of dominators so far, not after the semidominator. */
static void find_dominators(struct work *w) {
    uint32_t *parent = w->result->parent;
    for (uint32_t i = 1; i < w->result->reached; i++) {
        uint32_t above = parent[i];
        while (above > w->semi[i]) above = parent[above];
        parent[i] = above;
    }
}

/* --- the whole --- */

static bool allocate(struct work *w) {
    struct dominators *d = w->result;
    size_t n = w->graph->nodes;
    d->nodes = w->graph->nodes;
    d->order_of = malloc(n * sizeof *d->order_of);
    d->node_at = malloc(n * sizeof *d->node_at);
    d->parent = malloc(n * sizeof *d->parent);
    w->semi = malloc(n * sizeof *w->semi);
    w->link = malloc(n * sizeof *w->link);
    w->head = malloc(n * sizeof *w->head);
    if (!d->order_of || !d->node_at || !d->parent || !w->semi || !w->link || !w->head) return false;
    memset(d->order_of, 0xff, n * sizeof *d->order_of);
    return true;
}

static void count_work(const struct work *w) {
    uint64_t n = w->graph->nodes, results = 3 * sizeof(uint32_t) * n;
    uint64_t searching = results + n * (2 * sizeof(uint32_t) + sizeof(struct link)) +
                         (uint64_t)w->cross_room * sizeof(struct cross);
    uint64_t summing = results + n * sizeof(uint64_t);
    w->result->work_bytes = searching > summing ? searching : summing;
    w->result->cross_edges = w->crosses;
}

struct dominators *dominators_find(const struct graph *graph, const uint64_t *weight) {
    struct work w = {.graph = graph, .result = calloc(1, sizeof *w.result)};
    bool found = w.result && allocate(&w) && search(&w);
    if (found) {
        find_semidominators(&w);
        find_dominators(&w);
        count_work(&w);
    }
    free(w.semi);
    free(w.link);
    free(w.head);
    free(w.cross);
    if (found) w.result->retained = dominators_sum(w.result, weight);
    if (found && w.result->retained) return w.result;
    dominators_free(w.result);
    return NULL;
}

void dominators_free(struct dominators *d) {
    if (!d) return;
    free(d->order_of);
    free(d->node_at);
    free(d->parent);
    free(d->retained);
    free(d);
}

uint64_t *dominators_sum(const struct dominators *d, const uint64_t *weight) {
    uint64_t *sum = malloc(d->reached * sizeof *sum);
    if (!sum) return NULL;
    for (uint32_t i = 0; i < d->reached; i++) {
        if (i + FAR < d->reached) __builtin_prefetch(&weight[d->node_at[i + FAR]]);
        sum[i] = weight[d->node_at[i]];
    }
    for (uint32_t i = d->reached - 1; i > 0; i--) sum[d->parent[i]] += sum[i];
    return sum;
}

uint32_t *dominators_heaviest(const struct dominators *d, const uint64_t *value) {
    uint32_t *heaviest = malloc(d->reached * sizeof *heaviest);
    if (!heaviest) return NULL;
    memset(heaviest, 0xff, d->reached * sizeof *heaviest);
    for (uint32_t i = 1; i < d->reached; i++) {
        uint32_t *best = &heaviest[d->parent[i]];
        if (*best == DOMINATORS_NONE || value[i] > value[*best]) *best = i;
    }
    return heaviest;
}
