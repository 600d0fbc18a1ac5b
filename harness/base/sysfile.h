/* Small files of the kernel (/proc, /sys): read whole, without allocating. */
#ifndef MAPBENCH_SYSFILE_H
#define MAPBENCH_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads at most size - 1 bytes, terminates them and drops trailing white space. False: absent or unreadable
 * (text is then ""). */
bool sysfile_read(const char *path, char *text, size_t size);

/* The unsigned decimal number a file begins with. False: absent, or it does not begin with one. */
bool sysfile_number(const char *path, uint64_t *number);

/* The number that follows NAME at the beginning of a line ("MemAvailable:   123 kB"), unscaled. False: no
 * such line. */
bool sysfile_field(const char *text, const char *name, uint64_t *number);

/* The word in brackets, as the kernel marks the present choice of several ("always [madvise] never"). */
bool sysfile_choice(const char *path, char *word, size_t size);

#endif
