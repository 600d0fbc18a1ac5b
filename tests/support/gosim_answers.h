/* What releases of Go answered about the heap (tests/fixtures/go/answers.txt), for the tests of gosim. */
#ifndef MAPBENCH_TESTS_GOSIM_ANSWERS_H
#define MAPBENCH_TESTS_GOSIM_ANSWERS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/gosim_support.h"

enum { COLUMNS = 4, MANY = 1000, ROWS_MAX = 64 };
static const int release_of[COLUMNS] = {124, 125, 126, 127};

/* --- the recording --- */

struct row {
    char what[24], name[24];
    double number[12];
    int count;
};
static struct row rows[ROWS_MAX];
static size_t row_count;

static inline void read_rows(void) {
    FILE *in = fopen("tests/fixtures/go/answers.txt", "r");
    if (!in) fail_msg("cannot open tests/fixtures/go/answers.txt: run from the project's folder");
    char line[256];
    while (fgets(line, sizeof line, in)) {
        if (line[0] == '#') continue;
        struct row *row = &rows[row_count++];
        assert_true(row_count < ROWS_MAX);
        char *at = strtok(line, " \n");
        snprintf(row->what, sizeof row->what, "%s", at);
        while ((at = strtok(NULL, " \n"))) {
            char *end;
            double number = strtod(at, &end);
            if (*end)
                snprintf(row->name, sizeof row->name, "%s", at);
            else
                row->number[row->count++] = number;
        }
    }
    fclose(in);
}

static inline int setup(void **state) {
    (void)state;
    read_rows();
    return 0;
}

/* The rows of a kind; the test fails if there are not so many. */
static inline size_t rows_of(const char *what, const struct row *found[ROWS_MAX], size_t expected) {
    size_t count = 0;
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].what, what) == 0) found[count++] = &rows[i];
    assert_int_equal(count, expected);
    return count;
}

static inline struct gosim *open_release(int release) {
    return open_heap_of(release, false);
}

#endif
