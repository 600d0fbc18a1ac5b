/* Key streams: which keys there are, and in which order they are touched.
 *
 * A stream gives a key to every INDEX: indices [0, n) are the keys of the map, further ones are keys it does
 * not hold (misses, and the newcomers of churn). A stream has keys_limit() distinct keys, after which indices
 * begin again at the first key; only for computed 64-bit streams is that no limit. Keys are made from indices
 * in blocks, before the measured loop, so nothing here grows with n except the text of string keys, which
 * belongs to the data: maps store a pointer to it.
 *
 * Two copies of a string key exist: the STORED one, at an address that stays good as long as the map may hold
 * the key, and the PROBE one in a block buffer, as a program has it that reads its keys from outside.
 */
#ifndef MAPBENCH_KEYS_H
#define MAPBENCH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/why.h"
#include "harness/shapes/shape.h"

struct keys;

enum { KEYS_BLOCK = 32768 }; /* at most so many keys a call */

/* The facts of a stream, for the results. */
struct keys_facts {
    char name[256];        /* the spec with its parameters spelled out, e.g. "zipf:0.99" */
    char provenance[256];  /* where the keys come from, in words */
    char sha256[65];       /* real sets: of the sorted list of files read, each with its size; "" for computed
                              streams */
    size_t files;          /* real sets: files read */
    size_t files_skipped;  /* symbols: files that look like a library but cannot be read as one */
    size_t limit;          /* distinct keys to be had; SIZE_MAX: as many as there are 64-bit numbers */
    size_t duplicates;     /* dropped while reading */
    size_t empty_lines;    /* skipped while reading */
    size_t with_nul;       /* keys that contain a NUL byte: kept, and none in file: */
    size_t text_bytes;     /* memory of the stored text: of n keys when computed, of the whole real set */
    double mean_key_bytes; /* mean length of the n string keys (estimated from 65,536); the size of an integer
                              key */
};

/* Opens the stream SPEC for a shape and n entries. Specs: uniform, zipf[:THETA], hotset[:KEYS%:TOUCHES%],
 * sequential, reverse, strided[:STRIDE], masked[:MASK], attack, words, paths, symbols, file:PATH, lines:PATH.
 * NULL: `why` says what is wrong and what to do, in one line. n may be all of the limit: then there are no
 * misses to draw. docs/keys.md tells what each stream is for. */
struct keys *keys_open(const char *spec, const struct shape *shape, size_t n, uint64_t seed, struct why *why);
void keys_close(struct keys *keys);
const struct keys_facts *keys_facts(const struct keys *keys);
size_t keys_limit(const struct keys *keys);

/* Tells how many keys SPEC can give for a shape (SIZE_MAX: no limit) without opening the stream for an n; 0
 * and `why` when it cannot be had. Real sets are read once and kept. */
size_t keys_available(const char *spec, const struct shape *shape, struct why *why);

/* Keys of `count` <= KEYS_BLOCK indices, written to `out` (count keys of the shape). Probe text stays good
 * until the next keys_probe; stored text until keys_close, but of computed streams for no more than two
 * generations of n indices at a time: storing index i may reuse the text of index i - 2n and earlier ones. */
void keys_store(struct keys *keys, const uint64_t *index, size_t count, void *out);
void keys_probe(struct keys *keys, const uint64_t *index, size_t count, void *out);

/* The memory that holds the stored texts of string keys; 0 bytes and NULL for integers. */
const void *keys_stored_text(const struct keys *keys, size_t *bytes);

/* The order in which present keys are touched: a seeded cursor, one per unit and round. */
struct keys_cursor {
    uint64_t seed;     /* of the passes' orders */
    uint64_t rng;      /* draws */
    uint64_t position; /* in the present pass over [0, n) */
    uint64_t pass;     /* passes begun: each has an order of its own */
    uint64_t absent;   /* misses handed out */
};
void keys_cursor_init(struct keys_cursor *cursor, uint64_t seed);

/* `count` indices to look up, of which hit_percent are present, mixed at random. Present ones follow the
 * stream's distribution (zipf, hotset; otherwise every key once per pass, in a new random order each pass, or
 * in insertion order when asked for); absent ones are indices >= n, in a random order within each n of them,
 * each new until the limit is reached, then again from n; they need keys_limit > n. */
void keys_draw(const struct keys *keys, struct keys_cursor *cursor, size_t count, unsigned hit_percent,
               bool insertion_order, uint64_t *index);
/* `count` indices of one pass over [0, n) from `position`, in the order of `pass`: each exactly once per
 * pass. */
void keys_pass(const struct keys *keys, uint64_t seed, uint64_t pass, uint64_t position, size_t count,
               uint64_t *index);

/* The streams there are, for `list`. */
struct keys_stream {
    const char *name, *parameters, *summary; /* parameters: "" or e.g. ":THETA" */
    bool skewed;                             /* as keys_skewed */
    bool strings_only;
};
size_t keys_stream_count(void);
const struct keys_stream *keys_stream_at(size_t i);

/* True if the stream touches some present keys more often than others, so that it means nothing for workloads
 * that touch each key once (put, del, churn, scan). */
bool keys_skewed(const char *spec);

#endif
