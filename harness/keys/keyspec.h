/* The words that name a key stream, parsed. */
#ifndef MAPBENCH_KEYSPEC_H
#define MAPBENCH_KEYSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"

/* In the order of the table in keyspec.c. */
enum keyspec_kind {
    KEYSPEC_UNIFORM,
    KEYSPEC_ZIPF,
    KEYSPEC_HOTSET,
    KEYSPEC_SEQUENTIAL,
    KEYSPEC_REVERSE,
    KEYSPEC_STRIDED,
    KEYSPEC_MASKED,
    KEYSPEC_ATTACK,
    KEYSPEC_WORDS,
    KEYSPEC_PATHS,
    KEYSPEC_SYMBOLS,
    KEYSPEC_FILE,
    KEYSPEC_LINES,
};

struct keyspec {
    enum keyspec_kind kind;
    double theta;                         /* zipf */
    double hot_keys_pct, hot_touches_pct; /* hotset */
    uint64_t stride;                      /* strided */
    uint64_t mask;                        /* masked */
    const char *path;                     /* file, lines: points into the text that was parsed */
};

/* Parses `text` for integer keys of key_bits (0: strings, whose text is made from a 64-bit number). False:
 * `why`. */
bool keyspec_parse(const char *text, unsigned key_bits, struct keyspec *out, struct why *why);
/* The spec with every parameter spelled out. */
void keyspec_name(const struct keyspec *spec, char *out, size_t size);
/* The path in the spec of a file of the user's; NULL: it is no such spec. */
const char *keyspec_user_path(const char *text);
/* True for words, paths, symbols, file and lines. */
bool keyspec_is_set(const struct keyspec *spec);

#endif
