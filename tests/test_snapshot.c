#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/snapshot/query.h"
#include "tests/support/snapshot_support.h"

static uint32_t root_named(const struct snapshot *s, const char *name) {
    for (uint32_t r = s->objects; r < s->objects + s->roots; r++)
        if (strcmp(snapshot_type_name(s, r), name) == 0) return r;
    fail_msg("no root %s", name);
    return SNAPSHOT_NONE;
}

/* --- building --- */

static void test_rows(void **state) {
    (void)state;
    struct snapshot *s = snapshot_by_hand(false);
    assert_non_null(s);
    assert_int_equal(s->objects, NODES + LIST_NODES);
    assert_int_equal(s->nodes, s->objects + 3 + 1);
    assert_int_equal(s->total_bytes, REACHABLE_BYTES + ORPHAN_BYTES);
    assert_int_equal(s->first_edge[0], 0);
    assert_int_equal(s->first_edge[s->nodes], s->edges);
    /* 1 + 3 + 1, the list both ways, roots, summit */
    assert_int_equal(s->edges, 5 + 2 * (LIST_NODES - 1) + 3 + 3);
    assert_int_equal(s->first_edge[DOCUMENT], s->first_edge[DOCUMENT + 1]);
    uint32_t key = s->first_edge[BUCKETS];
    assert_int_equal(s->to[key], DOCUMENT);
    assert_string_equal(snapshot_field_name(s, key), "key");
    assert_int_equal(s->element[key], 3);
    uint32_t root = root_named(s, "main.item");
    assert_int_equal(snapshot_root_kind_of(s, root), ROOT_STACK);
    assert_int_equal(s->to[s->first_edge[root]], SHARED);
    snapshot_free(s);
}

static void test_empty(void **state) {
    (void)state;
    struct snapshot *s = snapshot_finish(snapshot_begin(), NULL);
    assert_non_null(s);
    assert_int_equal(s->nodes, 1);
    struct dominators *d = snapshot_dominators(s);
    struct accumulation at;
    assert_non_null(d);
    assert_true(snapshot_accumulation(d, &at));
    assert_int_equal(at.node, SNAPSHOT_NONE);
    dominators_free(d);
    snapshot_free(s);
}

static void test_wrong_use_is_named(void **state) {
    (void)state;
    struct why why = {""};
    struct snapshot_builder *b = snapshot_begin();
    for (int i = 0; i < 3; i++) snapshot_add_object(b, 0, 8, snapshot_name(b, "x"));
    snapshot_add_edge(b, 2, 0, 0, SNAPSHOT_NONE);
    snapshot_add_edge(b, 1, 0, 0, SNAPSHOT_NONE);
    assert_null(snapshot_finish(b, &why));
    assert_non_null(strstr(why.text, "order"));

    b = snapshot_begin();
    snapshot_add_object(b, 0, 8, snapshot_name(b, "x"));
    snapshot_add_edge(b, 0, 9, 0, SNAPSHOT_NONE);
    assert_null(snapshot_finish(b, &why));
    assert_non_null(strstr(why.text, "node 9"));

    b = snapshot_begin();
    snapshot_add_object(b, 0, 8, snapshot_name(b, "x"));
    snapshot_add_edge(b, 4, 0, 0, SNAPSHOT_NONE);
    assert_null(snapshot_finish(b, &why));
    assert_non_null(strstr(why.text, "node 4"));
}

static void test_names_are_numbered_once(void **state) {
    (void)state;
    struct snapshot_builder *b = snapshot_begin();
    char text[16];
    uint32_t first[1000];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 1000; i++) {
            snprintf(text, sizeof text, "name%d", i);
            uint32_t number = snapshot_name(b, text);
            if (round) assert_int_equal(number, first[i]);
            first[i] = number;
        }
    struct snapshot *s = snapshot_finish(b, NULL);
    assert_non_null(s);
    assert_string_equal(s->names.text[first[77]], "name77");
    snapshot_free(s);
}

/* --- paths --- */

static void expect_path(const struct snapshot *s, uint32_t node, const char *expected) {
    struct snapshot_paths *paths = snapshot_paths_find(s);
    assert_non_null(paths);
    char *text = snapshot_path_text(s, paths, node);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
    snapshot_paths_free(paths);
}

static void test_path_text(void **state) {
    (void)state;
    struct snapshot *s = snapshot_by_hand(false);
    expect_path(s, DOCUMENT,
                "global cache -> hmap.buckets (48 B) -> bmap[3].key (2.1 KiB) -> []byte (64.0 KiB)");
    expect_path(s, SHARED, "stack main.item -> entry (96 B)");
    expect_path(s, NODES + LIST_NODES - 1, "global list -> node.next x999 (23.4 KiB) -> node (24 B)");
    expect_path(s, ORPHAN, "not reachable from any root");
    expect_path(s, root_named(s, "cache"), "global cache");
    snapshot_free(s);
}

/* Steps that differ are not counted together; of a path of many only the ends are shown. */
static void test_long_path(void **state) {
    enum { LONG = 60 };
    (void)state;
    struct snapshot_builder *b = snapshot_begin();
    for (uint32_t i = 0; i < LONG; i++)
        snapshot_add_object(b, i, 8, snapshot_name(b, i % 2 ? "odd" : "even"));
    for (uint32_t i = 0; i + 1 < LONG; i++) hand_edge(b, i, i + 1, "next", SNAPSHOT_NONE);
    snapshot_add_root(b, ROOT_TIMER, "t", 0);
    struct snapshot *s = snapshot_finish(b, NULL);
    struct snapshot_paths *paths = snapshot_paths_find(s);
    char *text = snapshot_path_text(s, paths, LONG - 1);
    assert_non_null(text);
    assert_int_equal(strncmp(text, "timer t -> even.next (8 B) -> odd.next (8 B) -> ", 48), 0);
    assert_non_null(strstr(text, " -> (37 more) -> "));
    size_t arrows = 0;
    for (const char *at = text; (at = strstr(at, " -> ")); at++) arrows++;
    assert_int_equal(arrows, 24); /* 12 steps, the number, 12 steps */
    assert_string_equal(text + strlen(text) - 9, "odd (8 B)");
    free(text);
    snapshot_paths_free(paths);
    snapshot_free(s);
}

/* Every node's distance is one more than that of the nearest node that points to it. */
static void test_random_distances(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct snapshot *s = snapshot_at_random(seed, 1 + (uint32_t)(seed * 7 % 500));
        struct snapshot_paths *paths = snapshot_paths_find(s);
        assert_true(s && paths);
        uint32_t *least = malloc(s->nodes * sizeof *least);
        assert_non_null(least);
        memset(least, 0xff, s->nodes * sizeof *least);
        for (uint32_t v = 0; v < s->nodes; v++)
            for (uint32_t e = s->first_edge[v]; e < s->first_edge[v + 1]; e++)
                if (paths->distance[v] < least[s->to[e]]) least[s->to[e]] = paths->distance[v];
        for (uint32_t v = 0; v < snapshot_summit(s); v++) {
            assert_int_equal(paths->distance[v], least[v] == SNAPSHOT_NONE ? SNAPSHOT_NONE : least[v] + 1);
            if (least[v] == SNAPSHOT_NONE) continue;
            assert_int_equal(paths->distance[paths->from[v]], least[v]);
            assert_int_not_equal(snapshot_edge_between(s, paths->from[v], v), SNAPSHOT_NONE);
        }
        free(least);
        snapshot_paths_free(paths);
        snapshot_free(s);
    }
}

static void test_bytes_text(void **state) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KiB"},
                 {1048575, "1.0 MiB"},
                 {UINT64_C(5) << 30, "5.0 GiB"},
                 {UINT64_MAX, "16777216.0 TiB"}};
    (void)state;
    char text[SNAPSHOT_BYTES_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(snapshot_bytes_text(cases[i].bytes, text), cases[i].text);
}

/* --- what is retained, and where --- */

static void test_retained(void **state) {
    (void)state;
    struct snapshot *s = snapshot_by_hand(false);
    struct dominators *d = snapshot_dominators(s);
    assert_true(s && d);
    assert_int_equal(retained_by(d, root_named(s, "cache")), CACHE_RETAINS);
    assert_int_equal(retained_by(d, root_named(s, "list")), LIST_RETAINS);
    assert_int_equal(retained_by(d, root_named(s, "main.item")), 0);
    assert_int_equal(dominator_of(d, SHARED), snapshot_summit(s));
    assert_int_equal(dominator_of(d, DOCUMENT), BUCKETS);
    assert_int_equal(retained_by(d, ORPHAN), 0);
    assert_int_equal(retained_by(d, snapshot_summit(s)), REACHABLE_BYTES);
    struct accumulation at;
    assert_true(snapshot_accumulation(d, &at));
    assert_int_equal(at.root, root_named(s, "cache"));
    assert_int_equal(at.root_retained_bytes, CACHE_RETAINS);
    assert_int_equal(at.node, DOCUMENT); /* one document is what the map keeps */
    assert_int_equal(at.drop_bytes, DOCUMENT_BYTES);
    assert_int_equal(at.children, 0);
    dominators_free(d);
    snapshot_free(s);
}

/* A map of many values of the same size: not one of them, but what holds them all. */
static void test_accumulates_in_the_array(void **state) {
    enum { VALUES = 500 };
    (void)state;
    struct snapshot_builder *b = snapshot_begin();
    snapshot_add_object(b, 0x1000, 48, snapshot_name(b, "hmap"));
    snapshot_add_object(b, 0x2000, 8 * VALUES, snapshot_name(b, "[]bmap"));
    for (uint64_t i = 0; i < VALUES; i++)
        snapshot_add_object(b, 0x100000 + 0x400 * i, 1024, snapshot_name(b, "value"));
    hand_edge(b, 0, 1, "buckets", SNAPSHOT_NONE);
    for (uint32_t i = 0; i < VALUES; i++) hand_edge(b, 1, 2 + i, "value", i);
    snapshot_add_root(b, ROOT_GLOBAL, "cache", 0);
    struct snapshot *s = snapshot_finish(b, NULL);
    struct dominators *d = snapshot_dominators(s);
    struct accumulation at;
    assert_true(snapshot_accumulation(d, &at));
    assert_int_equal(at.node, 1);
    assert_int_equal(at.children, VALUES);
    assert_int_equal(at.drop_bytes, 8 * VALUES + 1024 * (VALUES - 1));
    dominators_free(d);
    snapshot_free(s);
}

/* --- differences --- */

static const struct type_change *change_of(const struct snapshot_change *c, const char *type) {
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->types[i].type, type) == 0) return &c->types[i];
    return NULL;
}

static void test_difference(void **state) {
    (void)state;
    struct snapshot *before = snapshot_by_hand(false), *after = snapshot_by_hand(true);
    struct dominators *old = snapshot_dominators(before), *new = snapshot_dominators(after);
    struct snapshot_change *c = snapshot_compare(before, old, after, new);
    assert_non_null(c);
    assert_int_equal(c->count, 1);
    const struct type_change *bytes = change_of(c, "[]byte");
    assert_non_null(bytes);
    assert_int_equal(bytes->objects_before, 1);
    assert_int_equal(bytes->objects_after, 2);
    assert_int_equal(bytes->bytes_new, 3 * DOCUMENT_BYTES);
    assert_int_equal(bytes->bytes_gone, 0);
    assert_int_equal(c->bytes_new, 3 * DOCUMENT_BYTES);
    assert_int_equal(c->gained.root, root_named(after, "cache"));
    assert_int_equal(c->gained.node, NODES + LIST_NODES);
    assert_int_equal(c->retained_before_bytes, 0);
    assert_int_equal(c->retained_after_bytes, 3 * DOCUMENT_BYTES);
    snapshot_change_free(c);

    /* The other way round it is a loss, and nothing gained. */
    c = snapshot_compare(after, new, before, old);
    assert_non_null(c);
    assert_int_equal(c->objects_gone, 1);
    assert_int_equal(c->bytes_gone, 3 * DOCUMENT_BYTES);
    assert_int_equal(c->objects_new, 0);
    assert_int_equal(c->gained.node, SNAPSHOT_NONE);
    snapshot_change_free(c);
    dominators_free(old);
    dominators_free(new);
    snapshot_free(before);
    snapshot_free(after);
}

/* With random graphs, whose addresses coincide in part: what comes and goes adds up to the totals. */
static void test_random_differences(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct snapshot *before = snapshot_at_random(seed, 300),
                        *after = snapshot_at_random(seed + 1000, 320);
        struct dominators *old = snapshot_dominators(before), *new = snapshot_dominators(after);
        struct snapshot_change *c = snapshot_compare(before, old, after, new);
        assert_non_null(c);
        int64_t bytes = 0, objects = 0;
        for (size_t i = 0; i < c->count; i++) {
            bytes += (int64_t)(c->types[i].bytes_after - c->types[i].bytes_before);
            objects += (int64_t)(c->types[i].objects_new - c->types[i].objects_gone);
        }
        assert_int_equal(bytes, (int64_t)(after->total_bytes - before->total_bytes));
        assert_int_equal(objects, (int64_t)after->objects - before->objects);
        assert_true(c->gained.node_retained_bytes <= c->bytes_new);
        snapshot_change_free(c);
        c = snapshot_compare(before, old, before, old);
        assert_non_null(c);
        assert_int_equal(c->count, 0);
        snapshot_change_free(c);
        dominators_free(old);
        dominators_free(new);
        snapshot_free(before);
        snapshot_free(after);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_wrong_use_is_named),
        cmocka_unit_test(test_names_are_numbered_once),
        cmocka_unit_test(test_path_text),
        cmocka_unit_test(test_long_path),
        cmocka_unit_test(test_random_distances),
        cmocka_unit_test(test_bytes_text),
        cmocka_unit_test(test_retained),
        cmocka_unit_test(test_accumulates_in_the_array),
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_random_differences),
    };
    return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
