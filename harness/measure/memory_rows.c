/* The memory and structure recorders: they put into rows what memcell.h or an engine (engine_memory.c) has
 * measured, and what a map says of its structure. No memory is measured here. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/keys/keyspec.h"
#include "harness/base/count_of.h"
#include "harness/measure/measure.h"
#include "harness/memory/memcell.h"
#include "harness/base/rng.h"
#include "harness/measure/row.h"
#include "harness/base/textfile.h"
#include "harness/base/why.h"

static json_t *engine_memory_row(struct measure *m, const struct cell *cell, size_t u, const char *workload,
                                 struct keys *keys) {
    json_t *row = measure_row("memory", cell, u, workload, keys);
    struct bench bench;
    measure_bench(m, &bench, cell, u, keys, option_number(&cell->job->options, OPTION_SEED));
    measure_deadline(&bench);
    if (!measure_engine_memory(&bench, strcmp(workload, "small_put") == 0, row)) {
        row_error(row, bench.why);
        measure_failed(m, &bench);
    }
    bench_end(&bench);
    return row;
}

static const struct {
    const char *word; /* of --thp, and in the rows */
    enum memcell_pages pages;
} page_settings[] = {
    {"set", MEMCELL_PAGES_AS_SET}, {"small", MEMCELL_PAGES_SMALL}, {"huge", MEMCELL_PAGES_HUGE}};

/* A file of keys that was a pipe is another to the process that measures. */
static const char *spec_for_child(const char *spec, char *out, size_t size) {
    char path[PATH_MAX];
    const char *file = keyspec_user_path(spec);
    if (!file) return spec;
    snprintf(out, size, "%.*s%s", (int)(file - spec), spec, textfile_child_path(file, path, sizeof path));
    return out;
}

static json_t *memory_row(struct measure *m, const struct cell *cell, size_t u, const char *workload,
                          struct keys *keys, size_t setting) {
    json_t *row = measure_row("memory", cell, u, workload, keys);
    struct why why;
    row_set(row, "pages", json_string(page_settings[setting].word));
    char keys_spec[PATH_MAX + 8];
    struct memcell_args args = {.unit = cell->unit[u],
                                .keys_spec = spec_for_child(cell->keys, keys_spec, sizeof keys_spec),
                                .n = cell->n,
                                .seed = option_number(&cell->job->options, OPTION_SEED),
                                .workload = workload,
                                .pages = page_settings[setting].pages,
                                .limit_s = (unsigned)option_number(&cell->job->options, OPTION_LIMIT)};
    json_t *memory = memcell_measure(&args, NULL, &why);
    if (memory) {
        json_object_update(row, memory);
        json_decref(memory);
    } else {
        row_error(row, why.text);
        m->unmeasured++;
    }
    return row;
}

/* A row for each setting of huge pages that was asked for. An engine's heap sees to its pages itself. */
static void add_memory_rows(struct measure *m, const struct cell *cell, size_t u, const char *workload,
                            struct keys *keys, json_t *rows) {
    if (cell->unit[u]->engine) {
        json_array_append_new(rows, engine_memory_row(m, cell, u, workload, keys));
        return;
    }
    for (size_t s = 0; s < COUNT_OF(page_settings); s++)
        if (option_names(&cell->job->options, OPTION_THP, page_settings[s].word) && !*m->interrupted)
            json_array_append_new(rows, memory_row(m, cell, u, workload, keys, s));
}

static bool wanted(const struct cell *cell, size_t u, bool small_only) {
    for (size_t w = 0; w < cell->workloads; w++) {
        bool small =
            cell->workload[w]->kind == WORKLOAD_SMALL_PUT || cell->workload[w]->kind == WORKLOAD_SMALL_GET;
        if (cell->wanted[u][w] && (small || !small_only)) return true;
    }
    return false;
}

static bool heap_is_counted(const struct cell *cell) {
    return strcmp(cell->heap, "malloc") == 0 || (cell->units > 0 && cell->unit[0]->heap_books);
}

/* The memory of a map while it grows to n entries, and, where the job looks at small maps, that of many small
 * ones. */
json_t *measure_memory(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    if (!heap_is_counted(cell)) {
        fprintf(stderr,
                "mapbench: the %s heap keeps no books and is not counted at malloc: no memory rows for it\n",
                cell->heap);
        return json_array();
    }
    json_t *rows = json_array();
    (void)gbench;
    for (size_t u = 0; u < cell->units && !*m->interrupted; u++) {
        if (cell->unit[u]->facts->traits & TRAIT_BASELINE || !wanted(cell, u, false)) continue;
        add_memory_rows(m, cell, u, "put_grow", keys, rows);
        if (wanted(cell, u, true)) add_memory_rows(m, cell, u, "small_put", keys, rows);
    }
    /* An interrupt ends the measuring children too: their rows are not results. */
    return *m->interrupted ? json_decref(rows), NULL : rows;
}

static json_t *structure_row(struct measure *m, const struct cell *cell, size_t u, struct keys *keys) {
    json_t *row = measure_row("structure", cell, u, "put_grow", keys);
    struct map_structure s;
    struct bench bench;
    measure_bench(m, &bench, cell, u, keys, option_number(&cell->job->options, OPTION_SEED));
    measure_deadline(&bench);
    if (bench_build(&bench)) {
        cell->unit[u]->op.structure(bench.map, &s);
        row_set(row, "capacity", json_integer((json_int_t)s.capacity));
        row_set(row, "load_factor",
                s.capacity ? json_real((double)cell->n / (double)s.capacity) : json_null());
        row_set(row, "tombstones", json_integer((json_int_t)s.tombstones));
        row_set(row, "probe_mean", s.probe_max ? json_real(s.probe_mean) : json_null());
        row_set(row, "probe_max", s.probe_max ? json_integer((json_int_t)s.probe_max) : json_null());
        row_set(row, "old_capacity", json_integer((json_int_t)s.old_capacity));
        row_set(row, "array_bytes", s.array_bytes ? json_integer((json_int_t)s.array_bytes) : json_null());
    } else {
        row_error(row, bench.why);
        measure_failed(m, &bench);
    }
    bench_end(&bench);
    return row;
}

json_t *measure_structure(struct measure *m, const struct cell *cell, struct keys *keys, json_t *gbench) {
    json_t *rows = json_array();
    (void)gbench;
    for (size_t u = 0; u < cell->units; u++) {
        if (*m->interrupted) return json_decref(rows), NULL;
        if (!(cell->unit[u]->facts->traits & TRAIT_BASELINE) && wanted(cell, u, false))
            json_array_append_new(rows, structure_row(m, cell, u, keys));
    }
    return rows;
}
