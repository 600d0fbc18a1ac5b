#include "harness/unit/build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "build_info.h"
#include "harness/base/child.h"
#include "harness/base/count_of.h"
#include "harness/base/exit.h"
#include "harness/base/project.h"
#include "harness/unit/load.h"

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

/* Whether a source named in the compiler's dependency file is newer than what was made of it, or gone. The
 * file has one rule, "object: source source \", then one a header without sources. Sources are relative to
 * the project; an installed program has none of them, and its units cannot be out of date. */
static bool sources_are_newer(FILE *dependencies, const struct stat *made) {
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
        if (stat(path, &source) != 0 || newer(&source, made)) return true;
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
    if (stat(unit_file(name), &object) != 0 || !unit_object_has_id(unit_file(name), BUILD_UNIT_ID))
        return false;
    if (!has_sources()) return true;
    unit_path(name, ".d", path);
    FILE *dependencies = fopen(path, "r");
    bool current = dependencies && !sources_are_newer(dependencies, &object);
    if (dependencies) fclose(dependencies);
    return current;
}

/* Removes an object that is no whole one or of another build: make goes by times only, and would keep it. */
static void discard_foreign(const char *name) {
    char path[PATH_MAX];
    if (unit_object_has_id(unit_file(name), BUILD_UNIT_ID)) return;
    unlink(unit_file(name));
    unit_path(name, ".o", path);
    unlink(path);
}

bool unit_build_failure(const char *name, struct why *why) {
    char path[PATH_MAX];
    struct stat tried;
    unit_path(name, ".failed", path);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    if (!fgets(why->text, sizeof why->text, file)) why_say(why, "its compiler failed without a word");
    why->text[strcspn(why->text, "\n")] = '\0';
    bool failed = fstat(fileno(file), &tried) == 0;
    fclose(file);
    /* Without a dependency file the compiler did not even find all that is included. */
    unit_path(name, ".d", path);
    FILE *dependencies = failed ? fopen(path, "r") : NULL;
    if (dependencies) failed = !sources_are_newer(dependencies, &tried), fclose(dependencies);
    return failed;
}

/* False, and `why`: so many units do not fit where they are built. */
static bool has_room(size_t count, struct why *why) {
    enum { MIB = 1 << 20, UNIT_MIB = 1 }; /* object and shared object take 0.3 to 3 MiB, 0.7 on average */
    struct statvfs folder;
    char path[PATH_MAX];
    unit_path("", "", path);
    if (statvfs(path, &folder) != 0) return true;
    unsigned long long free_mib = (unsigned long long)folder.f_bavail * folder.f_frsize / MIB;
    if (free_mib >= count * UNIT_MIB) return true;
    why_say(why, "%s has %llu MiB left, %zu unit%s need about %zu: make room", path, free_mib, count,
            count == 1 ? "" : "s", count * UNIT_MIB);
    return false;
}

/* False, and `why`: the first word of a command is no program here. */
static bool has_program(const char *command, struct why *why) {
    int length = (int)strcspn(command, " ");
    char path[PATH_MAX];
    const char *folders = getenv("PATH");
    snprintf(path, sizeof path, "%.*s", length, command);
    bool found = strchr(path, '/') && access(path, X_OK) == 0;
    for (const char *at = folders ? folders : ""; !found && !memchr(command, '/', (size_t)length) && *at;) {
        int folder = (int)strcspn(at, ":");
        snprintf(path, sizeof path, "%.*s/%.*s", folder, at, length, command);
        found = folder > 0 && access(path, X_OK) == 0;
        at += folder + (at[folder] == ':');
    }
    if (!found) why_say(why, "the compiler %.*s is not here", length, command);
    return found;
}

static const char *const settings[] = {BUILD_MAKE_SETTINGS};

static bool has_compilers(struct why *why) {
    bool found = true;
    for (size_t i = 0; found && i < COUNT_OF(settings); i++) {
        const char *value = strchr(settings[i], '=') + 1;
        if (strncmp(settings[i], "CC=", 3) == 0 || strncmp(settings[i], "CXX=", 4) == 0)
            found = has_program(value, why);
    }
    return found;
}

/* Takes the lock of the folder, waiting for whoever else builds there. -1: `why`. */
static int lock_units(struct why *why) {
    char path[PATH_MAX];
    unit_path("", ".lock", path);
    int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    char folder[PATH_MAX];
    unit_path("", "", folder);
    if (fd < 0 || access(folder, W_OK) != 0) {
        why_say(why, "cannot write to %s: %s", folder, strerror(errno));
        if (fd >= 0) close(fd);
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
    const char *const fixed[] = {
        "make",     "-C",         project_root(), "--no-print-directory",     "-s", "-k",
        line->jobs, "unit-files", line->build,    "PROGRAM_ID=" BUILD_UNIT_ID};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) line->argv[n++] = fixed[i];
    for (size_t i = 0; i < COUNT_OF(settings); i++) line->argv[n++] = settings[i];
    line->argv[n++] = line->units;
    line->argv[n] = NULL;
    return true;
}

static size_t not_current(const char *const names[], size_t count) {
    size_t left = 0;
    for (size_t i = 0; i < count; i++) left += !unit_is_current(names[i]);
    return left;
}

/* Shows how far make is: it says a line a unit that it begins. `why`: what it cannot do at all. */
static void follow(int fd, size_t count, struct why *why) {
    bool terminal = isatty(STDERR_FILENO);
    char line[256];
    size_t begun = 0;
    FILE *said = fdopen(fd, "r");
    if (!said) {
        close(fd);
        return;
    }
    while (fgets(line, sizeof line, said)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "  cannot: ", 10) == 0) why_say(why, "%s", line + 10);
        if (strncmp(line, "  unit ", 7) != 0) continue;
        begun++;
        if (terminal) fprintf(stderr, "\r\033[K  unit %zu of %zu  %s", begun, count, line + 7);
    }
    if (terminal) fputs("\r\033[K", stderr);
    fclose(said);
}

/* What an interrupt has to end: make's process group; 0: none. */
static volatile sig_atomic_t make_group, interrupted;

static void on_interrupt(int signal_number) {
    interrupted = signal_number;
    if (make_group > 0) kill(-(pid_t)make_group, SIGTERM);
}

static const int interrupts[] = {SIGINT, SIGTERM, SIGHUP};

struct signals {
    struct sigaction before[COUNT_OF(interrupts)];
    sigset_t mask;
};

/* Catches what interrupts, unless it is ignored, and holds it back until make's group is known. */
static void signals_catch(struct signals *signals) {
    struct sigaction catching = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigset_t held;
    sigemptyset(&held);
    for (size_t i = 0; i < COUNT_OF(interrupts); i++) sigaddset(&held, interrupts[i]);
    sigprocmask(SIG_BLOCK, &held, &signals->mask);
    for (size_t i = 0; i < COUNT_OF(interrupts); i++) {
        sigaction(interrupts[i], NULL, &signals->before[i]);
        if (signals->before[i].sa_handler != SIG_IGN) sigaction(interrupts[i], &catching, NULL);
    }
}

static void signals_restore(const struct signals *signals) {
    for (size_t i = 0; i < COUNT_OF(interrupts); i++) sigaction(interrupts[i], &signals->before[i], NULL);
}

/* Runs make to its end, which has the lock with all that it starts: should this program be killed, nobody
 * builds beside them. False: it could not be started, `why`. */
static bool run_make(const struct make_line *line, size_t count, int lock, struct why *why) {
    struct signals signals;
    struct child make;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        why_say(why, "cannot make a pipe: %s", strerror(errno));
        return false;
    }
    /* What a make that called this program has set would redirect this one, and what is preloaded is for
     * programs that are measured. */
    static const char *const foreign[] = {
        "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL=0", "MAKEOVERRIDES=", "SELECT=", "PAD=", "LD_PRELOAD="};
    char **environment = child_environment(foreign, COUNT_OF(foreign));
    struct child_start how = {.argv = line->argv,
                              .env = (const char *const *)environment,
                              .out_fd = ends[1],
                              .err_fd = -1,
                              .keep_fd = {lock, -1, -1},
                              .own_group = true};
    signals_catch(&signals);
    bool started = child_start(&make, &how, why);
    make_group = started ? make.pid : 0;
    sigprocmask(SIG_SETMASK, &signals.mask, NULL);
    close(ends[1]);
    free(environment);
    if (!started) {
        close(ends[0]);
        signals_restore(&signals);
        return false;
    }
    follow(ends[0], count, why);
    while (!child_wait(&make, 1000)) continue;
    make_group = 0;
    signals_restore(&signals);
    return true;
}

bool units_build(const char *const names[], size_t count, struct why *why) {
    struct make_line line = {0};
    why->text[0] = '\0';
    if (!has_sources()) {
        why_say(why, "the sources of units are not here");
        return false;
    }
    if (strpbrk(build_argument(), " \t")) {
        why_say(why, "%s/units: make takes no blanks in the path of a build folder", build_folder());
        return false;
    }
    if (!has_compilers(why)) return false;
    int lock = lock_units(why);
    if (lock < 0) return false;
    /* Another program may have built them meanwhile. */
    size_t missing = not_current(names, count);
    bool ran = missing == 0 || has_room(missing, why);
    if (ran && missing > 0) {
        fprintf(stderr, "mapbench: building %zu unit%s of %zu\n", missing, missing == 1 ? "" : "s", count);
        for (size_t i = 0; i < count; i++) discard_foreign(names[i]);
        ran = make_line(&line, names, count) && run_make(&line, missing, lock, why);
    }
    free(line.build), free(line.units);
    close(lock);
    if (interrupted)
        exit(complain(EXIT_INTERRUPTED,
                      "interrupted while units were built; the next command builds the rest"));
    return ran && (missing == 0 || not_current(names, count) == 0);
}
