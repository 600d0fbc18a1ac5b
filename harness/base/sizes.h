/* Sizes as people write them: 1000, 64k (65,536), 1m (1,048,576), sweeps 1k..1m*2, octaves octave:1m. */
#ifndef MAPBENCH_SIZES_H
#define MAPBENCH_SIZES_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

enum { SIZES_MAX = 256 };
/* Stands for every key of a finite key set. */
#define SIZE_ALL ((size_t)-1)

struct sizes {
    size_t count;
    size_t n[SIZES_MAX];
};

/* Parses a comma-separated list of: NUMBER[k|m|g]; FROM..TO*FACTOR (both ends included, TO always measured);
 * octave:TOP (eight sizes in equal ratios over the doubling that ends at TOP); all.
 * False: `why` names the item and the fault. */
bool sizes_parse(const char *text, struct sizes *out, struct why *why);

/* "1m", "64k", "1000": the shortest exact form. Writes to and returns `out` (at least 24 bytes). */
char *size_text(size_t n, char *out);

/* "1.5 MiB": bytes for people, in the largest unit that leaves a number of 1 or more. Writes to and returns
 * `out` (24 bytes are enough). */
char *size_bytes_text(double bytes, char *out, size_t size);

#endif
