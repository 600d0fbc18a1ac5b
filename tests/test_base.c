/* The ground of the harness: lists of names, reasons, files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/address.h"
#include "harness/base/count_of.h"
#include "harness/base/files.h"
#include "harness/base/names.h"
#include "harness/base/why.h"

static void lists_have_whole_items(void **state) {
    (void)state;
    assert_true(names_has("get,put", "put"));
    assert_true(names_has(" get , put ", "get"));
    assert_true(names_has("a\\,b,c", "a,b"));
    assert_false(names_has("get_miss,put", "get"));
    assert_false(names_has("", ""));
    assert_false(names_has("all", "get"));
    assert_true(names_select("all", "get"));
    assert_true(names_select("put,all", "get"));
    assert_true(names_select(NULL, "get"));
    assert_false(names_select("put", "get"));
    assert_false(names_select("", "get"));
}

static void an_unknown_item_is_named(void **state) {
    static const char *const known[] = {"linear", "chained", "all"};
    struct why why = {"untouched"};
    (void)state;
    assert_true(names_check("linear, chained", "map", known, COUNT_OF(known), &why));
    assert_true(names_check(NULL, "map", known, COUNT_OF(known), &why));
    assert_string_equal(why.text, "untouched");
    assert_false(names_check("linear,chaind,x", "map", known, COUNT_OF(known), &why));
    assert_string_equal(why.text, "unknown map 'chaind': did you mean 'chained'?");
    assert_false(names_check("zzzzzz", "map", known, COUNT_OF(known), &why));
    assert_string_equal(why.text, "unknown map 'zzzzzz'");
}

/* Names of one or two letters stand in almost every other: they are meant only by names as short. */
static void short_names_are_no_part(void **state) {
    static const char *const known[] = {"c", "go_hmap"};
    (void)state;
    assert_null(names_nearest("subjects", known, COUNT_OF(known)));
    assert_string_equal(names_nearest("hmap", known, COUNT_OF(known)), "go_hmap");
    assert_string_equal(names_nearest("go_hmap_of_1.23", known, COUNT_OF(known)), "go_hmap");
}

static void reasons_are_false(void **state) {
    struct why why;
    (void)state;
    assert_false(why_say(&why, "no %s of %d", "map", 7));
    assert_string_equal(why.text, "no map of 7");
    errno = ENOSPC;
    assert_false(why_errno(&why, "write", "rows.jsonl"));
    assert_string_equal(why.text, "cannot write rows.jsonl: No space left on device");
    assert_false(why_add(&why, " (%d)", 28));
    assert_string_equal(why.text, "cannot write rows.jsonl: No space left on device (28)");
    assert_false(why_say(NULL, "nobody asks"));
}

static void folders_come_and_go(void **state) {
    char root[] = "/tmp/mapbench-base-XXXXXX", deep[PATH_MAX], file[PATH_MAX + 8];
    struct stat status;
    (void)state;
    assert_non_null(mkdtemp(root));
    snprintf(deep, sizeof deep, "%s/a/b/c", root);
    assert_true(make_folders(deep));
    assert_true(make_folders(deep)); /* those that exist are no fault */
    snprintf(file, sizeof file, "%s/rows", deep);
    assert_null(read_file(file));
    assert_int_equal(errno, ENOENT);
    FILE *out = fopen(file, "w+");
    assert_non_null(out);
    fputs("{\"n\":1}\ntorn\n{\"n\":2}\n", out);
    json_t *lines = read_lines(out);
    assert_int_equal(json_array_size(lines), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 1), "n")), 2);
    fputs("{\"n\":3}\n", out); /* goes behind the others */
    fclose(out);
    char *text = read_file(file);
    assert_string_equal(text, "{\"n\":1}\ntorn\n{\"n\":2}\n{\"n\":3}\n");
    snprintf(deep, sizeof deep, "%s/below", file);
    assert_false(make_folders(deep));
    assert_int_equal(errno, ENOTDIR);
    remove_tree(root);
    assert_int_equal(stat(root, &status), -1);
    json_decref(lines);
    free(text);
}

/* AArch64 gives addresses of 48 bits, the topmost set; an x86-64 host emulates it with 47. */
static void tables_reach_every_address(void **state) {
    (void)state;
    uintptr_t highest = 0xffffffffffffu;
    assert_int_equal(highest >> ADDRESS_BITS, 0);
    assert_int_equal((uintptr_t)&state >> ADDRESS_BITS, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_have_whole_items),  cmocka_unit_test(an_unknown_item_is_named),
        cmocka_unit_test(short_names_are_no_part), cmocka_unit_test(reasons_are_false),
        cmocka_unit_test(folders_come_and_go),     cmocka_unit_test(tables_reach_every_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
