/* Go 1.24's sync.Map, a HashTrieMap[any, any], as a program on a gosim heap: inner nodes and entries have
 * Go's sizes, keys and values are boxed, nothing is freed but by the collector.
 *
 * maps/go/hashtrie.h is the port that is measured, with typed entries that it frees.
 *
 * Source: Go 1.24.4 internal/sync/hashtriemap.go (The Go Authors, BSD licence), written anew; functions name
 * their original. Differs: the hash is the suite's, of the same quality, so that the trie has another shape
 * but as many nodes within the noise that Go's random seed makes.
 */
#ifndef MAPBENCH_RETENTION_GO_HASHTRIE_PROGRAM_H
#define MAPBENCH_RETENTION_GO_HASHTRIE_PROGRAM_H

#include "harness/retention/program/program.h"

struct go_trie_indirect;
struct go_hashtrie { /* a global variable: its root node is a root of the heap */
    struct retention *r;
    struct go_trie_indirect *root; /* NULL: not used yet */
};

void go_hashtrie_open(struct go_hashtrie *m, struct retention *r);
void go_hashtrie_close(struct go_hashtrie *m);

/* False: out of memory. */
bool go_hashtrie_store(struct go_hashtrie *m, struct any key, struct any value);
bool go_hashtrie_load(struct go_hashtrie *m, struct any key, bool *found);
bool go_hashtrie_delete(struct go_hashtrie *m, struct any key);
size_t go_hashtrie_len(const struct go_hashtrie *m);

#endif
