#include "harness/retention/engine_cases.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness/base/child.h"
#include "harness/engines/engine.h"
#include "harness/engines/process.h"
#include "harness/retention/case_plan.h"
#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/base/why.h"

enum { TEXT_MAX = 16 << 20 };

/* Runs `PROGRAM retain ARGS` and reads what it prints, a JSON object a line. False: `why`. */
static bool ask(const char *const *argv, unsigned limit_s, json_t *lines, struct why *why) {
    struct child child;
    int out = child_output_open(), err = child_output_open();
    struct child_start how = {.argv = argv, .out_fd = out, .err_fd = err, .keep_fd = {-1, -1, -1}};
    bool ok = out >= 0 && err >= 0 && child_start(&child, &how, why);
    if (ok) {
        char end[96], complaint[160];
        bool in_time = child_finish(&child, limit_s);
        child_describe_end(&child, end, sizeof end);
        child_output_line(err, complaint, sizeof complaint);
        if (!in_time)
            why_say(why, "gave up after %u s (--limit)", limit_s);
        else if (!child_succeeded(&child))
            why_say(why, "the engine %s%s%s", end, complaint[0] ? ": " : "", complaint);
        ok = in_time && child_succeeded(&child);
    }
    FILE *in = out >= 0 && lseek(out, 0, SEEK_SET) == 0 ? fdopen(out, "r") : NULL;
    char *text = NULL;
    size_t room = 0;
    while (in && getline(&text, &room, in) > 0) {
        json_error_t error;
        json_t *line = json_loads(text, 0, &error);
        if (line)
            json_array_append_new(lines, line);
        else if (ok)
            ok = why_say(why, "the engine printed a line that is not JSON: %.60s", text);
    }
    free(text);
    if (in)
        fclose(in);
    else if (out >= 0)
        close(out);
    if (err >= 0) close(err);
    return ok;
}

/* Returns the entry of a variant in the engine's list; NULL: there is none. */
static const json_t *listed(const json_t *list, const char *scenario, const char *variant) {
    const json_t *entry;
    size_t i;
    json_array_foreach(list, i, entry) {
        const char *s = json_string_value(json_object_get(entry, "scenario")),
                   *v = json_string_value(json_object_get(entry, "variant"));
        if (s && v && strcmp(s, scenario) == 0 && strcmp(v, variant) == 0) return entry;
    }
    return NULL;
}

/* Whether the engine's version of Go can run it; if not, it is noted as skipped, as a map's is. */
static bool can_run(const json_t *entry, const char *scenario, const char *variant, const char *engine,
                    json_t *skipped) {
    const char *map = json_string_value(json_object_get(entry, "map")),
               *reason = json_string_value(json_object_get(entry, "reason"));
    char what[128];
    if (!json_is_false(json_object_get(entry, "available"))) return true;
    snprintf(what, sizeof what, "%s%s%s", variant, map ? " with " : " on ", map ? map : engine);
    json_array_append_new(skipped, json_pack("{s:s, s:s, s:s}", "scenario", scenario, "what", what, "reason",
                                             reason ? reason : "the engine does not say why"));
    return false;
}

/* The release of Go in an engine's name, such as "go1.24-classic". NULL: none. */
static const char *release_of(const char *engine, char room[GO_RELEASE_TEXT_SIZE]) {
    if (strncmp(engine, "go", 2) != 0) return NULL;
    snprintf(room, GO_RELEASE_TEXT_SIZE, "%.*s", (int)strcspn(engine + 2, "-"), engine + 2);
    return go_release_number(room) ? room : NULL;
}

/* The engine knows names only; what they mean is the catalogue's. */
static void add_role(json_t *lines, size_t from, const struct variant *v, const char *engine) {
    char room[GO_RELEASE_TEXT_SIZE];
    const char *release = release_of(engine, room);
    for (size_t i = from; i < json_array_size(lines); i++) {
        json_object_set_new(json_array_get(lines, i), "role", json_string(role_name(v->role)));
        json_object_set_new(json_array_get(lines, i), "release",
                            release ? json_string(release) : json_null());
    }
}

/* Names the version in each line as rows do. False: the engine is of another release than its name says, and
 * its lines are dropped; `why`. */
static bool name_versions(json_t *lines, size_t from, const char *engine, struct why *why) {
    bool ok = true;
    for (size_t i = from; ok && i < json_array_size(lines); i++) {
        char version[128];
        const char *says = json_string_value(json_object_get(json_array_get(lines, i), "engine"));
        ok = engine_version_of(engine, says ? says : "something unnamed", version, sizeof version, why);
        if (ok) json_object_set_new(json_array_get(lines, i), "engine", json_string(version));
    }
    while (!ok && json_array_size(lines) > from) json_array_remove(lines, from);
    return ok;
}

static void failed_line(json_t *lines, const struct scenario *s, const struct variant *v, const char *engine,
                        const char *why) {
    json_array_append_new(lines, json_pack("{s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:s}", "scenario", s->name,
                                           "variant", v->name, "role", role_name(v->role), "map", "heap",
                                           "go_gc", "engine", engine, "label", "error", "error", why));
}

static void skip(json_t *skipped, const struct scenario *s, const char *engine, const char *why) {
    json_array_append_new(skipped, json_pack("{s:s, s:s, s:n, s:s, s:s}", "scenario", s->name, "what", engine,
                                             "map", "heap", "go_gc", "reason", why));
}

size_t engine_cases_run(size_t i, const struct scenario *s, const struct retain_options *o, json_t *lines,
                        json_t *skipped) {
    const char *name = engine_program_name(i);
    char path[4096], n[24];
    struct why why;
    size_t failed = 0;
    if (!engine_program_path(name, path, sizeof path)) {
        skip(skipped, s, name, "the engine is not built: make engines");
        return 0;
    }
    json_t *list = json_array();
    const char *list_argv[] = {path, "retain", "list", NULL};
    if (!ask(list_argv, o->limit_s, list, &why)) {
        json_decref(list);
        skip(skipped, s, name, why.text);
        return 1;
    }
    for (const struct variant *v = s->variant; v->name; v++) {
        if (!names_select(o->variant, role_name(v->role)) && !names_select(o->variant, v->name)) continue;
        const json_t *entry = listed(list, s->name, v->name);
        if (!entry || !can_run(entry, s->name, v->name, name, skipped)) continue;
        size_t before = json_array_size(lines);
        const char *argv[] = {path, "retain", s->name, v->name, n, NULL};
        snprintf(n, sizeof n, "%zu", o->n ? o->n : s->n);
        bool ok = ask(argv, o->limit_s, lines, &why) && name_versions(lines, before, name, &why);
        add_role(lines, before, v, name);
        if (ok) continue;
        failed_line(lines, s, v, name, why.text);
        failed++;
    }
    json_decref(list);
    return failed;
}
