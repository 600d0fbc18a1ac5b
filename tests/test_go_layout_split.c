/* Groups with keys and elements apart (GOEXPERIMENT=mapsplitgroup of Go 1.27): the layout report and the
 * port's own struct against the DWARF of a real program (tests/fixtures/go/layout_dwarf_split.txt). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wunused-function"
#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "harness/shapes/str_unit.h"
#include "tests/support/go_layout_port.h"

#define UNIT_HASH_native 1
#define MAP_INLINE static inline __attribute__((always_inline))
#include "maps/go/swiss_split.h"

/* A set of strings: the shape of which the split saves most. */
static const struct port_field group_fields[] = {
    PORT_FIELD(go_group, ctrl, "ctrl"),
    PORT_FIELD(go_group, keys, "keys"),
    PORT_FIELD(go_group, elems, "elems"),
};

/* A group's 64-bit layout in the report on a map type; the caller frees *report. NULL: the type has names
 * that only its program knows. */
static const json_t *group_of(const char *map_type, json_t **report) {
    struct why why;
    *report = layout_json("go_swiss_split", map_type, &why);
    if (!*report) fail_msg("%s: %s", map_type, why.text);
    const json_t *type = json_array_get(json_object_get(*report, "types"), 0), *s;
    size_t i;
    json_array_foreach(json_object_get(type, "structs"), i,
                       s) if (strcmp(json_string_value(json_object_get(s, "target")), "64-bit") ==
                              0) return s;
    fail_msg("%s: no group", map_type);
    return NULL;
}

static void assert_number(const char *what, const json_t *object, const char *name, const char *text) {
    if (json_integer_value(json_object_get(object, name)) != atoll(text))
        fail_msg("%s: %s is %s", what, name, text);
}

static void test_dwarf(void **state) {
    char line[256], what[256] = "";
    json_t *report = NULL;
    const json_t *group = NULL;
    size_t groups = 0, fields = 0;
    FILE *in = fopen("tests/fixtures/go/layout_dwarf_split.txt", "r");
    (void)state;
    if (!in) fail_msg("run from the project's folder");
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        char *at = line, *tag = strsep(&at, "|"), *name = strsep(&at, "|"), *number = strsep(&at, "|");
        if (*tag) {
            json_decref(report);
            snprintf(what, sizeof what, "map%s", name + strlen("noalg.map.group"));
            group = group_of(what, &report);
            groups += group != NULL;
            if (group) assert_number(what, group, "size", number);
        } else if (group) {
            const json_t *field = port_field(group, name);
            if (!field) fail_msg("%s: no %s", what, name);
            assert_number(what, field, "off", number);
            assert_number(what, field, "size", strsep(&at, "|"));
            fields++;
        }
    }
    json_decref(report);
    fclose(in);
    assert_int_equal(groups, 22);
    assert_int_equal(fields, 66);
}

static void test_port(void **state) {
    struct why why;
    (void)state;
    if (sizeof(void *) != 8) return;
    json_t *report;
    const json_t *group = group_of("map[string]struct {}", &report);
    assert_int_equal(json_integer_value(json_object_get(group, "size")), sizeof(struct go_group));
    for (size_t i = 0; i < sizeof group_fields / sizeof *group_fields; i++) {
        const json_t *field = port_field(group, group_fields[i].name);
        assert_int_equal(json_integer_value(json_object_get(field, "off")), group_fields[i].offset_bytes);
        assert_int_equal(json_integer_value(json_object_get(field, "size")), group_fields[i].size_bytes);
    }
    json_decref(report);
    assert_int_equal(sizeof(struct go_group), 144);
    assert_null(layout_json("go_swiss_split", "map[[]int]bool", &why));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_dwarf), cmocka_unit_test(test_port)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
