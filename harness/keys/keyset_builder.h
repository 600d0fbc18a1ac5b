/* Collects the distinct keys of a set while its files are read. */
#ifndef MAPBENCH_KEYSET_BUILDER_H
#define MAPBENCH_KEYSET_BUILDER_H

#include "harness/keys/keysets.h"

struct keyset_builder {
    struct keyset set;
    bool integers;
    bool hash_keys; /* sha256 is of the keys too, not of the list of files alone: a user's file may change in
                       place */
    size_t keys_room, text_room;
    uint32_t *slot; /* index of a key, plus one; 0: free. Open addressing, at most half full */
    size_t slots;
    char **file; /* the lines that are hashed */
    size_t files_room;
};

void keyset_builder_init(struct keyset_builder *builder, bool integers);
/* Takes the key unless it is there already. False: out of memory, or 2^31 keys. */
bool keyset_builder_text(struct keyset_builder *builder, const char *text, size_t len);
bool keyset_builder_number(struct keyset_builder *builder, uint64_t number);
/* Notes a file that was read. False: out of memory. */
bool keyset_builder_file(struct keyset_builder *builder, const char *path, uint64_t bytes);
/* The finished set, to be released with keyset_free; the builder is empty afterwards. NULL: out of memory. */
struct keyset *keyset_builder_finish(struct keyset_builder *builder);
void keyset_builder_drop(struct keyset_builder *builder);
void keyset_free(struct keyset *set);

#endif
