/* Releases of libraries beside the system's (make libs): maps named MAP_VERSION. */
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/names.h"
#include "harness/plan/registry.h"

static const struct version {
    const char *name, *map, *library; /* boost_flat_192, boost_flat, boost_192 */
} versions[] = {
#define MAP(name, symbol, heaps)
#define ALIAS(name, map)
#define PORT(...)
#define VERSION(name, map, library) {name, map, library},
#include "maps.def"
#undef VERSION
#undef PORT
#undef ALIAS
#undef MAP
    {NULL, NULL, NULL}, /* a list without a version is no empty array */
};

static const struct version *find(const char *name) {
    for (const struct version *v = versions; v->name; v++)
        if (strcmp(v->name, name) == 0) return v;
    return NULL;
}

const char *registry_map_library(const char *map) {
    const struct version *version = find(map);
    return version ? version->library : NULL;
}

const char *registry_map_versioned(const char *map) {
    const struct version *version = find(map);
    return version ? version->map : NULL;
}

static bool is_newest(const struct version *of) {
    for (const struct version *v = versions; v->name; v++)
        if (strcmp(v->map, of->map) == 0 && strverscmp(v->library, of->library) > 0) return false;
    return true;
}

bool registry_map_of_library(const char *list, const char *map) {
    const struct version *version = find(map);
    if (!version) return false;
    return names_select(list, version->library) || (names_has(list, "newest") && is_newest(version));
}

bool registry_map_is_version(const char *map) {
    return strchr(map, '@') != NULL || find(map) != NULL;
}

bool registry_libraries_check(const char *list, struct why *why) {
    const char *known[2 + COUNT_OF(versions)] = {"newest", "all"};
    size_t count = 2;
    if (!versions[0].name)
        return why_say(why, "--libs %s: no library is unpacked beside the system's: make libs", list);
    for (const struct version *v = versions; v->name; v++) known[count++] = v->library;
    return names_check(list, "library", known, count, why);
}
