/* Rows of rows.jsonl. results/README.md explains every field, results/schema.json validates them. */
#ifndef MAPBENCH_ROW_H
#define MAPBENCH_ROW_H

#include <jansson.h>

#include "harness/plan/plan.h"

/* A row with what all kinds share; the measured fields are null. New reference. `keys` is the stream's full
 * name. */
json_t *row_new(const char *kind, const struct cell *cell, const struct map_unit *unit, const char *workload,
                const char *keys);
/* Marks a row as not measured. */
void row_error(json_t *row, const char *why);
/* Marks a row as not to be trusted; a second reason is added to the first. */
void row_unstable(json_t *row, const char *why);

/* A number, or JSON null when it is not finite. */
json_t *json_number_or_null(double value);
/* A text; bytes that make it no UTF-8, which JSON needs, become question marks: what another program said may
 * be anything. */
json_t *json_text(const char *text);
/* Sets a key to a new value, taking the reference. */
#define row_set(row, key, value) json_object_set_new(row, key, value)

#endif
