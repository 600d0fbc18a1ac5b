#include <dlfcn.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "build_info.h"
#include "harness/base/child.h"
#include "harness/bench/bench.h"
#include "harness/measure/count.h"
#include "harness/preload/memcount.h"
#include "harness/plan/registry.h"
#include "harness/base/rng.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
static const bool has_callgrind = true;
#else /* count-facts says so, and nobody gets here under callgrind */
static const bool has_callgrind = false;
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_START_INSTRUMENTATION
#define CALLGRIND_STOP_INSTRUMENTATION
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(text) ((void)(text))
#endif

#ifdef MAPBENCH_SANITIZED
static const bool is_sanitized = true;
#else
static const bool is_sanitized = false;
#endif

enum { LINE_MAX_BYTES = 4096 };

/* One cell being counted. */
struct counted {
    unsigned index; /* the line of stdin */
    struct cell cell;
    const struct map_unit *unit;
    const struct workload *workload;
    uint64_t seed;
    memcount_read_fn *read;       /* NULL: allocations are not counted */
    struct memcount before, last; /* around the last segment */
    uint64_t allocations;         /* in all segments */
    struct batch batch;
    struct map_structure structure;
    bool has_structure;
};

static void start_counting(void *context) {
    struct counted *c = context;
    if (c->read) c->read(&c->before);
    CALLGRIND_TOGGLE_COLLECT;
}

static void stop_counting(void *context) {
    struct counted *c = context;
    CALLGRIND_TOGGLE_COLLECT;
    if (!c->read) return;
    c->read(&c->last);
    c->allocations += c->last.allocations - c->before.allocations;
}

/* Counts one batch of n operations on a new bench. */
static bool count_batch(struct counted *c, struct bench *b) {
    char name[32];
    b->hooks = (struct bench_hooks){start_counting, stop_counting, c};
    b->verify = !RUNNING_ON_VALGRIND; /* the other process looks into the map */
    bench_rewind(b, c->workload, c->seed);
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    bool ok = bench_batch(b, c->workload, c->cell.n, BENCH_CLOCK_NONE, &c->batch);
    snprintf(name, sizeof name, "cell %u", c->index);
    CALLGRIND_DUMP_STATS_AT(name);
    CALLGRIND_STOP_INSTRUMENTATION;
    if (!ok || RUNNING_ON_VALGRIND || !b->map) return ok;
    c->unit->op.structure(b->map, &c->structure);
    c->has_structure = true;
    return true;
}

static json_t *structure_object(const struct map_structure *s) {
    return json_pack("{s:I, s:I, s:I, s:f, s:I}", "capacity", (json_int_t)s->capacity, "tombstones",
                     (json_int_t)s->tombstones, "probe_max", (json_int_t)s->probe_max, "probe_mean",
                     s->probe_mean, "array_bytes", (json_int_t)s->array_bytes);
}

static int print_line(json_t *line) {
    bool written = json_dumpf(line, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(line);
    return written ? EXIT_OK : EXIT_CANNOT;
}

int count_facts(void) {
    return print_line(json_pack("{s:{s:s, s:s, s:s}, s:s, s:b, s:b}", "built", "cc", BUILD_CC, "cxx",
                                BUILD_CXX, "unit_flags", BUILD_UNIT_FLAGS, "commit", BUILD_COMMIT,
                                "callgrind", has_callgrind, "sanitized", is_sanitized));
}

/* Prints that the fork of a cell was ended by a signal: what that means, gate count knows better. */
static int print_signal(const struct counted *c, int signal) {
    print_line(json_pack("{s:i, s:i}", "cell", (int)c->index, "signal", signal));
    return EXIT_CANNOT;
}

static int print_error(const struct counted *c, const char *why, int code) {
    int written = print_line(json_pack("{s:i, s:s}", "cell", (int)c->index, "error", why));
    return written == EXIT_OK ? code : written;
}

static int print_counts(const struct counted *c) {
    char checksum[32];
    struct memcount after = {0}; /* the map is gone: what it held is what was freed since the last segment */
    if (c->read) c->read(&after);
    snprintf(checksum, sizeof checksum, "0x%016llx", (unsigned long long)c->batch.checksum);
    json_t *line = json_pack("{s:i, s:I, s:I, s:s}", "cell", (int)c->index, "ops", (json_int_t)c->batch.ops,
                             "segments", (json_int_t)c->batch.segments, "checksum", checksum);
    if (c->read) {
        json_object_set_new(line, "allocations", json_integer((json_int_t)c->allocations));
        json_object_set_new(line, "bytes",
                            json_integer((json_int_t)(c->last.requested_bytes - after.requested_bytes)));
    }
    if (!RUNNING_ON_VALGRIND)
        json_object_set_new(line, "structure",
                            c->has_structure ? structure_object(&c->structure) : json_null());
    return print_line(line);
}

static int count_cell(void *counted) {
    struct counted *c = counted;
    struct why why;
    struct bench_room room;
    struct bench bench;
    struct keys *keys = keys_open(c->cell.keys, c->cell.shape, c->cell.n, c->seed, &why);
    if (!keys) return print_error(c, why.text, EXIT_USAGE);
    /* Here and not before the fork, whose heap would else depend on what was counted before. */
    if (!registry_load(c->unit)) return print_error(c, c->unit->unavailable, EXIT_CANNOT);
    if (!bench_room_open(&room, 0)) return print_error(c, "out of memory", EXIT_CANNOT);
    bench_init(&bench, &c->cell, c->unit, keys, &room, c->seed);
    bool ok = count_batch(c, &bench);
    bench_end(&bench);
    int code = ok ? print_counts(c)
                  : print_error(c, bench.why, bench.wrong_result ? EXIT_CHECK_FAILED : EXIT_CANNOT);
    bench_room_close(&room);
    keys_close(keys);
    return code;
}

/* Splits the line in place. False, with a message: no such cell. */
static bool read_cell(struct counted *c, char *line) {
    char *word[COUNT_WORDS], *rest = line;
    size_t words = 0;
    line[strcspn(line, "\n")] = '\0';
    while (rest && words < COUNT_WORDS) word[words++] = strsep(&rest, "\t");
    bool complete = words == COUNT_WORDS && !rest;
    if (complete) {
        c->unit = registry_find(word[COUNT_MAP], word[COUNT_SHAPE], word[COUNT_HASH], word[COUNT_HEAP]);
        c->workload = workload_find(word[COUNT_WORKLOAD]);
        c->seed = strtoull(word[COUNT_SEED], NULL, 10);
        c->cell = (struct cell){.shape = shape_find(word[COUNT_SHAPE]),
                                .keys = word[COUNT_KEYS],
                                .hash = word[COUNT_HASH],
                                .heap = word[COUNT_HEAP],
                                .n = strtoull(word[COUNT_N], NULL, 10)};
    }
    if (complete && c->unit && !c->unit->engine && !c->unit->unavailable && c->workload && c->cell.shape &&
        c->cell.n)
        return true;
    fprintf(stderr, "mapbench: count-worker is an internal command; line %u of its input names no cell\n",
            c->index + 1);
    return false;
}

/* Returns the exit code of the fork that counts the cell. */
static int count_in_fork(struct counted *c) {
    struct child child;
    struct why why;
    fflush(stdout);
    if (!child_fork(&child, count_cell, c, &why))
        return fprintf(stderr, "mapbench: count-worker: %s\n", why.text), EXIT_CANNOT;
    child_wait(&child, -1);
    return WIFEXITED(child.status) ? WEXITSTATUS(child.status) : print_signal(c, WTERMSIG(child.status));
}

int count_build(void) {
    char line[LINE_MAX_BYTES];
    const struct map_unit **units = NULL;
    unsigned index = 0;
    while (fgets(line, sizeof line, stdin)) {
        struct counted counted = {.index = index};
        if (!read_cell(&counted, line)) return free(units), EXIT_USAGE;
        units = realloc(units, (index + 1) * sizeof *units);
        if (!units) abort();
        units[index++] = counted.unit;
    }
    size_t lost = registry_prepare(units, index);
    json_t *unavailable = json_array();
    for (unsigned i = 0; i < index; i++)
        json_array_append_new(unavailable,
                              units[i]->unavailable ? json_string(units[i]->unavailable) : json_null());
    free(units);
    int code = print_line(json_pack("{s:o}", "unavailable", unavailable));
    return code != EXIT_OK ? code : lost ? EXIT_CANNOT : EXIT_OK;
}

int count_worker(void) {
    char line[LINE_MAX_BYTES], room[LINE_MAX_BYTES];
    memcount_read_fn *read;
    int worst = EXIT_OK;
    *(void **)&read = dlsym(RTLD_DEFAULT, "memcount_read");
    /* A buffer that is not allocated; what a fork leaves unread is read here all the same. */
    setvbuf(stdin, room, _IOFBF, sizeof room);
    for (unsigned index = 0; fgets(line, sizeof line, stdin); index++) {
        struct counted counted = {.index = index, .read = read};
        int code = read_cell(&counted, line) ? count_in_fork(&counted) : EXIT_USAGE;
        /* A wrong result is the worst there is. */
        if (worst != EXIT_CHECK_FAILED && code != EXIT_OK) worst = code;
        if (code == EXIT_USAGE) break;
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* `room` ends here */
    return worst;
}
