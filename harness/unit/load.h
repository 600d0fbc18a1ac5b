/* Loads a unit from its shared object: BUILD/units/NAME.so, or one that `make pair-units` links of any
 * revision. */
#ifndef MAPBENCH_UNIT_LOAD_H
#define MAPBENCH_UNIT_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/unit/map.h"

/* A unit's name, MAP-SHAPE-HASH-HEAP, and its longest. */
enum { UNIT_NAME_MAX = 160 };
const char *unit_name(const struct map_unit *unit, char name[UNIT_NAME_MAX]);

/* A unit from a file. It stays loaded until the process ends. */
struct unit_object {
    const struct map_unit *unit;
    const char *build_id; /* of compilers, flags and interface; NULL: the object is of a revision without */
    const char *file, *name; /* borrowed: as given to unit_load */
    uintptr_t load_address;
};

enum unit_load_result {
    UNIT_LOADED,
    UNIT_NO_OBJECT, /* there is no such file, it is no whole shared object, or it has no such unit */
    UNIT_UNFIT,     /* of another interface, or it needs what is not here */
};

/* Loads unit `name` from a shared object and checks its interface. `private_copy`: a mapping of its own,
 * though the file may be loaded already; needed to measure a file against itself. On failure `why` has the
 * reason. */
enum unit_load_result unit_load(struct unit_object *out, const char *file, const char *name,
                                bool private_copy, struct why *why);

/* True if the file is a whole shared object with this build id; found without loading it. */
bool unit_object_has_id(const char *file, const char *build_id);

#endif
