/* The sources that real key sets are read from. */
#ifndef MAPBENCH_KEYSET_SOURCE_H
#define MAPBENCH_KEYSET_SOURCE_H

#include "harness/base/why.h"
#include "harness/keys/keyset_builder.h"

/* Reads the keys of a set, and what is known of its files, into the builder. False: `why`. */
bool keyset_source_read(const struct keyspec *spec, unsigned key_bits, struct keyset_builder *builder,
                        struct why *why);

#endif
