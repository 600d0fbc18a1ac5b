#include "harness/run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/files.h"
#include "harness/base/output.h"
#include "harness/base/project.h"
#include "harness/base/why.h"
#include "harness/run/checksums.h"

static bool selection_matches(const char *partial, const char *selection) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/selection", partial);
    char *text = read_file(path);
    bool same = text && strcmp(text, selection) == 0;
    free(text);
    return same;
}

/* The newest partial run below `results` with the same selection; its name without ".partial". */
static bool find_partial(const char *results, const char *selection, char *out, size_t size) {
    DIR *dir = opendir(results);
    char newest[NAME_MAX + 1] = "", path[PATH_MAX];
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len <= 8 || strcmp(entry->d_name + len - 8, ".partial") != 0) continue;
        if ((size_t)snprintf(path, sizeof path, "%s/%s", results, entry->d_name) >= sizeof path) continue;
        if (selection_matches(path, selection) && strcmp(entry->d_name, newest) > 0)
            strcpy(newest, entry->d_name);
    }
    if (dir) closedir(dir);
    if (!newest[0]) return false;
    snprintf(out, size, "%s/%.*s", results, (int)(strlen(newest) - 8), newest);
    return true;
}

static FILE *open_part(const struct runfolder *folder, const char *name) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder->partial, name);
    return fopen(path, "a+");
}

static void read_steps(struct runfolder *folder) {
    char *line = NULL;
    size_t size = 0;
    long whole = 0;
    rewind(folder->done);
    for (ssize_t len; (len = getline(&line, &size, folder->done)) > 0;) {
        if (line[len - 1] !=
            '\n') { /* torn by an interruption: not done, and cut off before the next is written */
            if (ftruncate(fileno(folder->done), whole)) perror("mapbench: cannot repair the list of steps");
            break;
        }
        whole += len;
        line[len - 1] = '\0';
        folder->step_done = realloc(folder->step_done, (folder->steps_done + 1) * sizeof *folder->step_done);
        folder->step_done[folder->steps_done++] = strdup(line);
    }
    free(line);
}

bool runfolder_step_done(const struct runfolder *folder, const char *step) {
    for (size_t i = 0; i < folder->steps_done; i++)
        if (strcmp(folder->step_done[i], step) == 0) return true;
    return false;
}

/* Drops the lines of steps that were not completed: a file of rows is only appended to after this. */
static bool drop_unfinished(struct runfolder *folder, FILE **file, const char *name) {
    char path[PATH_MAX + 32], keep[PATH_MAX + 40], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/%s", folder->partial, name);
    snprintf(keep, sizeof keep, "%s.keep", path);
    FILE *kept = output_open(keep);
    if (!kept) return false;
    rewind(*file);
    while (getline(&line, &size, *file) > 0) {
        json_t *value = json_loads(line, 0, NULL);
        const char *step = json_string_value(json_object_get(value, "step"));
        if (step && runfolder_step_done(folder, step)) fputs(line, kept);
        json_decref(value);
    }
    free(line);
    bool whole = !ferror(*file) && !ferror(kept);
    if (fclose(kept) || !whole || rename(keep, path)) return false;
    fclose(*file);
    return (*file = fopen(path, "a+")) != NULL;
}

__attribute__((format(printf, 2, 3))) static enum runfolder_result usage(struct why *why, const char *format,
                                                                         ...) {
    va_list list;
    va_start(list, format);
    why_vsay(why, format, list);
    va_end(list);
    return RUNFOLDER_USAGE;
}

static enum runfolder_result cannot(struct why *why, const char *verb, const char *path) {
    why_errno(why, verb, path);
    return RUNFOLDER_CANNOT;
}

static enum runfolder_result open_files(struct runfolder *folder, const char *selection, bool resume,
                                        struct why *why) {
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/selection", folder->partial);
    if (!resume) {
        FILE *file = output_open(path);
        bool ok = file && fputs(selection, file) >= 0;
        if ((file && fclose(file)) || !ok) return cannot(why, "write", path);
    }
    folder->rows = open_part(folder, "rows.jsonl");
    folder->gbench = open_part(folder, "gbench.jsonl");
    folder->done = open_part(folder, "done");
    if (!folder->rows || !folder->gbench || !folder->done) return cannot(why, "write in", folder->partial);
    if (!resume) return RUNFOLDER_OK;
    read_steps(folder);
    if (drop_unfinished(folder, &folder->rows, "rows.jsonl") &&
        drop_unfinished(folder, &folder->gbench, "gbench.jsonl"))
        return RUNFOLDER_OK;
    return cannot(why, "rewrite rows in", folder->partial);
}

/* The names of the folder: as `out` says, or below results/: of the run to resume, or a new one. */
static enum runfolder_result name_of(struct runfolder *folder, const char *out, const char *name,
                                     const char *selection, bool resume, struct why *why) {
    char results[PATH_MAX];
    int length = 0;
    snprintf(results, sizeof results, "%s/results", project_root());
    if (out)
        length = snprintf(folder->final, sizeof folder->final, "%.*s",
                          (int)(strlen(out) - (strlen(out) > 1 && out[strlen(out) - 1] == '/')), out);
    else if (!resume)
        length = snprintf(folder->final, sizeof folder->final, "%s/%s", results, name);
    else if (!find_partial(results, selection, folder->final, sizeof folder->final))
        return usage(why, "nothing to resume: no interrupted run of this selection in %s", results);
    if ((size_t)length >= sizeof folder->final ||
        (size_t)snprintf(folder->partial, sizeof folder->partial, "%s.partial", folder->final) >=
            sizeof folder->partial)
        return usage(why, "the path of %s is too long", folder->final);
    return RUNFOLDER_OK;
}

/* An empty folder may have the final name: it is removed. */
static enum runfolder_result refuse_unless_free(const struct runfolder *folder, struct why *why) {
    if (rmdir(folder->final) == 0 || errno == ENOENT || access(folder->final, F_OK) != 0) return RUNFOLDER_OK;
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR || errno == ENOENT)
        return usage(why, "%s exists and is not an empty folder: choose another --out", folder->final);
    return cannot(why, "use", folder->final);
}

static enum runfolder_result begin_or_resume(struct runfolder *folder, const char *selection, bool resume,
                                             struct why *why) {
    bool exists = access(folder->partial, F_OK) == 0;
    if (resume && !exists) return usage(why, "nothing to resume: %s does not exist", folder->partial);
    if (resume && !selection_matches(folder->partial, selection))
        return usage(why, "%s was measuring another selection: give the same profile and options",
                     folder->partial);
    if (!resume && exists)
        return usage(why, "an interrupted run is in %s: go on with --resume, or remove it", folder->partial);
    char perf[PATH_MAX + 8];
    snprintf(perf, sizeof perf, "%s/perf", folder->partial);
    if (!make_folders(perf)) {
        why_say(why, "cannot create %s: %s: name a folder to write to with --out", folder->partial,
                strerror(errno));
        return RUNFOLDER_CANNOT;
    }
    return open_files(folder, selection, resume, why);
}

enum runfolder_result runfolder_open(struct runfolder *folder, const char *out, const char *name,
                                     const char *selection, bool resume, struct why *why) {
    memset(folder, 0, sizeof *folder);
    enum runfolder_result result = name_of(folder, out, name, selection, resume, why);
    if (result == RUNFOLDER_OK) result = refuse_unless_free(folder, why);
    if (result == RUNFOLDER_OK) result = begin_or_resume(folder, selection, resume, why);
    return result;
}

/* Appends the lines of an array, each marked with its step. A failed write is cut off again. */
static bool append_lines(FILE *file, const char *step, const json_t *values) {
    size_t i;
    json_t *value;
    fseek(file, 0, SEEK_END);
    long before = ftell(file);
    bool ok = true;
    json_array_foreach(values, i, value) {
        json_object_set_new(value, "step", json_string(step));
        char *line = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(9));
        ok = ok && line && fputs(line, file) >= 0 && fputc('\n', file) != EOF;
        free(line);
    }
    ok = ok && fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (!ok) {
        int saved = errno;
        clearerr(file);
        if (ftruncate(fileno(file), before)) saved = errno;
        errno = saved;
    }
    return ok;
}

bool runfolder_append(struct runfolder *folder, const char *step, const json_t *rows, const json_t *gbench,
                      struct why *why) {
    /* Rows last: when the disk refuses in between, no row stands in the file whose step is not done. */
    if (gbench && !append_lines(folder->gbench, step, gbench))
        return why_errno(why, "write reports to", folder->partial);
    if (!append_lines(folder->rows, step, rows)) return why_errno(why, "write rows to", folder->partial);
    if (fprintf(folder->done, "%s\n", step) < 0 || fflush(folder->done) || fsync(fileno(folder->done)))
        return why_errno(why, "write to", folder->partial);
    return true;
}

bool runfolder_write_json(const struct runfolder *folder, const char *name, const json_t *value,
                          struct why *why) {
    char path[PATH_MAX + 32], fresh[PATH_MAX + 40];
    snprintf(path, sizeof path, "%s/%s", folder->partial, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "w");
    /* On the disk before it takes the other's name: an interrupted run needs one of them whole to go on. */
    bool written = file && json_dumpf(value, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
                   fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (file && fclose(file)) written = false;
    if (written && rename(fresh, path) == 0) return true;
    why_errno(why, "write", path);
    unlink(fresh);
    return false;
}

json_t *runfolder_read_json(const struct runfolder *folder, const char *name) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder->partial, name);
    return json_load_file(path, 0, NULL);
}

json_t *runfolder_rows(const struct runfolder *folder, struct why *why) {
    json_t *rows = read_lines(folder->rows);
    if (!rows) why_say(why, "out of memory while reading rows");
    return rows;
}

bool runfolder_finish_gbench(struct runfolder *folder, struct why *why) {
    json_t *reports = read_lines(folder->gbench), *whole = json_object(), *benchmarks = json_array(), *report;
    size_t i, j;
    json_array_foreach(reports, i, report) {
        json_t *benchmark;
        if (i == 0) json_object_set(whole, "context", json_object_get(report, "context"));
        json_array_foreach(json_object_get(report, "benchmarks"), j, benchmark)
            json_array_append(benchmarks, benchmark);
    }
    if (!json_object_get(whole, "context")) json_object_set_new(whole, "context", json_object());
    json_object_set_new(whole, "benchmarks", benchmarks);
    bool ok = runfolder_write_json(folder, "gbench.json", whole, why);
    json_decref(whole), json_decref(reports);
    return ok;
}

/* The leftovers go last: a folder that cannot be completed can still be resumed. */
bool runfolder_finish(struct runfolder *folder, struct why *why) {
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/retention.jsonl", folder->partial);
    FILE *retention =
        fopen(path, "a"); /* the record kind of retention scenarios: present, if empty, in every run */
    if (!retention || fclose(retention)) return why_errno(why, "write", path);
    if (!runfolder_checksums(folder->partial, why)) return false;
    if (rename(folder->partial, folder->final)) return why_errno(why, "rename the run to", folder->final);
    runfolder_remove_leftovers(folder->final);
    return true;
}

void runfolder_close(struct runfolder *folder) {
    if (folder->rows) fclose(folder->rows);
    if (folder->gbench) fclose(folder->gbench);
    if (folder->done) fclose(folder->done);
    for (size_t i = 0; i < folder->steps_done; i++) free(folder->step_done[i]);
    free(folder->step_done);
    memset(folder, 0, sizeof *folder);
}

bool runfolder_is_empty(const struct runfolder *folder) {
    if (!folder->rows || !folder->done) return false;
    fseek(folder->rows, 0, SEEK_END);
    fseek(folder->done, 0, SEEK_END);
    return ftell(folder->rows) == 0 && ftell(folder->done) == 0;
}

void runfolder_discard_if_empty(struct runfolder *folder) {
    if (runfolder_is_empty(folder)) remove_tree(folder->partial);
}

bool runfolder_newest(const char *results, char *newest, size_t size) {
    DIR *dir = opendir(results);
    char path[PATH_MAX];
    struct timespec last = {0, 0};
    struct stat st;
    newest[0] = '\0';
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len > 8 && strcmp(entry->d_name + len - 8, ".partial") == 0) continue;
        snprintf(path, sizeof path, "%s/%s/run.json", results, entry->d_name);
        if (stat(path, &st)) continue;
        if (st.st_mtim.tv_sec < last.tv_sec ||
            (st.st_mtim.tv_sec == last.tv_sec && st.st_mtim.tv_nsec < last.tv_nsec))
            continue;
        last = st.st_mtim;
        snprintf(newest, size, "%s/%s", results, entry->d_name);
    }
    if (dir) closedir(dir);
    return newest[0] != '\0';
}
