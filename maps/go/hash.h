/* Go's hash functions: of 32-bit and 64-bit integers, floating point and strings, in both versions the
 * runtime has.
 *
 * Words:    The FALLBACK multiplies (a kind of wyhash) and is keyed with four words, the HASHKEY; the AES
 *           version runs rounds of AES encryption, keyed with the 128 bytes of AESKEYSCHED. Go draws either
 *           at the start of a process, and takes AES where the processor has it. SEED is the map's own: 32
 *           bits in the classic map, 64 bits in the Swiss one.
 * Source:   Go 1.23 and 1.24 (The Go Authors, BSD licence), runtime/hash64.go (memhashFallback,
 *           memhash32Fallback, memhash64Fallback), runtime/asm_amd64.s (aeshashbody, memhash32, memhash64,
 *           strhash), runtime/alg.go (strhashFallback, f64hash, alginit). Written anew; equal bit for bit
 *           (tests/test_go_hash.c).
 */
#ifndef MAPBENCH_MAPS_GO_HASH_H
#define MAPBENCH_MAPS_GO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#define GO_HASH_HAS_AES 1
#ifdef __AES__
#include <wmmintrin.h>
#endif
#endif

#define GO_HASH_INLINE static inline __attribute__((always_inline))

struct go_hash_keys {
    uint64_t hashkey[4];
    uint8_t aeskeysched[128];
    bool aes; /* which version; only true where go_hash_aes_available says so */
};

/* Asks as alginit does: for AESENC, PSHUFB and PINSR. */
static inline bool go_hash_aes_available(void) {
#ifdef GO_HASH_HAS_AES
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("ssse3") &&
           __builtin_cpu_supports("sse4.1");
#else
    return false;
#endif
}

/* The keys of the measured units. A Go process draws them at random, so a fixed set stands for any: here the
 * leading bits of the fractional part of pi, so that runs repeat. */
#define GO_HASH_UNIT_KEYS(with_aes)                                                                          \
    {                                                                                                        \
        .hashkey = {0x243f6a8885a308d3u, 0x13198a2e03707345u, 0xa4093822299f31d1u, 0x082efa98ec4e6c89u},     \
        .aeskeysched = {0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3, 0x13, 0x19, 0x8a, 0x2e, 0x03,        \
                        0x70, 0x73, 0x44, 0xa4, 0x09, 0x38, 0x22, 0x29, 0x9f, 0x31, 0xd0, 0x08, 0x2e,        \
                        0xfa, 0x98, 0xec, 0x4e, 0x6c, 0x89, 0x45, 0x28, 0x21, 0xe6, 0x38, 0xd0, 0x13,        \
                        0x77, 0xbe, 0x54, 0x66, 0xcf, 0x34, 0xe9, 0x0c, 0x6c, 0xc0, 0xac, 0x29, 0xb7,        \
                        0xc9, 0x7c, 0x50, 0xdd, 0x3f, 0x84, 0xd5, 0xb5, 0xb5, 0x47, 0x09, 0x17, 0x92,        \
                        0x16, 0xd5, 0xd9, 0x89, 0x79, 0xfb, 0x1b, 0xd1, 0x31, 0x0b, 0xa6, 0x98, 0xdf,        \
                        0xb5, 0xac, 0x2f, 0xfd, 0x72, 0xdb, 0xd0, 0x1a, 0xdf, 0xb7, 0xb8, 0xe1, 0xaf,        \
                        0xed, 0x6a, 0x26, 0x7e, 0x96, 0xba, 0x7c, 0x90, 0x45, 0xf1, 0x2c, 0x7f, 0x99,        \
                        0x24, 0xa1, 0x99, 0x47, 0xb3, 0x91, 0x6c, 0xf7, 0x08, 0x01},                         \
        .aes = with_aes,                                                                                     \
    }

/* For maps: the AES set where the processor can, the fallback elsewhere. */
static inline const struct go_hash_keys *go_hash_unit_keys(void) {
    static const struct go_hash_keys with_aes = GO_HASH_UNIT_KEYS(true), fallback = GO_HASH_UNIT_KEYS(false);
    return go_hash_aes_available() ? &with_aes : &fallback;
}

/* --- the fallback: runtime/hash64.go --- */

static const uint64_t GO_HASH_M5 = 0x1d8e4e27c47d124fu; /* m5 of hash64.go */

GO_HASH_INLINE uint64_t go_hash_load64(const char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

GO_HASH_INLINE uint64_t go_hash_load32(const char *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* mix */
GO_HASH_INLINE uint64_t go_hash_mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* memhash32Fallback */
GO_HASH_INLINE uint64_t go_memhash32_fallback(const struct go_hash_keys *keys, uint32_t key, uint64_t seed) {
    return go_hash_mix(GO_HASH_M5 ^ 4, go_hash_mix(key ^ keys->hashkey[1], key ^ seed ^ keys->hashkey[0]));
}

/* memhash64Fallback */
GO_HASH_INLINE uint64_t go_memhash64_fallback(const struct go_hash_keys *keys, uint64_t key, uint64_t seed) {
    return go_hash_mix(GO_HASH_M5 ^ 8, go_hash_mix(key ^ keys->hashkey[1], key ^ seed ^ keys->hashkey[0]));
}

/* The loops of memhashFallback over all but the last 1 to 16 bytes, of which *p is moved to the end. */
static inline uint64_t go_memhash_long(const struct go_hash_keys *keys, const char **p, size_t *len,
                                       uint64_t seed) {
    const char *at = *p;
    size_t left = *len;
    if (left > 48) {
        uint64_t lane1 = seed, lane2 = seed;
        for (; left > 48; left -= 48, at += 48) {
            seed = go_hash_mix(go_hash_load64(at) ^ keys->hashkey[1], go_hash_load64(at + 8) ^ seed);
            lane1 = go_hash_mix(go_hash_load64(at + 16) ^ keys->hashkey[2], go_hash_load64(at + 24) ^ lane1);
            lane2 = go_hash_mix(go_hash_load64(at + 32) ^ keys->hashkey[3], go_hash_load64(at + 40) ^ lane2);
        }
        seed ^= lane1 ^ lane2;
    }
    for (; left > 16; left -= 16, at += 16)
        seed = go_hash_mix(go_hash_load64(at) ^ keys->hashkey[1], go_hash_load64(at + 8) ^ seed);
    *p = at;
    *len = left;
    return seed;
}

/* memhashFallback, and strhashFallback through it */
static inline uint64_t go_strhash_fallback(const struct go_hash_keys *keys, const char *text, size_t len,
                                           uint64_t seed) {
    uint64_t a, b = 0;
    size_t left = len;
    seed ^= keys->hashkey[0];
    if (len == 0) return seed;
    if (len < 4) {
        a = (uint8_t)text[0] | (uint64_t)(uint8_t)text[len >> 1] << 8 |
            (uint64_t)(uint8_t)text[len - 1] << 16;
    } else if (len < 8) {
        a = go_hash_load32(text);
        b = go_hash_load32(text + len - 4);
    } else {
        if (len > 16) seed = go_memhash_long(keys, &text, &left, seed);
        /* The last 16 bytes; of a string shorter than that, the two ends. Both overlap what was read before.
         */
        a = go_hash_load64(len > 16 ? text + left - 16 : text);
        b = go_hash_load64(text + left - 8);
    }
    return go_hash_mix(GO_HASH_M5 ^ len, go_hash_mix(a ^ keys->hashkey[1], b ^ seed));
}

/* --- the AES version: runtime/asm_amd64.s --- */

#ifdef GO_HASH_HAS_AES

/* One round of AES encryption. Written as an instruction where the compiler may not emit it by itself, so
 * that it is part of the loops that hash and not a call; whoever gets here has asked go_hash_aes_available.
 */
GO_HASH_INLINE __m128i go_aes_round(__m128i state, __m128i key) {
#ifdef __AES__
    return _mm_aesenc_si128(state, key);
#else
    __asm__("aesenc %1, %0" : "+x"(state) : "x"(key));
    return state;
#endif
}

GO_HASH_INLINE __m128i go_aes_load(const void *p) {
    return _mm_loadu_si128((const __m128i *)p);
}

GO_HASH_INLINE __m128i go_aes_key(const struct go_hash_keys *keys, size_t lane) {
    return go_aes_load(keys->aeskeysched + 16 * lane);
}

/* memhash64 and memhash32: the 32-bit one leaves the upper half of its word zero */
GO_HASH_INLINE uint64_t go_memhash64_aes(const struct go_hash_keys *keys, uint64_t key, uint64_t seed) {
    __m128i state = _mm_set_epi64x((long long)key, (long long)seed);
    for (size_t round = 0; round < 3; round++) state = go_aes_round(state, go_aes_key(keys, round));
    return (uint64_t)_mm_cvtsi128_si64(state);
}

/* The starting seed of a lane. `start` is the seed and four times the low 16 bits of the length. */
GO_HASH_INLINE __m128i go_aes_lane_seed(const struct go_hash_keys *keys, size_t lane, __m128i start) {
    __m128i keyed = _mm_xor_si128(start, go_aes_key(keys, lane));
    return go_aes_round(keyed, keyed);
}

/* Up to 15 bytes at the end of a page, zeros above: endofpage. Put together from what lies within the text.
 */
static __attribute__((noinline, cold)) __m128i go_aes_load_page_end(const char *text, size_t len) {
    uint64_t low, high = 0;
    if (len >= 8) {
        low = go_hash_load64(text);
        high = go_hash_load64(text + len - 8) >> 1 >> (127 - 8 * len);
    } else if (len >= 4) {
        low = go_hash_load32(text) | go_hash_load32(text + len - 4) << (8 * (len - 4));
    } else {
        low = (uint8_t)text[0] | (uint64_t)(uint8_t)text[len >> 1] << (8 * (len >> 1)) |
              (uint64_t)(uint8_t)text[len - 1] << (8 * (len - 1));
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

/* Up to 15 bytes, zeros above: aes0to15. Like there, 16 bytes are read and those after the text cut off,
 * unless they may be of another page. An instruction, as C does not know of reading what is surely mapped but
 * not the caller's. */
GO_HASH_INLINE __m128i go_aes_load_short(const char *text, size_t len) {
    static const uint8_t keep[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    __m128i bytes;
    if (__builtin_expect((((uintptr_t)text + 16) & 0xff0) == 0, 0)) return go_aes_load_page_end(text, len);
    __asm__("movdqu %1, %0" : "=x"(bytes) : "m"(*(const char(*)[16])text));
    return _mm_and_si128(bytes, go_aes_load(keep + 16 - len));
}

/* Three rounds of every lane with itself as the key, then all lanes folded into one word. */
GO_HASH_INLINE uint64_t go_aes_finish(__m128i *lane, size_t lanes) {
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < lanes; i++) lane[i] = go_aes_round(lane[i], lane[i]);
    for (size_t i = 1; i < lanes; i++) lane[0] = _mm_xor_si128(lane[0], lane[i]);
    return (uint64_t)_mm_cvtsi128_si64(lane[0]);
}

/* aes17to32, aes33to64, aes65to128: half of the lanes from the front of the text, half from its end */
GO_HASH_INLINE uint64_t go_aes_lanes(const struct go_hash_keys *keys, const char *text, size_t len,
                                     __m128i start, size_t lanes) {
    __m128i lane[8];
    for (size_t i = 0; i < lanes; i++) {
        const char *at = i < lanes / 2 ? text + 16 * i : text + len - 16 * (lanes - i);
        lane[i] = _mm_xor_si128(go_aes_lane_seed(keys, i, start), go_aes_load(at));
    }
    return go_aes_finish(lane, lanes);
}

/* aes129plus */
static __attribute__((noinline)) uint64_t go_aes_long(const struct go_hash_keys *keys, const char *text,
                                                      size_t len, __m128i start) {
    __m128i lane[8];
    for (size_t i = 0; i < 8; i++)
        lane[i] = _mm_xor_si128(go_aes_lane_seed(keys, i, start), go_aes_load(text + len - 128 + 16 * i));
    for (size_t blocks = (len - 1) >> 7; blocks > 0; blocks--, text += 128)
        for (size_t i = 0; i < 8; i++)
            lane[i] = go_aes_round(go_aes_round(lane[i], lane[i]), go_aes_load(text + 16 * i));
    return go_aes_finish(lane, 8);
}

/* strhash and aeshashbody */
static inline uint64_t go_strhash_aes(const struct go_hash_keys *keys, const char *text, size_t len,
                                      uint64_t seed) {
    __m128i start = _mm_insert_epi16(_mm_cvtsi64_si128((long long)seed), (int)(uint16_t)len, 4);
    start = _mm_shufflehi_epi16(start, 0);
    if (len <= 16) {
        __m128i state = go_aes_lane_seed(keys, 0, start);
        if (len == 0) return (uint64_t)_mm_cvtsi128_si64(go_aes_round(state, state));
        state = _mm_xor_si128(state, len == 16 ? go_aes_load(text) : go_aes_load_short(text, len));
        return go_aes_finish(&state, 1);
    }
    if (len <= 32) return go_aes_lanes(keys, text, len, start, 2);
    if (len <= 64) return go_aes_lanes(keys, text, len, start, 4);
    if (len <= 128) return go_aes_lanes(keys, text, len, start, 8);
    return go_aes_long(keys, text, len, start);
}

#endif

/* --- the version the keys ask for --- */

GO_HASH_INLINE uint64_t go_memhash32(const struct go_hash_keys *keys, uint32_t key, uint64_t seed) {
#ifdef GO_HASH_HAS_AES
    if (__builtin_expect(keys->aes, 1)) return go_memhash64_aes(keys, key, seed);
#endif
    return go_memhash32_fallback(keys, key, seed);
}

GO_HASH_INLINE uint64_t go_memhash64(const struct go_hash_keys *keys, uint64_t key, uint64_t seed) {
#ifdef GO_HASH_HAS_AES
    if (__builtin_expect(keys->aes, 1)) return go_memhash64_aes(keys, key, seed);
#endif
    return go_memhash64_fallback(keys, key, seed);
}

GO_HASH_INLINE uint64_t go_strhash(const struct go_hash_keys *keys, const char *text, size_t len,
                                   uint64_t seed) {
#ifdef GO_HASH_HAS_AES
    if (__builtin_expect(keys->aes, 1)) return go_strhash_aes(keys, text, len, seed);
#endif
    return go_strhash_fallback(keys, text, len, seed);
}

/* f64hash: both zeros alike; every call for a NaN gives another number, here of a sequence that repeats. */
static inline uint64_t go_f64hash(const struct go_hash_keys *keys, double key, uint64_t seed) {
    const uint64_t c0 = 33054211828000289u, c1 = 23344194077549503u;
    static uint64_t nans;
    char bytes[sizeof key];
    if (key == 0) return c1 * (c0 ^ seed);
    if (key != key) return c1 * (c0 ^ seed ^ go_memhash64_fallback(keys, ++nans, 0));
    memcpy(bytes, &key, sizeof key);
    return go_strhash(keys, bytes, sizeof bytes, seed);
}

#endif
