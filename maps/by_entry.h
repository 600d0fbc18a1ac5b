/* Functions of maps that can only be taken entry by entry: a library without a copy or a check of its own. A
 * map file uses a macro where the function would stand, after the functions it calls.
 */
#ifndef MAPBENCH_MAPS_BY_ENTRY_H
#define MAPBENCH_MAPS_BY_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

/* Stores the entry of map_copy's walk in its copy. MAP_COPIES, where a map has it, is defined before this
 * file is included. */
#ifdef MAP_COPIES
#define BY_ENTRY_STORE                                                                                       \
    if (map_store(copy, key, *val)) continue;                                                                \
    map_destroy(copy);                                                                                       \
    return NULL;
#else
#define BY_ENTRY_STORE                                                                                       \
    map_val *slot = map_put(copy, key);                                                                      \
    if (!slot) {                                                                                             \
        map_destroy(copy);                                                                                   \
        return NULL;                                                                                         \
    }                                                                                                        \
    *slot = *val;
#endif

/* Defines map_copy: what `created` makes, an empty map or NULL, takes every entry of `map`. */
#define MAP_COPY_BY_ENTRY(created)                                                                           \
    static struct map *map_copy(struct map *map) {                                                           \
        struct map *copy = (created);                                                                        \
        if (!copy) return NULL;                                                                              \
        struct map_iter iter;                                                                                \
        map_key key;                                                                                         \
        const map_val *val;                                                                                  \
        map_iter_start(map, &iter);                                                                          \
        while (map_iter_next(&iter, &key, &val)) {                                                           \
            BY_ENTRY_STORE                                                                                   \
        }                                                                                                    \
        return copy;                                                                                         \
    }

/* Defines map_check for a library that offers none: the caller's own recount and lookups remain. */
#define MAP_CHECK_NONE                                                                                       \
    static const char *map_check(struct map *map) {                                                          \
        (void)map;                                                                                           \
        return NULL;                                                                                         \
    }

#endif
