#include "harness/unit/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_info.h"
#include "harness/base/child.h"
#include "harness/base/count_of.h"
#include "harness/base/project.h"

/* The build's folder: the program's own, or for test programs the one above. */
static const char *build_folder(void) {
    static char folder[PATH_MAX];
    char probe[PATH_MAX + 8];
    if (folder[0]) return folder;
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = '\0';
    for (char *slash; (slash = strrchr(folder, '/')) != NULL && slash != folder;) {
        *slash = '\0';
        snprintf(probe, sizeof probe, "%s/units", folder);
        if (access(probe, X_OK) == 0) return folder;
    }
    return strcpy(folder, ".");
}

/* The file of a unit with another ending than .so. */
static void unit_path(const char *name, const char *ending, char path[PATH_MAX]) {
    if (snprintf(path, PATH_MAX, "%s/units/%s%s", build_folder(), name, ending) >= PATH_MAX) path[0] = '\0';
}

const char *unit_file(const char *name) {
    static char path[PATH_MAX];
    char here[PATH_MAX], folder[PATH_MAX];
    /* Where the build's folder is the working one, as for the processes of `gate count`, by a path of the
     * same length wherever that lies: the loader keeps it on the heap, whose state decides what is counted.
     */
    if (getcwd(here, sizeof here) && realpath(build_folder(), folder) && strcmp(here, folder) == 0)
        snprintf(path, sizeof path, "./units/%s.so", name);
    else
        unit_path(name, ".so", path);
    return path;
}

bool unit_is_object(const char *path) {
    char folder[PATH_MAX], real[PATH_MAX];
    unit_path("", "", folder);
    return realpath(folder, real) && strncmp(path, real, strlen(real)) == 0 && path[strlen(real)] == '/';
}

static bool newer(const struct stat *a, const struct stat *b) {
    return a->st_mtim.tv_sec != b->st_mtim.tv_sec ? a->st_mtim.tv_sec > b->st_mtim.tv_sec
                                                  : a->st_mtim.tv_nsec > b->st_mtim.tv_nsec;
}

/* Whether a source named in the compiler's dependency file is newer than the object or gone. The file has one
 * rule, "object: source source \", then one a header without sources. Sources are relative to the project; an
 * installed program has none of them, and its units cannot be out of date. */
static bool sources_are_newer(FILE *dependencies, const struct stat *object) {
    char word[PATH_MAX], path[2 * PATH_MAX];
    struct stat source;
    if (fscanf(dependencies, "%4095s", word) != 1) return true;
    while (fscanf(dependencies, "%4095s", word) == 1) {
        size_t length = strlen(word);
        if (word[length - 1] == ':') return false;
        if (strcmp(word, "\\") == 0) continue;
        if (word[0] == '/')
            snprintf(path, sizeof path, "%s", word);
        else
            snprintf(path, sizeof path, "%s/%s", project_root(), word);
        if (stat(path, &source) != 0 || newer(&source, object)) return true;
    }
    return false;
}

static bool has_sources(void) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/harness/unit/map_unit.c", project_root());
    return access(path, R_OK) == 0;
}

bool unit_is_current(const char *name) {
    char path[PATH_MAX];
    struct stat object;
    if (stat(unit_file(name), &object) != 0) return false;
    if (!has_sources()) return true;
    unit_path(name, ".d", path);
    FILE *dependencies = fopen(path, "r");
    bool current = dependencies && !sources_are_newer(dependencies, &object);
    if (dependencies) fclose(dependencies);
    return current;
}

void unit_discard(const char *name) {
    char path[PATH_MAX];
    unlink(unit_file(name));
    unit_path(name, ".o", path);
    unlink(path);
}

bool unit_build_failure(const char *name, struct why *why) {
    char path[PATH_MAX];
    unit_path(name, ".failed", path);
    FILE *file = fopen(path, "r");
    bool failed = file != NULL;
    if (failed && !fgets(why->text, sizeof why->text, file))
        why_say(why, "its compiler failed without a word");
    if (failed) why->text[strcspn(why->text, "\n")] = '\0', fclose(file);
    return failed;
}

/* Takes the lock of the folder, waiting for whoever else builds there. -1: `why`. */
static int lock_units(struct why *why) {
    char path[PATH_MAX];
    unit_path("", ".lock", path);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0) {
        why_say(why, "cannot write to %s/units: %s", build_folder(), strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        fprintf(stderr, "mapbench: another mapbench builds units in %s: waiting for it\n", build_folder());
        while (flock(fd, LOCK_EX) != 0 && errno == EINTR) continue;
    }
    return fd;
}

/* The build folder as make is to have it: within the project relative to it, above which there may be blanks.
 */
static const char *build_argument(void) {
    size_t root = strlen(project_root());
    bool inside = strncmp(build_folder(), project_root(), root) == 0 && build_folder()[root] == '/';
    return inside ? build_folder() + root + 1 : build_folder();
}

/* make's arguments, ended by NULL; the units are its last. */
struct make_line {
    const char *argv[24];
    char jobs[32], *build, *units;
};

static bool make_line(struct make_line *line, const char *const names[], size_t count) {
    static const char *const settings[] = {BUILD_MAKE_SETTINGS};
    const char *jobs = getenv("JOBS");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t size, n = 0;
    FILE *units = open_memstream(&line->units, &size);
    if (!units) return false;
    fputs("UNITS=", units);
    for (size_t i = 0; i < count; i++) fprintf(units, "%s%s", i ? " " : "", names[i]);
    if (fclose(units) != 0) return false;
    if (asprintf(&line->build, "BUILD=%s", build_argument()) < 0) return false;
    snprintf(line->jobs, sizeof line->jobs, "-j%ld",
             jobs && atol(jobs) > 0 ? atol(jobs)
             : processors > 0       ? processors
                                    : 1);
    const char *const fixed[] = {"make",     "-C",         project_root(), "--no-print-directory", "-s", "-k",
                                 line->jobs, "unit-files", line->build};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) line->argv[n++] = fixed[i];
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) line->argv[n++] = settings[i];
    line->argv[n++] = line->units;
    line->argv[n] = NULL;
    return true;
}

static size_t not_current(const char *const names[], size_t count) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++) left += !unit_is_current(names[i]);
    return left;
}

/* Shows how far make is: it says a line a unit that it begins. */
static void follow(int fd, size_t count) {
    bool terminal = isatty(STDERR_FILENO);
    char line[256];
    size_t begun = 0;
    FILE *said = fdopen(fd, "r");
    if (!said) {
        close(fd);
        return;
    }
    while (fgets(line, sizeof line, said)) {
        if (strncmp(line, "  unit ", 7) != 0) continue;
        begun++;
        if (terminal)
            fprintf(stderr, "\r\033[K  unit %zu of %zu  %.*s", begun, count, (int)strcspn(line + 7, "\n"),
                    line + 7);
    }
    if (terminal) fputs("\r\033[K", stderr);
    fclose(said);
}

/* Runs make to its end. False: it could not be started, `why`. */
static bool run_make(const struct make_line *line, size_t count, struct why *why) {
    struct child make;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return why_say(why, "cannot make a pipe: %s", strerror(errno));
    /* What a make that called this program has set would redirect this one, and what is preloaded is for
     * programs that are measured. */
    static const char *const foreign[] = {
        "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=0", "MAKEOVERRIDES=", "SELECT=", "PAD=", "LD_PRELOAD="};
    char **environment = child_environment(foreign, COUNT_OF(foreign));
    struct child_start how = {.argv = line->argv,
                              .env = (const char *const *)environment,
                              .out_fd = ends[1],
                              .err_fd = -1,
                              .keep_fd = {-1, -1, -1}};
    bool started = child_start(&make, &how, why);
    close(ends[1]);
    free(environment);
    if (!started) {
        close(ends[0]);
        return false;
    }
    follow(ends[0], count);
    while (!child_wait(&make, 1000)) continue;
    return true;
}

bool units_build(const char *const names[], size_t count, struct why *why) {
    struct make_line line = {0};
    why->text[0] = '\0';
    if (!has_sources()) return why_say(why, "the sources of units are not here");
    if (strpbrk(build_argument(), " \t"))
        return why_say(why, "%s/units: make takes no blanks in the path of a build folder", build_folder());
    int lock = lock_units(why);
    if (lock < 0) return false;
    /* Another program may have built them meanwhile. */
    size_t missing = not_current(names, count);
    bool ran = true;
    if (missing > 0) {
        fprintf(stderr, "mapbench: building %zu unit%s of %zu\n", missing, missing == 1 ? "" : "s", count);
        ran = make_line(&line, names, count) && run_make(&line, missing, why);
    }
    free(line.build), free(line.units);
    close(lock);
    return ran && (missing == 0 || not_current(names, count) == 0);
}
