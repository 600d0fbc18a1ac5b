/* The common hash: one strong hash for all maps, so that a comparison of maps is not one of hashes.
 *
 * Integers: the 64x64->128 bit product of the key, whitened, with an odd constant, both halves folded
 * together. Strings: the same fold over 16 bytes at a time, seeded with the length. The construction is that
 * of wyhash (Wang Yi, public domain; also in Go's runtime/hash64.go and absl); the constants are the leading
 * bits of the fractional parts of pi, e and the golden ratio. Every result bit depends on every key bit, so
 * maps may take any bits of it, low or high. It is not keyed: do not use it against an adversary.
 */
#ifndef MAPBENCH_SHAPES_HASH_H
#define MAPBENCH_SHAPES_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_PI 0x243f6a8885a308d3u
#define HASH_E 0xb7e151628aed2a6bu
#define HASH_PHI 0x9e3779b97f4a7c15u

static inline uint64_t hash_fold(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_u64(uint64_t key) {
    return hash_fold(key ^ HASH_PI, HASH_PHI);
}

static inline uint64_t hash_load64(const char *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t hash_load32(const char *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t hash_bytes(const char *p, size_t len) {
    uint64_t state = HASH_E ^ len;
    uint64_t a, b;
    if (len > 16) {
        size_t left = len;
        for (; left > 16; left -= 16, p += 16)
            state = hash_fold(hash_load64(p) ^ HASH_PI, hash_load64(p + 8) ^ state);
        a = hash_load64(p + left - 16); /* the last 16 bytes, overlapping what was read */
        b = hash_load64(p + left - 8);
    } else if (len >= 8) {
        a = hash_load64(p);
        b = hash_load64(p + len - 8);
    } else if (len >= 4) {
        a = hash_load32(p);
        b = hash_load32(p + len - 4);
    } else if (len > 0) {
        a = (uint64_t)(uint8_t)p[0] << 16 | (uint64_t)(uint8_t)p[len >> 1] << 8 | (uint8_t)p[len - 1];
        b = 0;
    } else {
        a = b = 0;
    }
    return hash_fold(hash_fold(a ^ HASH_PI, b ^ state), HASH_PHI ^ len);
}

#endif
