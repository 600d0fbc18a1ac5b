/* What the names of maps say: which map, and which release of Go. */
#include <string.h>

#include "harness/base/go_release.h"
#include "harness/base/names.h"
#include "harness/plan/registry.h"

const char *registry_name_resolved(const char *name) {
    for (size_t i = 0; i < registry_alias_count(); i++)
        if (strcmp(registry_alias(i)->name, name) == 0) return registry_alias(i)->map;
    return name;
}

bool registry_any_name(const char *map, bool (*is)(void *context, const char *name), void *context) {
    if (is(context, map)) return true;
    for (size_t i = 0; i < registry_alias_count(); i++)
        if (strcmp(registry_alias(i)->map, map) == 0 && is(context, registry_alias(i)->name)) return true;
    return false;
}

static bool name_in(void *list, const char *name) {
    return names_has(list, name);
}

bool registry_map_named(const char *list, const char *map) {
    return list && registry_any_name(map, name_in, (void *)list);
}

bool registry_name_of_release(const char *list, const char *name) {
    const char *at = strchr(name, '@');
    return list && at && (names_has(list, at + 1) || names_has(list, "all"));
}

/* The release that `name` says `map` follows: it is MAP@RELEASE, or an alias of the map, `of`. 0: neither. */
static int release_said(const char *map, const char *name, const char *of) {
    const char *at = strchr(name, '@');
    size_t length = strlen(map);
    bool of_map = strncmp(name, map, length) == 0 && name[length] == '@';
    return at && (of_map || (of && strcmp(of, map) == 0)) ? go_release_number(at + 1) : 0;
}

int registry_map_release(const char *map) {
    int newest = 0, said;
    if (!strchr(map, '@'))
        map = registry_name_resolved(map); /* go_swiss@1.26 follows 1.26, whatever it is compiled as */
    const char *at = strchr(map, '@');
    if (at) return go_release_number(at + 1);
    for (size_t i = 0; i < registry_map_count(); i++)
        if ((said = release_said(map, registry_map_name(i), NULL)) > newest) newest = said;
    for (size_t i = 0; i < registry_alias_count(); i++)
        if ((said = release_said(map, registry_alias(i)->name, registry_alias(i)->map)) > newest)
            newest = said;
    return newest;
}

static bool release_in(void *list, const char *name) {
    return registry_name_of_release(list, name);
}

bool registry_map_of_release(const char *list, const char *map) {
    return list && registry_any_name(map, release_in, (void *)list);
}
