/* Which assignment a map type gets, and which types are refused as keys, in the layout report and from the
 * real compiler (tests/fixtures/go/assignments.txt). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/goports/layout.h"

/* A line of the record: where, key, value, and the function that is called or the type that is refused. */
struct line {
    char text[256], *where, *key, *elem, *said;
    char type[256];
};

static bool next_line(FILE *in, struct line *line) {
    do
        if (!fgets(line->text, sizeof line->text, in)) return false;
    while (line->text[0] == '#');
    char *at = line->text;
    line->where = strsep(&at, "|"), line->key = strsep(&at, "|"), line->elem = strsep(&at, "|");
    line->said = strsep(&at, "\n");
    assert_non_null(line->said);
    snprintf(line->type, sizeof line->type, "map[%s]%s", line->key, line->elem);
    return true;
}

static FILE *open_record(void) {
    FILE *in = fopen("tests/fixtures/go/assignments.txt", "r");
    if (!in) fail_msg("run from the project's folder");
    return in;
}

/* Since which release Go's sources call pruneTombstones in a function. */
static const char *since_of(const char *function) {
    if (strcmp(function, "mapassign") == 0) return NULL;
    return strcmp(function + strlen(function) - 3, "ptr") == 0 ? "1.27" : "1.25";
}

static void check_assignment(const struct line *line, const json_t *assignment) {
    const char *function = json_string_value(json_object_get(assignment, "function")),
               *since = json_string_value(json_object_get(assignment, "prunes_since"));
    if (!function || strcmp(function, line->said) != 0)
        fail_msg("%s on %s: the compiler calls %s, the report says %s", line->type, line->where, line->said,
                 function);
    if (!since_of(function) != !since || (since && strcmp(since, since_of(function)) != 0))
        fail_msg("%s: prunes since %s", line->type, since);
    /* One that does not prune says why. */
    assert_int_equal(json_is_string(json_object_get(assignment, "why_not")), since == NULL);
}

/* Lines of a machine whose loads must be aligned are those in which the report makes the exception. */
static void test_assignments(void **state) {
    FILE *in = open_record();
    struct line line;
    struct why why;
    size_t compared = 0, fast = 0, excepted[2] = {0, 0}, exceptions[2] = {0, 0};
    (void)state;
    while (next_line(in, &line)) {
        bool narrow = strcmp(line.where, "386") == 0 || strcmp(line.where, "arm") == 0,
             aligned = strcmp(line.where, "arm") == 0 || strcmp(line.where, "riscv64") == 0;
        if (strcmp(line.where, "refused") == 0) continue;
        json_t *report = layout_json("go_swiss", line.type, &why);
        if (!report) fail_msg("%s: %s", line.type, why.text);
        const json_t *assignment = json_object_get(
            json_object_get(json_array_get(json_object_get(report, "types"), 0), "assignment"),
            narrow ? "32-bit" : "64-bit");
        const char *exception = json_string_value(json_object_get(assignment, "aligned_loads"));
        if (aligned) {
            assert_string_equal(line.said, "mapassign");
            if (!exception || !strstr(exception, line.where)) fail_msg("%s on %s", line.type, line.where);
            exceptions[narrow]++;
        } else {
            check_assignment(&line, assignment);
            excepted[narrow] += exception != NULL;
            compared++;
            fast += strcmp(line.said, "mapassign") != 0;
        }
        json_decref(report);
    }
    fclose(in);
    assert_int_equal(exceptions[false], excepted[false]);
    assert_int_equal(exceptions[true], excepted[true]);
    assert_true(compared >= 180 && fast > 60 && compared - fast > 60);
}

/* As the compiler, and naming the same type, however it writes it. */
static void test_refused_keys(void **state) {
    static const char *const maps[] = {"go_hmap", "go_swiss@1.24", "go_swiss", "go_swiss_split"};
    FILE *in = open_record();
    struct line line;
    struct why why;
    size_t refused = 0;
    (void)state;
    while (next_line(in, &line)) {
        if (strcmp(line.where, "refused") != 0) continue;
        for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
            if (layout_json(maps[i], line.type, &why)) fail_msg("%s is taken by %s", line.type, maps[i]);
            char said[256], *to = said;
            for (const char *at = why.text; *at && to < said + sizeof said - 1; at++) { /* as gofmt */
                if (strncmp(at, "struct { ", 9) == 0)
                    at += strlen(strcpy(to, "struct{")) + 1, to += 7;
                else if (strncmp(at, " }", 2) == 0)
                    continue;
                else
                    *to++ = *at;
            }
            *to = '\0';
            if (!strstr(said, line.said) || !strstr(said, "cannot be a key"))
                fail_msg("%s: the compiler refuses %s, the report says: %s", line.type, line.said, said);
            if (strchr(why.text, '\n')) fail_msg("%s: more than a line", line.type);
        }
        refused++;
    }
    fclose(in);
    assert_true(refused >= 15);
}

/* What Go has and the reader has not is refused for what it is, never laid out wrongly. */
static void test_types_that_are_not_read(void **state) {
    static const struct {
        const char *type, *said;
    } cases[] = {
        {"map[ID]int", "unknown type 'ID': write it out"},
        {"map[struct { ID }]int", "expected"},
        {"map[func(]int", "expected"},
        {"map[interface { String() string]int", "ends without a '}'"},
        {"map[chan]int", "expected"},
        {"map[struct { a, }]int", "expected"},
    };
    struct why why;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (layout_json("go_swiss", cases[i].type, &why)) fail_msg("%s is taken", cases[i].type);
        if (!strstr(why.text, cases[i].said)) fail_msg("%s: '%s'", cases[i].type, why.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_assignments),
                                       cmocka_unit_test(test_refused_keys),
                                       cmocka_unit_test(test_types_that_are_not_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
