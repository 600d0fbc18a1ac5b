#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/retention/snapshot/dominators.h"
#include "harness/base/rng.h"

enum { SMALL = 64 }; /* nodes of graphs whose sets fit a word */

/* --- the definition, slowly: iterated sets of dominators --- */

struct small {
    uint32_t nodes, start, first_edge[SMALL + 1], to[SMALL * SMALL], edges;
    uint64_t weight[SMALL];
};

static uint64_t reachable_without(const struct small *g, uint32_t without) {
    uint64_t seen = 0;
    uint32_t stack[SMALL], height = 0;
    if (g->start == without) return 0;
    seen |= UINT64_C(1) << g->start;
    stack[height++] = g->start;
    while (height) {
        uint32_t node = stack[--height];
        for (uint32_t e = g->first_edge[node]; e < g->first_edge[node + 1]; e++) {
            uint64_t bit = UINT64_C(1) << g->to[e];
            if (g->to[e] == without || (seen & bit)) continue;
            seen |= bit;
            stack[height++] = g->to[e];
        }
    }
    return seen;
}

/* sets[v]: what dominates v, itself included; all ones where nothing is known yet or v is not reachable. */
static void iterate_sets(const struct small *g, uint64_t sets[SMALL]) {
    for (uint32_t v = 0; v < g->nodes; v++) sets[v] = UINT64_MAX;
    sets[g->start] = UINT64_C(1) << g->start;
    for (bool changed = true; changed;) {
        changed = false;
        uint64_t in[SMALL];
        memset(in, 0xff, sizeof in);
        for (uint32_t v = 0; v < g->nodes; v++)
            for (uint32_t e = g->first_edge[v]; e < g->first_edge[v + 1]; e++) in[g->to[e]] &= sets[v];
        for (uint32_t v = 0; v < g->nodes; v++) {
            uint64_t now = v == g->start ? sets[v] : in[v] | (in[v] == UINT64_MAX ? 0 : UINT64_C(1) << v);
            changed |= now != sets[v];
            sets[v] = now;
        }
    }
}

static uint32_t immediate(const uint64_t sets[SMALL], uint32_t v) {
    uint64_t proper = sets[v] & ~(UINT64_C(1) << v);
    for (uint32_t d = 0; d < SMALL; d++)
        if ((proper >> d & 1) && sets[d] == proper) return d;
    return DOMINATORS_NONE;
}

static void check_small(const struct small *g) {
    struct graph graph = {.nodes = g->nodes, .start = g->start, .first_edge = g->first_edge, .to = g->to};
    struct dominators *d = dominators_find(&graph, g->weight);
    assert_non_null(d);
    uint64_t sets[SMALL], reachable = reachable_without(g, DOMINATORS_NONE);
    iterate_sets(g, sets);
    assert_int_equal(d->reached, __builtin_popcountll(reachable));
    for (uint32_t v = 0; v < g->nodes; v++) {
        uint64_t retained = 0;
        if (!(reachable >> v & 1)) {
            assert_int_equal(d->order_of[v], DOMINATORS_NONE);
            assert_int_equal(dominator_of(d, v), DOMINATORS_NONE);
        } else {
            assert_int_equal(d->node_at[d->order_of[v]], v);
            assert_int_equal(dominator_of(d, v), v == g->start ? DOMINATORS_NONE : immediate(sets, v));
            /* What would be gone without v: a second way to say it, that knows no dominators. */
            uint64_t gone = reachable & ~reachable_without(g, v);
            for (uint32_t u = 0; u < g->nodes; u++) retained += (gone >> u & 1) ? g->weight[u] : 0;
        }
        assert_int_equal(retained_by(d, v), retained);
        if (v != g->start && d->order_of[v] != DOMINATORS_NONE)
            assert_true(d->parent[d->order_of[v]] < d->order_of[v]);
    }
    dominators_free(d);
}

/* --- random graphs --- */

static void close_rows(struct small *g, bool edge[SMALL][SMALL]) {
    g->edges = 0;
    for (uint32_t v = 0; v < g->nodes; v++) {
        g->first_edge[v] = g->edges;
        for (uint32_t u = 0; u < g->nodes; u++)
            if (edge[v][u]) g->to[g->edges++] = u;
    }
    g->first_edge[g->nodes] = g->edges;
}

/* Few edges a node up to many; loops, cycles and parts that cannot be reached all occur. */
static void make_random(struct small *g, uint64_t seed) {
    bool edge[SMALL][SMALL] = {{false}};
    g->nodes = 1 + (uint32_t)rng_below(&seed, SMALL);
    g->start = (uint32_t)rng_below(&seed, g->nodes);
    uint64_t edges = rng_below(&seed, 4 * (uint64_t)g->nodes + 1);
    for (uint64_t e = 0; e < edges; e++) edge[rng_below(&seed, g->nodes)][rng_below(&seed, g->nodes)] = true;
    for (uint32_t v = 0; v < g->nodes; v++) g->weight[v] = rng_below(&seed, 1000);
    close_rows(g, edge);
}

/* Long chains with jumps back and forth: paths worth compressing. */
static void make_ladder(struct small *g, uint64_t seed) {
    bool edge[SMALL][SMALL] = {{false}};
    g->nodes = SMALL;
    g->start = 0;
    for (uint32_t v = 0; v + 1 < SMALL; v++) edge[v][v + 1] = true;
    uint64_t jumps = rng_below(&seed, 30);
    for (uint64_t j = 0; j < jumps; j++) edge[rng_below(&seed, SMALL)][rng_below(&seed, SMALL)] = true;
    for (uint32_t v = 0; v < SMALL; v++) g->weight[v] = v + 1;
    close_rows(g, edge);
}

static void test_random_graphs(void **state) {
    (void)state;
    struct small *g = calloc(1, sizeof *g);
    assert_non_null(g);
    for (uint64_t seed = 0; seed < 4000; seed++) {
        make_random(g, seed);
        check_small(g);
        make_ladder(g, seed);
        check_small(g);
    }
    free(g);
}

/* --- large ones, whose tree is known --- */

struct large {
    uint32_t nodes, *first_edge, *to;
    uint64_t *weight;
};

static struct large make_large(uint32_t nodes, uint32_t edges) {
    struct large g = {.nodes = nodes,
                      .first_edge = calloc((size_t)nodes + 1, sizeof *g.first_edge),
                      .to = calloc(edges, sizeof *g.to),
                      .weight = calloc(nodes, sizeof *g.weight)};
    assert_true(g.first_edge && g.to && g.weight);
    for (uint32_t v = 0; v < nodes; v++) g.weight[v] = 16;
    return g;
}

static struct dominators *find_large(const struct large *g) {
    struct graph graph = {.nodes = g->nodes, .start = 0, .first_edge = g->first_edge, .to = g->to};
    struct dominators *d = dominators_find(&graph, g->weight);
    assert_non_null(d);
    return d;
}

static void free_large(struct large *g) {
    free(g->first_edge);
    free(g->to);
    free(g->weight);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Every node is only reached through the one before: a tree as deep as the list is long. */
static void test_doubly_linked_list(void **state) {
    enum { N = 1000000 };
    (void)state;
    struct large g = make_large(N, 2 * N);
    uint32_t edges = 0;
    for (uint32_t v = 0; v < N; v++) {
        g.first_edge[v] = edges;
        if (v + 1 < N) g.to[edges++] = v + 1;
        if (v) g.to[edges++] = v - 1;
    }
    g.first_edge[N] = edges;
    struct dominators *d = find_large(&g);
    for (uint32_t v = 1; v < N; v++) {
        assert_int_equal(dominator_of(d, v), v - 1);
        assert_int_equal(retained_by(d, v), UINT64_C(16) * (N - v));
    }
    dominators_free(d);
    free_large(&g);
}

/* 0 is the cache: it points to the table (1), to the list's two ends; the table to every entry, each entry to
 * both neighbours. The cache dominates everything: no entry retains another. The bound on time is thirty
 * times what it takes, and a thirtieth of what a quadratic algorithm would. */
static void test_lru(void **state) {
    enum { N = 1000000 };
    (void)state;
    struct large g = make_large(N + 2, 3 * N + 3);
    uint32_t edges = 0;
    for (uint32_t v = 0; v < N + 2; v++) {
        g.first_edge[v] = edges;
        if (v == 0) {
            g.to[edges++] = 1, g.to[edges++] = 2, g.to[edges++] = N + 1;
        } else if (v == 1) {
            for (uint64_t i = 0; i < N; i++) g.to[edges++] = 2 + (uint32_t)(i * 2654435761 % N);
        } else {
            if (v < N + 1) g.to[edges++] = v + 1;
            if (v > 2) g.to[edges++] = v - 1;
        }
    }
    g.first_edge[N + 2] = edges;
    double began = seconds();
    struct dominators *d = find_large(&g);
    assert_true(seconds() - began < 4);
    for (uint32_t v = 1; v < N + 2; v++) assert_int_equal(dominator_of(d, v), 0);
    assert_int_equal(retained_by(d, 0), UINT64_C(16) * (N + 2));
    assert_true(d->work_bytes <= UINT64_C(60) * (N + 2));
    dominators_free(d);
    free_large(&g);
}

static void test_heaviest_is_first_of_equals(void **state) {
    (void)state;
    struct small g = {.nodes = 4, .first_edge = {0, 3, 3, 3, 3}, .to = {1, 2, 3}, .weight = {1, 5, 7, 7}};
    struct graph graph = {.nodes = 4, .first_edge = g.first_edge, .to = g.to};
    struct dominators *d = dominators_find(&graph, g.weight);
    assert_non_null(d);
    uint32_t *heaviest = dominators_heaviest(d, d->retained);
    assert_non_null(heaviest);
    assert_int_equal(d->node_at[heaviest[0]], 2);
    assert_int_equal(heaviest[d->order_of[2]], DOMINATORS_NONE);
    free(heaviest);
    uint64_t ones[] = {1, 1, 1, 1}, *sum = dominators_sum(d, ones);
    assert_non_null(sum);
    assert_int_equal(sum[0], 4);
    free(sum);
    dominators_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_doubly_linked_list),
        cmocka_unit_test(test_lru),
        cmocka_unit_test(test_heaviest_is_first_of_equals),
    };
    return cmocka_run_group_tests_name("dominators", tests, NULL, NULL);
}
