/* What came and went between two snapshots, by path: against a graph whose sizes are worked out by hand, and
 * against the totals of random ones; as text, and as JSON lines. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/retention/snapshot/diff_paths.h"
#include "harness/retention/snapshot/diff_report.h"
#include "tests/support/snapshot_support.h"

struct pair {
    struct snapshot *before, *after;
    struct dominators *old, *new;
};

static struct pair pair_of(struct snapshot *before, struct snapshot *after) {
    assert_non_null(before);
    assert_non_null(after);
    return (struct pair){before, after, snapshot_dominators(before), snapshot_dominators(after)};
}

static void pair_free(struct pair *p) {
    dominators_free(p->old);
    dominators_free(p->new);
    snapshot_free(p->before);
    snapshot_free(p->after);
}

static struct path_changes *changes_of(const struct pair *p) {
    struct path_changes *changes = diff_paths_find(p->before, p->old, p->after, p->new);
    assert_non_null(changes);
    return changes;
}

static void test_a_path_that_grew(void **state) {
    (void)state;
    struct pair p = pair_of(snapshot_by_hand(false), snapshot_by_hand(true));
    struct path_changes *changes = changes_of(&p);
    assert_int_equal(changes->count, 1);
    const struct path_change *c = &changes->change[0];
    assert_string_equal(c->path, "global cache -> hmap.buckets -> []bmap.key -> []byte");
    assert_string_equal(c->type, "[]byte");
    assert_string_equal(diff_paths_kind(c), "grew");
    assert_int_equal(c->before.objects, 1);
    assert_int_equal(c->after.objects, 2);
    assert_int_equal(c->before.bytes, DOCUMENT_BYTES);
    assert_int_equal(c->after.bytes, 4 * DOCUMENT_BYTES);
    assert_int_equal(c->after.retained_bytes, 4 * DOCUMENT_BYTES);
    diff_paths_free(changes);
    pair_free(&p);
}

/* A root `name` to a node with `children` leaves in an array of fields; 0: the root alone has an object. */
static struct snapshot *star(const char *name, uint32_t children) {
    struct snapshot_builder *b = snapshot_begin();
    snapshot_add_object(b, 0x1000, 64, snapshot_name(b, "node"));
    for (uint32_t i = 0; i < children; i++)
        snapshot_add_object(b, 0x2000 + 0x100 * i, 10 + i, snapshot_name(b, "leaf"));
    for (uint32_t i = 0; i < children; i++) {
        char field[24];
        snprintf(field, sizeof field, "children[%" PRIu32 "]", i);
        snapshot_add_edge(b, 0, 1 + i, snapshot_name(b, field), SNAPSHOT_NONE);
    }
    snapshot_add_root(b, ROOT_STACK, name, 0);
    return snapshot_finish(b, NULL);
}

static void test_children_of_one_array_are_one_path(void **state) {
    (void)state;
    struct pair p = pair_of(star("top", 0), star("top", 3));
    struct path_changes *changes = changes_of(&p);
    assert_int_equal(changes->count, 1);
    assert_string_equal(changes->change[0].path, "stack top -> node.children -> leaf");
    assert_string_equal(diff_paths_kind(&changes->change[0]), "added");
    assert_int_equal(changes->change[0].after.objects, 3);
    assert_int_equal(changes->change[0].after.bytes, 10 + 11 + 12);
    diff_paths_free(changes);
    changes = diff_paths_find(p.after, p.new, p.before, p.old);
    assert_non_null(changes);
    assert_int_equal(changes->count, 1);
    assert_string_equal(diff_paths_kind(&changes->change[0]), "removed");
    diff_paths_free(changes);
    pair_free(&p);
}

static void test_growth_comes_before_an_equal_loss(void **state) {
    (void)state;
    struct pair p = pair_of(star("here", 0), star("there", 0));
    struct path_changes *changes = changes_of(&p);
    assert_int_equal(changes->count, 2);
    assert_string_equal(changes->change[0].path, "stack there -> node");
    assert_string_equal(changes->change[1].path, "stack here -> node");
    diff_paths_free(changes);
    pair_free(&p);
}

static void test_random_changes_add_up(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct pair p = pair_of(snapshot_at_random(seed, 300), snapshot_at_random(seed + 1000, 320));
        struct path_changes *changes = changes_of(&p);
        int64_t bytes = 0, objects = 0;
        for (size_t i = 0; i < changes->count; i++) {
            const struct path_change *c = &changes->change[i];
            bytes += (int64_t)(c->after.bytes - c->before.bytes);
            objects += (int64_t)(c->after.objects - c->before.objects);
            assert_true(c->after.retained_bytes <= p.after->total_bytes);
        }
        assert_int_equal(bytes, (int64_t)(p.after->total_bytes - p.before->total_bytes));
        assert_int_equal(objects, (int64_t)p.after->objects - p.before->objects);
        diff_paths_free(changes);
        changes = diff_paths_find(p.before, p.old, p.before, p.old);
        assert_non_null(changes);
        assert_int_equal(changes->count, 0);
        diff_paths_free(changes);
        pair_free(&p);
    }
}

/* --- the report --- */

static struct diff_report *report_of(const struct pair *p) {
    struct diff_side from = {"fill", 8, p->before, p->old}, to = {"after", 9, p->after, p->new};
    struct diff_report *report = diff_report_make(&from, &to);
    assert_non_null(report);
    return report;
}

static json_t *names_of_a_case(void) {
    return json_pack("{s:s, s:s, s:n, s:i}", "scenario", "s", "variant", "leaky", "map", "n", 8);
}

static void test_text(void **state) {
    (void)state;
    struct pair p = pair_of(snapshot_by_hand(false), snapshot_by_hand(true));
    struct diff_report *report = report_of(&p);
    json_t *names = names_of_a_case();
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    diff_report_print(report, names, out);
    fclose(out);
    assert_non_null(strstr(text, "s leaky, -, n 8: fill 8 -> after 9\n"));
    assert_non_null(strstr(text, "new: 1 objects, 192.0 KiB; gone: 0 objects, 0 B\n"));
    assert_non_null(strstr(text,
                           "  grew             +1   +192.0 KiB   +192.0 KiB  global cache -> hmap.buckets -> "
                           "[]bmap.key -> []byte\n"));
    free(text);
    json_decref(names);
    diff_report_free(report);
    pair_free(&p);
}

static void test_json_lines(void **state) {
    (void)state;
    struct pair p = pair_of(star("top", 0), star("top", 3));
    struct diff_report *report = report_of(&p);
    json_t *names = names_of_a_case(), *line[3];
    char path[] = "/tmp/mapbench-diff-XXXXXX", text[4096];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(diff_report_write_jsonl(report, names, path));
    FILE *in = fopen(path, "r");
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(fgets(text, sizeof text, in));
        line[i] = json_loads(text, 0, NULL);
        assert_non_null(line[i]);
    }
    assert_null(fgets(text, sizeof text, in));
    fclose(in);
    remove(path);
    assert_string_equal(json_string_value(json_object_get(line[0], "scenario")), "s");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(line[0], "to"), "objects")), 4);
    assert_int_equal(json_integer_value(json_object_get(line[0], "bytes_new")), 10 + 11 + 12);
    assert_string_equal(json_string_value(json_object_get(line[1], "change")), "added");
    assert_int_equal(json_integer_value(json_object_get(line[1], "retained_after_bytes")), 10 + 11 + 12);
    assert_string_equal(json_string_value(json_object_get(line[2], "type")), "leaf");
    assert_int_equal(json_integer_value(json_object_get(line[2], "objects_new")), 3);
    for (size_t i = 0; i < 3; i++) json_decref(line[i]);
    assert_false(diff_report_write_jsonl(report, names, "/dev/null/none"));
    json_decref(names);
    diff_report_free(report);
    pair_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_that_grew),
        cmocka_unit_test(test_children_of_one_array_are_one_path),
        cmocka_unit_test(test_growth_comes_before_an_equal_loss),
        cmocka_unit_test(test_random_changes_add_up),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json_lines),
    };
    return cmocka_run_group_tests_name("snapshot_diff", tests, NULL, NULL);
}
