/* An arena: memory handed out from large chunks by moving a pointer, and given back all at once.
 *
 * For deletes this means: freeing a block gives nothing back. Its bytes stay taken until the last block
 * of the arena is freed (a map is destroyed); then all chunks go back together. A map that deletes and
 * inserts for ever on an arena grows for ever, and after growing, a map of arrays holds all its former arrays
 * too: twice what it needs. In exchange an allocation is an addition and a comparison, without a header.
 *
 * For one thread at a time.
 */
#ifndef MAPBENCH_ARENA_HEAP_H
#define MAPBENCH_ARENA_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena_chunk;

/* All zero: an empty arena. */
struct arena {
    unsigned char *at, *end; /* of the chunk that is being filled */
    struct arena_chunk *chunks;
    size_t live_blocks;    /* handed out and not yet freed */
    size_t taken_bytes;    /* handed out since the arena was empty, freed or not */
    size_t reserved_bytes; /* of all chunks */
};

enum { ARENA_ALIGNMENT_BYTES = 16 };

/* The slow path: a new chunk. NULL: out of memory, the arena as it was. */
void *arena_new_slow(struct arena *arena, size_t bytes);
/* The end: every block of the arena is gone. */
void arena_release(struct arena *arena);

/* Uninitialised. NULL: out of memory. */
static inline void *arena_new(struct arena *arena, size_t bytes) {
    size_t rounded = (bytes + ARENA_ALIGNMENT_BYTES - 1) & ~(size_t)(ARENA_ALIGNMENT_BYTES - 1);
    if (__builtin_expect(rounded < bytes || rounded > (size_t)(arena->end - arena->at), 0))
        return arena_new_slow(arena, bytes);
    void *block = arena->at;
    arena->at += rounded;
    arena->taken_bytes += rounded;
    arena->live_blocks++;
    return block;
}

static inline void *arena_new_zeroed(struct arena *arena, size_t bytes) {
    void *block = arena_new(arena, bytes);
    if (__builtin_expect(block != NULL, 1)) memset(block, 0, bytes);
    return block;
}

static inline void arena_free(struct arena *arena, const void *block) {
    if (block && --arena->live_blocks == 0) arena_release(arena);
}

#endif
