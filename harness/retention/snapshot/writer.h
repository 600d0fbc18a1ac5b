/* Text files of many numbers: buffered, faster than printf, errors kept until the end. */
#ifndef MAPBENCH_SNAPSHOT_WRITER_H
#define MAPBENCH_SNAPSHOT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { WRITER_BYTES = 1 << 16 };

struct writer {
    FILE *file;
    const char *path; /* the caller's */
    size_t used;
    int error; /* errno of the first failure */
    char buffer[WRITER_BYTES];
};

bool writer_open(struct writer *w, const char *path);
/* False: something was not written, `error` says why; what was is removed. */
bool writer_close(struct writer *w);
void write_text(struct writer *w, const char *text);
void write_number(struct writer *w, uint64_t number);
/* Writes a JSON string. Bytes from 0x80 on are taken for UTF-8 and kept. */
void write_json_text(struct writer *w, const char *text);

#endif
