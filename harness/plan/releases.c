#include "harness/plan/releases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/plan/registry.h"

/* What a port is of: the releases of Go that have it by default; the last one that has it at all, with which
 * GOEXPERIMENT; and what the other releases have instead. Empty: no end is known. */
static const struct port {
    const char *map, *first, *last, *last_of_all, *experiment, *other, *what;
} ports[] = {
#define MAP(name, symbol, heaps)
#define ALIAS(name, map)
#define VERSION(...)
#define PORT(map, first, last, last_of_all, experiment, other, what)                                         \
    {map, first, last, last_of_all, experiment, other, what},
#include "maps.def"
#undef PORT
#undef VERSION
#undef ALIAS
#undef MAP
    {NULL, "", "", "", "", "", ""}, /* a list without a port is no empty array */
};

enum { RELEASES_MAX = 32 };

/* The release that a version such as 1.24.4 is of; 0: none. */
static int release_of(const char *version) {
    char text[GO_RELEASE_TEXT_SIZE];
    const char *patch = strchr(version, '.');
    size_t length = patch ? (size_t)(patch - version) + 1 + strspn(patch + 1, "0123456789") : strlen(version);
    snprintf(text, sizeof text, "%.*s", (int)length, version);
    return go_release_number(text);
}

/* The name of map i, or of an alias behind the maps; NULL at the end. */
static const char *name_at(size_t i) {
    if (i < registry_map_count()) return registry_map_name(i);
    i -= registry_map_count();
    return i < registry_alias_count() ? registry_alias(i)->name : NULL;
}

static int by_release(const void *a, const void *b) {
    int x = release_of(*(const char *const *)a), y = release_of(*(const char *const *)b);
    return (x > y) - (x < y);
}

/* The releases that names of maps end with, each once, in order; of one map, of `length` characters, or of
 * all. */
static size_t known_releases(const char *map, size_t length, const char *known[RELEASES_MAX]) {
    size_t count = 0;
    const char *name;
    for (size_t i = 0; (name = name_at(i)) != NULL; i++) {
        const char *at = strchr(name, '@');
        if (!at || (map && ((size_t)(at - name) != length || strncmp(name, map, length) != 0))) continue;
        size_t k = 0;
        while (k < count && strcmp(known[k], at + 1) != 0) k++;
        if (k == count && count < RELEASES_MAX) known[count++] = at + 1;
    }
    if (count) qsort(known, count, sizeof *known, by_release);
    return count;
}

static const char *nearest_release(const char *release, const char *const *known, size_t count) {
    int asked = release_of(release);
    const char *nearest = NULL;
    for (size_t i = 0; asked && i < count; i++)
        if (!nearest || abs(release_of(known[i]) - asked) <= abs(release_of(nearest) - asked))
            nearest = known[i];
    return nearest;
}

/* Says that there is no such release, which is nearest, and which there are. `map` is printed before the
 * nearest. */
static bool unknown_release(const char *kind, const char *asked, const char *release, const char *map,
                            const char *const *known, size_t count, struct why *why) {
    const char *nearest = nearest_release(release, known, count);
    why_say(why, "unknown %s '%s'", kind, asked);
    if (nearest) why_add(why, ", the nearest is %s%s", map, nearest);
    why_add(why, ": there %s", count == 1 ? "is" : "are");
    for (size_t i = 0; i < count; i++) why_add(why, "%s %s", i ? "," : "", known[i]);
    return false;
}

/* Says since when Go has no such map, if that is the case; else true. */
static bool port_has(const struct port *port, const char *name, int release, struct why *why) {
    char after[GO_RELEASE_TEXT_SIZE];
    if (*port->first && release < release_of(port->first))
        return why_say(why, "there is no '%s': %s is in Go since %s (before: %s)", name, port->map,
                       port->first, port->other);
    if (!*port->last || release <= release_of(port->last)) return true;
    bool gone = release > release_of(port->last_of_all);
    go_release_text(release_of(gone ? port->last_of_all : port->last) + 1, after);
    return why_say(
        why,
        "there is no '%s': %s is %s since Go %s (%s can be had with %s at the latest, by GOEXPERIMENT=%s)",
        name, port->map, gone ? "gone" : "not the default", after, port->what, port->last_of_all,
        port->experiment);
}

bool release_of_map_check(const char *name, struct why *why) {
    const char *known[RELEASES_MAX];
    size_t length = strcspn(name, "@"), count = known_releases(name, length, known);
    const char *release = name + length + (name[length] == '@');
    if (!name[length] || count == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i], release) == 0) return true;
    for (size_t i = 0; ports[i].map && release_of(release); i++)
        if (strncmp(ports[i].map, name, length) == 0 && !ports[i].map[length] &&
            !port_has(&ports[i], name, release_of(release), why))
            return false;
    char map[64];
    snprintf(map, sizeof map, "%.*s", (int)length + 1, name);
    return unknown_release("map", name, release, map, known, count, why);
}

static bool check_map(void *why, const char *name) {
    return release_of_map_check(name, why);
}

bool releases_of_maps_check(const char *list, struct why *why) {
    return names_split(list, check_map, why);
}

static bool check_release(void *why, const char *release) {
    const char *known[RELEASES_MAX];
    size_t count = known_releases(NULL, 0, known);
    if (strcmp(release, "all") == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i], release) == 0) return true;
    return unknown_release("release of Go", release, release, "", known, count, why);
}

bool releases_check(const char *list, struct why *why) {
    return names_split(list, check_release, why);
}

struct each_release {
    const char *map;
    bool (*each)(void *context, const char *name);
    void *context;
};

static bool name_of_release(const struct each_release *of, const char *release) {
    char name[96];
    snprintf(name, sizeof name, "%s@%s", of->map, release);
    return of->each(of->context, name);
}

static bool release_or_all(void *context, const char *release) {
    const struct each_release *of = context;
    const char *known[RELEASES_MAX];
    if (strcmp(release, "all") != 0) return name_of_release(of, release);
    size_t count = known_releases(of->map, strlen(of->map), known);
    for (size_t i = 0; i < count; i++)
        if (!name_of_release(of, known[i])) return false;
    return true;
}

bool releases_of_map(const char *map, const char *list, bool (*each)(void *context, const char *name),
                     void *context) {
    struct each_release of = {map, each, context};
    return names_split(list, release_or_all, &of);
}
