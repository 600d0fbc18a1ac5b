/* Files of snapshots. Without arguments: what C can check. With a folder: writes the files that
 * test_exports.sh opens with other programs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "harness/retention/snapshot/export.h"
#include "tests/support/snapshot_support.h"

struct opened {
    struct snapshot *s;
    struct dominators *d;
    struct snapshot_paths *paths;
};

static struct opened open_snapshot(struct snapshot *s) {
    struct opened o = {
        .s = s, .d = s ? snapshot_dominators(s) : NULL, .paths = s ? snapshot_paths_find(s) : NULL};
    if (!o.d || !o.paths) abort();
    return o;
}

static void close_snapshot(struct opened *o) {
    snapshot_paths_free(o->paths);
    dominators_free(o->d);
    snapshot_free(o->s);
}

static struct opened hand(void) {
    return open_snapshot(snapshot_by_hand(false));
}

/* --- scratch files --- */

static char scratch[] = "/tmp/mapbench-exports-XXXXXX";

static int make_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch) ? 0 : -1;
}
static int remove_scratch(void **state) {
    (void)state;
    return rmdir(scratch);
}

static const char *scratch_path(char path[128], const char *name) {
    snprintf(path, 128, "%s/%s", scratch, name);
    return path;
}

/* The whole file, gzipped or not, with a NUL behind; removes it. */
static char *take_file(const char *path, size_t *length) {
    gzFile file = gzopen(path, "rb");
    assert_non_null(file);
    char *text = malloc(1 << 22);
    assert_non_null(text);
    int got = gzread(file, text, (1 << 22) - 1);
    assert_true(got >= 0);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(remove(path), 0);
    text[got] = '\0';
    *length = (size_t)got;
    return text;
}

/* --- JSON lines --- */

static json_int_t number(const json_t *line, const char *key) {
    assert_true(json_is_integer(json_object_get(line, key)));
    return json_integer_value(json_object_get(line, key));
}

static void check_line(const struct opened *o, uint32_t node, const json_t *line) {
    assert_int_equal(number(line, "id"), node);
    assert_int_equal(number(line, "bytes"), o->s->bytes[node]);
    assert_int_equal(number(line, "address"), o->s->address[node]);
    assert_int_equal(number(line, "retained"), retained_by(o->d, node));
    assert_string_equal(json_string_value(json_object_get(line, "type")), snapshot_type_name(o->s, node));
    uint32_t dominator = dominator_of(o->d, node);
    if (dominator == DOMINATORS_NONE || dominator == snapshot_summit(o->s))
        assert_true(json_is_null(json_object_get(line, "dominator")));
    else
        assert_int_equal(number(line, "dominator"), dominator);
    if (o->paths->distance[node] == SNAPSHOT_NONE)
        assert_true(json_is_null(json_object_get(line, "path")));
    else
        assert_int_equal(number(line, "path"), o->paths->distance[node] - 1);
}

static void check_jsonl(struct opened o) {
    char path[128];
    size_t length;
    struct export_report report = export_jsonl(o.s, o.d, o.paths, scratch_path(path, "lines.jsonl"));
    assert_true(report.ok);
    assert_int_equal(report.written, o.s->nodes - 1);
    char *text = take_file(path, &length), *rest = text;
    for (uint32_t node = 0; node + 1 < o.s->nodes; node++) {
        json_error_t error;
        json_t *line = json_loads(strsep(&rest, "\n"), 0, &error);
        if (!line) fail_msg("line %u: %s", node + 1, error.text);
        check_line(&o, node, line);
        json_decref(line);
    }
    assert_string_equal(rest, "");
    free(text);
    close_snapshot(&o);
}

static void test_jsonl(void **state) {
    (void)state;
    check_jsonl(hand());
    for (uint64_t seed = 0; seed < 20; seed++) check_jsonl(open_snapshot(snapshot_at_random(seed, 200)));
}

/* --- DOT --- */

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) count++;
    return count;
}

static void test_dot(void **state) {
    (void)state;
    struct opened o = hand();
    char path[128];
    size_t length;
    struct export_report report = export_dot(o.s, o.d, EXPORT_DOT_NODES, scratch_path(path, "top.dot"));
    assert_true(report.ok);
    assert_int_equal(report.written, EXPORT_DOT_NODES);
    char *text = take_file(path, &length);
    assert_int_equal(count_of(text, "\\nretains "), EXPORT_DOT_NODES);
    /* Two chains of dominators: all but their roots hang below another. */
    assert_int_equal(count_of(text, " -> "), EXPORT_DOT_NODES - 2);
    assert_non_null(strstr(text, "label=\"hmap\\nretains 66.2 KiB\\nitself 48 B\""));
    assert_non_null(strstr(text, "[label=\"key\"]"));
    assert_non_null(strstr(text, "label=\"global cache\\nretains 66.2 KiB\""));
    assert_null(strstr(text, "main.item")); /* retains nothing */
    free(text);
    close_snapshot(&o);
}

/* --- the largest --- */

static int falling(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x < y) - (x > y);
}

static void check_largest(const struct opened *o, uint32_t wanted) {
    uint32_t count = wanted, there = o->d->reached - 1;
    uint32_t *chosen = export_largest(o->d, &count);
    assert_non_null(chosen);
    assert_int_equal(count, wanted < there ? wanted : there);
    uint64_t *all = malloc((there + 1) * sizeof *all), *got = malloc((count + 1) * sizeof *got);
    bool *taken = calloc(o->d->reached, sizeof *taken);
    assert_true(all && got && taken);
    memcpy(all, o->d->retained + 1, there * sizeof *all);
    qsort(all, there, sizeof *all, falling);
    taken[0] = true;
    for (uint32_t i = 0; i < count; i++) {
        if (i) assert_true(chosen[i] > chosen[i - 1]);
        assert_true(taken[o->d->parent[chosen[i]]]);
        taken[chosen[i]] = true;
        got[i] = o->d->retained[chosen[i]];
    }
    qsort(got, count, sizeof *got, falling);
    assert_memory_equal(got, all, count * sizeof *got);
    free(all);
    free(got);
    free(taken);
    free(chosen);
}

static void test_largest(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct opened o = open_snapshot(snapshot_at_random(seed, 1 + (uint32_t)seed));
        check_largest(&o, (uint32_t)(seed * 13 % 97));
        check_largest(&o, 1);
        check_largest(&o, 100000);
        close_snapshot(&o);
    }
}

/* --- Chrome --- */

static void test_chrome_warnings(void **state) {
    (void)state;
    struct opened o = hand();
    char path[128];
    struct export_report report = export_chrome(o.s, o.d, 10, scratch_path(path, "x.heapsnapshot"));
    assert_true(report.ok);
    assert_int_equal(report.written, 10);
    assert_int_equal(report.left_out, o.s->nodes - 10);
    assert_non_null(strstr(report.message, "nodes left out"));
    assert_non_null(strstr(report.message, "1 objects that nothing reaches"));
    assert_int_equal(remove(path), 0);
    close_snapshot(&o);
}

static void test_chrome_is_json(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct opened o = open_snapshot(snapshot_at_random(seed, 200));
        char path[128];
        size_t length;
        assert_true(export_chrome(o.s, o.d, seed % 2 ? 0 : 20, scratch_path(path, "x.heapsnapshot")).ok);
        char *text = take_file(path, &length);
        json_error_t error;
        json_t *all = json_loads(text, 0, &error);
        if (!all) fail_msg("%s at %d", error.text, error.position);
        const json_t *head = json_object_get(all, "snapshot");
        assert_int_equal(json_array_size(json_object_get(all, "nodes")), 7 * number(head, "node_count"));
        assert_int_equal(json_array_size(json_object_get(all, "edges")), 3 * number(head, "edge_count"));
        json_decref(all);
        free(text);
        close_snapshot(&o);
    }
}

/* --- files that cannot be written --- */

static void expect_failure(struct export_report report, const char *path, const char *why) {
    assert_false(report.ok);
    assert_non_null(strstr(report.message, path));
    assert_non_null(strstr(report.message, why));
}

static void test_no_such_folder(void **state) {
    (void)state;
    struct opened o = hand();
    const char *path = "/nonexistent/file", *why = "No such file";
    expect_failure(export_pprof(o.s, o.d, path), path, why);
    expect_failure(export_chrome(o.s, o.d, 0, path), path, why);
    expect_failure(export_jsonl(o.s, o.d, o.paths, path), path, why);
    expect_failure(export_dot(o.s, o.d, 30, path), path, why);
    close_snapshot(&o);
}

/* A link to /dev/full: every write fails, and the link, not the device, may be removed. */
static void test_disk_full(void **state) {
    (void)state;
    struct opened o = hand();
    char path[128];
    const char *why = "No space left";
    scratch_path(path, "full");
    for (int file = 0; file < 4; file++) {
        assert_int_equal(symlink("/dev/full", path), 0);
        struct export_report report = file == 0   ? export_pprof(o.s, o.d, path)
                                      : file == 1 ? export_chrome(o.s, o.d, 0, path)
                                      : file == 2 ? export_jsonl(o.s, o.d, o.paths, path)
                                                  : export_dot(o.s, o.d, 30, path);
        expect_failure(report, path, why);
        assert_int_not_equal(access(path, F_OK), 0); /* nothing half written is left */
    }
    close_snapshot(&o);
}

/* --- for test_exports.sh --- */

static bool write_files(const char *folder, const char *name, struct opened o, uint32_t max_nodes) {
    char path[4096];
    bool ok = true;
    snprintf(path, sizeof path, "%s/%s.pb.gz", folder, name);
    ok &= export_pprof(o.s, o.d, path).ok;
    snprintf(path, sizeof path, "%s/%s.heapsnapshot", folder, name);
    ok &= export_chrome(o.s, o.d, max_nodes, path).ok;
    snprintf(path, sizeof path, "%s/%s.jsonl", folder, name);
    ok &= export_jsonl(o.s, o.d, o.paths, path).ok;
    snprintf(path, sizeof path, "%s/%s.dot", folder, name);
    ok &= export_dot(o.s, o.d, EXPORT_DOT_NODES, path).ok;
    close_snapshot(&o);
    return ok;
}

int main(int argc, char **argv) {
    if (argc == 2)
        return write_files(argv[1], "hand", hand(), 0) &&
                       write_files(argv[1], "random", open_snapshot(snapshot_at_random(1, 3000)), 0) &&
                       write_files(argv[1], "capped", open_snapshot(snapshot_at_random(2, 3000)), 400)
                   ? 0
                   : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonl),          cmocka_unit_test(test_dot),
        cmocka_unit_test(test_largest),        cmocka_unit_test(test_chrome_warnings),
        cmocka_unit_test(test_chrome_is_json), cmocka_unit_test(test_no_such_folder),
        cmocka_unit_test(test_disk_full),
    };
    return cmocka_run_group_tests_name("exports", tests, make_scratch, remove_scratch);
}
