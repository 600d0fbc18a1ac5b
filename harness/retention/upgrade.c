#include "harness/retention/upgrade.h"

#include <math.h>
#include <string.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/heaps/gosim/gosim.h"
#include "harness/plan/registry.h"
#include "harness/retention/affected.h"
#include "harness/retention/verdict.h"

/* As the recordings of real Go are compared: closer is the same. */
static const double ALIKE_SHARE = 0.01;
enum { ALIKE_BYTES = 8192 };

/* --- which two --- */

static bool read_one(const char *text, int *release, struct why *why) {
    for (size_t i = 0; i < gosim_release_count; i++)
        if (go_release_number(text) == gosim_releases[i]) return *release = gosim_releases[i], true;
    return go_release_unknown(text, gosim_releases, gosim_release_count, why);
}

/* Whether one of Go's maps has that release. */
static bool exists_in(const char *map, int release) {
    char text[GO_RELEASE_TEXT_SIZE], name[64];
    snprintf(name, sizeof name, "%s@%s", map, go_release_text(release, text));
    if (registry_map_release(map) == release) return true;
    for (size_t i = 0; i < registry_map_count(); i++)
        if (strcmp(registry_map_name(i), name) == 0) return true;
    return strcmp(registry_name_resolved(name), name) != 0;
}

static bool check_map(const char *map, int release, struct why *why) {
    char text[GO_RELEASE_TEXT_SIZE];
    if (exists_in(map, release)) return true;
    why_say(why, "there is no %s in Go %s", map, go_release_text(release, text));
    for (size_t i = 0; i < registry_map_count(); i++)
        if (registry_map_describes(i) && !registry_map_is_version(registry_map_name(i)) &&
            exists_in(registry_map_name(i), release))
            why_add(why, ": its map is %s", registry_map_name(i));
    return false;
}

bool upgrade_read(struct upgrade *u, const char *text, const char *maps, struct why *why) {
    char first[UPGRADE_LIST_SIZE];
    const char *comma = strchr(text, ','), *second = comma ? comma + 1 : "";
    *u = (struct upgrade){.map = maps};
    if (!comma || comma == text || !*second || strchr(second, ',') || strlen(text) >= sizeof first)
        return why_say(why, "--upgrade takes two releases of Go such as 1.24,1.27, not '%s'", text);
    snprintf(first, sizeof first, "%.*s", (int)(comma - text), text);
    if (!read_one(first, &u->from, why) || !read_one(second, &u->to, why)) return false;
    if (u->from == u->to)
        return why_say(why, "--upgrade takes two different releases, not '%s': nothing would change", text);
    strcpy(u->releases, text);
    if (!maps) return true;
    if (strchr(maps, ',') || strchr(maps, '@') || registry_map_release(maps) == 0)
        return why_say(
            why, "--upgrade compares releases of one of Go's maps, such as --maps go_swiss, not '%s'", maps);
    return check_map(maps, u->from, why) && check_map(maps, u->to, why);
}

/* --- what differs --- */

static const char *text_of(const json_t *line, const char *field) {
    const char *value = json_string_value(json_object_get(line, field));
    return value ? value : "";
}

static bool is_real(const json_t *verdict) {
    return strcmp(text_of(verdict, "engine"), "c") != 0;
}

/* The map without its release. */
static size_t design_length(const char *map) {
    return strcspn(map, "@");
}

static bool is_selected(const struct upgrade *u, const json_t *verdict) {
    const char *map = text_of(verdict, "map");
    size_t length = design_length(map);
    /* A release built with the maps of another, go1.24-classic, is not what an upgrade would bring. */
    if (is_real(verdict) && strchr(text_of(verdict, "program"), '-')) return false;
    return !u->map || is_real(verdict) || (strlen(u->map) == length && strncmp(map, u->map, length) == 0);
}

/* The verdict of the newer release that stands against one of the older: of the same scenario, heap and kind
 * of map. */
static const json_t *counterpart(const struct upgrade *u, const json_t *verdicts, const json_t *old) {
    char to[GO_RELEASE_TEXT_SIZE];
    const json_t *candidate, *found = NULL;
    size_t i;
    go_release_text(u->to, to);
    json_array_foreach(verdicts, i, candidate) {
        bool fits = strcmp(text_of(candidate, "scenario"), text_of(old, "scenario")) == 0 &&
                    strcmp(text_of(candidate, "release"), to) == 0 &&
                    strcmp(text_of(candidate, "heap"), text_of(old, "heap")) == 0 &&
                    is_real(candidate) == is_real(old) &&
                    !*text_of(candidate, "map") == !*text_of(old, "map") && is_selected(u, candidate);
        const char *map = text_of(candidate, "map"), *of_old = text_of(old, "map");
        bool same =
            design_length(map) == design_length(of_old) && strncmp(map, of_old, design_length(map)) == 0;
        if (fits && (same || !found)) found = candidate;
        if (fits && same) break;
    }
    return found;
}

static const json_t *variant_of(const json_t *verdict, const char *name) {
    const json_t *variants = json_object_get(verdict, "variants"), *v;
    size_t i;
    json_array_foreach(variants, i, v) {
        if (strcmp(text_of(v, "name"), name) == 0) return v;
    }
    return NULL;
}

static bool differs(double before, double after) {
    double most = fmax(fabs(before), fabs(after));
    return fabs(after - before) > fmax(ALIKE_BYTES, ALIKE_SHARE * most);
}

static json_t *compare_variant(const struct upgrade *u, const json_t *old, const json_t *new,
                               const json_t *was, const json_t *is) {
    const struct scenario *s = scenario_find(text_of(old, "scenario"));
    const struct variant *v = s->variant;
    char from[GO_RELEASE_TEXT_SIZE], to[GO_RELEASE_TEXT_SIZE], range[AFFECTED_TEXT_SIZE];
    double before = json_number_value(json_object_get(was, "bytes")),
           after = json_number_value(json_object_get(is, "bytes"));
    while (strcmp(v->name, text_of(was, "name")) != 0) v++;
    affected_range(s, v, range);
    return json_pack(
        "{s:s, s:s, s:s, s:O, s:O, s:s, s:s, s:s, s:O, s:s, s:s, s:f, s:f, s:f, s:b, s:O, s:O, s:s, s:s}",
        "scenario", s->name, "variant", v->name, "role", text_of(was, "role"), "map_from",
        json_object_get(old, "map"), "map_to", json_object_get(new, "map"), "heap", text_of(old, "heap"),
        "engine_from", text_of(old, "engine"), "engine_to", text_of(new, "engine"), "n",
        json_object_get(old, "n"), "from", go_release_text(u->from, from), "to", go_release_text(u->to, to),
        "bytes_from", before, "bytes_to", after, "change_bytes", after - before, "differs",
        differs(before, after), "affected_from", json_object_get(is, "affected_from"), "fixed_in",
        json_object_get(is, "fixed_in"), "in_go", range, "fix", s->fix);
}

json_t *upgrade_compare(const struct upgrade *u, const json_t *verdicts) {
    json_t *compared = json_array();
    const json_t *old, *was;
    char from[GO_RELEASE_TEXT_SIZE];
    size_t i, k;
    go_release_text(u->from, from);
    json_array_foreach(verdicts, i, old) {
        if (strcmp(text_of(old, "release"), from) != 0 || !is_selected(u, old)) continue;
        const json_t *new = counterpart(u, verdicts, old);
        const json_t *variants = json_object_get(old, "variants");
        json_array_foreach(variants, k, was) {
            const json_t *is = new ? variant_of(new, text_of(was, "name")) : NULL;
            if (is) json_array_append_new(compared, compare_variant(u, old, new, was, is));
        }
    }
    return compared;
}

/* --- in words --- */

static const char *change_text(double before, double after, char *room, size_t size) {
    if (before <= ALIKE_BYTES || after <= 0)
        snprintf(room, size, "%s", after > before ? "new" : "gone");
    else if (after >= 2 * before)
        snprintf(room, size, "x %.3g", after / before);
    else
        snprintf(room, size, "%+.0f %%", 100 * (after / before - 1));
    return room;
}

static void print_one(const json_t *line, FILE *out) {
    char variant[48], place[64], before[24], after[24], change[24];
    const char *from = text_of(line, "map_from"), *to = text_of(line, "map_to");
    bool real = strcmp(text_of(line, "engine_from"), "c") != 0;
    bool other = strncmp(from, to, design_length(from)) != 0 || design_length(from) != design_length(to);
    snprintf(variant, sizeof variant, "%s (%s)", text_of(line, "variant"), text_of(line, "role"));
    snprintf(place, sizeof place, "%.*s%s%.*s%s%s", (int)design_length(from), from, other ? " -> " : "",
             other ? (int)design_length(to) : 0, to, *from ? " on " : "",
             real ? "Go" : text_of(line, "heap"));
    fprintf(out, "%-21s %-24s %-28s %9s %9s  %-8s %s\n", text_of(line, "scenario"), variant, place,
            bytes_text(json_object_get(line, "bytes_from"), before, sizeof before),
            bytes_text(json_object_get(line, "bytes_to"), after, sizeof after),
            change_text(json_number_value(json_object_get(line, "bytes_from")),
                        json_number_value(json_object_get(line, "bytes_to")), change, sizeof change),
            text_of(line, "in_go"));
}

void upgrade_print(const struct upgrade *u, const json_t *compared, FILE *out) {
    char from[GO_RELEASE_TEXT_SIZE], to[GO_RELEASE_TEXT_SIZE];
    const json_t *line;
    size_t i, found = 0;
    go_release_text(u->from, from), go_release_text(u->to, to);
    json_array_foreach(compared, i, line) {
        if (!json_is_true(json_object_get(line, "differs"))) continue;
        if (found++ == 0)
            fprintf(out, "%-21s %-24s %-28s %9s %9s  %-8s %s\n", "scenario", "variant", "map", from, to,
                    "change", "in Go");
        print_one(line, out);
    }
    fprintf(out,
            "%zu of %zu variants keep something else in Go %s than in Go %s; the others are alike within 1 "
            "%% or 8 kB\n",
            found, json_array_size(compared), to, from);
}
