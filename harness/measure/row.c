#include "harness/measure/row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/engines/engine.h"
#include "harness/plan/options.h"

json_t *json_number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    if (string) return string;
    char *plain = strdup(text);
    for (char *c = plain; c && *c; c++)
        if (*c & 0x80) *c = '?';
    string = json_string(plain);
    free(plain);
    return string;
}

json_t *row_new(const char *kind, const struct cell *cell, const struct map_unit *unit, const char *workload,
                const char *keys) {
    json_t *row = json_object();
    row_set(row, "kind", json_string(kind));
    row_set(row, "cell", json_string(cell->id));
    row_set(row, "job", json_string(cell->job->name));
    row_set(row, "map", json_string(unit->map));
    row_set(row, "shape", json_string(cell->shape->name));
    row_set(row, "workload", json_string(workload));
    row_set(row, "keys", json_string(keys));
    row_set(row, "n", json_integer((json_int_t)cell->n));
    row_set(row, "heap", json_string(unit->heap));
    row_set(row, "hash", json_string(unit->hash));
    row_set(row, "hash_policy", json_string(cell->hash));
    row_set(row, "threads", json_integer((json_int_t)option_number(&cell->job->options, OPTION_THREADS)));
    row_set(row, "seed", json_integer((json_int_t)option_number(&cell->job->options, OPTION_SEED)));
    row_set(row, "order", json_string(option_text(&cell->job->options, OPTION_ORDER)));
    row_set(row, "engine", json_string(unit->engine ? engine_version(unit->engine) : "c"));
    row_set(row, "ns_per_op", json_array());
    row_set(row, "median", json_null());
    row_set(row, "ci95", json_null());
    row_set(row, "checksum", json_null());
    row_set(row, "stable", json_true());
    row_set(row, "why_unstable", json_null());
    row_set(row, "null_ns_per_op", json_null());
    row_set(row, "error", json_null());
    return row;
}

void row_error(json_t *row, const char *why) {
    row_set(row, "error", json_text(why));
    row_set(row, "stable", json_false());
    row_set(row, "why_unstable", json_string("not measured"));
}

void row_unstable(json_t *row, const char *why) {
    char both[512];
    const char *first = json_string_value(json_object_get(row, "why_unstable"));
    snprintf(both, sizeof both, "%s%s%s", first ? first : "", first ? "; " : "", why);
    row_set(row, "stable", json_false());
    row_set(row, "why_unstable", json_text(both));
}
