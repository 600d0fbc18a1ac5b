/* The kernel's files of a machine that is not this one, for tests; include after cmocka.h. */
#ifndef MAPBENCH_TESTS_KERNEL_FILES_H
#define MAPBENCH_TESTS_KERNEL_FILES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/sysfile.h"

static char kernel_root[64];

static inline int kernel_files_remove_one(const char *path, const struct stat *facts, int type,
                                          struct FTW *walk) {
    (void)facts, (void)type, (void)walk;
    return remove(path);
}

/* Takes the files away, and reads the machine's own again. As a teardown of cmocka. */
static inline int kernel_files_end(void **state) {
    (void)state;
    sysfile_root(NULL);
    if (kernel_root[0]) nftw(kernel_root, kernel_files_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    kernel_root[0] = '\0';
    return 0;
}

/* From here on the machine has no files but those that kernel_file adds. As a setup of cmocka. */
static inline int kernel_files_begin(void **state) {
    const char *folder = getenv("TMPDIR");
    kernel_files_end(state);
    snprintf(kernel_root, sizeof kernel_root, "%.40s/mapbench-XXXXXX", folder && folder[0] ? folder : "/tmp");
    assert_non_null(mkdtemp(kernel_root));
    sysfile_root(kernel_root);
    return 0;
}

/* Writes a file and its folders; text NULL: takes the file away. */
static inline void kernel_file(const char *path, const char *text) {
    char full[512];
    snprintf(full, sizeof full, "%s%s", kernel_root, path);
    if (!text) {
        remove(full);
        return;
    }
    for (char *slash = strchr(full + strlen(kernel_root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full, 0777);
        *slash = '/';
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#endif
