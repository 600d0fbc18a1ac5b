#include "harness/plan/job.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/names.h"
#include "harness/base/project.h"
#include "harness/base/textfile.h"

/* State of one reading: the first fault wins. */
struct reading {
    struct profile *profile;
    struct why why;
};

static struct job *job_named(struct reading *r, const char *name) {
    struct profile *p = r->profile;
    for (size_t i = 0; i < p->jobs; i++)
        if (strcmp(p->job[i].name, name) == 0) return &p->job[i];
    if (p->jobs == JOBS_MAX) {
        why_say(&r->why, "more than %d jobs", JOBS_MAX);
        return NULL;
    }
    struct job *job = &p->job[p->jobs++];
    snprintf(job->name, sizeof job->name, "%s", name);
    return job;
}

static bool set_about(struct reading *r, const char *key, const char *value) {
    static const char *const keys[] = {"question", "expect", "duration"};
    char **fields[] = {&r->profile->question, &r->profile->expect, &r->profile->duration};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(key, keys[i]) == 0) {
            /* inih hands a value that goes on in indented lines over in parts */
            char *joined = NULL;
            if (*fields[i] && asprintf(&joined, "%s %s", *fields[i], value) < 0) joined = NULL;
            free(*fields[i]);
            *fields[i] = joined ? joined : strdup(value);
            return true;
        }
    return unknown_name("key in [profile]", key, keys, 3, &r->why);
}

/* inih's handler: 0 marks the line as faulty. */
static int on_entry(void *context, const char *section, const char *key, const char *value) {
    struct reading *r = context;
    if (r->why.text[0]) return 0;
    if (strcmp(section, "profile") == 0) return set_about(r, key, value);
    enum option_id id;
    if (!option_find(key, "run", &id)) {
        const char *names[OPTION_COUNT];
        size_t count = option_list("run", names);
        return unknown_name("option", key, names, count, &r->why);
    }
    bool global = section[0] == '\0' || strcmp(section, "global") == 0;
    if (!global && option_facts(id)->scope == OPTION_SCOPE_RUN) {
        why_say(&r->why, "'%s' holds for a whole run: put it into [global]", key);
        return 0;
    }
    struct job *job = global ? NULL : job_named(r, section);
    if (!global && !job) return 0;
    struct option_values *options = global ? &r->profile->global : &job->options;
    if (options->text[id]) {
        why_say(&r->why, "'%s' is set twice in this section: write its value in one line", key);
        return 0;
    }
    return option_set(options, id, value, &r->why);
}

static char *read_text(FILE *file, size_t *len) {
    struct stat st;
    if (fstat(fileno(file), &st) || !S_ISREG(st.st_mode)) return NULL;
    char *text = malloc((size_t)st.st_size + 1);
    *len = text ? fread(text, 1, (size_t)st.st_size, file) : 0;
    if (text) text[*len] = '\0';
    rewind(file);
    return text;
}

/* The number of the first line that inih would cut or the results, JSON, could not hold; 0: none. */
static int faulty_line(const char *path, const char *text, size_t size, struct why *why) {
    enum { INIH_LINE_MAX = 198 };
    if (textfile_is_not_text("", path, text, size, why->text, sizeof why->text)) return 1;
    int line = 1;
    for (const char *end; *text; text = *end ? end + 1 : end, line++) {
        end = strchrnul(text, '\n');
        json_t *string = json_stringn(text, (size_t)(end - text));
        bool is_utf8 = string != NULL, is_long = end - text > INIH_LINE_MAX;
        json_decref(string);
        if (is_utf8 && !is_long) continue;
        why_say(why,
                is_long ? "is longer than %d characters: shorten it, or say it on the command line"
                        : "is not UTF-8 text",
                INIH_LINE_MAX);
        return line;
    }
    return 0;
}

static void profile_path(const char *name, char *path, size_t size) {
    size_t len = strlen(name);
    bool is_path = strchr(name, '/') || (len > 4 && strcmp(name + len - 4, ".job") == 0);
    if (is_path)
        snprintf(path, size, "%s", name);
    else
        snprintf(path, size, "%s/profiles/%s.job", project_root(), name);
}

static FILE *profile_open(const char *name, const char *path, struct why *why) {
    int fd = textfile_open(path);
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file) return file;
    if (errno == ENOENT && !strchr(name, '/')) {
        size_t count;
        char **names = profile_names(&count);
        if (count == 0)
            why_say(why, "there are no profiles in %s/profiles: run the program from its build folder",
                    project_root());
        else
            unknown_name("profile", name, (const char *const *)names, count, why);
        profile_names_free(names);
    } else {
        why_say(why, "cannot read profile %s: %s", path, strerror(errno));
    }
    return NULL;
}

struct profile *profile_load(const char *name, struct why *why) {
    char path[PATH_MAX];
    profile_path(name, path, sizeof path);
    FILE *file = profile_open(name, path, why);
    if (!file) return NULL;
    struct reading r = {.profile = calloc(1, sizeof *r.profile)};
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    snprintf(r.profile->name, sizeof r.profile->name, "%.*s", (int)strcspn(base, "."), base);
    size_t size = 0;
    r.profile->text = read_text(file, &size);
    int line = r.profile->text ? faulty_line(path, r.profile->text, size, &r.why) : -1;
    if (line == 0) line = ini_parse_file(file, on_entry, &r);
    fclose(file);
    if (line != 0)
        why_say(why, "%s:%d: %s", path, line > 0 ? line : 0,
                r.why.text[0] ? r.why.text
                : line < 0    ? "cannot be read as a profile"
                              : "is not 'option = value'");
    else if (r.profile->jobs == 0)
        why_say(why, "%s: has no job section, so there is nothing to measure", path);
    else
        return r.profile;
    profile_free(r.profile);
    return NULL;
}

struct profile *profile_empty(void) {
    struct profile *profile = calloc(1, sizeof *profile);
    strcpy(profile->name, "selection");
    profile->jobs = 1;
    strcpy(profile->job[0].name, "selection");
    return profile;
}

void profile_override(struct profile *profile, const struct option_values *command_line) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *text = command_line->text[i];
        if (!text) continue;
        option_set(&profile->global, (enum option_id)i, text, NULL);
        for (size_t j = 0; j < profile->jobs; j++)
            option_set(&profile->job[j].options, (enum option_id)i, text, NULL);
    }
    for (size_t j = 0; j < profile->jobs; j++) option_inherit(&profile->job[j].options, &profile->global);
}

struct profile *profile_select(const char *name, const struct option_values *options, struct why *why) {
    bool any = false;
    for (size_t i = 0; i < OPTION_COUNT; i++)
        any |= options->text[i] && option_facts((enum option_id)i)->scope == OPTION_SCOPE_JOB;
    struct profile *profile = name || !any ? profile_load(name ? name : "quick", why) : profile_empty();
    if (profile) profile_override(profile, options);
    return profile;
}

void profile_free(struct profile *profile) {
    if (!profile) return;
    for (size_t i = 0; i < profile->jobs; i++) option_values_free(&profile->job[i].options);
    option_values_free(&profile->global);
    free(profile->text), free(profile->question), free(profile->expect), free(profile->duration);
    free(profile);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **profile_names(size_t *count) {
    char path[PATH_MAX];
    size_t room = 8;
    char **names = calloc(room + 1, sizeof *names);
    *count = 0;
    snprintf(path, sizeof path, "%s/profiles", project_root());
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        size_t len = strlen(entry->d_name);
        if (len <= 4 || strcmp(entry->d_name + len - 4, ".job") != 0) continue;
        if (*count == room) names = realloc(names, (2 * room + 1) * sizeof *names), room *= 2;
        names[(*count)++] = strndup(entry->d_name, len - 4);
    }
    if (dir) closedir(dir);
    qsort(names, *count, sizeof *names, by_name);
    names[*count] = NULL;
    return names;
}

void profile_names_free(char **names) {
    for (char **name = names; *name; name++) free(*name);
    free(names);
}
