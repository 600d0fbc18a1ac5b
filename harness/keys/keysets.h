/* Real key sets: the machine's words, paths and symbols, and files of the user's.
 *
 * A set is read once and kept until the process ends or keysets_forget: streams are opened for every cell of
 * a run, and the machine's lists change while packages are installed. That cache is the only state of the
 * process that key streams have. It is not locked: streams are opened by one thread.
 */
#ifndef MAPBENCH_KEYSETS_H
#define MAPBENCH_KEYSETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/keys/keyspec.h"

enum { KEYSET_LINE_MAX = 65535 }; /* bytes of one key */

/* The distinct keys of a set, in the order in which they first appear in the files, which are read in the
 * order of their names. */
struct keyset {
    size_t count;
    char *text;       /* of all keys, one after the other; NULL for integers */
    uint64_t *offset; /* count + 1: key i is text[offset[i] .. offset[i + 1]) */
    uint64_t *number; /* integers; NULL for texts */
    size_t duplicates, empty_lines, with_nul;
    size_t files, files_skipped;
    char sha256[65]; /* of the lines "path TAB bytes NEWLINE" of the files read, in byte order */
    char provenance[256];
};

/* The set of a spec for which keyspec_is_set holds, of texts (key_bits 0) or of integers of at most key_bits.
 * NULL: `why` says what is missing and what to do. */
const struct keyset *keysets_get(const struct keyspec *spec, unsigned key_bits, struct why *why);
/* Forgets every set; none may be in use. */
void keysets_forget(void);

#endif
