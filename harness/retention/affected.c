#include "harness/retention/affected.h"

#include <stdio.h>
#include <string.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/plan/registry.h"

/* The last release with the classic map: what an engine of a later one can be built with still follows it. */
enum { LAST_CLASSIC = 123 };

bool scenario_is_of_go(const struct scenario *s) {
    return (s->heaps & (ON_GOSIM | ON_GO)) != 0;
}

static const struct affected *affected_find(const struct scenario *s, const struct variant *v) {
    for (const struct affected *a = s->affected; a && a->variants; a++)
        if (names_has(a->variants, v->name)) return a;
    return NULL;
}

/* The range of the releases in which the variant keeps too much. False: it does in none. */
static bool affected_bounds(const struct scenario *s, const struct variant *v, int *from, int *fixed_in) {
    const struct affected *a = affected_find(s, v);
    *from = a ? a->from : 0, *fixed_in = a ? a->fixed_in : 0;
    if (v->role == VARIANT_REFERENCE || !scenario_is_of_go(s) || *from == AFFECTED_NEVER) return false;
    return a || v->role != VARIANT_FIXED;
}

bool variant_shows_in_bytes(const struct scenario *s, const struct variant *v) {
    const struct affected *a = affected_find(s, v);
    return scenario_is_of_go(s) && v->role != VARIANT_REFERENCE && (!a || a->in_bytes);
}

bool variant_affected(const struct scenario *s, const struct variant *v, int release) {
    int from, fixed_in;
    return affected_bounds(s, v, &from, &fixed_in) && release >= from && (!fixed_in || release < fixed_in);
}

enum variant_role variant_role_in(const struct scenario *s, const struct variant *v, int release) {
    if (!release || v->role == VARIANT_REFERENCE) return v->role;
    if (!variant_affected(s, v, release)) return VARIANT_FIXED;
    return v->role == VARIANT_FIXED ? VARIANT_NO_FIX : v->role;
}

static int newest(void) {
    return gosim_releases[gosim_release_count - 1];
}

const char *affected_text(const struct scenario *s, const struct variant *v, int release,
                          char room[AFFECTED_TEXT_SIZE]) {
    int from, fixed_in;
    char at[GO_RELEASE_TEXT_SIZE];
    room[0] = '\0';
    if (!release || !affected_bounds(s, v, &from, &fixed_in)) return room;
    if (v->role == VARIANT_FIXED && fixed_in)
        snprintf(room, AFFECTED_TEXT_SIZE, "helps from %s", go_release_text(fixed_in, at));
    else if (release < from)
        snprintf(room, AFFECTED_TEXT_SIZE, "not affected before %s", go_release_text(from, at));
    else if (!fixed_in)
        snprintf(room, AFFECTED_TEXT_SIZE, "not fixed up to %s", go_release_text(newest(), at));
    else
        snprintf(room, AFFECTED_TEXT_SIZE, "%sfixed in %s", release < fixed_in ? "affected, " : "",
                 go_release_text(fixed_in, at));
    return room;
}

const char *affected_range(const struct scenario *s, const struct variant *v, char room[AFFECTED_TEXT_SIZE]) {
    int from, fixed_in;
    char first[GO_RELEASE_TEXT_SIZE], last[GO_RELEASE_TEXT_SIZE];
    room[0] = '\0';
    if (!affected_bounds(s, v, &from, &fixed_in)) return room;
    if (v->role == VARIANT_FIXED && fixed_in) {
        snprintf(room, AFFECTED_TEXT_SIZE, "helps from %s", go_release_text(fixed_in, last));
        return room;
    }
    size_t used =
        from ? (size_t)snprintf(room, AFFECTED_TEXT_SIZE, "affected from %s, ", go_release_text(from, first))
             : 0;
    snprintf(room + used, AFFECTED_TEXT_SIZE - used, "%s %s", fixed_in ? "fixed in" : "not fixed up to",
             go_release_text(fixed_in ? fixed_in : newest(), last));
    return room;
}

static json_t *release_or_null(int release) {
    char room[GO_RELEASE_TEXT_SIZE];
    return release ? json_string(go_release_text(release, room)) : json_null();
}

void affected_json(const struct scenario *s, const struct variant *v, json_t *into) {
    int from, fixed_in;
    json_t *in = json_array();
    affected_bounds(s, v, &from, &fixed_in);
    for (size_t i = 0; i < gosim_release_count; i++)
        if (variant_affected(s, v, gosim_releases[i]))
            json_array_append_new(in, release_or_null(gosim_releases[i]));
    json_object_set_new(into, "affected_in", in);
    json_object_set_new(into, "affected_from", release_or_null(from == AFFECTED_NEVER ? 0 : from));
    json_object_set_new(into, "fixed_in", release_or_null(fixed_in));
    json_object_set_new(into, "shows_in_bytes", json_boolean(variant_shows_in_bytes(s, v)));
}

int line_release(const json_t *line) {
    const char *map = json_string_value(json_object_get(line, "map")),
               *text = json_string_value(json_object_get(line, "release"));
    int release = text ? go_release_number(text) : 0;
    bool real = map && strncmp(map, "real_", strlen("real_")) == 0;
    if (map && !real && !registry_map_release(map)) return 0;
    return map && strstr(map, "hmap") && release > LAST_CLASSIC ? LAST_CLASSIC : release;
}
