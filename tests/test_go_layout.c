/* The layout engine against what Go's own compilers laid out: the structs of real programs' DWARF, the map
 * types read out of running programs, and the structs of the classic port. tests/test_go_layout_swiss.c: of
 * the other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/goports/layout.h"
#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "harness/shapes/u64_u64.h"
#include "tests/support/go_layout_port.h"

#define UNIT_HASH_native 1
#define MAP_INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/hmap.h"

enum { LINE_MAX_BYTES = 512, TAG_MAX = 16 };

static FILE *open_fixture(const char *path) {
    FILE *in = fopen(path, "r");
    if (!in) fail_msg("cannot open %s: run from the project's folder", path);
    return in;
}

/* The struct of the report, of this name and target, as that release has it: since it or one before. */
static json_t *find_struct(json_t *structs, const char *name, const char *go, const char *target) {
    size_t i;
    json_t *s, *found = NULL;
    json_array_foreach(structs, i, s) {
        if (strcmp(json_string_value(json_object_get(s, "name")), name) == 0 &&
            (!go || strcmp(json_string_value(json_object_get(s, "go")), go) <= 0) &&
            strcmp(json_string_value(json_object_get(s, "target")), target) == 0)
            found = s;
    }
    return found;
}

/* --- DWARF
 * ---------------------------------------------------------------------------------------------------------
 */

static void remove_all(char *text, const char *what) {
    for (char *at; (at = strstr(text, what));) memmove(at, at + strlen(what), strlen(at + strlen(what)) + 1);
}

/* A type as DWARF writes it, as the source does. */
static const char *as_in_source(char *type) {
    static const char *const dropped[] = {"noalg.", "runtime.", "internal/", "runtime/", "maps."};
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) remove_all(type, dropped[i]);
    if (strncmp(type, "*struct [", 9) == 0) memmove(type + 1, type + 8, strlen(type + 8) + 1);
    return strcmp(type, "*void") == 0 || strncmp(type, "func(", 5) == 0 ? "unsafe.Pointer" : type;
}

/* What a tag of the fixture stands for. */
struct tag {
    char name[TAG_MAX];
    const char *target, *go; /* go: the version in the report; NULL: any */
    bool swiss;
};

static struct tag tag_of(const char *text) {
    static const struct {
        const char *tag, *go;
        bool swiss;
    } known[] = {{"g121", "1.23", false}, /* whose structs do not differ */
                 {"g123", "1.23", false}, {"g124", "1.24", true}, {"g124c", "1.24 noswissmap", false},
                 {"g125", "1.25", true},  {"g126", "1.26", true}, {"g127", "1.27", true}};
    struct tag tag = {.target = strstr(text, "-386") ? "32-bit" : "64-bit"};
    snprintf(tag.name, sizeof tag.name, "%s", text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].tag) == strcspn(text, "-") &&
            strncmp(text, known[i].tag, strlen(known[i].tag)) == 0)
            tag.go = known[i].go, tag.swiss = known[i].swiss;
    if (!tag.go) fail_msg("%s: no known tag", text);
    return tag;
}

/* The report of one map type, by the names DWARF gives its bucket or group; NULL: the struct is no such
 * thing. */
static json_t *report_of_type(const struct tag *tag, const char *name, const char **part) {
    char type[LAYOUT_TEXT_MAX];
    struct why why;
    static const char bucket[] = "bucket<", group[] = "noalg.map.group[";
    if (strncmp(name, bucket, sizeof bucket - 1) == 0) {
        const char *comma = strchr(name, ',');
        assert_non_null(comma);
        snprintf(type, sizeof type, "map[%.*s]%.*s", (int)(comma - name - 7), name + 7,
                 (int)(strlen(comma + 1) - 1), comma + 1);
        *part = "bucket";
    } else if (strncmp(name, group, sizeof group - 1) == 0) {
        snprintf(type, sizeof type, "map%s", name + sizeof group - 2);
        *part = "group";
    } else {
        return NULL;
    }
    json_t *report = layout_json(tag->swiss ? "go_swiss" : "go_hmap", type, &why);
    if (!report) fail_msg("%s: %s", type, why.text);
    return report;
}

/* The struct under comparison, and how many were. */
struct comparison {
    json_t *fixed[2];        /* classic, Swiss: the report on the seven types */
    json_t *own;             /* the report on one type, freed with the next struct */
    const json_t *structure; /* NULL before the first */
    char what[LINE_MAX_BYTES];
    size_t next_field, structs, fields;
};

static void end_struct(struct comparison *c) {
    if (c->structure && json_array_size(json_object_get(c->structure, "fields")) != c->next_field)
        fail_msg("%s: the report has %zu fields, Go %zu", c->what,
                 json_array_size(json_object_get(c->structure, "fields")), c->next_field);
    json_decref(c->own);
    c->own = NULL;
}

static void begin_struct(struct comparison *c, const char *line) {
    char tag_text[TAG_MAX], name[LAYOUT_TEXT_MAX];
    long long size;
    end_struct(c);
    assert_int_equal(sscanf(line, "%15[^|]|%255[^|]|%lld", tag_text, name, &size), 3);
    struct tag tag = tag_of(tag_text);
    const char *part = name;
    snprintf(c->what, sizeof c->what, "%s %s", tag.name, name);
    c->own = report_of_type(&tag, name, &part);
    json_t *structs = c->own ? json_object_get(json_array_get(json_object_get(c->own, "types"), 0), "structs")
                             : json_object_get(c->fixed[tag.swiss], "structs");
    json_t *found = find_struct(structs, part, tag.go, tag.target);
    if (!found) fail_msg("%s: not in the report", c->what);
    json_object_set_new(found, "compared", json_true());
    if (json_integer_value(json_object_get(found, "size")) != size)
        fail_msg("%s: the report has %lld bytes, Go %lld", c->what,
                 (long long)json_integer_value(json_object_get(found, "size")), size);
    c->structure = found;
    c->next_field = 0;
    c->structs++;
}

static void compare_field(struct comparison *c, const char *line) {
    char name[64], type[LAYOUT_TEXT_MAX];
    long long off, size;
    assert_int_equal(sscanf(line, "|%63[^|]|%lld|%lld|%255[^\n]", name, &off, &size, type), 4);
    const json_t *field = json_array_get(json_object_get(c->structure, "fields"), c->next_field++);
    const char *known = json_string_value(json_object_get(field, "name"));
    if (!field) fail_msg("%s: the report has no field %s", c->what, name);
    bool bucket = strcmp(json_string_value(json_object_get(c->structure, "name")), "bucket") == 0;
    if (strcmp(known, name) != 0 && !(bucket && strcmp(name, "values") == 0 && strcmp(known, "elems") == 0))
        fail_msg("%s: field %s is %s in the report", c->what, name, known);
    if (json_integer_value(json_object_get(field, "off")) != off ||
        json_integer_value(json_object_get(field, "size")) != size)
        fail_msg("%s.%s: the report has %lld bytes at %lld, Go %lld at %lld", c->what, name,
                 (long long)json_integer_value(json_object_get(field, "size")),
                 (long long)json_integer_value(json_object_get(field, "off")), size, off);
    /* A bucket's types are made up by the linker that writes DWARF. */
    if (!bucket && !c->own)
        assert_string_equal(json_string_value(json_object_get(field, "type")), as_in_source(type));
    c->fields++;
}

/* Each struct of the report was in the fixture. Of 1.24 noswissmap on 386 only hmap was recorded. */
static void assert_all_compared(json_t *report) {
    size_t i;
    json_t *s;
    json_array_foreach(json_object_get(report, "structs"), i, s) {
        const char *name = json_string_value(json_object_get(s, "name"));
        if (json_object_get(s, "compared")) continue;
        if (strcmp(name, "runtime.hiter") == 0 &&
            find_struct(json_object_get(report, "structs"), name, "1.24 noswissmap", "32-bit") == s)
            continue;
        fail_msg("%s (%s, %s) was compared with nothing", name, json_string_value(json_object_get(s, "go")),
                 json_string_value(json_object_get(s, "target")));
    }
}

static void test_dwarf(void **state) {
    char line[LINE_MAX_BYTES];
    struct why why;
    (void)state;
    struct comparison c = {
        .fixed = {layout_json("go_hmap", NULL, &why), layout_json("go_swiss", NULL, &why)}};
    assert_true(c.fixed[0] && c.fixed[1]);
    FILE *in = open_fixture("tests/fixtures/go/layout_dwarf.txt");
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        assert_non_null(strchr(line, '\n'));
        if (line[0] == '|')
            compare_field(&c, line);
        else
            begin_struct(&c, line);
    }
    fclose(in);
    end_struct(&c);
    for (size_t i = 0; i < 2; i++) {
        assert_all_compared(c.fixed[i]);
        json_decref(c.fixed[i]);
    }
    assert_int_equal(c.structs, 297);
    assert_int_equal(c.fields, 1028);
}

/* --- map types
 * ------------------------------------------------------------------------------------------------------ */

static void check_map_type(const char *line) {
    static const char *const names[2][5] = {
        {"KeySize", "ValueSize", "BucketSize", "Flags", "Bucket.PtrBytes"},
        {"GroupSize", "SlotSize", "ElemOff", "Flags", "Group.PtrBytes"},
    };
    char kind[16], type[LAYOUT_TEXT_MAX];
    struct why why;
    long long bits, number[5];
    assert_int_equal(sscanf(line, "%15[^|]|%lld|%255[^|]|%lld %lld %lld %lld %lld", kind, &bits, type,
                            &number[0], &number[1], &number[2], &number[3], &number[4]),
                     8);
    bool swiss = strcmp(kind, "swiss") == 0;
    json_t *report = layout_json(swiss ? "go_swiss" : "go_hmap", type, &why);
    if (!report) fail_msg("%s: %s", type, why.text);
    const json_t *map_type = json_object_get(json_array_get(json_object_get(report, "types"), 0), "map_type");
    const json_t *here = json_object_get(map_type, bits == 64 ? "64-bit" : "32-bit");
    for (size_t i = 0; i < 5; i++) {
        long long known = (long long)json_integer_value(json_object_get(here, names[swiss][i]));
        if (known != number[i])
            fail_msg("%s %s, %lld bits: %s is %lld, in Go %lld", kind, type, bits, names[swiss][i], known,
                     number[i]);
    }
    json_decref(report);
}

static void test_map_types(void **state) {
    char line[LINE_MAX_BYTES];
    size_t checked = 0;
    (void)state;
    FILE *in = open_fixture("tests/fixtures/go/layout_map_types.txt");
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        check_map_type(line);
        checked++;
    }
    fclose(in);
    assert_int_equal(checked, 128);
}

/* The numbers that C's compiler was asked for, of the engine. */
static void test_asserted_numbers(void **state) {
#define LAYOUT_TYPE(name, key, elem, key_type, elem_type, ...) {"map[" key "]" elem, {__VA_ARGS__}},
    static const struct {
        const char *type;
        long long number[6];
    } asserted[] = {
#include "harness/goports/layout_types.def"
    };
#undef LAYOUT_TYPE
    static const struct {
        const char *map, *structure;
        const char *field; /* NULL: the struct's size */
    } meaning[6] = {{"go_hmap", "bucket", "elems"}, {"go_hmap", "bucket", "overflow"},
                    {"go_hmap", "bucket", NULL},    {"go_swiss", "slot", "elem"},
                    {"go_swiss", "slot", NULL},     {"go_swiss", "group", NULL}};
    struct why why;
    (void)state;
    assert_int_equal(sizeof asserted / sizeof *asserted, 7);
    for (size_t i = 0; i < 7; i++)
        for (size_t m = 0; m < 6; m++) {
            json_t *report = layout_json(meaning[m].map, asserted[i].type, &why);
            assert_non_null(report);
            json_t *structs = json_object_get(json_array_get(json_object_get(report, "types"), 0), "structs");
            json_t *s = find_struct(structs, meaning[m].structure, NULL, "64-bit");
            const json_t *field = meaning[m].field ? port_field(s, meaning[m].field) : NULL;
            long long known = (long long)json_integer_value(field ? json_object_get(field, "off")
                                                                  : json_object_get(s, "size"));
            if (known != asserted[i].number[m])
                fail_msg("%s: %s.%s is %lld, asserted %lld", asserted[i].type, meaning[m].structure,
                         meaning[m].field ? meaning[m].field : "size", known, asserted[i].number[m]);
            json_decref(report);
        }
}

/* --- the engine by itself
 * --------------------------------------------------------------------------------------------- */

static void test_padding(void **state) {
    struct layout layout;
    struct why why;
    (void)state;
    const char *text = "struct { a uint8; b uint64; c uint16; d struct {} }";
    assert_true(layout_compute(text, &layout_targets[LAYOUT_64], &layout, &why));
    assert_int_equal(layout.whole.size_bytes, 24);
    assert_int_equal(layout_padding_after(&layout, 0), 7);
    assert_int_equal(layout_padding_after(&layout, 2), 0);
    assert_int_equal(layout_padding_after(&layout, 3), 6);
    assert_true(layout_compute(text, &layout_targets[LAYOUT_32], &layout, &why));
    assert_int_equal(layout.whole.size_bytes, 16);
    assert_int_equal(layout_padding_after(&layout, 0), 3);
}

static void test_refused(void **state) {
    static const struct {
        const char *type, *said;
    } cases[] = {
        {"", "is no map type"},
        {"string", "is no map type"},
        {"map[string", "ends without a ']'"},
        {"map[string]", "ends too soon"},
        {"map[string]int int", "goes on after its end"},
        {"map[]int", "name is expected at ']int'"},
        {"map[[x]int]int", "length of an array"},
        {"map[foo]int", "unknown type 'foo'"},
        {"map[int]struct { a bar }", "unknown type 'bar'"},
        {"map[struct { a int]int", "a ';' is missing"},
        {"map[[]int]int", "cannot be a key"},
        {"map[map[int]int]int", "cannot be a key"},
        {"map[struct { a []int }]int", "cannot be a key"},
        {"map[[2][]int]int", "cannot be a key"},
        {"map[int][99999999999999999999]int", "larger than"},
        {"map[int][65536][65536]int", "larger than"},
        {"map[int][]int]", "goes on after its end"},
    };
    char longer[2 * LAYOUT_TEXT_MAX];
    struct why why;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        why.text[0] = '\0';
        assert_null(layout_json("go_swiss", cases[i].type, &why));
        if (!strstr(why.text, cases[i].said)) fail_msg("%s: '%s'", cases[i].type, why.text);
    }
    memset(longer, '*', sizeof longer - 1);
    memcpy(longer, "map[", 4);
    longer[sizeof longer - 1] = '\0';
    assert_null(layout_json("go_swiss", longer, &why));
    assert_non_null(strstr(why.text, "more than 255 characters"));
    assert_null(layout_json("chained", NULL, &why));
    assert_non_null(strstr(why.text, "go_hmap, go_hmap_notop, go_swiss, go_swiss_split"));
}

/* --- the port
 * ---------------------------------------------------------------------------------------------------------
 */

static const struct port_field hmap[] = {
    PORT_FIELD(go_hmap, count, "count"),
    PORT_FIELD(go_hmap, flags, "flags"),
    PORT_FIELD(go_hmap, B, "B"),
    PORT_FIELD(go_hmap, noverflow, "noverflow"),
    PORT_FIELD(go_hmap, hash0, "hash0"),
    PORT_FIELD(go_hmap, buckets, "buckets"),
    PORT_FIELD(go_hmap, oldbuckets, "oldbuckets"),
    PORT_FIELD(go_hmap, nevacuate, "nevacuate"),
    PORT_FIELD(go_hmap, extra, "extra"),
};
static const struct port_field mapextra[] = {
    PORT_FIELD(go_mapextra, overflow, "overflow"),
    PORT_FIELD(go_mapextra, oldoverflow, "oldoverflow"),
    PORT_FIELD(go_mapextra, next_overflow, "nextOverflow"),
};
static const struct port_field bucket[] = {
    PORT_FIELD(go_bmap, top, "tophash"),
    PORT_FIELD(go_bmap, key, "keys"),
    PORT_FIELD(go_bmap, val, "elems"),
    PORT_FIELD(go_bmap, overflow, "overflow"),
};

static void test_port(void **state) {
    (void)state;
    assert_port("go_hmap", "runtime.hmap", hmap, sizeof hmap / sizeof *hmap, sizeof(struct go_hmap));
    assert_port("go_hmap@1.21", "runtime.mapextra", mapextra, sizeof mapextra / sizeof *mapextra,
                sizeof(struct go_mapextra));
    assert_port("go_hmap_notop", "bucket", bucket, sizeof bucket / sizeof *bucket, sizeof(struct go_bmap));
}

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct go_bmap) == 144 && offsetof(struct go_bmap, key) == 8 &&
                   offsetof(struct go_bmap, val) == 72 && offsetof(struct go_bmap, overflow) == 136,
               "the port's bucket of map[uint64]uint64 is Go's");
_Static_assert(offsetof(struct map, h) == 0, "the port's map begins with its hmap");
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dwarf),
        cmocka_unit_test(test_map_types),
        cmocka_unit_test(test_asserted_numbers),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
