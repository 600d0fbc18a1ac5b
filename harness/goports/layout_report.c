/* The layout report for people: each struct once, its 64-bit and its 32-bit layout side by side. */
#include <stdio.h>
#include <string.h>

#include "harness/goports/layout.h"
#include "harness/base/exit.h"
#include "harness/base/why.h"

enum { NAME_WIDTH = 17, TYPE_WIDTH_MIN = 16, TEXT_MAX = 2 * (LAYOUT_TEXT_MAX + 64) };

static const char *text_of(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

static long long number_of(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

/* The target's layout of the struct that comes first in the list with this name and version. */
static const json_t *find_struct(const json_t *structs, const json_t *like, size_t target) {
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)structs, i,
                       s) if (strcmp(text_of(s, "name"), text_of(like, "name")) == 0 &&
                              strcmp(text_of(s, "go"), text_of(like, "go")) == 0 &&
                              strcmp(text_of(s, "target"), layout_targets[target].name) == 0) return s;
    return NULL;
}

/* The field's type; if a size above 128 bytes makes it a pointer on one target only, both. */
static void field_type(const json_t *const field[LAYOUT_TARGETS], char type[TEXT_MAX]) {
    const char *wide = text_of(field[LAYOUT_64], "type"), *narrow = text_of(field[LAYOUT_32], "type");
    bool same = strcmp(wide, narrow) == 0;
    snprintf(type, TEXT_MAX, "%s%s%s", wide, same ? "" : " | ", same ? "" : narrow);
}

static void print_row(const char *name, const char *type, int type_width,
                      const char *const cells[2 * LAYOUT_TARGETS]) {
    printf("  %-*s %-*s %8s %6s %8s %6s\n", NAME_WIDTH, name, type_width, type, cells[0], cells[1], cells[2],
           cells[3]);
}

/* One line for a field, and one for the padding after it where there is some. */
static void print_field(const json_t *const field[LAYOUT_TARGETS], const char *type, int type_width) {
    char number[2 * LAYOUT_TARGETS][24], padding[2 * LAYOUT_TARGETS][24];
    const char *cells[2 * LAYOUT_TARGETS], *padded[2 * LAYOUT_TARGETS];
    bool any = false;
    for (size_t t = 0; t < LAYOUT_TARGETS; t++) {
        long long offset = number_of(field[t], "off"), size = number_of(field[t], "size"),
                  after = number_of(field[t], "padding_after");
        snprintf(number[2 * t], sizeof *number, "%lld", offset);
        snprintf(number[2 * t + 1], sizeof *number, "%lld", size);
        snprintf(padding[2 * t], sizeof *padding, "%lld", offset + size);
        snprintf(padding[2 * t + 1], sizeof *padding, "%lld", after);
        for (size_t i = 2 * t; i < 2 * t + 2; i++) cells[i] = number[i], padded[i] = after ? padding[i] : "-";
        any |= after > 0;
    }
    print_row(text_of(field[LAYOUT_64], "name"), type, type_width, cells);
    if (any) print_row("(padding)", "", type_width, padded);
}

static void print_total(const json_t *const layout[LAYOUT_TARGETS]) {
    printf("  total:");
    for (size_t t = 0; t < LAYOUT_TARGETS; t++)
        printf("%s %lld bytes, aligned to %lld, %lld of padding (%s)", t ? ";" : "",
               number_of(layout[t], "size"), number_of(layout[t], "align"), number_of(layout[t], "padding"),
               layout_targets[t].name);
    printf("\n\n");
}

static void print_struct(const json_t *structs, const json_t *first) {
    const json_t *layout[LAYOUT_TARGETS], *field[LAYOUT_TARGETS];
    char type[TEXT_MAX];
    int type_width = TYPE_WIDTH_MIN;
    for (size_t t = 0; t < LAYOUT_TARGETS; t++) layout[t] = find_struct(structs, first, t);
    size_t fields = json_array_size(json_object_get(first, "fields"));
    for (int printing = 0; printing < 2; printing++) {
        if (printing) {
            const char *const head[] = {"offset", "size", "offset", "size"};
            printf("%-*s  %*s %15s\n", type_width + NAME_WIDTH + 2, "", 15, layout_targets[LAYOUT_64].name,
                   layout_targets[LAYOUT_32].name);
            print_row("field", "type", type_width, head);
        }
        for (size_t i = 0; i < fields; i++) {
            for (size_t t = 0; t < LAYOUT_TARGETS; t++)
                field[t] = json_array_get(json_object_get(layout[t], "fields"), i);
            field_type(field, type);
            if (printing)
                print_field(field, type, type_width);
            else if ((int)strlen(type) > type_width)
                type_width = (int)strlen(type);
        }
    }
    print_total(layout);
}

static void print_structs(const json_t *structs, const char *of) {
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)structs, i, s) {
        if (strcmp(text_of(s, "target"), layout_targets[LAYOUT_64].name) != 0) continue;
        printf("%s%s%s (Go %s)\n", text_of(s, "name"), of[0] ? " of " : "", of, text_of(s, "go"));
        print_struct(structs, s);
    }
}

/* Prints what the compiler writes into the map type, by the names it has there. */
static void print_map_type(const json_t *map_type, const char *of) {
    const json_t *wide = json_object_get(map_type, layout_targets[LAYOUT_64].name);
    const char *key;
    json_t *value;
    printf("map type of %s\n  %-23s %9s %9s\n", of, "field", layout_targets[LAYOUT_64].name,
           layout_targets[LAYOUT_32].name);
    json_object_foreach((json_t *)wide, key, value) {
        printf("  %-23s", key);
        for (size_t t = 0; t < LAYOUT_TARGETS; t++) {
            const json_t *here = json_object_get(json_object_get(map_type, layout_targets[t].name), key);
            if (json_is_boolean(here))
                printf(" %9s", json_is_true(here) ? "yes" : "no");
            else
                printf(" %9lld", (long long)json_integer_value(here));
        }
        putchar('\n');
    }
    putchar('\n');
}

/* Prints of a Swiss map whether it gets rid of tombstones, by target. */
static void print_assignment(const json_t *assignment, const char *of) {
    const char *target;
    json_t *a;
    json_object_foreach((json_t *)assignment, target, a) {
        const char *since = text_of(a, "prunes_since");
        if (since)
            printf("%s, %s: stored by %s, which prunes tombstones since Go %s\n", of, target,
                   text_of(a, "function"), since);
        else
            printf("%s, %s: stored by %s, which prunes tombstones in no release: %s\n", of, target,
                   text_of(a, "function"), text_of(a, "why_not"));
        const char *aligned = text_of(a, "aligned_loads");
        if (aligned)
            printf("%s, %s: on machines that load words from their boundaries only (%s) by mapassign, which "
                   "never "
                   "does\n",
                   of, target, aligned);
    }
    if (json_object_size(assignment)) putchar('\n');
}

static void print_report(const json_t *report) {
    size_t i;
    const json_t *type;
    printf("%s: how Go lays it out\n", text_of(report, "map"));
    for (size_t t = 0; t < LAYOUT_TARGETS; t++)
        printf("  %s: pointers of %zu bytes, nothing aligned to more than %zu\n", layout_targets[t].name,
               layout_targets[t].pointer_bytes, layout_targets[t].align_max_bytes);
    printf("  Offsets and sizes are in bytes. Keys and values above 128 bytes are kept outside, by "
           "pointer.\n"
           "  (Go N): so since that release, until a later one is listed.\n\n");
    print_structs(json_object_get(report, "structs"), "");
    json_array_foreach(json_object_get(report, "types"), i, type) {
        print_structs(json_object_get(type, "structs"), text_of(type, "type"));
        print_map_type(json_object_get(type, "map_type"), text_of(type, "type"));
        print_assignment(json_object_get(type, "assignment"), text_of(type, "type"));
    }
}

int layout_command(const char *map, const char *type, bool json) {
    struct why why;
    json_t *report = layout_json(map, type, &why);
    if (!report) return complain(EXIT_USAGE, why.text);
    if (json) {
        json_dumpf(report, stdout, JSON_INDENT(1));
        putchar('\n');
    } else {
        print_report(report);
    }
    json_decref(report);
    return EXIT_OK;
}
