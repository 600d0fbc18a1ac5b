/* The four layers of a map's memory, page sizes, and which allocator is behind malloc. The parts that need a
 * library preloaded run in this program started again: test_memlayers PART. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/machine/allocator.h"
#include "harness/memory/memcell.h"
#include "harness/preload/memcount.h"
#include "harness/plan/registry.h"
#include "tests/support/ready_unit.h"
#include "harness/memory/resident.h"

/* A file in the folder above the tests, where the program is. */
static char *beside(const char *name, char *path) {
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 64);
    assert_true(length > 0);
    path[length] = '\0';
    snprintf(strrchr(path, '/'), 64, "/../%s", name);
    return path;
}

/* --- parts that run with something preloaded --- */

/* 0: the program as it is now prints `expected` for its allocator. */
static int part_allocator(const char *expected) {
    if (strcmp(allocator_name(), expected) == 0) return 0;
    fprintf(stderr, "allocator_name: %s instead of %s\n", allocator_name(), expected);
    return 1;
}

static memcount_read_fn *count_read(void) {
    memcount_read_fn *read;
    *(void **)(&read) = dlsym(RTLD_DEFAULT, "memcount_read");
    return read;
}

static uint64_t requested_now(void) {
    struct memcount now;
    count_read()(&now);
    return now.requested_bytes;
}

#define EXPECT_REQUESTED(before, bytes)                                                                      \
    do {                                                                                                     \
        uint64_t added = requested_now() - (before);                                                         \
        if (added != (uint64_t)(bytes)) {                                                                    \
            fprintf(stderr, "line %d: %lld bytes requested instead of %lld\n", __LINE__, (long long)added,   \
                    (long long)(bytes));                                                                     \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

/* Volatile, so that the compiler leaves out no allocation. */
static void *(*volatile do_malloc)(size_t) = malloc;
static void *(*volatile do_realloc)(void *, size_t) = realloc;

/* Sizes up to where an allocator's classes leave more than 64 KiB unused (jemalloc: 1 MiB + 1 takes 1.25). */
static int part_requested(const char *unused) {
    static const size_t sizes[] = {0, 1, 7, 8, 24, 25, 100, 4097, 131073, (1 << 20) + 1, (64 << 20) + 1};
    enum { SIZES = sizeof sizes / sizeof *sizes, BLOCKS = 1000 };
    static void *block[BLOCKS];
    (void)unused;
    if (!count_read()) return 77;
    uint64_t before = requested_now();
    for (size_t i = 0; i < SIZES; i++) {
        void *one = do_malloc(sizes[i]);
        EXPECT_REQUESTED(before, sizes[i]);
        one = do_realloc(one, sizes[i] + 3);
        EXPECT_REQUESTED(before, sizes[i] + 3);
        one = do_realloc(one, sizes[i] * 2 + 1);
        EXPECT_REQUESTED(before, sizes[i] * 2 + 1);
        one = do_realloc(one, sizes[i] + 1);
        EXPECT_REQUESTED(before, sizes[i] + 1);
        free(one);
        EXPECT_REQUESTED(before, 0);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = i % 2 ? calloc(i, 3) : aligned_alloc(64, 64 * i);
        sum += i % 2 ? 3 * i : 64 * i;
    }
    EXPECT_REQUESTED(before, sum);
    for (size_t i = 0; i < BLOCKS; i++) free(block[BLOCKS - 1 - i]);
    EXPECT_REQUESTED(before, 0);
    return 0;
}

/* --- starting them --- */

static int run_part(const char *preload, const char *part, const char *argument) {
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        setenv("LD_PRELOAD", preload, 1);
        execl("/proc/self/exe", "test_memlayers", part, argument, (char *)NULL);
        _exit(126);
    }
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const struct {
    const char *library, *name, *package;
} allocators[] = {
    {"libjemalloc.so.2", "jemalloc", "libjemalloc2"},
    {"libmimalloc.so.2", "mimalloc", "libmimalloc2.0"}, /* Debian 12; the next line: later ones */
    {"libmimalloc.so.3", "mimalloc", "libmimalloc3"},
    {"libtcmalloc_minimal.so.4", "tcmalloc", "libtcmalloc-minimal4t64 or libtcmalloc-minimal4"},
};
enum { ALLOCATORS = sizeof allocators / sizeof *allocators };

static bool can_load(const char *library) {
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle) return true;
    char path[PATH_MAX], line[PATH_MAX];
    snprintf(path, sizeof path, "ldconfig -p 2>/dev/null || /sbin/ldconfig -p");
    FILE *list = popen(path, "r");
    bool found = false;
    while (list && fgets(line, sizeof line, list)) found |= strstr(line, library) != NULL;
    if (list) pclose(list);
    return found;
}

static void test_allocator(void **state) {
    (void)state;
    assert_int_equal(run_part("", "allocator", "glibc"), 0);
    for (size_t i = 0; i < ALLOCATORS; i++) {
        if (!can_load(allocators[i].library)) {
            print_message("%s is not installed (%s)\n", allocators[i].library, allocators[i].package);
            continue;
        }
        assert_int_equal(run_part(allocators[i].library, "allocator", allocators[i].name), 0);
    }
}

static void test_requested(void **state) {
    (void)state;
    char counter[PATH_MAX], both[PATH_MAX + 64];
    beside("libmemcount.so", counter);
    assert_int_equal(run_part(counter, "requested", ""), 0);
    for (size_t i = 0; i < ALLOCATORS; i++) {
        if (!can_load(allocators[i].library)) continue;
        snprintf(both, sizeof both, "%s:%s", counter, allocators[i].library);
        assert_int_equal(run_part(both, "requested", ""), 0);
    }
}

/* --- memory cells --- */

static json_t *measure_on(const char *heap, const char *map, size_t n, enum memcell_pages pages,
                          const char *workload) {
    char path[PATH_MAX];
    struct why why = {""};
    struct memcell_args args = {.unit = ready_unit(map, "u64_u64", "common", heap),
                                .keys_spec = "uniform",
                                .n = n,
                                .seed = 3,
                                .workload = workload,
                                .pages = pages,
                                .limit_s = 60};
    assert_non_null(args.unit);
    json_t *cell = memcell_measure(&args, beside("mapbench", path), &why);
    if (!cell) fail_msg("%s %zu: %s", map, n, why.text);
    return cell;
}

static json_t *measure(const char *map, size_t n, enum memcell_pages pages, const char *workload) {
    return measure_on("malloc", map, n, pages, workload);
}

static int64_t number(const json_t *cell, const char *name) {
    const json_t *value = json_object_get(cell, name);
    if (!json_is_integer(value)) fail_msg("%s is not an integer", name);
    return json_integer_value(value);
}

static int64_t column(const json_t *rows, size_t i, size_t which) {
    return json_integer_value(json_array_get(json_array_get(rows, i), which));
}

enum { OP, LIVE, REQUESTED, ALLOCATOR, RESIDENT };

/* chained: a node of 24 bytes an entry, buckets doubled when as many entries are there. */
static void test_layers(void **state) {
    (void)state;
    enum { N = 30000 };
    json_t *cell = measure("chained", N, MEMCELL_PAGES_SMALL, "put_grow");
    const json_t *layers = json_object_get(cell, "layers"), *curve = json_object_get(cell, "curve"),
                 *events = json_object_get(cell, "events"), *event;
    size_t points = json_array_size(layers), i;
    int64_t grown = 1, capacity = 4, struct_bytes = column(layers, 0, REQUESTED) - 24 - 4 * 8;
    assert_int_equal(points, json_array_size(curve));
    assert_in_range(struct_bytes, 32, 64);
    for (i = 0; i < points; i++) {
        int64_t entries = column(layers, i, OP);
        while (capacity < entries) capacity *= 2;
        assert_int_equal(entries, column(curve, i, 0));
        assert_int_equal(column(layers, i, LIVE), entries * 16);
        assert_int_equal(column(layers, i, REQUESTED), struct_bytes + entries * 24 + capacity * 8);
        assert_true(column(layers, i, ALLOCATOR) >= column(layers, i, REQUESTED) + entries * 8);
        assert_int_equal(column(layers, i, ALLOCATOR), column(curve, i, 1));
        assert_int_equal(column(layers, i, RESIDENT), column(curve, i, 2));
    }
    assert_int_equal(column(layers, points - 1, REQUESTED), number(cell, "requested_bytes"));
    json_array_foreach(events, i, event) {
        assert_string_equal(json_string_value(json_object_get(event, "what")), "grow");
        assert_int_equal(number(event, "op"), grown);
        grown = grown == 1 ? 5 : (grown - 1) * 2 + 1;
    }
    assert_in_range(grown, N + 1, 2 * N + 2); /* the last before n was there */
    json_decref(cell);
}

static size_t point_of(const json_t *layers, int64_t op) {
    for (size_t i = 0; i < json_array_size(layers); i++)
        if (column(layers, i, OP) == op) return i;
    fail_msg("there is no point at operation %lld", (long long)op);
    return 0;
}

/* Go's classic map doubles at 6.5 entries a bucket of 8, and each store then empties two old buckets: the one
 * it goes to, and the next in order. So both arrays are there until the old one has been gone through. */
static void test_evacuation(void **state) {
    (void)state;
    enum { N = 30000 };
    json_t *cell = measure("go_hmap", N, MEMCELL_PAGES_SMALL, "put_grow");
    const json_t *layers = json_object_get(cell, "layers"), *events = json_object_get(cell, "events"), *event;
    size_t i, evacuations = 0;
    int64_t grown = 0, begun = 0;
    json_array_foreach(events, i, event) {
        const char *what = json_string_value(json_object_get(event, "what"));
        int64_t op = number(event, "op");
        if (strcmp(what, "grow") == 0) {
            assert_int_equal(begun, 0);
            grown = op;
        } else if (strcmp(what, "evacuate") == 0) {
            assert_int_equal(op, grown);
            begun = op;
        } else {
            assert_string_equal(what, "evacuated");
            int64_t old_buckets = (begun - 1) * 2 / 13; /* 13 / 2 entries each */
            assert_true(begun > 0 && op > begun);
            assert_in_range(op - begun, old_buckets / 2 - 1, old_buckets);
            /* The array that went had room for all entries there were when it was left. */
            size_t at = point_of(layers, op);
            assert_int_equal(column(layers, at - 1, OP), op - 1);
            assert_true(column(layers, at - 1, REQUESTED) - column(layers, at, REQUESTED) >=
                        (begun - 1) * 16);
            begun = 0, evacuations++;
        }
    }
    assert_in_range(evacuations, 8,
                    12); /* of 8 to 4096 buckets; the first ones end in the store that grows */
    json_decref(cell);
}

static void test_collections(void **state) {
    (void)state;
    enum { N = 200000 };
    const struct map_unit *unit = ready_unit("chained", "u64_u64", "common", "boehm");
    if (!unit || unit->unavailable) {
        print_message("no boehm heap: %s\n", unit ? unit->unavailable : "not compiled");
        return;
    }
    json_t *cell = measure_on("boehm", "chained", N, MEMCELL_PAGES_SMALL, "put_grow");
    const json_t *layers = json_object_get(cell, "layers"), *events = json_object_get(cell, "events"), *event;
    size_t i, collections = 0, growths = 0, last = json_array_size(layers) - 1;
    json_array_foreach(events, i, event) {
        const char *what = json_string_value(json_object_get(event, "what"));
        bool collected = strcmp(what, "collect") == 0;
        if (!collected) assert_string_equal(what, "grow");
        collections += collected, growths += !collected;
        point_of(layers, number(event, "op"));
    }
    assert_true(collections >= 2);
    assert_int_equal(growths, 17); /* from 4 buckets to 262,144 */
    /* A node of 24 bytes comes in 32; garbage is at most twice what is live before it is collected. */
    int64_t live = N * 32LL + 262144 * 8LL;
    assert_in_range(column(layers, last, ALLOCATOR), live, 3 * live);
    assert_true(column(layers, last, RESIDENT) >= live);
    assert_true(json_is_null(json_array_get(json_array_get(layers, last), REQUESTED)));
    assert_true(json_is_null(json_object_get(cell, "blocks_live")));
    assert_true(number(cell, "bytes_peak") >= number(cell, "bytes_live"));
    json_decref(cell);
}

static void test_page_faults(void **state) {
    (void)state;
    json_t *cell = measure("linear", 100000, MEMCELL_PAGES_SMALL, "put_grow");
    assert_false(json_is_true(json_object_get(cell, "thp")));
    assert_int_equal(number(cell, "huge_bytes"), 0);
    assert_true(number(cell, "minor_faults") >= number(cell, "rss_delta") / 4096 * 9 / 10);
    assert_true(number(cell, "minor_faults") < number(cell, "bytes_peak") / 4096 * 4);
    json_decref(cell);
    cell = measure("linear", 1000, MEMCELL_PAGES_SMALL, "small_put");
    assert_null(json_object_get(cell, "layers"));
    json_decref(cell);
}

static void test_huge_pages(void **state) {
    (void)state;
    char setting[32];
    enum { N = 600000 };
    resident_thp_setting(setting, sizeof setting);
    json_t *as_set = measure("linear", N, MEMCELL_PAGES_AS_SET, "put_grow");
    assert_int_equal(json_is_true(json_object_get(as_set, "thp")), strcmp(setting, "always") == 0);
    if (strcmp(setting, "always") != 0 && strcmp(setting, "madvise") != 0) {
        char path[PATH_MAX];
        struct why why = {""};
        struct memcell_args args = {.unit = ready_unit("linear", "u64_u64", "common", "malloc"),
                                    .keys_spec = "uniform",
                                    .n = 10,
                                    .seed = 1,
                                    .workload = "put_grow",
                                    .pages = MEMCELL_PAGES_HUGE};
        assert_null(memcell_measure(&args, beside("mapbench", path), &why));
        assert_non_null(strstr(why.text, "huge pages are off on this machine"));
    } else {
        json_t *huge = measure("linear", N, MEMCELL_PAGES_HUGE, "put_grow"),
               *small = measure("linear", N, MEMCELL_PAGES_SMALL, "put_grow");
        assert_true(json_is_true(json_object_get(huge, "thp")));
        assert_true(number(huge, "huge_bytes") >= number(huge, "bytes_live") / 2);
        assert_int_equal(number(small, "huge_bytes"), 0);
        assert_true(number(huge, "minor_faults") < number(small, "minor_faults") / 2);
        assert_int_equal(number(huge, "requested_bytes"), number(small, "requested_bytes"));
        json_decref(huge), json_decref(small);
    }
    json_decref(as_set);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "allocator") == 0) return part_allocator(argv[2]);
    if (argc == 3 && strcmp(argv[1], "requested") == 0) return part_requested(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocator),   cmocka_unit_test(test_requested),
        cmocka_unit_test(test_layers),      cmocka_unit_test(test_page_faults),
        cmocka_unit_test(test_huge_pages),  cmocka_unit_test(test_evacuation),
        cmocka_unit_test(test_collections),
    };
#ifdef MAPBENCH_SANITIZED
    (void)tests, (void)test_allocator;
    if (strcmp(allocator_name(), "sanitizer") == 0) return 0;
    fprintf(stderr, "allocator_name: %s in a sanitizer build\n", allocator_name());
    return 1;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
