#include "harness/heaps/arena_heap.h"

#include <stdlib.h>

/* The first chunk of a small map is small; each further one is as large as all before it, up to a limit. */
enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 1 << 20 };

struct arena_chunk {
    _Alignas(ARENA_ALIGNMENT_BYTES) struct arena_chunk *next;
    size_t bytes; /* with this head */
};

static struct arena_chunk *chunk_new(struct arena *arena, size_t bytes) {
    struct arena_chunk *chunk = malloc(bytes);
    if (!chunk) return NULL;
    chunk->next = arena->chunks;
    chunk->bytes = bytes;
    arena->chunks = chunk;
    arena->reserved_bytes += bytes;
    return chunk;
}

static size_t next_chunk_bytes(const struct arena *arena) {
    size_t bytes = arena->reserved_bytes < CHUNK_BYTES_MIN ? CHUNK_BYTES_MIN : arena->reserved_bytes;
    return bytes < CHUNK_BYTES_MAX ? bytes : CHUNK_BYTES_MAX;
}

void *arena_new_slow(struct arena *arena, size_t bytes) {
    size_t rounded = (bytes + ARENA_ALIGNMENT_BYTES - 1) & ~(size_t)(ARENA_ALIGNMENT_BYTES - 1);
    size_t chunk_bytes = next_chunk_bytes(arena);
    if (rounded < bytes || rounded > PTRDIFF_MAX - sizeof(struct arena_chunk)) return NULL;
    /* A block that would waste most of a chunk gets one of its own, and the present one goes on being filled.
     */
    bool alone = rounded > chunk_bytes / 4;
    struct arena_chunk *chunk = chunk_new(arena, sizeof *chunk + (alone ? rounded : chunk_bytes));
    if (!chunk) return NULL;
    unsigned char *start = (unsigned char *)(chunk + 1);
    if (!alone) {
        arena->at = start + rounded;
        arena->end = start + chunk_bytes;
    }
    arena->taken_bytes += rounded;
    arena->live_blocks++;
    return start;
}

void arena_release(struct arena *arena) {
    for (struct arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    memset(arena, 0, sizeof *arena);
}
