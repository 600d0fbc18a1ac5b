#include "harness/base/files.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool make_folders(const char *path) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = part + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (mkdir(part, 0777) && errno != EEXIST) return false;
        *slash = '/';
    }
    return mkdir(part, 0777) == 0 || errno == EEXIST;
}

void remove_tree(const char *path) {
    char *roots[] = {(char *)path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree)) != NULL;)
        if (entry->fts_info == FTS_DP)
            rmdir(entry->fts_path);
        else if (entry->fts_info != FTS_D)
            unlink(entry->fts_path);
    if (tree) fts_close(tree);
}

char *read_file(const char *path) {
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t size = 0;
    if (!file) return NULL;
    ssize_t len = getdelim(&text, &size, '\0', file);
    fclose(file);
    if (len < 0) text ? text[0] = '\0' : 0;
    return text;
}

json_t *read_lines(FILE *file) {
    json_t *values = json_array();
    char *line = NULL;
    size_t size = 0;
    rewind(file);
    while (getline(&line, &size, file) > 0) {
        json_t *value = json_loads(line, 0, NULL);
        if (value) json_array_append_new(values, value);
    }
    free(line);
    fseek(file, 0, SEEK_END);
    return values;
}
