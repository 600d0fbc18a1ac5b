#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/snapshot/query.h"
#include "harness/base/rng.h"

struct bucket {
    void *key, *value;
};
struct map {
    uint64_t count;
    struct bucket *buckets;
};
struct item {
    struct item *next;
    void *payload;
    uint64_t number;
};

static const struct gosim_field map_fields[] = {{"buckets", offsetof(struct map, buckets)}};
static const struct gosim_type map_type = {
    .name = "hmap", .size = sizeof(struct map), .pointer = map_fields, .pointers = 1};
static const struct gosim_field bucket_fields[] = {{"key", offsetof(struct bucket, key)},
                                                   {"value", offsetof(struct bucket, value)}};
static const struct gosim_type bucket_type = {
    .name = "[]bmap", .size = sizeof(struct bucket), .pointer = bucket_fields, .pointers = 2};
static const struct gosim_type byte_type = {.name = "[]byte", .size = 1};
static const struct gosim_field item_fields[] = {{"next", offsetof(struct item, next)},
                                                 {"payload", offsetof(struct item, payload)}};
static const struct gosim_type item_type = {
    .name = "item", .size = sizeof(struct item), .pointer = item_fields, .pointers = 2};

static struct gosim *open_heap(void) {
    struct gosim *heap = gosim_open(NULL);
    assert_non_null(heap);
    return heap;
}

static struct snapshot *take(struct gosim *heap) {
    struct why why = {""};
    struct snapshot *s = snapshot_of_gosim(heap, &why);
    if (!s) fail_msg("%s", why.text);
    struct gosim_stats stats;
    gosim_stats(heap, &stats);
    assert_int_equal(s->total_bytes, stats.heap_alloc);
    return s;
}

static uint32_t node_at(const struct snapshot *s, const void *address) {
    for (uint32_t i = 0; i < s->objects; i++)
        if (s->address[i] == (uintptr_t)address) return i;
    fail_msg("no object at %p", address);
    return SNAPSHOT_NONE;
}

/* A map whose key points into the middle of a document; the document is kept whole. */
static void test_path_to_a_document(void **state) {
    enum { BUCKETS = 8, DOCUMENT = 65536 };
    (void)state;
    struct gosim *heap = open_heap();
    struct map *cache = NULL;
    gosim_root(heap, &cache, "cache");
    cache = gosim_new(heap, &map_type, 1);
    gosim_store(heap, &cache->buckets, gosim_new(heap, &bucket_type, BUCKETS));
    char *document = gosim_new(heap, &byte_type, DOCUMENT);
    gosim_store(heap, &cache->buckets[3].key, document + 40000);
    gosim_collect(heap);
    struct snapshot *s = take(heap);
    struct dominators *d = snapshot_dominators(s);
    struct snapshot_paths *paths = snapshot_paths_find(s);
    assert_true(d && paths);
    char *text = snapshot_path_text(s, paths, node_at(s, document));
    assert_non_null(text);
    assert_string_equal(text,
                        "global cache -> hmap.buckets (16 B) -> bmap[3].key (128 B) -> []byte (64.0 KiB)");
    assert_int_equal(retained_by(d, node_at(s, cache)), 16 + 128 + DOCUMENT);
    struct accumulation at;
    assert_true(snapshot_accumulation(d, &at));
    assert_int_equal(at.node, node_at(s, document));
    free(text);
    snapshot_paths_free(paths);
    dominators_free(d);
    snapshot_free(s);
    gosim_close(heap);
}

enum { ITEMS = 3000 };

/* Every pointer of a random graph is there, with its field, whichever way into its target it points. */
static void check_edges(const struct snapshot *s, struct item *const *item) {
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t node = SNAPSHOT_NONE;
        for (uint32_t v = 0; v < s->objects && node == SNAPSHOT_NONE; v++)
            if (s->address[v] == (uintptr_t)item[i]) node = v;
        if (node == SNAPSHOT_NONE) continue;
        const void *expected[] = {item[i]->next, item[i]->payload};
        uint32_t edge = s->first_edge[node];
        for (int f = 0; f < 2; f++) {
            if (!expected[f]) continue;
            assert_true(edge < s->first_edge[node + 1]);
            assert_string_equal(snapshot_field_name(s, edge), item_fields[f].name);
            uint64_t start = s->address[s->to[edge]];
            assert_true(start <= (uintptr_t)expected[f]);
            assert_true((uintptr_t)expected[f] < start + s->bytes[s->to[edge]]);
            assert_int_equal(s->element[edge++], SNAPSHOT_NONE);
        }
        assert_int_equal(edge, s->first_edge[node + 1]);
    }
}

static void test_random_graph(void **state) {
    (void)state;
    struct gosim *heap = open_heap();
    uint64_t seed = 42;
    struct item *item[ITEMS], *roots[5] = {NULL};
    static const char *const names[] = {"a", "b", "c", "d", "e"};
    for (int r = 0; r < 5; r++) gosim_root(heap, &roots[r], names[r]);
    /* No collection before all is linked. */
    gosim_set_gogc(heap, -1);
    for (uint32_t i = 0; i < ITEMS; i++) {
        item[i] = gosim_new(heap, &item_type, 1);
        assert_non_null(item[i]);
    }
    for (uint32_t i = 0; i < ITEMS; i++) {
        if (rng_below(&seed, 64)) gosim_store(heap, &item[i]->next, item[rng_below(&seed, ITEMS)]);
        size_t bytes = 1 + rng_below(&seed, rng_below(&seed, 10) ? 600 : 100000);
        char *payload = gosim_new(heap, &byte_type, bytes);
        assert_non_null(payload);
        gosim_store(heap, &item[i]->payload, payload + rng_below(&seed, bytes));
    }
    for (int r = 0; r < 5; r++) roots[r] = item[rng_below(&seed, ITEMS)];
    /* The first keeps the block that tiny allocations came from last, as Go's does. */
    gosim_collect(heap);
    gosim_collect(heap);
    struct snapshot *s = take(heap);
    assert_true(s->objects > 200);
    struct dominators *d = snapshot_dominators(s);
    assert_non_null(d);
    assert_int_equal(d->reached, s->nodes); /* what a collection leaves is reachable */
    assert_int_equal(d->retained[0], s->total_bytes);
    check_edges(s, item);
    dominators_free(d);
    snapshot_free(s);
    gosim_close(heap);
}

static void test_goroutine_and_timer_hold(void **state) {
    (void)state;
    struct gosim *heap = open_heap();
    struct gosim_goroutine *worker = gosim_go(heap, "worker", 0);
    assert_non_null(worker);
    struct item *held = gosim_new(heap, &item_type, 1);
    *gosim_local(worker, "job") = held;
    gosim_collect(heap);
    struct snapshot *s = take(heap);
    struct snapshot_paths *paths = snapshot_paths_find(s);
    assert_non_null(paths);
    char *text = snapshot_path_text(s, paths, node_at(s, held));
    assert_non_null(text);
    assert_int_equal(strncmp(text, "stack ", 6), 0);
    assert_non_null(strstr(text, "job"));
    assert_non_null(strstr(text, "-> item (24 B)"));
    free(text);
    snapshot_paths_free(paths);
    snapshot_free(s);
    gosim_close(heap);
}

/* A list that grows between two snapshots: what is new, and that the list holds it. */
static void test_growth(void **state) {
    enum { GROWN = 1000 };
    (void)state;
    struct gosim *heap = open_heap();
    struct item *list = NULL;
    gosim_root(heap, &list, "list");
    struct snapshot *s[2];
    struct dominators *d[2];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < GROWN; i++) {
            struct item *new = gosim_new(heap, &item_type, 1);
            gosim_store(heap, &new->next, list);
            list = new;
        }
        gosim_collect(heap);
        s[round] = take(heap);
        d[round] = snapshot_dominators(s[round]);
        assert_non_null(d[round]);
    }
    struct snapshot_change *c = snapshot_compare(s[0], d[0], s[1], d[1]);
    assert_non_null(c);
    assert_int_equal(c->count, 1);
    assert_string_equal(c->types[0].type, "item");
    assert_int_equal(c->objects_new, GROWN);
    assert_int_equal(c->bytes_new, GROWN * 24);
    assert_int_equal(c->objects_gone, 0);
    assert_int_equal(c->gained.root_retained_bytes, GROWN * 24);
    assert_string_equal(snapshot_type_name(s[1], c->gained.root), "list");
    snapshot_change_free(c);
    for (int round = 0; round < 2; round++) {
        dominators_free(d[round]);
        snapshot_free(s[round]);
    }
    gosim_close(heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_to_a_document),
        cmocka_unit_test(test_random_graph),
        cmocka_unit_test(test_goroutine_and_timer_hold),
        cmocka_unit_test(test_growth),
    };
    return cmocka_run_group_tests_name("snapshot of gosim", tests, NULL, NULL);
}
