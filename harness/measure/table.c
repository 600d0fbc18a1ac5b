#include "harness/measure/table.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"
#include "harness/base/sizes.h"

static const char *text(const json_t *row, const char *key) {
    const char *value = json_string_value(json_object_get(row, key));
    return value ? value : "";
}

static double number(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* A number that there is not is a dash. */
static void print_number(FILE *out, int width, int decimals, double value) {
    if (isfinite(value))
        fprintf(out, "%*.*f", width, decimals, value);
    else
        fprintf(out, "%*s", width, "-");
}

enum { NAMES_MAX = 64 };
struct names {
    size_t count;
    const char *name[NAMES_MAX];
};

static size_t name_index(struct names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->name[i], name) == 0) return i;
    if (names->count == NAMES_MAX) return NAMES_MAX - 1;
    names->name[names->count] = name;
    return names->count++;
}

/* One cell's rows of one kind. A memory row's column is the workload and the pages it was measured on; an
 * open loop's the workload and its rate. */
struct matrix {
    struct names map, column;
    char made_name[NAMES_MAX][64];
    size_t made_names;
    const json_t *row[NAMES_MAX][NAMES_MAX];
};

static const char *column_name(struct matrix *m, const json_t *row) {
    const char *pages = text(row, "pages"), *workload = text(row, "workload");
    bool open = strcmp(text(row, "loop"), "open") == 0, usual = !pages[0] || strcmp(pages, "set") == 0;
    if ((usual && !open) || m->made_names == NAMES_MAX) return workload;
    char name[sizeof *m->made_name];
    if (open)
        snprintf(name, sizeof name, "%s, open %s", workload, text(row, "rate"));
    else
        snprintf(name, sizeof name, "%s, %s pages", workload, pages);
    for (size_t i = 0; i < m->made_names; i++)
        if (strcmp(m->made_name[i], name) == 0) return m->made_name[i];
    return strcpy(m->made_name[m->made_names++], name);
}

static bool is_baseline(const char *map) {
    return strcmp(map, "null") == 0;
}

static double best_of(const struct matrix *m, size_t column) {
    double best = INFINITY;
    for (size_t i = 0; i < m->map.count; i++) {
        double median = m->row[i][column] ? number(m->row[i][column], "median") : NAN;
        if (!is_baseline(m->map.name[i]) && median < best) best = median;
    }
    return best;
}

/* The width of the column that holds `head` and the maps' names, two blanks after the longest included. */
static int name_width(const struct matrix *m, const char *head) {
    size_t longest = strlen(head) > 12 ? strlen(head) : 12;
    for (size_t i = 0; i < m->map.count; i++)
        if (strlen(m->map.name[i]) > longest) longest = strlen(m->map.name[i]);
    return (int)longest + 2;
}

static int column_width(const char *name) {
    return (int)strlen(name) + 2 < 10 ? 10 : (int)strlen(name) + 2;
}

/* Marks that a table used, for its legend. */
struct marks {
    bool lowest, unstable, missing;
};

static void print_cell(const struct matrix *m, size_t map, size_t column, struct marks *marks, FILE *out) {
    const json_t *row = m->row[map][column];
    double median = row ? number(row, "median") : NAN;
    int width = column_width(m->column.name[column]);
    if (!isfinite(median)) {
        fprintf(out, "%*s%-2s", width, "-", row ? "x" : "");
        marks->missing |= row != NULL;
        return;
    }
    bool lowest = !is_baseline(m->map.name[map]) && median == best_of(m, column);
    bool unstable = json_is_false(json_object_get(row, "stable"));
    marks->lowest |= lowest, marks->unstable |= unstable;
    fprintf(out, "%*.*f%-2s", width, median < 10 ? 2 : 1, median,
            lowest && unstable ? "*!"
            : lowest           ? "*"
            : unstable         ? "!"
                               : "");
}

/* Columns are broken into groups that fit a page. */
static void print_time(const struct matrix *m, FILE *out) {
    enum { PAGE_WIDTH = 118 };
    struct marks marks = {false, false, false};
    int names = name_width(m, "ns/op");
    for (size_t first = 0, end; first < m->column.count; first = end) {
        int width = names;
        for (end = first;
             end < m->column.count && width + column_width(m->column.name[end]) + 2 <= PAGE_WIDTH; end++)
            width += column_width(m->column.name[end]) + 2;
        fprintf(out, "%-*s", names, "ns/op");
        for (size_t c = first; c < end; c++)
            fprintf(out, "%*s  ", column_width(m->column.name[c]), m->column.name[c]);
        fputc('\n', out);
        for (size_t i = 0; i < m->map.count; i++) {
            fprintf(out, "%-*s", names, m->map.name[i]);
            for (size_t c = first; c < end; c++) print_cell(m, i, c, &marks, out);
            fputc('\n', out);
        }
    }
    if (marks.lowest) fputs("* lowest  ", out);
    if (marks.unstable) fputs("! unstable (see why_unstable)  ", out);
    if (marks.missing) fputs("x not measured (see error)", out);
    fputs("\n\n", out);
}

static void print_per_s(double per_s, FILE *out) {
    if (per_s >= 1e6)
        fprintf(out, " %8.2fm", per_s / 1e6);
    else
        fprintf(out, " %8.1fk", per_s / 1e3);
}

static void print_latency(const struct matrix *m, FILE *out) {
    static const char *const quantiles[] = {"p50", "p99", "p999", "p9999", "max"};
    for (size_t c = 0; c < m->column.count; c++) {
        int names = name_width(m, m->column.name[c]);
        fprintf(out, "%-*s%11s %11s %11s %11s %11s  growths%s\n", names, m->column.name[c], "p50 ns", "p99",
                "p99.9", "p99.99", "max", strstr(m->column.name[c], ", open ") ? "  arrive/s     late" : "");
        for (size_t i = 0; i < m->map.count; i++) {
            const json_t *row = m->row[i][c], *latency = row ? json_object_get(row, "latency") : NULL;
            if (!row) continue;
            fprintf(out, "%-*s", names, m->map.name[i]);
            if (!latency) {
                fprintf(out, "  %s\n", text(row, "error"));
                continue;
            }
            for (size_t q = 0; q < 5; q++) {
                print_number(out, 11, 0, number(latency, quantiles[q]));
                fputc(' ', out);
            }
            print_number(out, 8, 0, number(row, "growth_events_total"));
            if (isfinite(number(row, "late_share"))) {
                print_per_s(number(row, "offered_per_s"), out);
                fprintf(out, " %6.1f %%%s", number(row, "late_share") * 100,
                        json_is_true(json_object_get(row, "overload")) ? "  overload" : "");
            }
            fputc('\n', out);
        }
    }
    fputc('\n', out);
}

static void print_memory(const struct matrix *m, FILE *out) {
    for (size_t c = 0; c < m->column.count; c++) {
        int names = name_width(m, m->column.name[c]);
        fprintf(out, "%-*s%14s %14s %14s %14s\n", names, m->column.name[c], "bytes/entry", "octave mean",
                "peak bytes", "resident bytes");
        for (size_t i = 0; i < m->map.count; i++) {
            const json_t *row = m->row[i][c];
            if (!row) continue;
            fprintf(out, "%-*s", names, m->map.name[i]);
            if (text(row, "error")[0]) {
                fprintf(out, "  %s\n", text(row, "error"));
                continue;
            }
            print_number(out, 14, 1, number(row, "bytes_per_entry"));
            print_number(out, 15, 1, number(json_object_get(row, "octave"), "mean"));
            print_number(out, 15, 0, number(row, "bytes_peak"));
            print_number(out, 15, 0, number(row, "rss_delta"));
            fputc('\n', out);
        }
    }
    fputc('\n', out);
}

static void print_structure(const struct matrix *m, FILE *out) {
    int names = name_width(m, "structure");
    fprintf(out, "%-*s%12s %12s %12s %12s %12s\n", names, "structure", "capacity", "load", "probe mean",
            "probe max", "tombstones");
    for (size_t i = 0; i < m->map.count; i++) {
        const json_t *row = m->row[i][0];
        if (!row) continue;
        bool probes = isfinite(number(row, "probe_mean"));
        fprintf(out, "%-*s", names, m->map.name[i]);
        print_number(out, 12, 0, number(row, "capacity"));
        print_number(out, 13, 2, number(row, "load_factor"));
        print_number(out, 13, 2, number(row, "probe_mean"));
        print_number(out, 13, 0, probes ? number(row, "probe_max") : NAN);
        print_number(out, 13, 0, probes ? number(row, "tombstones") : NAN);
        fputc('\n', out);
    }
    fputc('\n', out);
}

/* What is there of a row's sizes: all rows of a column have the first ones in common. */
static const json_t *longest_points(const struct matrix *m, size_t column) {
    const json_t *longest = NULL;
    for (size_t i = 0; i < m->map.count; i++) {
        const json_t *points = m->row[i][column] ? json_object_get(m->row[i][column], "points") : NULL;
        if (json_array_size(points) > json_array_size(longest)) longest = points;
    }
    return longest;
}

static void print_grew(const json_t *row, FILE *out) {
    const json_t *ci95 = json_object_get(row, "exponent_ci95");
    double exponent = number(row, "exponent"), given_up_at = number(row, "given_up_at");
    char size[24], text[80] = "-";
    if (isfinite(exponent)) snprintf(text, sizeof text, "n^%.2f", exponent);
    fprintf(out, "  %-8s", text);
    text[0] = '\0';
    if (json_array_size(ci95) == 2)
        snprintf(text, sizeof text, "%.2f to %.2f", json_number_value(json_array_get(ci95, 0)),
                 json_number_value(json_array_get(ci95, 1)));
    fprintf(out, " %-16s", text);
    if (isfinite(given_up_at))
        fprintf(out, " gave up at %s: budget of %g s", size_text((size_t)given_up_at, size),
                number(row, "budget_s"));
}

static void print_scaling(const struct matrix *m, FILE *out) {
    for (size_t c = 0; c < m->column.count; c++) {
        const json_t *sizes = longest_points(m, c);
        int names = name_width(m, m->column.name[c]);
        char size[24];
        fprintf(out, "%-*s", names, m->column.name[c]);
        for (size_t s = 0; s < json_array_size(sizes); s++)
            fprintf(out, "%11s",
                    size_text((size_t)json_number_value(json_array_get(json_array_get(sizes, s), 0)), size));
        fputs("  grew like  (ns/op at n)\n", out);
        for (size_t i = 0; i < m->map.count; i++) {
            const json_t *row = m->row[i][c], *points = row ? json_object_get(row, "points") : NULL;
            if (!row) continue;
            fprintf(out, "%-*s", names, m->map.name[i]);
            if (text(row, "error")[0]) {
                fprintf(out, "  %s\n", text(row, "error"));
                continue;
            }
            for (size_t s = 0; s < json_array_size(sizes); s++) {
                const json_t *point = json_array_get(points, s);
                print_number(out, 11, 1, point ? json_number_value(json_array_get(point, 1)) : NAN);
            }
            print_grew(row, out);
            fputc('\n', out);
        }
    }
    fputc('\n', out);
}

/* True if a row counted anything. The loops of an engine's map run in a process whose counters nobody reads.
 */
static bool counted(const json_t *row) {
    json_t *counters = json_object_get(row, "counters"), *value;
    const char *name;
    json_object_foreach(counters, name, value) {
        if (json_is_number(value)) return true;
    }
    return false;
}

static const json_t *first_counted(const struct matrix *m, size_t column) {
    for (size_t i = 0; i < m->map.count; i++)
        if (m->row[i][column] && counted(m->row[i][column])) return m->row[i][column];
    return NULL;
}

/* The maps without a single count, once each, with the first reason given. */
static void print_uncounted(const struct matrix *m, FILE *out) {
    for (size_t i = 0; i < m->map.count; i++) {
        const json_t *row = NULL;
        bool any = false;
        for (size_t c = 0; c < m->column.count; c++) {
            if (!row) row = m->row[i][c];
            any |= m->row[i][c] && counted(m->row[i][c]);
        }
        if (!row || any) continue;
        const char *why = text(row, "error"), *name;
        json_t *reasons = json_object_get(row, "counters_why"), *value;
        json_object_foreach(reasons, name, value) {
            if (!why[0] && json_string_value(value)) why = json_string_value(value);
        }
        fprintf(out, "%s: not counted: %s\n", m->map.name[i], why[0] ? why : "no reason given");
    }
}

static void print_count(double count, FILE *out) {
    if (isfinite(count))
        fprintf(out, "%17.4g", count);
    else
        fprintf(out, "%17s", "-");
}

static void print_counters(const struct matrix *m, FILE *out) {
    for (size_t c = 0; c < m->column.count; c++) {
        const json_t *like = first_counted(m, c);
        if (!like) continue;
        json_t *events = json_object_get(like, "counters"), *value;
        const char *event;
        int names = name_width(m, m->column.name[c]);
        fprintf(out, "%-*s", names, m->column.name[c]);
        json_object_foreach(events, event, value) {
            if (json_is_number(value)) fprintf(out, "%17s", event);
        }
        fputs("  (per operation)\n", out);
        for (size_t i = 0; i < m->map.count; i++) {
            const json_t *row = m->row[i][c];
            if (!row || !counted(row)) continue;
            fprintf(out, "%-*s", names, m->map.name[i]);
            json_object_foreach(events, event, value) {
                if (json_is_number(value)) print_count(number(json_object_get(row, "counters"), event), out);
            }
            fputc('\n', out);
        }
    }
    print_uncounted(m, out);
    fputc('\n', out);
}

static void print_matrix(const struct matrix *m, const json_t *first, FILE *out) {
    static const struct {
        const char *kind;
        void (*print)(const struct matrix *, FILE *);
    } printers[] = {{"time", print_time},           {"latency", print_latency},   {"memory", print_memory},
                    {"structure", print_structure}, {"counters", print_counters}, {"scaling", print_scaling}};
    char size[24];
    fprintf(out, "== %s: %s, %s keys, n %s, %s hash, %s heap (%s)\n", text(first, "kind"),
            text(first, "shape"), text(first, "keys"), size_text((size_t)number(first, "n"), size),
            text(first, "hash_policy"), text(first, "heap"), text(first, "job"));
    for (size_t i = 0; i < COUNT_OF(printers); i++)
        if (strcmp(printers[i].kind, text(first, "kind")) == 0) printers[i].print(m, out);
}

void table_print(const json_t *rows, FILE *out) {
    size_t total = json_array_size(rows);
    bool *printed = calloc(total + 1, sizeof *printed);
    struct matrix *m = malloc(sizeof *m);
    for (size_t i = 0; printed && m && i < total; i++) {
        const json_t *first = json_array_get(rows, i);
        if (printed[i]) continue;
        memset(m, 0, sizeof *m);
        for (size_t j = i; j < total; j++) {
            const json_t *row = json_array_get(rows, j);
            if (strcmp(text(row, "kind"), text(first, "kind")) != 0 ||
                strcmp(text(row, "cell"), text(first, "cell")) != 0)
                continue;
            printed[j] = true;
            m->row[name_index(&m->map, text(row, "map"))][name_index(&m->column, column_name(m, row))] = row;
        }
        print_matrix(m, first, out);
    }
    free(printed), free(m);
}
