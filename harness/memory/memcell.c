#include "harness/memory/memcell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/count_of.h"
#include "harness/machine/allocator.h"
#include "harness/base/child.h"
#include "harness/memory/shared.h"
#include "harness/memory/resident.h"

struct cell {
    const struct memcell_args *args;
    const char *program;
    struct memcell_shared *shared;
    int shared_fd, counter_fd; /* counter_fd: libmemcount.so */
    struct why *why;
};

/* libmemcount.so in the folder of the program. */
static int open_counter(const char *program, struct why *why) {
    char path[PATH_MAX + 32];
    if (!realpath(program, path)) {
        why_say(why, "memory cannot be measured: %s: %s", program, strerror(errno));
        return -1;
    }
    strcpy(strrchr(path, '/') + 1, "libmemcount.so");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) why_say(why, "memory cannot be counted: %s: %s; run make build", path, strerror(errno));
    return fd;
}

/* The value of an environment variable with text put in front of what it is already; NULL: out of memory. */
static char *variable(const char *name, const char *front) {
    const char *present = getenv(name);
    char *text = NULL;
    bool more = present && present[0];
    if (asprintf(&text, "%s=%s%s%s", name, front, more ? ":" : "", more ? present : "") < 0) return NULL;
    return text;
}

/* The environment of a child. The counter goes in front of whatever is preloaded already: the first
 * library's malloc is the one called, and the counter forwards to the next (jemalloc, say). It is named by
 * descriptor because a path in LD_PRELOAD may contain neither a space nor a colon. NULL: out of memory. Free
 * the array and the strings in `made`. */
static char **cell_environment(const struct cell *cell, bool counting, char *made[2]) {
    size_t count = 0;
    char counter[64];
    made[0] = made[1] = NULL;
    snprintf(counter, sizeof counter, "/proc/self/fd/%d", cell->counter_fd);
    if (counting && !(made[count++] = variable("LD_PRELOAD", counter))) return NULL;
    if (cell->args->pages == MEMCELL_PAGES_HUGE &&
        !(made[count++] = variable("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")))
        return NULL;
    return child_environment((const char *const *)made, count);
}

/* Reports a child that died or was killed, or gave up. */
static bool explain(const struct cell *cell, const struct child *child, bool in_time, const char *what) {
    const struct memcell_args *args = cell->args;
    unsigned long long reached = cell->shared->reached, n = args->n;
    char end[100];
    if (in_time && child_succeeded(child)) return true;
    child_describe_end(child, end, sizeof end);
    if (!in_time)
        why_say(cell->why,
                "the child that %s took longer than %u s and was stopped after %llu of %llu entries", what,
                args->limit_s ? args->limit_s : MEMCELL_LIMIT_S, reached, n);
    else if (cell->shared->why.text[0])
        why_say(cell->why, "%s", cell->shared->why.text);
    else
        why_say(cell->why, "the child that %s %s after %llu of %llu entries", what, end, reached, n);
    return false;
}

static bool run_child(const struct cell *cell, bool counting) {
    const struct memcell_args *args = cell->args;
    char fd[16], n[24], seed[24];
    snprintf(fd, sizeof fd, "%d", cell->shared_fd);
    snprintf(n, sizeof n, "%zu", args->n);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)args->seed);
    const char *argv[] = {cell->program,
                          "memory-cell",
                          counting ? "bytes" : "resident",
                          fd,
                          args->unit->map,
                          args->unit->shape,
                          args->unit->hash,
                          args->unit->heap,
                          args->keys_spec,
                          n,
                          seed,
                          args->workload,
                          args->pages == MEMCELL_PAGES_SMALL ? "small" : "",
                          NULL};
    char *made[2], **env = cell_environment(cell, counting, made);
    if (!env) {
        free(made[0]), free(made[1]);
        return why_say(cell->why, "out of memory: cannot start a child that measures memory");
    }
    struct child child;
    /* The output of a map's library belongs to stderr: stdout may be the results. */
    struct child_start how = {.argv = argv,
                              .env = (const char *const *)env,
                              .out_fd = STDERR_FILENO,
                              .err_fd = -1,
                              .keep_fd = {cell->shared_fd, counting ? cell->counter_fd : -1, -1}};
    cell->shared->reached = 0;
    bool started = child_start(&child, &how, cell->why);
    free(env), free(made[0]), free(made[1]);
    if (!started) return false;
    unsigned limit_s = args->limit_s ? args->limit_s : MEMCELL_LIMIT_S;
    bool in_time = child_finish(&child, limit_s);
    return explain(cell, &child, in_time, counting ? "counted bytes" : "read resident memory");
}

/* True if the map's memory could be in transparent huge pages, as far as settings tell. */
static bool huge_pages_possible(enum memcell_pages pages) {
    char setting[32];
    resident_thp_setting(setting, sizeof setting);
    return pages == MEMCELL_PAGES_HUGE || (pages == MEMCELL_PAGES_AS_SET && strcmp(setting, "always") == 0);
}

/* NULL, or why this machine cannot measure with such pages. */
static const char *pages_refused(const struct map_unit *unit, enum memcell_pages pages) {
    char setting[32];
    resident_thp_setting(setting, sizeof setting);
    if (pages != MEMCELL_PAGES_HUGE || strcmp(setting, "always") == 0) return NULL;
    if (strcmp(setting, "madvise") != 0)
        return "huge pages are off on this machine (/sys/kernel/mm/transparent_hugepage/enabled)";
    if (unit->heap_books)
        return "this heap gets huge pages only where transparent_hugepage/enabled says always";
    return strcmp(allocator_name(), "glibc") == 0
               ? NULL
               : "this allocator gets huge pages only where transparent_hugepage/enabled says always";
}

static json_t *integers(const int64_t *number, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(array, json_integer((json_int_t)number[i]));
    return array;
}

static const char *const event_words[] = {[MEMCELL_GROW] = "grow",
                                          [MEMCELL_EVACUATE] = "evacuate",
                                          [MEMCELL_EVACUATED] = "evacuated",
                                          [MEMCELL_COLLECT] = "collect"};

/* The keys and values themselves are what is live; small maps have no order of growth to show. */
static void add_layers(json_t *result, const struct memcell_shared *shared, const struct memcell_args *args) {
    int64_t entry_bytes = (int64_t)(args->unit->key_size + args->unit->val_size);
    json_t *layers = json_array(), *events = json_array();
    for (size_t i = 0; i < shared->points; i++) {
        const struct memcell_point *p = &shared->point[i];
        const int64_t layer[] = {(int64_t)p->entries, (int64_t)p->entries * entry_bytes, p->requested_bytes,
                                 p->bytes_live, p->rss_bytes};
        json_t *row = integers(layer, COUNT_OF(layer));
        if (!shared->layers_requested_known) json_array_set_new(row, 2, json_null());
        json_array_append_new(layers, row);
    }
    for (size_t i = 0; i < shared->events; i++)
        json_array_append_new(events, json_pack("{s:I, s:s}", "op", (json_int_t)shared->event[i].op, "what",
                                                event_words[shared->event[i].kind]));
    json_object_set_new(result, "layers", layers);
    json_object_set_new(result, "events", events);
}

static json_t *known(bool is_known, int64_t number) {
    return is_known ? json_integer((json_int_t)number) : json_null();
}

static json_t *result_object(const struct memcell_shared *shared, const struct memcell_args *args) {
    json_t *curve = json_array();
    for (size_t i = 0; i < shared->points; i++) {
        const int64_t point[] = {(int64_t)shared->point[i].entries, shared->point[i].bytes_live,
                                 shared->point[i].rss_bytes};
        json_array_append_new(curve, integers(point, COUNT_OF(point)));
    }
    json_t *result = json_pack(
        "{s:I, s:f, s:I, s:I, s:I, s:o, s:o, s:o, s:{s:f, s:f, s:f}, s:o, s:I, s:I, s:I, s:b}", "bytes_live",
        (json_int_t)shared->bytes_live, "bytes_per_entry", (double)shared->bytes_live / (double)args->n,
        "bytes_peak", (json_int_t)shared->bytes_peak, "rss_delta", (json_int_t)shared->rss_delta,
        "rss_peak_delta", (json_int_t)shared->rss_peak_delta, "blocks_live",
        known(shared->blocks_known, shared->blocks_live), "allocations",
        known(shared->allocations_known, shared->allocations), "curve", curve, "octave", "mean",
        shared->octave_mean, "min", shared->octave_min, "max", shared->octave_max, "requested_bytes",
        known(shared->requested_known, shared->requested_bytes), "minor_faults",
        (json_int_t)shared->minor_faults, "major_faults", (json_int_t)shared->major_faults, "huge_bytes",
        (json_int_t)shared->huge_bytes, "thp", huge_pages_possible(args->pages));
    if (result && strcmp(args->workload, "put_grow") == 0) add_layers(result, shared, args);
    return result;
}

static json_t *measure(struct cell *cell) {
    json_t *result = NULL;
    cell->counter_fd = open_counter(cell->program, cell->why);
    if (cell->counter_fd < 0) return NULL;
    cell->shared_fd = memfd_create("memory-cell", MFD_CLOEXEC);
    if (cell->shared_fd >= 0 && ftruncate(cell->shared_fd, sizeof *cell->shared) == 0)
        cell->shared =
            mmap(NULL, sizeof *cell->shared, PROT_READ | PROT_WRITE, MAP_SHARED, cell->shared_fd, 0);
    if (cell->shared == NULL || cell->shared == MAP_FAILED) {
        why_say(cell->why, "memory cannot be measured: no memory to share with a child: %s", strerror(errno));
    } else {
        if (run_child(cell, true) && run_child(cell, false)) result = result_object(cell->shared, cell->args);
        munmap(cell->shared, sizeof *cell->shared);
    }
    if (cell->shared_fd >= 0) close(cell->shared_fd);
    close(cell->counter_fd);
    return result;
}

#ifdef MAPBENCH_SANITIZED
static const bool sanitized_build = true;
#else
static const bool sanitized_build = false;
#endif

json_t *memcell_measure(const struct memcell_args *args, const char *self_path, struct why *why) {
    struct cell cell = {.args = args, .program = self_path ? self_path : "/proc/self/exe", .why = why};
    if (sanitized_build) {
        why_say(why,
                "memory cannot be measured in a sanitizer build: its allocator is not the one maps run on");
        return NULL;
    }
    if (pages_refused(args->unit, args->pages)) {
        why_say(why, "memory cannot be measured: %s", pages_refused(args->unit, args->pages));
        return NULL;
    }
    why_say(why, "out of memory: cannot build the result");
    return measure(&cell);
}
