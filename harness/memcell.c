#include "harness/memcell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/child.h"
#include "harness/memcell_shared.h"

struct cell {
    const struct memcell_args *args;
    const char *program;
    struct memcell_shared *shared;
    int shared_fd, counter_fd; /* counter_fd: libmemcount.so */
    char *why;
    size_t why_size;
};

/* libmemcount.so in the folder of the program. */
static int open_counter(const char *program, char *why, size_t why_size) {
    char path[PATH_MAX + 32];
    if (!realpath(program, path)) {
        snprintf(why, why_size, "memory cannot be measured: %s: %s", program, strerror(errno));
        return -1;
    }
    strcpy(strrchr(path, '/') + 1, "libmemcount.so");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        snprintf(why, why_size, "memory cannot be counted: %s: %s; run make build", path, strerror(errno));
    return fd;
}

/* This process's environment with the counter in front of whatever is preloaded already: the first library's
 * malloc is the one called, and the counter forwards to the next (jemalloc, say). It is named by descriptor
 * because a path in LD_PRELOAD may contain neither a space nor a colon. Free the array and its last element
 * but one. */
static char **preloading_environment(int counter_fd) {
    static const char name[] = "LD_PRELOAD=";
    size_t count = 0, kept = 0;
    while (environ[count]) count++;
    const char *present = getenv("LD_PRELOAD");
    size_t room = sizeof name + 64 + (present ? strlen(present) : 0);
    char **env = calloc(count + 2, sizeof *env), *preload = malloc(room);
    if (!env || !preload) {
        free(env), free(preload);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], name, sizeof name - 1) != 0) env[kept++] = environ[i];
    snprintf(preload, room, "%s/proc/self/fd/%d%s%s", name, counter_fd, present ? ":" : "",
             present ? present : "");
    env[kept] = preload;
    return env;
}

static void free_environment(char **env) {
    if (!env) return;
    size_t count = 0;
    while (env[count]) count++;
    free(env[count - 1]);
    free(env);
}

/* How a child that died or was killed, or gave up, is reported. */
static bool explain(const struct cell *cell, const struct child *child, bool in_time, const char *what) {
    const struct memcell_args *args = cell->args;
    unsigned long long reached = cell->shared->reached, n = args->n;
    char end[100];
    if (in_time && child_succeeded(child)) return true;
    child_describe_end(child, end, sizeof end);
    if (!in_time)
        snprintf(cell->why, cell->why_size,
                 "the child that %s took longer than %u s and was stopped after %llu of %llu entries", what,
                 args->limit_s ? args->limit_s : MEMCELL_LIMIT_S, reached, n);
    else if (cell->shared->why[0])
        snprintf(cell->why, cell->why_size, "%s", cell->shared->why);
    else
        snprintf(cell->why, cell->why_size, "the child that %s %s after %llu of %llu entries", what, end,
                 reached, n);
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
                          NULL};
    char **env = counting ? preloading_environment(cell->counter_fd) : NULL;
    if (counting && !env) {
        snprintf(cell->why, cell->why_size, "out of memory: cannot start the child that counts bytes");
        return false;
    }
    struct child child;
    /* What a map's library prints belongs to stderr: stdout may be the results. */
    struct child_start how = {.argv = argv,
                              .env = (const char *const *)env,
                              .out_fd = STDERR_FILENO,
                              .err_fd = -1,
                              .keep_fd = {cell->shared_fd, counting ? cell->counter_fd : -1, -1}};
    cell->shared->reached = 0;
    bool started = child_start(&child, &how, cell->why, cell->why_size);
    free_environment(env);
    if (!started) return false;
    unsigned limit_s = args->limit_s ? args->limit_s : MEMCELL_LIMIT_S;
    bool in_time = child_wait_or_kill(&child, (int)(limit_s < 2000000 ? limit_s * 1000 : INT_MAX));
    return explain(cell, &child, in_time, counting ? "counted bytes" : "read resident memory");
}

static json_t *result_object(const struct memcell_shared *shared, size_t n) {
    json_t *curve = json_array();
    for (size_t i = 0; i < shared->points; i++) {
        const struct memcell_point *point = &shared->point[i];
        json_array_append_new(curve, json_pack("[I, I, I]", (json_int_t)point->entries,
                                               (json_int_t)point->bytes_live, (json_int_t)point->rss_bytes));
    }
    return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:o, s:{s:f, s:f, s:f}}", "bytes_live",
                     (json_int_t)shared->bytes_live, "bytes_per_entry",
                     (double)shared->bytes_live / (double)n, "bytes_peak", (json_int_t)shared->bytes_peak,
                     "rss_delta", (json_int_t)shared->rss_delta, "rss_peak_delta",
                     (json_int_t)shared->rss_peak_delta, "blocks_live", (json_int_t)shared->blocks_live,
                     "allocations", (json_int_t)shared->allocations, "curve", curve, "octave", "mean",
                     shared->octave_mean, "min", shared->octave_min, "max", shared->octave_max);
}

static json_t *measure(struct cell *cell) {
    json_t *result = NULL;
    cell->counter_fd = open_counter(cell->program, cell->why, cell->why_size);
    if (cell->counter_fd < 0) return NULL;
    cell->shared_fd = memfd_create("memory-cell", MFD_CLOEXEC);
    if (cell->shared_fd >= 0 && ftruncate(cell->shared_fd, sizeof *cell->shared) == 0)
        cell->shared =
            mmap(NULL, sizeof *cell->shared, PROT_READ | PROT_WRITE, MAP_SHARED, cell->shared_fd, 0);
    if (cell->shared == NULL || cell->shared == MAP_FAILED) {
        snprintf(cell->why, cell->why_size, "memory cannot be measured: no memory to share with a child: %s",
                 strerror(errno));
    } else {
        if (run_child(cell, true) && run_child(cell, false))
            result = result_object(cell->shared, cell->args->n);
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

json_t *memcell_measure(const struct memcell_args *args, const char *self_path, char *why, size_t why_size) {
    struct cell cell = {
        .args = args, .program = self_path ? self_path : "/proc/self/exe", .why = why, .why_size = why_size};
    if (sanitized_build) {
        snprintf(why, why_size,
                 "memory cannot be measured in a sanitizer build: its allocator is not the one maps run on");
        return NULL;
    }
    snprintf(why, why_size, "out of memory: cannot build the result");
    return measure(&cell);
}
