/* The options of `retain`. */
#ifndef MAPBENCH_RETENTION_RETAIN_OPTIONS_H
#define MAPBENCH_RETENTION_RETAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/plan/arguments.h"
#include "harness/plan/registry.h"
#include "harness/retention/retention.h"
#include "harness/retention/upgrade.h"

enum { RETAIN_SCENARIOS_MAX = ARGUMENT_WORDS_MAX };

struct retain_options {
    const char *scenario[RETAIN_SCENARIOS_MAX];
    size_t scenarios; /* 0: all */
    const char *maps, *releases, *heaps, *variant, *engines, *out, *snapshot,
        *junit;                      /* lists or words; NULL: the default */
    const char *snapshot_at;         /* list of labels, or of "verdict" and "all" */
    char diff_labels[96];            /* where these two are */
    const char *diff_from, *diff_to; /* labels; NULL: no difference is asked for */
    struct upgrade upgrade;          /* .from 0: none is asked for */
    int go;                          /* release of the collector, where no map decides: 124 for 1.24 */
    size_t n;                        /* 0: each scenario's own */
    uint64_t seed;
    unsigned limit_s;
    bool assert_bounds, check, figures;
};

/* Takes what the command line says, which stays the owner of the texts. False: `why` in one line. */
bool retain_options_read(struct retain_options *o, const struct arguments *a, struct why *why);
/* Whether what was measured can be written: asked before hours of measuring, not after. EXIT_OK, or the exit
 * code and `why`. */
int retain_targets_check(const struct retain_options *o, struct why *why);
/* False: a scenario was named, and not this one. */
bool retain_scenario_selected(const struct retain_options *o, const struct scenario *s);
/* Another release of a map is selected by its own name or by --releases only. */
bool retain_map_selected(const struct retain_options *o, const char *map, enum case_heap heap);
/* Whether an alias makes a case of its own: it is selected, and of another release than its map. The map's
 * rules are those of both, the collector's of gosim are not. */
bool retain_alias_selected(const struct retain_options *o, const struct map_alias *alias,
                           enum case_heap heap);
/* The release of a case, 0: none. That of the map's name, which may be NULL, or else the one that was asked
 * for. */
int retain_release_of(const struct retain_options *o, const char *map, enum case_heap heap);

#endif
