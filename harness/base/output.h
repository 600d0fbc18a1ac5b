/* Streams whose fclose says why a write failed.
 *
 * The C library keeps only that one did: by the time the stream is closed, errno is that of something else.
 * These remember the reason of the first failure, and fclose fails with it in errno. */
#ifndef MAPBENCH_OUTPUT_H
#define MAPBENCH_OUTPUT_H

#include <stdio.h>

/* Opens a file to write it anew; NULL and errno if it cannot be. The stream has no descriptor (fileno). */
FILE *output_open(const char *path);

/* Makes stdout such a stream. */
void output_stdout_begin(void);
/* Closes stdout. What a command could not print is a failure: complains, and returns EXIT_CANNOT in place of
 * EXIT_OK. */
int output_stdout_end(int code);

#endif
