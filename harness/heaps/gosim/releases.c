/* The table releases.def by columns. */
#include "releases.h"

#include "gosim.h"

#define NUMBER(release) release,
const int gosim_releases[] = {GS_RELEASES(NUMBER)};
const size_t gosim_release_count = sizeof gosim_releases / sizeof *gosim_releases;

#define FACT(name, go123, go124, go125, go126, go127) .name = go123,
static const struct gs_facts of_123 = {
#include "releases.def"
};
#undef FACT
#define FACT(name, go123, go124, go125, go126, go127) .name = go124,
static const struct gs_facts of_124 = {
#include "releases.def"
};
#undef FACT
#define FACT(name, go123, go124, go125, go126, go127) .name = go125,
static const struct gs_facts of_125 = {
#include "releases.def"
};
#undef FACT
#define FACT(name, go123, go124, go125, go126, go127) .name = go126,
static const struct gs_facts of_126 = {
#include "releases.def"
};
#undef FACT
#define FACT(name, go123, go124, go125, go126, go127) .name = go127,
static const struct gs_facts of_127 = {
#include "releases.def"
};
#undef FACT

#define COLUMN(release) &of_##release,
static const struct gs_facts *const columns[] = {GS_RELEASES(COLUMN)};

unsigned gs_release_column(int release) {
    unsigned column = 0, last = (unsigned)gosim_release_count - 1;
    while (column < last && (release == 0 || gosim_releases[column] < release)) column++;
    return column;
}

const struct gs_facts *gs_facts_of(unsigned column) {
    return columns[column];
}
