/* go_swiss by the rules of each release against what Go 1.24.4, 1.25.12 and 1.27.4 did
 * (tests/fixtures/go/swiss_releases.txt), and that the rules of one release do not pass for another's:
 *
 *   overwrite   a full group whose entry is stored over, grows up to 1.26 (rule S)
 *   random      2,000,000 insertions and deletions of 20,000 keys: prunes since 1.25 (rule P)
 *   pointers    a window over pointer keys: prunes since 1.27
 *   generic     a window over values of 129 bytes: no release prunes
 *
 * and, where a count is all there is to know, of clear and clone. The trace command is tested by
 * tests/test_go_swiss.sh. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "harness/goports/trace_swiss.c"

enum { TEXT_MAX = 1 << 16, LINE_MAX = 4096, RELEASES = 4 };
static const int releases[RELEASES] = {124, 125, 126, 127};

/* Events and digests, as the fixture has them. */
struct story {
    struct trace_options options;
    struct tracer tracer;
    char *text;
    size_t size;
};

static struct story *story_open(int release, enum trace_assignment assignment) {
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    story->options = (struct trace_options){
        .hashkey = {0xfc2fb07fe0fe8b32u, 0x446a852189cd650du, 0x14ef517f8b7e0314u, 0xab5226623a46c569u},
        .seed = 0x123456789abcdef1u,
        .release = release,
        .assignment = assignment,
        .output = TRACE_EVENTS,
        .out = open_memstream(&story->text, &story->size)};
    assert_non_null(story->options.out);
    story->tracer.options = &story->options;
    memcpy(story->tracer.keys.hashkey, story->options.hashkey, sizeof story->options.hashkey);
    assert_true(make(&story->tracer, 0));
    return story;
}

/* The text so far, which stays the story's. */
static const char *story_text(struct story *story) {
    assert_int_equal(fflush(story->options.out), 0);
    assert_null(map_check(story->tracer.map));
    return story->text;
}

static void story_close(struct story *story) {
    map_destroy(story->tracer.map);
    fclose(story->options.out);
    free(story->text);
    free(story);
}

static void put(struct story *story, uint64_t key, uint64_t val, int64_t step) {
    struct tracer *tracer = &story->tracer;
    tracer->log.count = 0;
    uint64_t *slot = map_put(tracer->map, key);
    assert_non_null(slot);
    *slot = val;
    if (step >= 0) print_events(tracer, step);
}

static void note_digest(struct story *story) {
    recount(&story->tracer);
    print_digest(&story->tracer);
}

/* --- the workloads --- */

static void overwrite(struct story *story) {
    for (uint64_t key = 0; key < 8; key++) put(story, key, 3 * key, -1);
    note_digest(story);
    put(story, 3, 300, -1);
    note_digest(story);
    put(story, 8, 24, -1);
    note_digest(story);
    for (uint64_t key = 0; key < 5; key++) map_del(story->tracer.map, key);
    note_digest(story);
    for (uint64_t key = 100; key < 103; key++) put(story, key, key, -1);
    put(story, 100, 1, -1);
    note_digest(story);
}

static void random_steps(struct story *story) {
    uint64_t x = 88172645463325252u;
    put(story, (uint64_t)1 << 40, 1, -1);
    for (int64_t step = 0; step < 2000000; step++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        if (x >> 40 & 1) /* The first growth, of the small map, is recorded in another form. */
            put(story, x % 20000, (uint64_t)step, story->tracer.map->dir_len ? step : -1);
        else
            map_del(story->tracer.map, x % 20000);
        if ((step + 1) % 100000 == 0) note_digest(story);
    }
}

/* A window of 1000 keys that moves 40,000 times. */
static void window(struct story *story, uint64_t first, uint64_t stride, int64_t digest_every) {
    for (uint64_t j = 0; j < 1000; j++) put(story, first + stride * j, 3 * j, -1);
    note_digest(story);
    for (int64_t j = 0; j < 40000; j++) {
        map_del(story->tracer.map, first + stride * (uint64_t)j);
        put(story, first + stride * (1000 + (uint64_t)j), 3 * (1000 + (uint64_t)j), j);
        if ((j + 1) % digest_every == 0) note_digest(story);
    }
}
static void pointers(struct story *story) {
    window(story, (uint64_t)1 << 45, 8, 40000);
}
static void generic(struct story *story) {
    window(story, 0, 1, 1000);
}

static const struct workload {
    const char *name;
    enum trace_assignment assignment;
    void (*run)(struct story *story);
    int changed_in; /* the release that does something else than the one before; 0: none */
} workloads[] = {{"overwrite", TRACE_ASSIGN_FAST, overwrite, 127},
                 {"random", TRACE_ASSIGN_FAST, random_steps, 125},
                 {"pointers", TRACE_ASSIGN_POINTER, pointers, 127},
                 {"generic", TRACE_ASSIGN_GENERIC, generic, 0}};

/* --- against the record --- */

/* True if the lines of `kind` in `told` begin as those recorded of the workload, in order and number. */
static bool agrees(const char *told, const char *workload, int release, const char *kind) {
    char line[LINE_MAX], name[16], of[32], what[16], digits[8];
    FILE *in = fopen("tests/fixtures/go/swiss_releases.txt", "r");
    bool same = true, digest = strcmp(kind, "digest") == 0;
    assert_non_null(in);
    snprintf(digits, sizeof digits, "%d", release);
    size_t lines = 0, recorded = 0;
    while (same && fgets(line, sizeof line, in)) {
        int at = 0;
        if (sscanf(line, "%15s %31s %15s %n", name, of, what, &at) != 3 || strcmp(name, workload) != 0 ||
            !strstr(of, digits) || strcmp(what, kind) != 0)
            continue;
        const char *expected = line + at;
        recorded++;
        /* A line of the other kind is passed over. */
        while (*told && (strncmp(told, "{\"count\"", 8) == 0) != digest) told = strchr(told, '\n') + 1;
        same = strncmp(told, expected, strcspn(expected, "\n")) == 0;
        if (same) told = strchr(told, '\n') + 1;
    }
    fclose(in);
    for (; *told; told = strchr(told, '\n') + 1) lines += (strncmp(told, "{\"count\"", 8) == 0) == digest;
    return same && lines == 0 && (recorded > 0 || !digest);
}

/* Digests show where every entry lies, so that rules which differ cannot lead to the same ones. */
static void test_recorded_workloads(void **state) {
    (void)state;
    for (size_t w = 0; w < sizeof workloads / sizeof *workloads; w++)
        for (size_t r = 0; r < RELEASES; r++) {
            struct story *story = story_open(releases[r], workloads[w].assignment);
            workloads[w].run(story);
            const char *told = story_text(story);
            if (!agrees(told, workloads[w].name, releases[r], "digest"))
                fail_msg("%s: digests of %d differ", workloads[w].name, releases[r]);
            if (!agrees(told, workloads[w].name, releases[r], "event"))
                fail_msg("%s: events of %d differ", workloads[w].name, releases[r]);
            for (size_t o = 0; o < RELEASES; o++) {
                bool passes = agrees(told, workloads[w].name, releases[o], "digest");
                int changed_in = workloads[w].changed_in;
                bool same = (releases[r] < changed_in) == (releases[o] < changed_in);
                if (passes != same)
                    fail_msg("%s: %d %s for %d", workloads[w].name, releases[r],
                             passes ? "passes" : "does not pass", releases[o]);
            }
            story_close(story);
        }
}

/* --- clear and clone --- */

static size_t tombstones_of(struct map *map) {
    size_t sum = 0;
    for (int64_t i = 0; i < map->dir_len; i++)
        if (go_directory(map)[i]->index == i) sum += go_table_tombstones(go_directory(map)[i]);
    return sum;
}

/* Malloced. */
static char *digest_of(struct story *story, struct map *map) {
    story->tracer.map = map;
    size_t from = strlen(story_text(story));
    note_digest(story);
    return strdup(story_text(story) + from);
}

/* Since 1.25 a map emptied by deletions loses its tombstones in a clear; in 1.24 it had nothing to clear. */
static void test_clear_of_an_emptied_map(void **state) {
    (void)state;
    for (size_t r = 0; r < RELEASES; r++) {
        struct story *story = story_open(releases[r], TRACE_ASSIGN_GENERIC);
        struct map *map = story->tracer.map;
        for (uint64_t key = 0; key < 10000; key++) put(story, key, key, -1);
        map_clear(map);
        assert_int_equal(map->tombstone_possible, false);
        for (uint64_t key = 0; key < 10000; key++) put(story, key, key, -1);
        for (uint64_t key = 0; key < 10000; key++) map_del(map, key);
        size_t before = tombstones_of(map), slots = map->slots;
        uint64_t clears = map->clear_seq;
        assert_true(before > 0 && map->tombstone_possible);
        map_clear(map);
        assert_int_equal(tombstones_of(map), releases[r] == 124 ? before : 0);
        assert_int_equal(map->clear_seq - clears, releases[r] == 124 ? 0 : 1);
        assert_int_equal(map->slots, slots);
        map_clear(map);
        assert_int_equal(map->clear_seq - clears, releases[r] == 124 ? 0 : 1);
        story_text(story);
        story_close(story);
    }
}

/* A clone of ten entries left in a large map is small up to 1.24, and as large as the map since 1.25. */
static void test_clone_of_an_emptied_map(void **state) {
    (void)state;
    for (size_t r = 0; r < RELEASES; r++) {
        struct story *story = story_open(releases[r], TRACE_ASSIGN_FAST);
        struct map *map = story->tracer.map;
        for (uint64_t key = 0; key < 100000; key++) put(story, key, 3 * key, -1);
        for (uint64_t key = 10; key < 100000; key++) map_del(map, key);
        struct map *copy = map_copy(map);
        assert_non_null(copy);
        assert_null(map_check(copy));
        assert_int_equal(map_len(copy), 10);
        if (releases[r] == 124) {
            assert_int_equal(copy->slots, 16);
        } else {
            assert_int_equal(copy->slots, map->slots);
            assert_int_equal(tombstones_of(copy), tombstones_of(map));
            char *original = digest_of(story, map), *clone = digest_of(story, copy);
            assert_string_equal(clone, original);
            free(original), free(clone);
            story->tracer.map = map;
        }
        for (uint64_t key = 0; key < 10; key++) assert_int_equal(*map_get(copy, key), 3 * key);
        map_destroy(copy);
        story_close(story);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded_workloads),
                                       cmocka_unit_test(test_clear_of_an_emptied_map),
                                       cmocka_unit_test(test_clone_of_an_emptied_map)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
