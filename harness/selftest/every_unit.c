/* The selftest of the registry's units, each in a child process. */
#include "harness/selftest/selftest.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/base/clock.h"
#include "harness/base/deadline.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"
#include "harness/engines/engine.h"
#include "harness/plan/registry.h"

/* A unit needs well under a second of processor time; sanitizers may make that half a minute. */
enum { UNIT_SECONDS_MAX = 240 };

enum { CHILD_PASSED, CHILD_FAILED };

static void read_all(int fd, char *out, size_t size) {
    size_t filled = 0;
    ssize_t got;
    while (filled + 1 < size &&
           ((got = read(fd, out + filled, size - 1 - filled)) > 0 || (got < 0 && errno == EINTR)))
        if (got > 0) filled += (size_t)got;
    out[filled] = '\0';
}

struct apart {
    const struct map_unit *unit;
    const struct selftest_options *options;
    int why_fd[2]; /* of a pipe: the child says what went wrong */
};

static int test_unit(void *context) {
    struct apart *apart = context;
    struct why why = {""};
    close(apart->why_fd[0]);
    deadline_end_this_process(UNIT_SECONDS_MAX);
    bool ok = selftest_unit(apart->unit, apart->options, &why);
    if (!ok && write(apart->why_fd[1], why.text, strlen(why.text)) < 0) perror("mapbench: selftest");
    /* The leak sanitizer looks when exit is called. A failed unit's maps were left as they are. */
    if (ok) exit(CHILD_PASSED);
    fflush(NULL);
    return CHILD_FAILED;
}

/* False: `why` says what went wrong, crashes and hangs included. */
static bool run_apart(const struct map_unit *unit, const struct selftest_options *options, struct why *why) {
    struct apart apart = {.unit = unit, .options = options};
    struct child child;
    char end[100];
    fflush(NULL);
    if (pipe2(apart.why_fd, O_CLOEXEC) != 0) return why_say(why, "cannot make a pipe: %s", strerror(errno));
    bool started = child_fork(&child, test_unit, &apart, why);
    close(apart.why_fd[1]);
    if (started) read_all(apart.why_fd[0], why->text, sizeof why->text);
    close(apart.why_fd[0]);
    if (!started) return false;
    child_wait(&child, -1);
    if (child_succeeded(&child)) return true;
    child_describe_end(&child, end, sizeof end);
    if (deadline_ended_it(child.status))
        why_say(why, "does not come to an end within %d s", UNIT_SECONDS_MAX);
    else if (WIFSIGNALED(child.status))
        why_say(why, "%s", end);
    else if (!why->text[0])
        why_say(why, "its process %s (see above)", end);
    return false;
}

struct tally {
    size_t passed, failed, unavailable, not_built, injected, engines_left_out;
};

static void run_one(const struct map_unit *unit, const struct selftest_options *of_all, bool verbose,
                    struct tally *tally) {
    enum { ENGINE_SHARE = 20 }; /* an operation of an engine is a round trip between two processes */
    char name[128];
    struct why why;
    snprintf(name, sizeof name, "%s/%s/%s/%s", unit->map, unit->shape, unit->hash, unit->heap);
    struct selftest_options shared = *of_all, *options = &shared;
    if (unit->engine) options->operations /= ENGINE_SHARE;
    if (unit->unavailable) {
        printf("--    %s: unavailable: %s\n", name, unit->unavailable);
        tally->unavailable++;
        tally->not_built += !registry_expected_absent(unit);
        return;
    }
    uint64_t start = wall_ns();
    bool ok = run_apart(unit, options, &why);
    double seconds = (double)(wall_ns() - start) * 1e-9;
    const char *not_injected = selftest_not_injected(unit, options);
    if (!ok && unit->engine && engine_fault(unit->engine)) why_say(&why, "%s", engine_fault(unit->engine));
    if (ok && verbose)
        printf("ok    %s  %.2f s, allocation failures %s%s\n", name, seconds,
               not_injected ? "not tried: " : "survived", not_injected ? not_injected : "");
    else if (ok)
        printf("ok    %s\n", name);
    else
        printf("FAIL  %s: %s (seed %llu, %zu operations)\n", name, why.text,
               (unsigned long long)options->seed, options->operations);
    fflush(stdout);
    tally->passed += ok;
    tally->failed += !ok;
    tally->injected += !not_injected;
}

static void print_summary(const struct tally *tally, const struct selftest_options *options) {
    if (!options->fail_after)
        printf("allocation failures were not tried: preload libmemcount.so, or build with "
               "SANITIZE=address,undefined\n");
    else
        printf("allocation failures were tried on %zu units; the lines of the others say why not\n",
               tally->injected);
    if (tally->engines_left_out)
        printf("%zu units of real Go were left out: name them, as in --filter '^real_go_swiss/u64_u64'\n",
               tally->engines_left_out);
    printf("%zu units passed, %zu failed, %zu unavailable\n", tally->passed, tally->failed,
           tally->unavailable);
}

struct filtered {
    const regex_t *regex;
    const struct map_unit *unit;
};

static bool filter_matches(void *context, const char *map) {
    const struct filtered *f = context;
    char name[128];
    snprintf(name, sizeof name, "%s/%s/%s/%s", map, f->unit->shape, f->unit->hash, f->unit->heap);
    return regexec(f->regex, name, 0, NULL, 0) == 0;
}

int selftest_run(const char *filter, uint64_t seed, size_t operations, bool verbose) {
    struct selftest_options options = selftest_options_make(seed, operations);
    struct tally tally = {0};
    regex_t regex;
    int error = filter ? regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB) : 0;
    if (error) {
        char reason[128];
        regerror(error, &regex, reason, sizeof reason);
        fprintf(stderr, "mapbench: selftest: \"%s\" is not a regular expression: %s\n", filter, reason);
        return EXIT_USAGE;
    }
    const struct map_unit **units = calloc(registry_count(), sizeof *units);
    size_t count = 0;
    for (size_t i = 0; units && i < registry_count(); i++) {
        const struct map_unit *unit = registry_at(i);
        struct filtered filtered = {&regex, unit};
        if (filter && !registry_any_name(unit->map, filter_matches, &filtered)) continue;
        if (unit->engine && !(filter && *filter)) {
            tally.engines_left_out++; /* a round trip per operation: minutes for all of them */
            continue;
        }
        units[count++] = unit;
    }
    registry_prepare(units, count);
    for (size_t i = 0; i < count; i++) run_one(units[i], &options, verbose, &tally);
    free(units);
    if (filter) regfree(&regex);
    if (tally.passed + tally.failed + tally.unavailable == 0) {
        fprintf(stderr, "mapbench: selftest: no unit matches \"%s\"; `mapbench list maps` names the maps\n",
                filter ? filter : "");
        return EXIT_NOTHING;
    }
    print_summary(&tally, &options);
    return tally.failed ? EXIT_CHECK_FAILED : tally.not_built ? EXIT_CANNOT : EXIT_OK;
}

/* --- preloading --- */

#ifndef MAPBENCH_FAULTS
/* "FOLDER/libmemcount.so", FOLDER being that of the executable, `up` levels higher. False: there is no such
 * file. */
static bool counter_path(int up, char *path, size_t size) {
    static const char file[] = "/libmemcount.so";
    ssize_t length = readlink("/proc/self/exe", path, size - sizeof file);
    if (length < 0) return false;
    path[length] = '\0';
    for (int i = 0; i <= up; i++) {
        char *slash = strrchr(path, '/');
        if (!slash) return false;
        *slash = '\0';
    }
    strcat(path, file);
    return access(path, R_OK) == 0;
}
#endif

void selftest_preload(char **argv) {
#ifdef MAPBENCH_FAULTS
    (void)
        argv; /* the heap macros fail allocations themselves, and sanitizers have an allocator of their own */
#else
    char path[PATH_MAX];
    if (dlsym(RTLD_DEFAULT, "memcount_read") || getenv("LD_PRELOAD")) return;
    if (!counter_path(0, path, sizeof path) && !counter_path(1, path, sizeof path)) return;
    /* A path in LD_PRELOAD may contain neither a blank nor a colon; a descriptor, which stays open, stands
     * for one that does. A debugger would look for that in its own process. */
    int fd = strpbrk(path, " \t:") ? open(path, O_RDONLY) : -1;
    if (fd >= 0) snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (setenv("LD_PRELOAD", path, 1) == 0) execv("/proc/self/exe", argv);
#endif
}
