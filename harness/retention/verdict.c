#include "harness/retention/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/output.h"
#include "harness/retention/affected.h"
#include "harness/retention/case_plan.h"

static const char *text(const json_t *line, const char *field) {
    const char *value = json_string_value(json_object_get(line, field));
    return value ? value : "";
}

/* Reads what is held at a checkpoint: the number that the scenario noted itself, else that of the heap's
 * books, else resident memory. False: none is known. */
static bool held_bytes(const json_t *line, double *kept) {
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
    static const char *const fields[] = {"scenario", "map", "release", "heap", "engine"};
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

/* Reads what a checkpoint keeps beyond what was held at the scenario's from_label. */
static bool kept_bytes(const json_t *lines, const json_t *point, const struct scenario *s, double *kept) {
    const json_t *line;
    double before;
    size_t i;
    if (!held_bytes(point, kept)) return false;
    if (!s->from_label) return true;
    json_array_foreach(lines, i, line) {
        if (!same_case(line, point) || strcmp(text(line, "variant"), text(point, "variant")) != 0 ||
            strcmp(text(line, "label"), s->from_label) != 0)
            continue;
        if (!held_bytes(line, &before)) return false;
        *kept -= before;
        return true;
    }
    return false;
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
        if (kept_bytes(lines, line, s, &kept) && kept <= bound_of(s, line))
            return json_integer_value(json_object_get(line, "step")) -
                   json_integer_value(json_object_get(point, "step"));
    }
    return -1;
}

/* Judges one variant where it ended. NULL: it did not run, or its bytes are not known. */
static json_t *judge_variant(const json_t *lines, const json_t *like, const struct scenario *s,
                             const struct variant *v) {
    const json_t *point = verdict_point(lines, like, v->name, s->verdict_label);
    int release = line_release(like);
    double kept;
    if (!point || !kept_bytes(lines, point, s, &kept)) return NULL;
    json_t *affected = release && scenario_is_of_go(s) && v->role != VARIANT_REFERENCE
                           ? json_boolean(variant_affected(s, v, release))
                           : json_null();
    json_t *judged =
        json_pack("{s:s, s:s, s:s, s:o, s:f, s:f, s:b}", "name", v->name, "role", role_name(v->role),
                  "role_here", role_name(variant_role_in(s, v, release)), "affected", affected, "bytes", kept,
                  "bound_bytes", bound_of(s, point), "within", kept <= bound_of(s, point));
    affected_json(s, v, judged);
    return judged;
}

static double above_bound(const json_t *judged) {
    return json_number_value(json_object_get(judged, "bytes")) -
           json_number_value(json_object_get(judged, "bound_bytes"));
}

/* The fixed variants: the one closest to its bound or furthest above it, and whether all are within theirs.
 * What that release has fixed by itself must be too at the scenario's own n, but is shown only where it is
 * not. */
static void judge_fixes(const json_t *variants, bool own_n, json_t *verdict) {
    const json_t *judged, *worst = NULL;
    const char *failed = NULL;
    bool any = false;
    size_t i;
    json_array_foreach(variants, i, judged) {
        if (strcmp(text(judged, "role_here"), role_name(VARIANT_FIXED)) != 0) continue;
        bool is_fix = strcmp(text(judged, "role"), role_name(VARIANT_FIXED)) == 0;
        bool is_worst = !worst || above_bound(judged) > above_bound(worst);
        if (!is_fix && !own_n) continue;
        any = true;
        if (above_bound(judged) > 0 && is_worst) failed = text(judged, "name");
        if (is_worst && (is_fix || above_bound(judged) > 0)) worst = judged;
    }
    if (worst) {
        json_object_set(verdict, "fixed_variant", json_object_get(worst, "name"));
        json_object_set(verdict, "fixed_bytes", json_object_get(worst, "bytes"));
        json_object_set(verdict, "bound_bytes", json_object_get(worst, "bound_bytes"));
    }
    if (failed) json_object_set_new(verdict, "failed_variant", json_string(failed));
    json_object_set_new(verdict, "passed", any ? json_boolean(!failed) : json_null());
}

/* The leaky variant that stands for the scenario: the first that this release is affected by, else the first.
 */
static const json_t *main_leak(const json_t *variants) {
    const json_t *judged, *first = NULL;
    size_t i;
    json_array_foreach(variants, i, judged) {
        if (strcmp(text(judged, "role"), role_name(VARIANT_LEAKY)) != 0) continue;
        if (strcmp(text(judged, "role_here"), role_name(VARIANT_LEAKY)) == 0) return judged;
        if (!first) first = judged;
    }
    return first;
}

static const struct variant *variant_named(const struct scenario *s, const char *name) {
    const struct variant *v = s->variant;
    while (strcmp(v->name, name) != 0) v++;
    return v;
}

static void judge_leak(const json_t *lines, const json_t *like, const struct scenario *s, const json_t *leak,
                       json_t *verdict) {
    const char *name = text(leak, "name");
    const json_t *point = verdict_point(lines, like, name, s->verdict_label);
    json_int_t release = release_operations(lines, point, s);
    const json_t *kept = json_object_get(leak, "bytes"),
                 *live = json_object_get(point, "semantic_live_bytes");
    char room[AFFECTED_TEXT_SIZE];
    json_object_set_new(verdict, "leaky_variant", json_string(name));
    json_object_set(verdict, "leaky_bytes", (json_t *)(uintptr_t)kept);
    json_object_set(verdict, "semantic_live_bytes", (json_t *)(uintptr_t)live);
    json_object_set(verdict, "amplification", json_object_get(point, "amplification"));
    if (s->from_label && json_number_value(live) > 0)
        json_object_set_new(verdict, "amplification",
                            json_real(json_number_value(kept) / json_number_value(live)));
    json_object_set_new(verdict, "release_operations", release < 0 ? json_null() : json_integer(release));
    json_object_set(verdict, "path", json_object_get(point, "path"));
    json_object_set(verdict, "dominator", json_object_get(point, "dominator"));
    affected_text(s, variant_named(s, name), line_release(like), room);
    if (room[0]) json_object_set_new(verdict, "in_release", json_string(room));
}

static json_t *verdict_make(const json_t *lines, const json_t *like, const struct scenario *s) {
    json_t *variants = json_array();
    json_t *verdict = json_pack(
        "{s:s, s:s, s:O, s:O?, s:s, s:s, s:O?, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:s, s:o}", "label",
        "verdict", "scenario", s->name, "map", json_object_get(like, "map"), "release",
        json_object_get(like, "release"), "heap", text(like, "heap"), "engine", text(like, "engine"), "n",
        json_object_get(like, "n"), "leaky_variant", "leaky_bytes", "fixed_variant", "fixed_bytes",
        "amplification", "release_operations", "path", "in_release", "fix", s->fix, "variants", variants);
    for (const struct variant *v = s->variant; v->name; v++) {
        json_t *judged = judge_variant(lines, like, s, v);
        if (judged) json_array_append_new(variants, judged);
    }
    const json_t *leak = main_leak(variants);
    if (leak) judge_leak(lines, like, s, leak, verdict);
    judge_fixes(variants, (size_t)json_integer_value(json_object_get(like, "n")) == s->n, verdict);
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

const char *bytes_text(const json_t *value, char *out, size_t size) {
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
    const char *map = text(v, "map"), *path = text(v, "path"), *go = text(v, "release"),
               *here = text(v, "in_release");
    if (json_is_number(factor))
        snprintf(amplification, sizeof amplification, "%.3g", json_number_value(factor));
    if (json_is_integer(operations))
        snprintf(release, sizeof release, "%lld ops", (long long)json_integer_value(operations));
    snprintf(place, sizeof place, "%s%s%s", map[0] ? map : "-", strcmp(text(v, "engine"), "c") ? "" : " on ",
             strcmp(text(v, "engine"), "c") ? "" : text(v, "heap"));
    fprintf(out, "%-21s %-24s %-4s %9s %9s%s %8s  %-11s %-23s %s\n", text(v, "scenario"), place,
            go[0] ? go : "-", bytes_text(json_object_get(v, "leaky_bytes"), leaky, sizeof leaky),
            bytes_text(json_object_get(v, "fixed_bytes"), fixed, sizeof fixed), failed ? "!" : " ",
            amplification, release, here[0] ? here : "-", text(v, "fix"));
    if (path[0]) fprintf(out, "%-21s held by %s\n", "", path);
    if (failed)
        fprintf(out, "%-21s %s keeps more than its bound of %s\n", "", text(v, "failed_variant"),
                bytes_text(json_object_get(v, "bound_bytes"), leaky, sizeof leaky));
}

void verdicts_print(const json_t *verdicts, FILE *out) {
    const json_t *v;
    size_t i;
    fprintf(out, "%-21s %-24s %-4s %9s %9s  %8s  %-11s %-23s %s\n", "scenario", "map", "Go", "leaky", "fixed",
            "kept/live", "released", "in that release", "fix");
    json_array_foreach(verdicts, i, v) {
        print_verdict(v, out);
    }
}

void errors_print(const json_t *lines, FILE *out) {
    const json_t *line;
    size_t i;
    json_array_foreach(lines, i, line) {
        const char *go = text(line, "release");
        if (!json_is_string(json_object_get(line, "error"))) continue;
        fprintf(out, "%s %s, %s, %s%s%s: %s\n", text(line, "scenario"), text(line, "variant"),
                text(line, "map"), text(line, "heap"), go[0] ? ", Go " : "", go, text(line, "error"));
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
    fputs(" (", out), xml_text(out, text(v, "engine"));
    if (text(v, "release")[0]) fputs(", Go ", out), xml_text(out, text(v, "release"));
    fputs(")\">", out);
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
