/* Small files of the kernel (/proc, /sys): read whole, without allocating. */
#ifndef MAPBENCH_SYSFILE_H
#define MAPBENCH_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Reads every file below this folder instead of below /, for tests with another machine's files; NULL: as
 * usual. Must stay valid. */
void sysfile_root(const char *folder);

/* The path to use for a file of the kernel: below sysfile_root. Writes to and returns `out`. */
const char *sysfile_path(const char *path, char *out, size_t size);
bool sysfile_exists(const char *path);
/* For files of any length; NULL and errno if absent or unreadable. */
FILE *sysfile_open(const char *path);

/* Reads at most size - 1 bytes, terminates them and drops trailing white space. False: absent or unreadable
 * (text is then "", and errno says why). */
bool sysfile_read(const char *path, char *text, size_t size);

/* The unsigned decimal number a file begins with. False: absent, or it does not begin with one. */
bool sysfile_number(const char *path, uint64_t *number);

/* The number that follows NAME at the beginning of a line ("MemAvailable:   123 kB"), unscaled. False: no
 * such line. */
bool sysfile_field(const char *text, const char *name, uint64_t *number);

/* The word in brackets, as the kernel marks the present choice of several ("always [madvise] never"). */
bool sysfile_choice(const char *path, char *word, size_t size);

#endif
