/* What Go does by release: the table releases.def. */
#ifndef GOSIM_RELEASES_H
#define GOSIM_RELEASES_H

#include <stdint.h>

/* X(release), in the order of the table's columns. */
#define GS_RELEASES(X) X(123) X(124) X(125) X(126) X(127)

/* Numbers of the table for what must be constant, such as GS_timer_124. */
#define FACT(name, go123, go124, go125, go126, go127)                                                        \
    enum {                                                                                                   \
        GS_##name##_123 = go123,                                                                             \
        GS_##name##_124 = go124,                                                                             \
        GS_##name##_125 = go125,                                                                             \
        GS_##name##_126 = go126,                                                                             \
        GS_##name##_127 = go127                                                                              \
    };
#include "releases.def"
#undef FACT

struct gs_facts {
#define FACT(name, ...) uint32_t name;
#include "releases.def"
#undef FACT
};

/* The column that a release follows: its own; the next one's, if it has none; the last one's, if it is newer
 * or 0. */
unsigned gs_release_column(int release);
const struct gs_facts *gs_facts_of(unsigned column);

#endif
