/* All units, in the order of maps.def (the baseline first). What they are is known from the start; their code
 * is a shared object each, built and loaded when a command needs it. */
#ifndef MAPBENCH_REGISTRY_H
#define MAPBENCH_REGISTRY_H

#include "harness/base/why.h"
#include "harness/unit/map.h"

/* Units with loops, engines' included. Until a unit is loaded its tables `op` and `run` are empty. */
size_t registry_count(void);
const struct map_unit *registry_at(size_t i);

/* The unit of a map for a shape, hash policy and heap. A map compiled for one policy only is returned under
 * either (its `hash` field says which it has). NULL: there is no such unit. */
const struct map_unit *registry_find(const char *map, const char *shape, const char *hash, const char *heap);

/* Units without loops too: those that only retention scenarios drive. Engines have none. */
size_t registry_compiled_count(void);
const struct map_unit *registry_compiled_at(size_t i);

/* The maps by name, each once, in order; facts and availability from its first unit. */
size_t registry_map_count(void);
const char *registry_map_name(size_t i);
const struct map_unit *registry_map_unit(size_t i);
/* True: the map describes its types, and is compiled for all heaps and the retention scenarios. */
bool registry_map_describes(size_t i);
/* True for MAP@RELEASE and for MAP_VERSION of a library: another release of a map, which is no part of a group
 * of maps and must be named or asked for by --releases or --libs. */
bool registry_map_is_version(const char *map);
/* The folder of the library that a map is compiled with, such as boost_192; NULL: what the system has. */
const char *registry_map_library(const char *map);
/* The map with the system's library that this one is another version of; NULL: it is none. */
const char *registry_map_versioned(const char *map);
/* True if the map is a version with a library of the list: folders such as boost_192, "newest" or "all". */
bool registry_map_of_library(const char *list, const char *map);
/* False, and `why`: an item is no library that is unpacked, or none is. */
bool registry_libraries_check(const char *list, struct why *why);

/* Other names of maps: releases that follow the rules of one before, names that maps had. */
struct map_alias {
    const char *name, *map;
};
size_t registry_alias_count(void);
const struct map_alias *registry_alias(size_t i);
/* The map that a name leads to: the alias's, otherwise the name itself. */
const char *registry_name_resolved(const char *name);
/* Calls `is` with every name of a map until one is it; false: none. */
bool registry_any_name(const char *map, bool (*is)(void *context, const char *name), void *context);
/* True if the list, which may be NULL, has the map by its name or an alias. */
bool registry_map_named(const char *list, const char *map);
/* True if the name is MAP@RELEASE with a release of the list, which may be NULL, or with any if it has "all".
 */
bool registry_name_of_release(const char *list, const char *name);
/* True if the map is that of one of the releases in the list, which may be NULL, such as "1.24,1.27", or of
 * any with "all". */
bool registry_map_of_release(const char *list, const char *map);
/* The release of Go whose rules a map follows, 124 for 1.24: of MAP@RELEASE that one, of MAP, or of the map
 * that it is an alias of, the newest there is. 0: no port of Go's. */
int registry_map_release(const char *map);
/* NULL, or the compiler's first error line, where the program was built while the map did not compile. Its
 * units may be had by now: registry_prepare tries. */
const char *registry_map_broken(const char *map);

/* Builds those of the units that are missing or out of date, and loads all of them. Units of engines are left
 * as they are, so are those that are unavailable. One that cannot be had gets `unavailable`, the reason in
 * one line. Returns how many those are. */
size_t registry_prepare(const struct map_unit *const units[], size_t count);

/* True for a unit that is unavailable since a library is missing, as `list` says; not for one that could not
 * be built. */
bool registry_expected_absent(const struct map_unit *unit);

/* Loads a unit as it is, without building: for processes that this program starts. False: `unavailable` says
 * why. */
bool registry_load(const struct map_unit *unit);

/* NULL, or a message naming the first unit whose description is not sound: names unique, shapes known, facts
 * complete (static storage). What a unit does is checked when it is loaded. */
const char *registry_validate(void);

#endif
