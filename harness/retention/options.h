/* The options of `retain`. */
#ifndef MAPBENCH_RETENTION_RETAIN_OPTIONS_H
#define MAPBENCH_RETENTION_RETAIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/plan/arguments.h"
#include "harness/retention/retention.h"

enum { RETAIN_SCENARIOS_MAX = ARGUMENT_WORDS_MAX };

struct retain_options {
    const char *scenario[RETAIN_SCENARIOS_MAX];
    size_t scenarios; /* 0: all */
    const char *maps, *releases, *heaps, *variant, *engines, *out, *snapshot,
        *junit;                      /* lists or words; NULL: the default */
    const char *snapshot_at;         /* list of labels, or of "verdict" and "all" */
    char diff_labels[96];            /* where these two are */
    const char *diff_from, *diff_to; /* labels; NULL: no difference is asked for */
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
bool retain_map_selected(const struct retain_options *o, const char *map);

#endif
