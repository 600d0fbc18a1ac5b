/* The key sets of a machine that is not this one, and key files good and bad. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness/keys/keysets.h"
#include "harness/keys/keyspec.h"
#include "harness/base/textfile.h"
#include "tests/support/kernel_files.h"
#include "tests/support/keys_support.h"

enum { SEED = 42 };

static char folder[] = P_tmpdir "/mapbench-keysets-XXXXXX";

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[64];
    keysets_forget();
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

/* A file of its own for each content, as sets are kept; returns the spec file:PATH. */
static const char *spec_of(const void *content, size_t size) {
    static char spec[128];
    static unsigned number;
    snprintf(spec, sizeof spec, "file:%s/%u", folder, number++);
    FILE *file = fopen(spec + 5, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return spec;
}

#define SPEC_OF(literal) spec_of(literal, sizeof literal - 1)

static void shell(const char *command, char *out, size_t size) {
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    if (!fgets(out, (int)size, pipe)) out[0] = '\0';
    assert_int_equal(pclose(pipe), 0);
    out[strcspn(out, " \n")] = '\0';
}

/* --- sets of a machine --- */

/* The library that is copied: every process has one of the C library's. */
static const char *any_library(void) {
    static char path[512];
    Dl_info facts;
    assert_true(dladdr((void *)(uintptr_t)printf, &facts) != 0);
    assert_non_null(realpath(facts.dli_fname, path));
    return path;
}

static void expect_set(const char *spec, size_t keys_there, const char *files) {
    char command[1024], sha256[80];
    struct why why = {""};
    size_t available = keys_available(spec, shape_find("str_u64"), &why);
    if (available != keys_there) fail_msg("%s: %zu keys, %s", spec, available, why.text);
    if (available == 0) {
        assert_non_null(strstr(why.text, spec));
        return;
    }
    struct keys *keys = open_keys(spec, "str_u64", available, SEED);
    snprintf(command, sizeof command, "cd %s && stat -c '%s/%%n\t%%s' %s | LC_ALL=C sort | sha256sum",
             kernel_root, kernel_root, files);
    shell(command, sha256, sizeof sha256);
    assert_string_equal(keys_facts(keys)->sha256, sha256);
    assert_int_equal(keys_limit(keys), available);
    keys_close(keys);
}

static void sets_of_a_machine(void **state) {
    (void)state;
    char command[1024], count[32] = "";
    keysets_forget();
    expect_set("words", 0, ""), expect_set("paths", 0, ""), expect_set("symbols", 0, "");

    kernel_file("/usr/share/dict/american-english", "one\ntwo\n\nthree\none\n");
    expect_set("words", 3, "usr/share/dict/american-english");

    kernel_file("/var/lib/dpkg/info/a.list", "/.\n/usr\n/usr/a\n");
    kernel_file("/var/lib/dpkg/info/b.list", "/.\n/usr\n/usr/b\n");
    kernel_file("/var/lib/dpkg/info/b.md5sums", "00 usr/b\n");
    expect_set("paths", 4, "var/lib/dpkg/info/a.list var/lib/dpkg/info/b.list");

    /* Copies, so that they are other files; a link, which is none; a file that only looks like a library. */
    kernel_file("/usr/lib/some-linux-gnu/libno.so.1", "no ELF\n");
    kernel_file("/lib/other-linux-gnu/keep", "");
    snprintf(command, sizeof command,
             "cd %s && cp %s lib/other-linux-gnu/liba.so.6 && cp %s usr/lib/libb.so && "
             "ln -s ../../lib/other-linux-gnu/liba.so.6 usr/lib/some-linux-gnu/liba.so && "
             "cp %s usr/lib/some-linux-gnu/not-a-library",
             kernel_root, any_library(), any_library(), any_library());
    assert_int_equal(system(command), 0);
    struct why why;
    size_t symbols = keys_available("symbols", shape_find("str_u64"), &why);
    assert_true(symbols > 1000);
    expect_set("symbols", symbols, "lib/other-linux-gnu/liba.so.6 usr/lib/libb.so");
    if (system("command -v readelf >/dev/null 2>&1") != 0) return;
    snprintf(command, sizeof command,
             "readelf -W --dyn-syms %s 2>/dev/null | sed 's/\\[[^]]*\\]//; s/<[A-Za-z]* specific>: "
             "*[0-9a-f]*/special/' | "
             "awk '$1 ~ /^[0-9]+:$/ && NF >= 8 {sub(/@.*/, \"\", $8); print $8}' | LC_ALL=C sort -u | wc -l",
             any_library());
    shell(command, count, sizeof count);
    assert_int_equal(symbols, strtoull(count, NULL, 10));
}

static int end_machine(void **state) {
    keysets_forget();
    return kernel_files_end(state);
}

/* --- files --- */

/* All keys of the set, sorted; `expected` are separated by '|'. */
static void assert_keys(const char *spec, size_t count, const char *expected) {
    struct keys *keys = open_keys(spec, "str_u64", count, SEED);
    struct str key[16];
    uint64_t index[16];
    char joined[256] = "";
    size_t used = 0;
    assert_int_equal(keys_limit(keys), count);
    for (size_t i = 0; i < count; i++) index[i] = i;
    keys_store(keys, index, count, key);
    qsort(key, count, sizeof *key, compare_str);
    for (size_t i = 0; i < count; i++) {
        if (i) joined[used++] = '|';
        memcpy(joined + used, key[i].text, key[i].len);
        used += key[i].len;
    }
    assert_int_equal(used, strlen(expected));
    assert_memory_equal(joined, expected, used);
    keys_close(keys);
}

static void lines_become_keys(void **state) {
    (void)state;
    assert_keys(SPEC_OF("b\na\nc\n"), 3, "a|b|c");
    assert_keys(SPEC_OF("b\na\nc"), 3, "a|b|c");
    assert_keys(SPEC_OF("b\r\na\r\n\r\nc\r\n"), 3, "a|b|c");
    assert_keys(SPEC_OF("one\n\n\none two \n"), 2, "one|one two ");
    assert_keys(SPEC_OF("a\rb\n"), 1, "a\rb");
}

static void oddities_are_counted(void **state) {
    (void)state;
    struct keys *keys = open_keys(SPEC_OF("a\n\nb\na\r\nxyy\n\r\nxyz\na\nb"), "str_u64", 4, SEED);
    const struct keys_facts *facts = keys_facts(keys);
    assert_int_equal(facts->limit, 4);
    assert_int_equal(facts->duplicates, 3);
    assert_int_equal(facts->with_nul, 0);
    assert_int_equal(facts->empty_lines, 2);
    assert_int_equal(facts->files, 1);
    assert_int_equal(facts->text_bytes, 8);
    assert_true(facts->mean_key_bytes == 2);
    assert_non_null(strstr(facts->provenance, folder));
    assert_memory_equal(facts->name, "file:", 5);
    keys_close(keys);
}

static void what_is_no_text_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *said;
    } cases[] = {
        {"\x1f\x8b\x08\0\0\0", 6, "is compressed with gzip: read it through file:<(zcat "},
        {"\xfd"
         "7zXZ\0\0",
         7, "is compressed with xz: read it through file:<(xzcat "},
        {"\x28\xb5\x2f\xfd\x24", 5, "is compressed with zstd: read it through file:<(zstdcat "},
        {"BZh91AY&SY", 10, "is compressed with bzip2: read it through file:<(bzcat "},
        {"\x04\x22\x4d\x18\x64", 5, "is compressed with lz4: read it through file:<(lz4cat "},
        {"\x1f\x9d\x90x", 4, "is compressed with compress: read it through file:<(zcat "},
        {"PK\x03\x04\x14", 5, "is a zip archive: read it through file:<(unzip -p "},
        {"7z\xbc\xaf\x27\x1c\0", 7, "is a 7z archive: read it through file:<(7z x -so "},
        {"\xff\xfe"
         "a\0\n\0",
         6, "is UTF-16 text: read it through file:<(iconv -f UTF-16 -t UTF-8 "},
        {"one\ntw\0o\n", 9, "is not text: it has NUL bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(spec_of(cases[i].bytes, cases[i].size), "str_u64", 1, cases[i].said);
    /* Words that begin like a format. */
    assert_keys(SPEC_OF("BZh9\nBZhang\n"), 2, "BZh9|BZhang");
    assert_keys(SPEC_OF("PK\n7z\n"), 2, "7z|PK");
    /* Bytes of no encoding are keys as well. */
    assert_keys(SPEC_OF("\xe9t\xe9\n\xff\n"), 2, "\xe9t\xe9|\xff");
    /* Far behind the head. */
    static char late[200000];
    for (size_t j = 0; j < sizeof late; j++) late[j] = j % 10 == 9 ? '\n' : (char)('a' + j * j % 23);
    late[150003] = '\0';
    assert_refused(spec_of(late, sizeof late), "str_u64", 1, "line 15001 has a NUL byte");
}

/* What a pipe gave is there for every set, and for other processes. */
static void pipes_are_read_once(void **state) {
    (void)state;
    int ends[2];
    char spec[64], path[64], command[160], count[32];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "7\n8\n9\n", 6), 6);
    close(ends[1]);
    snprintf(spec, sizeof spec, "file:/dev/fd/%d", ends[0]);
    keys_close(open_keys(spec, "str_u64", 3, SEED));
    keys_close(open_keys(spec, "u64_u64", 3, SEED));
    keysets_forget();
    keys_close(open_keys(spec, "u64_u64", 3, SEED));
    snprintf(command, sizeof command, "wc -l <%s", textfile_child_path(spec + 5, path, sizeof path));
    shell(command, count, sizeof count);
    assert_string_equal(count, "3");
    assert_string_equal(textfile_child_path("/dev/null", path, sizeof path), "/dev/null");
    close(ends[0]);
}

/* lines: has a file's distinct lines as they come, whatever the seed; file: does not. */
static void lines_keep_their_order(void **state) {
    enum { LINES = 400 };
    char path[160];
    uint64_t index[LINES], key[LINES];
    (void)state;
    snprintf(path, sizeof path, "lines:%s/ordered", folder);
    FILE *file = fopen(path + 6, "w");
    assert_non_null(file);
    for (unsigned i = 0; i < LINES; i++)
        fprintf(file, "%u\n%u\n", 7 * i, 7 * (i / 2)); /* every other one again */
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < LINES; i++) index[i] = i;
    for (uint64_t seed = 1; seed < 3; seed++) {
        struct keys *keys = open_keys(path, "u64_u64", LINES, seed);
        keys_store(keys, index, LINES, key);
        for (size_t i = 0; i < LINES; i++) assert_int_equal(key[i], 7 * i);
        assert_memory_equal(keys_facts(keys)->name, "lines:", 6);
        keys_close(keys);
    }
    memcpy(path + 1, "file:", 5);
    struct keys *keys = open_keys(path + 1, "u64_u64", LINES, 1);
    size_t same = 0;
    keys_store(keys, index, LINES, key);
    for (size_t i = 0; i < LINES; i++) same += key[i] == 7 * i;
    assert_in_range(same, 0, LINES / 10);
    keys_close(keys);
}

static void other_keys_have_another_hash(void **state) {
    (void)state;
    char ab_c[sizeof keys_facts(NULL)->sha256];
    static const char *const contents[] = {"ab\nc\n", "a\nbc\n"};
    for (size_t i = 0; i < 2; i++) {
        char path[160];
        snprintf(path, sizeof path, "file:%s/same-path", folder);
        FILE *file = fopen(path + 5, "w");
        assert_non_null(file);
        assert_true(fputs(contents[i], file) >= 0);
        assert_int_equal(fclose(file), 0);
        keysets_forget();
        struct keys *keys = open_keys(path, "str_u64", 2, SEED);
        if (i == 0)
            strcpy(ab_c, keys_facts(keys)->sha256);
        else
            assert_string_not_equal(keys_facts(keys)->sha256, ab_c);
        keys_close(keys);
    }
}

/* A name in JSON is UTF-8, wherever a long path had to be cut. */
static void names_of_long_paths(void **state) {
    (void)state;
    for (size_t letters = 130; letters < 134; letters++) {
        char path[600] = "file:", name[256];
        for (size_t i = 0; i < letters; i++) strcat(path, "\u00e9");
        strcat(path, letters % 2 ? "" : "x");
        struct keyspec spec;
        struct why why;
        assert_true(keyspec_parse(path, 0, &spec, &why));
        keyspec_name(&spec, name, sizeof name);
        json_t *text = json_string(name);
        if (!text) fail_msg("%s", name);
        json_decref(text);
    }
}

static void long_lines(void **state) {
    (void)state;
    static char text[3 * KEYSET_LINE_MAX];
    memset(text, 'x', sizeof text);
    text[KEYSET_LINE_MAX] = '\n';
    struct keys *keys = open_keys(spec_of(text, KEYSET_LINE_MAX + 1), "str_u64", 1, SEED);
    struct str key;
    keys_probe(keys, (uint64_t[]){0}, 1, &key);
    assert_int_equal(key.len, KEYSET_LINE_MAX);
    assert_memory_equal(key.text, text, key.len);
    keys_close(keys);
    text[KEYSET_LINE_MAX] = 'x';
    assert_refused(spec_of(text, KEYSET_LINE_MAX + 1), "str_u64", 1, "line 1: longer than 65535 bytes");
    assert_refused(spec_of(text, sizeof text), "str_u64", 1, "line 1: longer");
    text[0] = '\n';
    assert_refused(spec_of(text, sizeof text), "str_u64", 1, "line 2: longer");
}

static void bad_files_are_refused(void **state) {
    (void)state;
    char spec[128];
    struct why why = {""};
    assert_refused(SPEC_OF(""), "str_u64", 1, "has no keys");
    assert_int_equal(keys_available(SPEC_OF("\n"), shape_find("str_u64"), &why), 0);
    assert_non_null(strstr(why.text, "has no keys"));
    assert_int_equal(keys_available(SPEC_OF("a\nb\na\n"), shape_find("str_u64"), &why), 2);
    assert_refused(SPEC_OF("\n\r\n\n"), "str_u64", 1, "3 empty lines");
    snprintf(spec, sizeof spec, "file:%s", folder);
    assert_refused(spec, "str_u64", 1, "is a folder");
    snprintf(spec, sizeof spec, "file:%s/missing", folder);
    assert_refused(spec, "str_u64", 1, "No such file");
    assert_refused("file:/dev/null", "str_u64", 1, "is a device");
    if (geteuid() != 0) {
        const char *unreadable = SPEC_OF("a\n");
        assert_int_equal(chmod(unreadable + 5, 0), 0);
        assert_refused(unreadable, "str_u64", 1, "Permission denied");
    }
}

static void sets_have_an_end(void **state) {
    (void)state;
    struct why why;
    const char *spec = SPEC_OF("a\nb\nc\nd\n");
    assert_null(keys_open(spec, shape_find("str_u64"), 5, SEED, &why));
    assert_non_null(strstr(why.text, "choose at most 4"));
    struct keys *keys = open_keys(spec, "str_u64", 3, SEED);
    struct keys_cursor cursor;
    keys_cursor_init(&cursor, SEED);
    uint64_t index[20];
    keys_draw(keys, &cursor, 20, 0, false, index);
    for (int i = 0; i < 20; i++) assert_int_equal(index[i], 3);
    struct str key[2];
    keys_store(keys, (uint64_t[]){1, 4 + 1}, 2, key);
    assert_ptr_equal(key[0].text, key[1].text);
    keys_close(keys);
}

static void numbers_become_integer_keys(void **state) {
    (void)state;
    static const uint64_t expected[] = {0, 7, 255, 4096, UINT64_MAX};
    uint64_t key[5];
    struct keys *keys =
        open_keys(SPEC_OF("7\n0xff\r\n4096\n0X1000\n007\n18446744073709551615\n0"), "u64_u64", 5, SEED);
    assert_int_equal(keys_facts(keys)->duplicates, 2);
    assert_int_equal(keys_facts(keys)->limit, 5);
    keys_store(keys, (uint64_t[]){0, 1, 2, 3, 4}, 5, key);
    qsort(key, 5, sizeof *key, compare_u64);
    assert_memory_equal(key, expected, sizeof key);
    keys_close(keys);
    assert_refused(SPEC_OF("1\n18446744073709551616\n"), "u64_u64", 1, "line 2");
    assert_refused(SPEC_OF("1\n2\n-3\n"), "u64_u64", 1, "line 3: '-3'");
    assert_refused(SPEC_OF("0x\n"), "u64_u64", 1, "line 1");
    assert_refused(SPEC_OF("12a\n"), "u64_u64", 1, "str_u64");
    assert_refused(SPEC_OF(" 12\n"), "u64_u64", 1, "line 1");
    assert_refused(SPEC_OF("4294967295\n4294967296\n"), "u32_u32", 1, "line 2");
    uint32_t narrow;
    keys = open_keys(SPEC_OF("4294967295\n"), "u32_u32", 1, SEED);
    keys_store(keys, (uint64_t[]){0}, 1, &narrow);
    assert_int_equal(narrow, UINT32_MAX);
    keys_close(keys);
}

static size_t many_lines(char *text) {
    size_t used = 0;
    for (unsigned i = 0; i < 100000; i++)
        used += (size_t)sprintf(text + used, "line %u of %.*s\n", i, (int)(i % 40),
                                "0123456789012345678901234567890123456789");
    return used;
}

/* A big set: shuffled by the seed, all keys there, stored text kept in place while blocks are probed. */
static void big_sets_are_shuffled_and_stable(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    const struct shape *shape = shape_find("str_u64");
    char *text = malloc(COUNT * 64);
    struct why why;
    struct str *stored = malloc(COUNT * sizeof *stored), *probe = malloc(KEYS_BLOCK * sizeof *probe);
    uint64_t *index = malloc(COUNT * sizeof *index);
    assert_true(text && stored && probe && index);
    const char *spec = spec_of(text, many_lines(text));
    struct keys *keys = open_keys(spec, "str_u64", COUNT, SEED);
    for (size_t i = 0; i < COUNT; i++) index[i] = i;
    for (size_t at = 0; at < COUNT; at += 25000) keys_store(keys, index + at, 25000, stored + at);
    size_t ascents = 0;
    for (size_t i = 1; i < COUNT; i++) ascents += compare_str(&stored[i - 1], &stored[i]) < 0;
    assert_in_range(ascents, COUNT / 2 - 1000, COUNT / 2 + 1000);
    for (size_t at = 0; at + KEYS_BLOCK <= COUNT; at += KEYS_BLOCK) {
        keys_probe(keys, index + at, KEYS_BLOCK, probe);
        for (size_t i = 0; i < KEYS_BLOCK; i++) {
            assert_true(shape->key_equal(&probe[i], &stored[at + i]));
            assert_ptr_not_equal(probe[i].text, stored[at + i].text);
        }
    }
    struct keys *other = keys_open(spec, shape, COUNT, SEED + 1, &why);
    assert_non_null(other);
    keys_store(other, index, KEYS_BLOCK, probe);
    size_t same = 0;
    for (size_t i = 0; i < KEYS_BLOCK; i++) same += shape->key_equal(&probe[i], &stored[i]);
    assert_true(same < 12);
    qsort(stored, COUNT, sizeof *stored, compare_str);
    for (size_t i = 1; i < COUNT; i++) assert_true(compare_str(&stored[i - 1], &stored[i]) < 0);
    keys_close(other);
    keys_close(keys);
    free(index);
    free(probe);
    free(stored);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sets_of_a_machine, kernel_files_begin, end_machine),
        cmocka_unit_test(lines_become_keys),
        cmocka_unit_test(oddities_are_counted),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(pipes_are_read_once),
        cmocka_unit_test(lines_keep_their_order),
        cmocka_unit_test(other_keys_have_another_hash),
        cmocka_unit_test(names_of_long_paths),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(sets_have_an_end),
        cmocka_unit_test(numbers_become_integer_keys),
        cmocka_unit_test(big_sets_are_shuffled_and_stable),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
