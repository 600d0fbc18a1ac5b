/* Everything a run may have to warn of, each with advice. The report shows them on top. */
#ifndef MAPBENCH_WARNINGS_H
#define MAPBENCH_WARNINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum warning_id {
#define WARNING(id, text, advice) WARNING_##id,
#include "harness/run/warnings.def"
#undef WARNING
    WARNING_COUNT
};

struct warnings {
    struct {
        bool raised;
        char detail[200]; /* facts of this run, "" for none */
    } of[WARNING_COUNT];
};

/* Raises a warning; the detail (printf, NULL for none) is what was measured. Raising again replaces the
 * detail. Start with a zeroed struct. */
void warnings_add(struct warnings *warnings, enum warning_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool warnings_raised(const struct warnings *warnings, enum warning_id id);

/* Adds those that follow from machine_describe, counters_probe and build flags (any may be NULL). */
void warnings_from_machine(struct warnings *warnings, const json_t *machine, const json_t *probe,
                           const char *unit_flags);
/* Adds those that follow from conditions_now at the start and at the end (after may be NULL: not yet); a load
 * of up to `own_threads` at the end is this program's own. */
void warnings_from_conditions(struct warnings *warnings, const json_t *before, const json_t *after,
                              unsigned own_threads);

/* [{"id", "text", "advice"}] in the order above; the detail is part of the text. New reference. */
json_t *warnings_json(const struct warnings *warnings);
/* "warning: text (detail): advice", one line each. */
void warnings_print(const struct warnings *warnings, FILE *out);

#endif
