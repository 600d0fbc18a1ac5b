/* Whether a map lets go of what it no longer holds. */
#ifndef MAPBENCH_RETENTION_DEAD_SLOTS_H
#define MAPBENCH_RETENTION_DEAD_SLOTS_H

#include "harness/unit/map.h"

enum emptied_by { EMPTIED_BY_DELETE, EMPTIED_BY_CLEAR };

/* NULL, or why deleting (or clearing) is no fix for this map: after it, the slots still refer to what was in
 * them. Found by trying it on a heap of its own. `unit`: on the gosim heap, its key or the first word of its
 * value is a pointer. */
const char *dead_slots_keep(const struct map_unit *unit, enum emptied_by how);

#endif
