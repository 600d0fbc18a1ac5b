/* For the tests that hold a port's own structs against the layout report on it. */
#ifndef MAPBENCH_TESTS_GO_LAYOUT_PORT_H
#define MAPBENCH_TESTS_GO_LAYOUT_PORT_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "harness/goports/layout.h"

struct port_field {
    const char *name; /* in Go */
    size_t offset_bytes, size_bytes;
};
#define PORT_FIELD(structure, field, name)                                                                   \
    { name, offsetof(struct structure, field), sizeof(((struct structure *)0)->field) }

/* The field of that name in a struct of the report. */
static const json_t *port_field(const json_t *structure, const char *name) {
    size_t i;
    const json_t *field;
    json_array_foreach(json_object_get(structure, "fields"), i,
                       field) if (strcmp(json_string_value(json_object_get(field, "name")), name) ==
                                  0) return field;
    return NULL;
}

/* This machine's layout of the first struct of that name, of the map or of map[uint64]uint64. */
static const json_t *port_struct(const json_t *structs, const char *name) {
    const char *target = layout_targets[sizeof(void *) == 8 ? LAYOUT_64 : LAYOUT_32].name;
    size_t i;
    const json_t *s;
    json_array_foreach((json_t *)structs, i,
                       s) if (strcmp(json_string_value(json_object_get(s, "name")), name) == 0 &&
                              strcmp(json_string_value(json_object_get(s, "target")), target) == 0) return s;
    return NULL;
}

/* Every field of Go's struct is where the port has it. `bytes`: of the port's struct; 0: it goes on after
 * Go's. */
static void assert_port(const char *map, const char *structure, const struct port_field *fields, size_t count,
                        size_t bytes) {
    struct why why;
    json_t *report = layout_json(map, "map[uint64]uint64", &why);
    if (!report) fail_msg("%s", why.text);
    const json_t *s = port_struct(json_object_get(report, "structs"), structure);
    if (!s)
        s = port_struct(json_object_get(json_array_get(json_object_get(report, "types"), 0), "structs"),
                        structure);
    if (!s) fail_msg("no %s", structure);
    if (bytes) assert_int_equal(json_integer_value(json_object_get(s, "size")), bytes);
    assert_int_equal(json_array_size(json_object_get(s, "fields")), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *field = port_field(s, fields[i].name);
        if (!field) fail_msg("%s has no field %s", structure, fields[i].name);
        if ((size_t)json_integer_value(json_object_get(field, "off")) != fields[i].offset_bytes ||
            (size_t)json_integer_value(json_object_get(field, "size")) != fields[i].size_bytes)
            fail_msg("%s.%s: the port has %zu bytes at %zu", structure, fields[i].name, fields[i].size_bytes,
                     fields[i].offset_bytes);
    }
    json_decref(report);
}

#endif
