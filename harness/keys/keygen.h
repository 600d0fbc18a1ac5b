/* Computed keys: a one-to-one function from an index to a key, integer or text. */
#ifndef MAPBENCH_KEYGEN_H
#define MAPBENCH_KEYGEN_H

#include <stddef.h>
#include <stdint.h>

#include "harness/keys/keyspec.h"

enum { KEYGEN_TEXT_MAX = 32 }; /* bytes a text may need */

/* khash's hash of strings: FNV-1a since htslib 1.21, before that X31. */
enum khash_text { KHASH_X31, KHASH_FNV1A };

struct keygen {
    enum keyspec_kind kind;
    unsigned key_bits; /* 32 or 64; 64 for texts, which are made from 64-bit numbers */
    uint64_t seed;
    uint64_t stride;
    unsigned runs; /* masked: runs of set bits, from the lowest */
    struct keygen_run {
        unsigned index_shift, key_shift;
        uint64_t bits; /* as many low ones as the run is long */
    } run[32];
    uint32_t target;            /* attack: the hash all keys have */
    enum khash_text khash_text; /* attack: what texts are to collide under */
};

/* key_bits as in struct shape: 0 for strings. */
struct keygen keygen_make(const struct keyspec *spec, unsigned key_bits, uint64_t seed);
/* Distinct keys: indices from 0 up to this, a power of two, or SIZE_MAX: 2^64. */
size_t keygen_limit(const struct keygen *gen, unsigned shape_key_bits);
uint64_t keygen_number(const struct keygen *gen, uint64_t index);
/* Writes the text of a key, at most KEYGEN_TEXT_MAX bytes, and returns its length. */
size_t keygen_text(const struct keygen *gen, uint64_t index, char *text);

/* Attacks, by inverting khash's hash functions (htslib/khash.h, attractivechaos/klib): `number` < 2^32 gives
 * a 64-bit key whose kh_int64_hash_func is `target`. */
uint64_t keygen_attack_u64(uint32_t number, uint32_t target);
/* The hash that kh_str_hash_func and kh_kstr_hash_func of the library installed at build time are. */
enum khash_text keygen_khash_text(void);
/* The text of any number whose X31 hash is `target`. */
size_t keygen_attack_x31(uint64_t number, uint32_t target, char *text);
/* The text of a number < 2^24; under FNV-1a all of them have the hash of the empty text. */
size_t keygen_attack_fnv1a(uint32_t number, char *text);

#endif
