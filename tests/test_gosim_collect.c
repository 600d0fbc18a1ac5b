/* gosim's collector: what lives and what dies, barriers, pacing, and how the heap is looked at. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/rng.h"
#include "tests/support/gosim_support.h"

static const struct gosim_type pointers_type = {.name = "[]*node", .size = 8, .pointer = at_0, .pointers = 1};

/* --- reachability --- */

static void test_cycles_and_interiors(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    void *root = NULL;
    gosim_root(g, &root, "root");
    struct node *a = new_node(g, NULL, NULL), *b = new_node(g, a, NULL);
    gosim_store(g, &a->next, b); /* a cycle */
    root = &b->id;               /* into the middle */
    gosim_collect(g);
    assert_int_equal(objects(g), 2);
    root = (char *)b + sizeof *b; /* one past the end is another slot */
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

/* A word of a pointer-free object keeps nothing, whatever its value. */
static void test_noscan(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    uint64_t *words = NULL;
    gosim_root(g, &words, "words");
    words = gosim_new(g, &words_type, 4);
    words[0] = (uintptr_t)new_node(g, NULL, NULL);
    words[3] = (uintptr_t)new_node(g, NULL, NULL);
    gosim_collect(g);
    assert_int_equal(objects(g), 1);
    gosim_close(g);
}

/* Random graphs, with arrays large and small, against a plain traversal of a copy of the edges. */
enum { GRAPH_NODES = 3000 };
struct graph {
    struct gosim *g;
    void **handle; /* root array: handle[i] or NULL */
    void *object[GRAPH_NODES];
    size_t slots[GRAPH_NODES];
    size_t *edge[GRAPH_NODES];
    bool reached[GRAPH_NODES];
};

static void reach(struct graph *graph, size_t start) {
    static size_t stack[GRAPH_NODES];
    size_t depth = 0;
    if (graph->reached[start]) return;
    graph->reached[start] = true;
    stack[depth++] = start;
    while (depth) {
        size_t at = stack[--depth];
        for (size_t i = 0; i < graph->slots[at]; i++) {
            size_t to = graph->edge[at][i];
            if (to == SIZE_MAX || graph->reached[to]) continue;
            graph->reached[to] = true;
            stack[depth++] = to;
        }
    }
}

static void build(struct graph *graph, uint64_t *rng) {
    for (size_t i = 0; i < GRAPH_NODES; i++) {
        graph->slots[i] = rng_below(rng, 100) == 0 ? 5000 + rng_below(rng, 40000) : 1 + rng_below(rng, 90);
        graph->object[i] = gosim_new(graph->g, &pointers_type, graph->slots[i]);
        graph->edge[i] = malloc(graph->slots[i] * sizeof(size_t));
        assert_non_null(graph->object[i]);
        assert_non_null(graph->edge[i]);
        for (size_t s = 0; s < graph->slots[i]; s++) graph->edge[i][s] = SIZE_MAX;
    }
    /* Few edges, so that about half is reached. */
    for (size_t i = 0; i < GRAPH_NODES * 5 / 4; i++) {
        size_t from = rng_below(rng, GRAPH_NODES), to = rng_below(rng, GRAPH_NODES);
        size_t slot = rng_below(rng, graph->slots[from]);
        graph->edge[from][slot] = to;
        gosim_store(graph->g, (void **)graph->object[from] + slot,
                    (void **)graph->object[to] + rng_below(rng, graph->slots[to]));
    }
}

static void test_random_graphs(void **state) {
    (void)state;
    struct graph *graph = calloc(1, sizeof *graph);
    assert_non_null(graph);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t rng = seed, expected = 0;
        void *roots[5];
        memset(graph, 0, sizeof *graph);
        graph->g = open_heap(seed % 2);
        build(graph, &rng);
        for (size_t r = 0; r < 5; r++) {
            size_t at = rng_below(&rng, GRAPH_NODES);
            roots[r] = graph->object[at];
            gosim_root(graph->g, &roots[r], "root");
            reach(graph, at);
        }
        gosim_collect(graph->g);
        for (size_t i = 0; i < GRAPH_NODES; i++) {
            struct gosim_object found;
            expected += graph->reached[i];
            bool there = gosim_find(graph->g, graph->object[i], &found) && found.address == graph->object[i];
            assert_int_equal(there, graph->reached[i]);
            if (there) assert_int_equal(found.count, graph->slots[i]);
        }
        assert_true(expected > 100 && expected < GRAPH_NODES - 100);
        assert_int_equal(objects(graph->g), expected);
        assert_int_equal(stats_of(graph->g).marked_objects, expected);
        assert_null(gosim_verify(graph->g));
        for (size_t i = 0; i < GRAPH_NODES; i++) free(graph->edge[i]);
        gosim_close(graph->g);
    }
    free(graph);
}

/* A list of a million must not recurse, and is freed whole. */
static void test_long_list(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    struct node *list = NULL;
    gosim_root(g, &list, "list");
    for (size_t i = 0; i < 1000000; i++) list = new_node(g, list, NULL);
    gosim_collect(g);
    assert_int_equal(objects(g), 1000000);
    list = NULL;
    gosim_collect(g);
    assert_int_equal(objects(g), 0);
    gosim_close(g);
}

/* --- while marking --- */

static void test_black_allocation_and_barriers(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct node *root = NULL;
    gosim_root(g, &root, "root");
    root = new_node(g, new_node(g, new_node(g, NULL, NULL), NULL), NULL);
    uint64_t idle = stats_of(g).barriers_idle;
    gosim_begin_mark(g);
    assert_true(gosim_marking(g));
    for (int i = 0; i < 50; i++) gosim_new(g, &words_type, 4); /* garbage from birth, but black */
    struct node *third = root->next->next;
    gosim_store(g, &root->next->next, NULL); /* the deletion barrier keeps it for this cycle */
    root = new_node(g, third, NULL);         /* roots are scanned once, at the beginning */
    gosim_end_mark(g);
    assert_false(gosim_marking(g));
    struct gosim_stats stats = stats_of(g);
    assert_int_equal(stats.heap_objects, 3 + 50 + 1);
    assert_int_equal(stats.barriers_idle, idle);
    assert_int_equal(stats.barriers_marking, 3);
    gosim_collect(g);
    assert_int_equal(objects(g), 2);
    assert_ptr_equal(root->next, third);
    gosim_close(g);
}

/* Each half of the barrier by itself: what is overwritten, and what is stored. */
static void test_barrier_halves(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct {
        struct node *list, *moved;
    } root = {0};
    gosim_root(g, &root.list, "list");
    gosim_root(g, &root.moved, "moved");
    root.list = new_node(g, new_node(g, new_node(g, NULL, NULL), NULL), NULL);
    gosim_begin_mark(g);
    root.moved = root.list->next->next; /* a root that was scanned already */
    gosim_store(g, &root.list->next->next, NULL);
    gosim_end_mark(g);
    assert_int_equal(objects(g), 3);
    struct node *lone = new_node(g, NULL, NULL);
    gosim_begin_mark(g);
    root.moved = gosim_new(g, &node_type, 1); /* black: not looked at again */
    gosim_store(g, &root.moved->other, lone);
    gosim_end_mark(g);
    assert_int_equal(objects(g),
                     5); /* two, the black one, what it holds, and the third until the next cycle */
    assert_null(gosim_verify(g));
    gosim_close(g);
}

static void test_bulk_move(void **state) {
    (void)state;
    struct gosim *g = open_heap(true);
    struct {
        void **from, **to;
    } roots = {0};
    gosim_root(g, &roots.from, "from");
    gosim_root(g, &roots.to, "to");
    roots.from = gosim_new(g, &pointers_type, 10);
    roots.to = gosim_new(g, &pointers_type, 10);
    for (int i = 0; i < 10; i++) gosim_store(g, &roots.from[i], new_node(g, NULL, NULL));
    gosim_begin_mark(g);
    gosim_move(g, &pointers_type, roots.to, roots.from, 10);
    gosim_move(g, &pointers_type, roots.to, roots.to + 5, 5);
    gosim_end_mark(g);
    assert_int_equal(stats_of(g).barriers_bulk, 15);
    roots.from = NULL;
    gosim_collect(g);
    assert_int_equal(objects(g), 1 + 5);
    gosim_close(g);
}

/* Collections come by themselves, between the doublings that GOGC asks for, unless they are held off. */
static void test_natural_collections(void **state) {
    (void)state;
    struct gosim *g = gosim_open(NULL);
    assert_non_null(g);
    for (int i = 0; i < 1 << 20; i++) gosim_new(g, &words_type, 32); /* 256 MiB of garbage */
    uint64_t n = stats_of(g).num_gc;
    assert_in_range(n, 64, 90); /* Go 1.23 and 1.24: 85 and 83 */
    assert_true(stats_of(g).heap_sys <= 8 << 20);
    gosim_hold(g);
    for (int i = 0; i < 1 << 16; i++) gosim_new(g, &words_type, 32);
    assert_int_equal(stats_of(g).num_gc, n);
    gosim_release(g);
    gosim_new(g, &words_type, 1 << 20);
    assert_int_equal(stats_of(g).num_gc, n + 1);
    assert_int_equal(stats_of(g).num_forced_gc, 0);
    gosim_close(g);
}

static void test_trace_line(void **state) {
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct gosim *g = gosim_open(&(struct gosim_options){.gogc = 100, .trace = out});
    void *kept = NULL;
    gosim_root(g, &kept, "kept");
    kept = gosim_new(g, &words_type, 1 << 20);
    gosim_new(g, &words_type, 1 << 18);
    gosim_collect(g);
    gosim_close(g);
    fclose(out);
    const char *last = strstr(text, "gc 2 ");
    assert_non_null(last);
    unsigned number, percent;
    unsigned from, marked, live, goal;
    double at, ms, cpu;
    assert_int_equal(
        sscanf(last,
               "gc %u @%lfs %u%%: 0+0+%lf ms clock, 0+0/0/0+%lf ms cpu, %u->%u->%u MB, %u MB goal, "
               "0 MB stacks, 0 MB globals, 1 P (forced)",
               &number, &at, &percent, &ms, &cpu, &from, &marked, &live, &goal),
        9);
    assert_int_equal(from, 10);
    assert_int_equal(marked, 10);
    assert_int_equal(live, 8);
    free(text);
}

/* --- looking --- */

struct tally {
    size_t nodes, words, edges, globals, stacks, ephemerons, timers;
    void *last;
};
static bool tally_object(void *context, const struct gosim_object *object) {
    struct tally *tally = context;
    assert_true(object->address > tally->last);
    tally->last = object->address;
    tally->nodes += strcmp(object->type->name, "node") == 0;
    tally->words += strcmp(object->type->name, "[]uint64") == 0 && object->count == 5 && object->bytes == 48;
    return true;
}
static bool tally_root(void *context, enum gosim_root_kind kind, const char *name, void *value) {
    struct tally *tally = context;
    tally->globals += kind == GOSIM_GLOBAL && strcmp(name, "root") == 0 && value;
    tally->stacks += kind == GOSIM_STACK && strcmp(name, "goroutine worker: item") == 0 && value;
    tally->timers += kind == GOSIM_TIMER;
    return true;
}
static bool tally_pointer(void *context, const char *field, size_t element, void *value) {
    struct tally *tally = context;
    tally->edges += strcmp(field, "next") == 0 && element == 0 && value;
    tally->ephemerons += strcmp(field, "(ephemeron)") == 0;
    return true;
}

static void ignore(void *argument) {
    (void)argument;
}

static void test_looking(void **state) {
    (void)state;
    struct gosim *g = open_heap(false);
    struct tally tally = {0};
    struct node *root = NULL;
    struct gosim_object object;
    gosim_root(g, &root, "root");
    root = new_node(g, new_node(g, NULL, NULL), NULL);
    struct gosim_goroutine *worker = gosim_go(g, "worker", 8192);
    *gosim_local(worker, "item") = gosim_new(g, &words_type, 5);
    gosim_ephemeron(g, root, new_node(g, NULL, NULL));
    gosim_after_func(g, 5, ignore, NULL);
    new_node(g, NULL, NULL);
    gosim_collect(g);
    gosim_each_object(g, tally_object, &tally);
    assert_int_equal(tally.nodes, 3);
    assert_int_equal(tally.words, 1);
    gosim_each_root(g, tally_root, &tally);
    assert_int_equal(tally.globals, 1);
    assert_int_equal(tally.stacks, 1);
    assert_int_equal(tally.timers, 1);
    assert_true(gosim_find(g, &root->id, &object));
    assert_ptr_equal(object.address, root);
    gosim_each_pointer(g, &object, tally_pointer, &tally);
    assert_int_equal(tally.edges, 1);
    assert_int_equal(tally.ephemerons, 1);
    assert_false(gosim_find(g, &tally, &object));
    gosim_unroot(g, &root);
    gosim_collect(g);
    assert_false(gosim_find(g, root, &object));
    assert_non_null(gosim_new(g, &words_type, 0)); /* no bytes: one common address outside the books */
    assert_ptr_equal(gosim_new(g, &words_type, 0), gosim_new(g, &node_type, 0));
    gosim_close(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cycles_and_interiors),
        cmocka_unit_test(test_noscan),
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_black_allocation_and_barriers),
        cmocka_unit_test(test_barrier_halves),
        cmocka_unit_test(test_bulk_move),
        cmocka_unit_test(test_natural_collections),
        cmocka_unit_test(test_trace_line),
        cmocka_unit_test(test_looking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
