#include "harness/retention/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/output.h"

static const char *text(const json_t *line, const char *field) {
    const char *value = json_string_value(json_object_get(line, field));
    return value ? value : "";
}

/* Reads what a checkpoint keeps: the number that the scenario noted itself, else that of the heap's books,
 * else resident memory. False: none is known. */
static bool kept_bytes(const json_t *line, double *kept) {
    const json_t *heap = json_object_get(line, "d_heap_alloc"), *rss = json_object_get(line, "rss");
    const json_t *noted = json_object_get(json_object_get(line, "extra"), "kept_bytes");
    const json_t *found = json_is_number(noted) ? noted : json_is_number(heap) ? heap : rss;
    *kept = json_number_value(found);
    return json_is_number(found);
}

static double bound_of(const struct scenario *s, const json_t *line) {
    bool boehm = s->on_boehm && strcmp(text(line, "heap"), "boehm") == 0;
    double factor = boehm ? s->on_boehm->bound_factor : s->bound_factor;
    double per_n = boehm ? 0 : (double)s->bound_bytes_per_n;
    return factor * json_number_value(json_object_get(line, "semantic_live_bytes")) +
           per_n * json_number_value(json_object_get(line, "n")) +
           (double)(boehm ? s->on_boehm->bound_bytes : s->bound_bytes);
}

static bool same_case(const json_t *a, const json_t *b) {
    static const char *const fields[] = {"scenario", "map", "heap", "engine"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(text(a, fields[i]), text(b, fields[i])) != 0) return false;
    return true;
}

/* The last checkpoint of a variant that has the scenario's verdict label; NULL: there is none. */
static const json_t *verdict_point(const json_t *lines, const json_t *like, const char *variant,
                                   const char *label) {
    const json_t *found = NULL, *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        bool is_its = same_case(line, like) && strcmp(text(line, "variant"), variant) == 0;
        if (is_its && strcmp(text(line, "label"), label) == 0) found = line;
    }
    return found;
}

/* Operations from the verdict's checkpoint to the first one of the release phase that is within the bound;
 * -1: none is. */
static json_int_t release_operations(const json_t *lines, const json_t *point, const struct scenario *s) {
    const json_t *line;
    bool after = false;
    size_t i;
    if (!s->release_label) return -1;
    json_array_foreach(lines, i, line) {
        double kept;
        if (line == point) after = true;
        if (!after || line == point || !same_case(line, point) ||
            strcmp(text(line, "variant"), text(point, "variant")) != 0 ||
            strcmp(text(line, "label"), s->release_label) != 0)
            continue;
        if (kept_bytes(line, &kept) && kept <= bound_of(s, line))
            return json_integer_value(json_object_get(line, "step")) -
                   json_integer_value(json_object_get(point, "step"));
    }
    return -1;
}

/* The fixed variants: the one closest to its bound or furthest above it, and whether all are within theirs.
 */
static void judge_fixes(const json_t *lines, const json_t *like, const struct scenario *s, json_t *verdict) {
    double worst = -INFINITY; /* bytes above the bound */
    const char *failed = NULL;
    for (const struct variant *v = s->variant; v->name; v++) {
        const json_t *point =
            v->role == VARIANT_FIXED ? verdict_point(lines, like, v->name, s->verdict_label) : NULL;
        double kept;
        if (!point || !kept_bytes(point, &kept) || kept - bound_of(s, point) <= worst) continue;
        worst = kept - bound_of(s, point);
        if (worst > 0) failed = v->name;
        json_object_set_new(verdict, "fixed_variant", json_string(v->name));
        json_object_set_new(verdict, "fixed_bytes", json_real(kept));
        json_object_set_new(verdict, "bound_bytes", json_real(bound_of(s, point)));
    }
    if (failed) json_object_set_new(verdict, "failed_variant", json_string(failed));
    json_object_set_new(verdict, "passed", isfinite(worst) ? json_boolean(!failed) : json_null());
}

static json_t *verdict_make(const json_t *lines, const json_t *like, const struct scenario *s) {
    json_t *verdict = json_pack(
        "{s:s, s:s, s:O, s:O?, s:s, s:s, s:O?, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:s}", "label", "verdict",
        "scenario", s->name, "map", json_object_get(like, "map"), "release", json_object_get(like, "release"),
        "heap", text(like, "heap"), "engine", text(like, "engine"), "n", json_object_get(like, "n"),
        "leaky_variant", "leaky_bytes", "fixed_variant", "fixed_bytes", "amplification", "release_operations",
        "path", "fix", s->fix);
    for (const struct variant *v = s->variant; v->name; v++) {
        const json_t *point =
            v->role == VARIANT_LEAKY ? verdict_point(lines, like, v->name, s->verdict_label) : NULL;
        double kept;
        if (!point || !kept_bytes(point, &kept)) continue;
        json_int_t release = release_operations(lines, point, s);
        json_object_set_new(verdict, "leaky_variant", json_string(v->name));
        json_object_set_new(verdict, "leaky_bytes", json_real(kept));
        json_object_set(verdict, "semantic_live_bytes", json_object_get(point, "semantic_live_bytes"));
        json_object_set(verdict, "amplification", json_object_get(point, "amplification"));
        json_object_set_new(verdict, "release_operations", release < 0 ? json_null() : json_integer(release));
        json_object_set(verdict, "path", json_object_get(point, "path"));
        json_object_set(verdict, "dominator", json_object_get(point, "dominator"));
        break; /* the first one is the scenario's */
    }
    judge_fixes(lines, like, s, verdict);
    return verdict;
}

json_t *verdicts_make(const json_t *lines) {
    json_t *verdicts = json_array(), *line, *known;
    size_t i, k;
    json_array_foreach(lines, i, line) {
        const struct scenario *s = scenario_find(text(line, "scenario"));
        bool seen = false;
        json_array_foreach(verdicts, k, known) {
            seen |= same_case(line, known);
        }
        if (s && !seen) json_array_append_new(verdicts, verdict_make(lines, line, s));
    }
    return verdicts;
}

/* "16.0 MB" as the figures write bytes. */
static const char *bytes_text(const json_t *value, char *out, size_t size) {
    static const char *const units[] = {"B", "kB", "MB", "GB"};
    double bytes = json_number_value(value), shown = fabs(bytes);
    unsigned unit = 0;
    if (!json_is_number(value)) return "-";
    for (; shown >= 1000 && unit < 3; unit++) shown /= 1000;
    snprintf(out, size, "%s%.*f %s", bytes < 0 ? "-" : "",
             unit == 0 || shown >= 100 ? 0
             : shown >= 10             ? 1
                                       : 2,
             shown, units[unit]);
    return out;
}

static void print_verdict(const json_t *v, FILE *out) {
    char leaky[24], fixed[24], amplification[16] = "-", release[24] = "never", place[48];
    const json_t *factor = json_object_get(v, "amplification"),
                 *operations = json_object_get(v, "release_operations");
    bool failed = json_is_false(json_object_get(v, "passed"));
    const char *map = text(v, "map"), *path = text(v, "path");
    if (json_is_number(factor))
        snprintf(amplification, sizeof amplification, "%.3g", json_number_value(factor));
    if (json_is_integer(operations))
        snprintf(release, sizeof release, "%lld ops", (long long)json_integer_value(operations));
    snprintf(place, sizeof place, "%s%s%s", map[0] ? map : "-", strcmp(text(v, "engine"), "c") ? "" : " on ",
             strcmp(text(v, "engine"), "c") ? "" : text(v, "heap"));
    fprintf(out, "%-21s %-24s %9s %9s%s %8s  %-11s %s\n", text(v, "scenario"), place,
            bytes_text(json_object_get(v, "leaky_bytes"), leaky, sizeof leaky),
            bytes_text(json_object_get(v, "fixed_bytes"), fixed, sizeof fixed), failed ? "!" : " ",
            amplification, release, text(v, "fix"));
    if (path[0]) fprintf(out, "%-21s held by %s\n", "", path);
    if (failed)
        fprintf(out, "%-21s %s keeps more than its bound of %s\n", "", text(v, "failed_variant"),
                bytes_text(json_object_get(v, "bound_bytes"), leaky, sizeof leaky));
}

void verdicts_print(const json_t *verdicts, const json_t *lines, FILE *out) {
    const json_t *v, *line;
    size_t i;
    fprintf(out, "%-21s %-24s %9s %9s  %8s  %-11s %s\n", "scenario", "map", "leaky", "fixed", "kept/live",
            "released", "fix");
    json_array_foreach(verdicts, i, v) {
        print_verdict(v, out);
    }
    json_array_foreach(lines, i, line) {
        if (!json_is_string(json_object_get(line, "error"))) continue;
        fprintf(out, "%s %s, %s, %s: %s\n", text(line, "scenario"), text(line, "variant"), text(line, "map"),
                text(line, "heap"), text(line, "error"));
    }
}

size_t verdicts_failed(const json_t *verdicts) {
    size_t i, failed = 0;
    const json_t *v;
    json_array_foreach(verdicts, i, v) {
        failed += json_is_false(json_object_get(v, "passed"));
    }
    return failed;
}

static void xml_text(FILE *out, const char *s) {
    for (; *s; s++) switch (*s) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*s, out);
        }
}

static const json_t *first_error(const json_t *lines, const json_t *verdict) {
    const json_t *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        if (same_case(line, verdict) && json_is_string(json_object_get(line, "error"))) return line;
    }
    return NULL;
}

static void junit_case(const json_t *v, const json_t *error, FILE *out) {
    fputs(" <testcase classname=\"retain.", out), xml_text(out, text(v, "scenario"));
    fputs("\" name=\"", out), xml_text(out, text(v, "map")[0] ? text(v, "map") : "no map");
    fputs(" on ", out), xml_text(out, text(v, "heap"));
    fputs(" (", out), xml_text(out, text(v, "engine")), fputs(")\">", out);
    if (error) {
        fputs("<error message=\"", out), xml_text(out, text(error, "variant")), fputs(": ", out);
        xml_text(out, text(error, "error")), fputs("\"/>", out);
    } else if (json_is_false(json_object_get(v, "passed"))) {
        fputs("<failure message=\"", out), xml_text(out, text(v, "failed_variant"));
        fprintf(out, " keeps %.0f bytes, bound %.0f\"/>",
                json_number_value(json_object_get(v, "fixed_bytes")),
                json_number_value(json_object_get(v, "bound_bytes")));
    } else if (json_is_null(json_object_get(v, "passed"))) {
        fputs("<skipped message=\"no fixed variant was run\"/>", out);
    }
    fputs("</testcase>\n", out);
}

bool verdicts_junit(const json_t *verdicts, const json_t *lines, const char *path) {
    FILE *out = output_open(path);
    const json_t *v;
    size_t i, errors = 0, failures = 0;
    if (!out) return false;
    json_array_foreach(verdicts, i, v) {
        bool error = first_error(lines, v) != NULL;
        errors += error, failures += !error && json_is_false(json_object_get(v, "passed"));
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"mapbench retain\" tests=\"%zu\" "
            "failures=\"%zu\" errors=\"%zu\">\n",
            json_array_size(verdicts), failures, errors);
    json_array_foreach(verdicts, i, v) {
        junit_case(v, first_error(lines, v), out);
    }
    fputs("</testsuite>\n", out);
    return fclose(out) == 0;
}
