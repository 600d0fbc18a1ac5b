/* The tables of rows: a number that a row does not have is a dash. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/measure/table.h"

static json_t *row(const char *kind, const char *workload, const char *fields) {
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:b}", "kind", kind,
                            "cell", "c", "job", "j", "map", "linear", "shape", "u64_u64", "workload",
                            workload, "keys", "uniform", "heap", "malloc", "n", (json_int_t)1000, "hash",
                            "common", "hash_policy", "common", "pages", "set", "stable", true);
    json_t *more = json_loads(fields, 0, NULL);
    assert_non_null(row);
    assert_non_null(more);
    json_object_update(row, more);
    json_decref(more);
    return row;
}

static void expect_table(json_t *only, const char *line) {
    char printed[4096] = "";
    json_t *rows = json_pack("[o]", only);
    FILE *out = fmemopen(printed, sizeof printed, "w");
    assert_non_null(out);
    table_print(rows, out);
    fclose(out);
    if (!strstr(printed, line)) fail_msg("no '%s' in:\n%s", line, printed);
    if (strstr(printed, "nan") || strstr(printed, "inf")) fail_msg("%s", printed);
    json_decref(rows);
}

static void test_whole_rows(void **state) {
    (void)state;
    expect_table(row("memory", "put_grow",
                     "{\"bytes_per_entry\": 32.14, \"octave\": {\"mean\": 31.5}, \"bytes_peak\": 49360, "
                     "\"rss_delta\": 69632}"),
                 "linear                  32.1           31.5          49360          69632\n");
    expect_table(row("structure", "structure",
                     "{\"capacity\": 2048, \"load_factor\": 0.5, \"probe_mean\": 1.49, \"probe_max\": 11, "
                     "\"tombstones\": 0}"),
                 "linear                2048         0.50         1.49           11            0\n");
}

static void test_scaling(void **state) {
    (void)state;
    expect_table(row("scaling", "drain",
                     "{\"points\": [[256, 11.5, 256], [1024, 46.25, 861]], \"exponent\": 1.004, "
                     "\"exponent_ci95\": [0.98, 1.02], \"given_up_at\": null, \"budget_s\": 10}"),
                 "linear               11.5       46.2  n^1.00   0.98 to 1.02");
    expect_table(row("scaling", "drain",
                     "{\"points\": [[256, 11.5, 256]], \"exponent\": null, \"exponent_ci95\": null, "
                     "\"given_up_at\": 1024, \"budget_s\": 0.5}"),
                 "linear               11.5  -                         gave up at 1k: budget of 0.5 s");
    expect_table(row("scaling", "drain", "{\"error\": \"gave up\"}"), "linear          gave up");
}

static void test_missing_numbers(void **state) {
    (void)state;
    expect_table(row("time", "get", "{\"median\": null}"), "linear");
    expect_table(row("memory", "small_put", "{\"bytes_per_entry\": 32.14, \"bytes_peak\": null}"),
                 "linear                  32.1              -              -              -\n");
    expect_table(row("structure", "structure", "{\"error\": \"gave up\"}"),
                 "linear                   -            -            -            -            -\n");
    expect_table(row("latency", "get", "{\"latency\": {\"p50\": 17.2, \"p99\": null}}"),
                 "linear                 17           -           -           -           -        -\n");
    expect_table(row("counters", "get", "{\"counters\": {\"cycles\": null, \"page_faults\": 1}}"), "linear");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_rows), cmocka_unit_test(test_scaling),
                                       cmocka_unit_test(test_missing_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
