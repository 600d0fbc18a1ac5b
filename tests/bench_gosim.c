/* The speed of the collecting heap (harness/heaps/gosim) and of the dominators, beside what they are meant to
 * reach, and of real Go's marking of the same objects where an engine is given.
 *
 *   bench_gosim [--strict] [ENGINE ...]     make bench-gosim
 *
 * Times are CPU times of the one thread that works; those of marking alone, as the heap's books have them,
 * are by the wall. Of several rounds the quickest counts. --strict: exit code 1 if a target is missed. The
 * targets are for a quiet machine of about 3 GHz.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/snapshot/dominators.h"
#include "harness/base/rng.h"

enum { DROPPED = 50000000, MARKED = 10000000, GRAPH_NODES = 10000000, LRU_NODES = 1000000, ROUNDS = 3 };

static unsigned missed;

static double cpu_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void *must(void *made, const char *what) {
    if (made) return made;
    fprintf(stderr, "bench_gosim: out of memory for %s: about 1.5 GB are needed\n", what);
    exit(4);
}

static void line(const char *what, double value, const char *unit, bool met, const char *target) {
    printf("%-42s %9.1f %-16s %-8s (target %s)\n", what, value, unit, met ? "met" : "MISSED", target);
    fflush(stdout);
    missed += !met;
}

/* --- allocation --- */

static const struct gosim_field first_word[] = {{"", 0}};
static const struct gosim_type words_type = {.name = "[]uint64", .size = 8};
static const struct gosim_type pointers_type = {
    .name = "[]*node", .size = 8, .pointer = first_word, .pointers = 1};

/* Objects of 16 to 64 bytes, every one garbage when the next is made; natural collections included. */
static void bench_drop(bool pointers) {
    struct gosim *heap = must(gosim_open(NULL), "a heap");
    uint64_t seed = 1;
    double began = cpu_ms();
    for (uint64_t i = 0; i < DROPPED; i++) {
        uint64_t random = rng_next(&seed);
        const struct gosim_type *type = pointers && (random & 8) ? &pointers_type : &words_type;
        uint64_t *object = must(gosim_new(heap, type, 2 + random % 7), "objects");
        *object = 0; /* written once, as a program would */
    }
    double rate = DROPPED / (cpu_ms() - began) / 1e3;
    struct gosim_stats stats;
    gosim_stats(heap, &stats);
    line(pointers ? "allocate and drop, half with pointers" : "allocate and drop, no pointers", rate,
         "M objects/s", rate >= 20, ">= 20");
    printf("    %llu collections, heap of %.1f MiB\n", (unsigned long long)stats.num_gc,
           (double)stats.heap_sys / (1 << 20));
    gosim_close(heap);
}

/* --- marking --- */

struct node {
    struct node *next, *other;
    uint64_t value;
};
static const struct gosim_field node_fields[] = {{"next", offsetof(struct node, next)},
                                                 {"other", offsetof(struct node, other)}};
static const struct gosim_type node_type = {
    .name = "node", .size = sizeof(struct node), .pointer = node_fields, .pointers = 2};

static void link_list(struct gosim *heap, struct node **all) {
    for (size_t i = 0; i + 1 < MARKED; i++) gosim_store(heap, &all[i]->next, all[i + 1]);
}

static void link_tree(struct gosim *heap, struct node **all) {
    for (size_t i = 0; i < MARKED; i++) {
        if (2 * i + 1 < MARKED) gosim_store(heap, &all[i]->next, all[2 * i + 1]);
        if (2 * i + 2 < MARKED) gosim_store(heap, &all[i]->other, all[2 * i + 2]);
    }
}

/* The quickest collection in ms. */
static double bench_mark(const char *what, void (*link)(struct gosim *, struct node **)) {
    struct gosim_options forced_only = {.gogc = -1};
    struct gosim *heap = must(gosim_open(&forced_only), "a heap");
    struct node **all = must(malloc(MARKED * sizeof *all), "addresses");
    void *root;
    for (size_t i = 0; i < MARKED; i++) all[i] = must(gosim_new(heap, &node_type, 1), "nodes");
    link(heap, all);
    root = all[0];
    free(all);
    if (!gosim_root(heap, &root, "root")) must(NULL, "a root");
    struct gosim_stats stats = {0};
    double mark_ms = 1e300, collect_ms = 1e300;
    for (int round = 0; round < ROUNDS; round++) {
        double began = cpu_ms();
        gosim_collect(heap);
        double took = cpu_ms() - began;
        gosim_stats(heap, &stats);
        if (took < collect_ms) collect_ms = took;
        if ((double)stats.mark_ns / 1e6 < mark_ms) mark_ms = (double)stats.mark_ns / 1e6;
    }
    if (stats.marked_objects != MARKED) {
        fprintf(stderr, "bench_gosim: %s: %llu of %d objects were marked\n", what,
                (unsigned long long)stats.marked_objects, MARKED);
        exit(5);
    }
    line(what, mark_ms, "ms", mark_ms <= 350, "<= 350");
    printf("    whole collection %.1f ms; %.1f bytes per object, %.1f resident\n", collect_ms,
           (double)stats.heap_alloc / MARKED, (double)stats.resident_bytes / MARKED);
    gosim_close(heap);
    return collect_ms;
}

/* --- real Go --- */

/* The path goes by the environment, so that the shell takes no character of it for its own. */
static json_t *ask_engine(const char *engine, const char *graph, const char *processors) {
    char command[128];
    snprintf(command, sizeof command, "exec \"$BENCH_ENGINE\" retain markspeed %s %d", graph, MARKED);
    setenv("BENCH_ENGINE", engine, 1);
    setenv("GOMAXPROCS", processors, 1);
    FILE *out = popen(command, "r");
    json_t *answer = out ? json_loadf(out, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    if (out && pclose(out) != 0 && answer) json_decref(answer), answer = NULL;
    return answer;
}

static void compare_engine(const char *engine, const char *graph, double collect_ms) {
    static const char *const processors[] = {"1", "2"};
    for (size_t i = 0; i < sizeof processors / sizeof *processors; i++) {
        json_t *answer = ask_engine(engine, graph, processors[i]);
        if (!answer) {
            printf("%s: gave no answer to: retain markspeed %s\n", engine, graph);
            missed++;
            return;
        }
        double wall_ms = json_number_value(json_object_get(answer, "best_ms"));
        printf("%s, %s of %d, GOMAXPROCS=%s: runtime.GC() %.1f ms, %.1f ms of CPU; gosim's collection takes "
               "%.2f times as long, %.2f times the CPU\n",
               json_string_value(json_object_get(answer, "engine")), graph, MARKED, processors[i], wall_ms,
               json_number_value(json_object_get(answer, "cpu_ms")), collect_ms / wall_ms,
               collect_ms / json_number_value(json_object_get(answer, "cpu_ms")));
        fflush(stdout);
        json_decref(answer);
    }
}

/* --- dominators --- */

struct rows {
    uint32_t nodes, edges, *first_edge, *to;
    uint64_t *weight;
};

static struct rows make_rows(uint32_t nodes, uint32_t edges_most) {
    struct rows g = {.nodes = nodes};
    g.first_edge = must(malloc(((size_t)nodes + 1) * sizeof *g.first_edge), "a graph");
    g.to = must(malloc((size_t)edges_most * sizeof *g.to), "a graph");
    g.weight = must(malloc((size_t)nodes * sizeof *g.weight), "a graph");
    for (uint32_t v = 0; v < nodes; v++) g.weight[v] = 16;
    return g;
}

static void bench_dominators(const char *what, struct rows *g, double most_ms, const char *target) {
    struct graph graph = {.nodes = g->nodes, .start = 0, .first_edge = g->first_edge, .to = g->to};
    double best_ms = 1e300, node_bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double began = cpu_ms();
        struct dominators *d = must(dominators_find(&graph, g->weight), "dominators");
        double took = cpu_ms() - began;
        if (took < best_ms) best_ms = took;
        node_bytes = (double)d->work_bytes / g->nodes;
        if (d->reached != g->nodes || d->retained[0] != UINT64_C(16) * g->nodes) {
            fprintf(stderr, "bench_gosim: %s: the start does not retain everything\n", what);
            exit(5);
        }
        dominators_free(d);
    }
    line(what, best_ms, "ms", best_ms <= most_ms, target);
    line("    its working memory", node_bytes, "bytes per object", node_bytes <= 60, "<= 60");
    free(g->first_edge), free(g->to), free(g->weight);
}

/* A map of pointers: 0 is the variable, 1 the header, 2 the array of buckets; then buckets of eight keys and
 * eight values, one in eight with an overflow bucket; every fourth value refers to a value of another bucket
 * besides, as records of a program do. Numbers are addresses: a bucket's keys and values lie apart from it.
 */
static void make_map_graph(struct rows *g) {
    enum { OF_BUCKET = 16, HEAD = 3, BUCKETS = (GRAPH_NODES - HEAD) / (OF_BUCKET + 1) };
    const uint32_t leaves = HEAD + BUCKETS;
    *g = make_rows(HEAD + BUCKETS * (OF_BUCKET + 1), 2 + BUCKETS * (2 + OF_BUCKET + OF_BUCKET));
    uint64_t seed = 1;
    for (uint32_t v = 0; v < g->nodes; v++) {
        g->first_edge[v] = g->edges;
        if (v < 2) {
            g->to[g->edges++] = v + 1;
        } else if (v == 2) { /* overflow buckets hang from others, not from the array */
            for (uint32_t b = 0; b < BUCKETS; b++)
                if (b % 9 != 8) g->to[g->edges++] = HEAD + b;
        } else if (v < leaves) {
            uint32_t b = v - HEAD;
            for (uint32_t i = 0; i < OF_BUCKET; i++) g->to[g->edges++] = leaves + b * OF_BUCKET + i;
            if (b % 9 == 7 && b + 1 < BUCKETS) g->to[g->edges++] = v + 1;
        } else if (v % 4 == 0) {
            g->to[g->edges++] = leaves + (uint32_t)rng_below(&seed, (uint64_t)BUCKETS * OF_BUCKET);
        }
    }
    g->first_edge[g->nodes] = g->edges;
}

/* 0 is the cache: it points to the table, 1, and to the list's ends; the table to every entry in no order,
 * each entry to both neighbours. */
static void make_lru_graph(struct rows *g) {
    *g = make_rows(LRU_NODES + 2, 3 * LRU_NODES + 3);
    for (uint32_t v = 0; v < g->nodes; v++) {
        g->first_edge[v] = g->edges;
        if (v == 0) {
            g->to[g->edges++] = 1, g->to[g->edges++] = 2, g->to[g->edges++] = LRU_NODES + 1;
        } else if (v == 1) {
            for (uint64_t i = 0; i < LRU_NODES; i++)
                g->to[g->edges++] = 2 + (uint32_t)(i * 2654435761 % LRU_NODES);
        } else {
            if (v < LRU_NODES + 1) g->to[g->edges++] = v + 1;
            if (v > 2) g->to[g->edges++] = v - 1;
        }
    }
    g->first_edge[g->nodes] = g->edges;
}

int main(int argc, char **argv) {
    bool strict = argc > 1 && strcmp(argv[1], "--strict") == 0;
    struct rows graph;
    bench_drop(false);
    bench_drop(true);
    double list_ms = bench_mark("mark 10M objects, a list in order", link_list);
    double tree_ms = bench_mark("mark 10M objects, a binary tree", link_tree);
    make_map_graph(&graph);
    bench_dominators("dominators of a map of 10M objects", &graph, 2500, "<= 2500");
    make_lru_graph(&graph);
    bench_dominators("dominators of an LRU cache of 1M objects", &graph, 100, "<= 100");
    if (argc == 1 + strict) puts("no engine given: not compared with real Go (make engines)");
    for (int i = 1 + strict; i < argc; i++) {
        compare_engine(argv[i], "list", list_ms);
        compare_engine(argv[i], "tree", tree_ms);
    }
    return strict && missed ? 1 : 0;
}
