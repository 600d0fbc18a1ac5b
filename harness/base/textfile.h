/* Files that users give as text: key files, job files. */
#ifndef MAPBENCH_TEXTFILE_H
#define MAPBENCH_TEXTFILE_H

#include <stdbool.h>
#include <stddef.h>

/* Opens a file to read. What can be read only once, a pipe as in file:<(zcat keys.gz), is kept in memory and
 * read anew by every later open. -1 and errno. */
int textfile_open(const char *path);

/* The path under which processes started by this one find the file: of a pipe that was opened another than
 * `path`. Writes to or returns one of both. */
const char *textfile_child_path(const char *path, char *out, size_t size);

enum { TEXTFILE_HEAD = 512 };

/* Whether a file that begins so is no text: compressed, UTF-16, or with NUL bytes. `what`: what it is and how
 * to read it, to follow the file's name; `prefix` stands before a file's path on the command line. */
bool textfile_is_not_text(const char *prefix, const char *path, const void *head, size_t size, char *what,
                          size_t what_size);

#endif
