#include "harness/plan/releases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/names.h"
#include "harness/plan/registry.h"

/* What a port is of: the releases of Go that have it by default; the last one that has it at all, with which
 * GOEXPERIMENT; and what the other releases have instead. Empty: no end is known. */
static const struct port {
    const char *map, *first, *last, *last_of_all, *experiment, *other, *what;
} ports[] = {
#define MAP(name, symbol, heaps)
#define ALIAS(name, map)
#define PORT(map, first, last, last_of_all, experiment, other, what)                                         \
    {map, first, last, last_of_all, experiment, other, what},
#include "maps.def"
#undef PORT
#undef ALIAS
#undef MAP
};

enum { RELEASES_MAX = 32 };

unsigned release_number(const char *text) {
    unsigned major, minor;
    return sscanf(text, "%1u.%2u", &major, &minor) == 2 ? 100 * major + minor : 0;
}

static unsigned release_after(unsigned release) {
    return release + 1;
}

static void print_release(char text[16], unsigned release) {
    snprintf(text, 16, "%u.%u", release / 100, release % 100);
}

/* The name of map i, or of an alias behind the maps; NULL at the end. */
static const char *name_at(size_t i) {
    if (i < registry_map_count()) return registry_map_name(i);
    i -= registry_map_count();
    return i < registry_alias_count() ? registry_alias(i)->name : NULL;
}

static int by_release(const void *a, const void *b) {
    unsigned x = release_number(*(const char *const *)a), y = release_number(*(const char *const *)b);
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
    long asked = (long)release_number(release);
    const char *nearest = NULL;
    for (size_t i = 0; asked && i < count; i++)
        if (!nearest ||
            labs((long)release_number(known[i]) - asked) <= labs((long)release_number(nearest) - asked))
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
static bool port_has(const struct port *port, const char *name, unsigned release, struct why *why) {
    char after[16];
    if (*port->first && release < release_number(port->first))
        return why_say(why, "there is no '%s': %s is in Go since %s (before: %s)", name, port->map,
                       port->first, port->other);
    if (!*port->last || release <= release_number(port->last)) return true;
    bool gone = release > release_number(port->last_of_all);
    print_release(after, release_after(release_number(gone ? port->last_of_all : port->last)));
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
    for (size_t i = 0; i < COUNT_OF(ports) && release_number(release); i++)
        if (strncmp(ports[i].map, name, length) == 0 && !ports[i].map[length] &&
            !port_has(&ports[i], name, release_number(release), why))
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
