/* Files and folders as wholes. */
#ifndef MAPBENCH_BASE_FILES_H
#define MAPBENCH_BASE_FILES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Makes a folder and those above it that are missing. False: errno. */
bool make_folders(const char *path);
/* Removes a file or a folder with everything in it, as far as it can be removed. */
void remove_tree(const char *path);
/* A text file, malloced; NULL: errno. */
char *read_file(const char *path);
/* The lines of a file that are JSON values, as an array; leaves the file at its end. NULL: out of memory. */
json_t *read_lines(FILE *file);

#endif
