/* tagline.h: a hash map for C11 and C++ in one header, made for each pair of types that it is included for.
 *
 *     #define TAGLINE_NAME  counts
 *     #define TAGLINE_KEY   uint64_t
 *     #define TAGLINE_VALUE uint32_t
 *     #define TAGLINE_HASH(key) tagline_hash_u64(key)
 *     #include "tagline.h"
 *
 *     struct counts map = counts_make();
 *     uint32_t *value = counts_put(&map, key);      the value's address, inserted if the key was absent
 *     value = counts_get(&map, key);                NULL: absent
 *     counts_free(&map);
 *
 * README.md beside this file has every setting and function, and how to come from other maps.
 *
 * Words:      a TAG is a byte of a slot: 0 the slot is free, 2 to 255 bits 24 to 31 of its hash, 1 there
 *             is no such slot. A GROUP is 15 slots, whose 15 tags and SPILL BYTE are a quarter of a cache
 *             line and are compared at once. An entry's HOME is the group that bits of its hash from the 36th
 *             on name; its CLASS is one of 8, named by three bits of the tag. A SPILL is an entry outside its
 *             home; the bit of its class is set in the spill byte of every group that its probe found full.
 *
 *             tags     [ t t t - t t t t - t t t t t t s ][ next group ...      16 bytes a group
 *             entries  [ kv kv kv . kv ...             ][ next group ...        15 entries a group
 *
 *             A lookup reads the 16 bytes of its home, then only slots with its tag. It goes on to another
 *             group when the bit of its class is set there: rarely, so that a miss in a full group ends as
 *             well. A delete leaves no mark behind; spill bits stay, and are made anew when there are many.
 *
 *             Four bits of the tag name a slot of the group, too. An entry is put into that slot's cache line
 *             if the line has room, and a lookup fetches that line along with the tags instead of after them.
 *
 *             A table doubles when it is 7/8 full. The entries at home in a group go to two groups that are
 *             theirs alone and keep their slots, so that three arrays are walked in order and nothing of the
 *             new ones is read; spills follow in a second walk.
 *
 * Source:     tags compared at once: absl::flat_hash_map (Google, 2017). 15 slots and 8 overflow bits:
 *             boost::unordered_flat_map (Lopez Munoz, 2022), after the 14 slots and counter of folly F14
 *             (Bronson and Shi, 2019). Growth that reads nothing of the new table: absl, 2025. Lines named
 *             by the hash, spills counted to bound them, and early doubling: this project.
 * License:    MIT, as the whole of mapbench.
 */
#if !defined(TAGLINE_NAME) || !defined(TAGLINE_KEY)
#error "define TAGLINE_NAME, TAGLINE_KEY and TAGLINE_VALUE before tagline.h is included"
#endif

/* --- what all maps have in common --- */
#ifndef TAGLINE_H
#define TAGLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TAGLINE_JOIN_(a, b) a##_##b
#define TAGLINE_JOIN(a, b) TAGLINE_JOIN_(a, b)

#if defined(__GNUC__)
#define TAGLINE_INLINE static inline __attribute__((always_inline, unused))
#define TAGLINE_APART static __attribute__((noinline, unused))
#define TAGLINE_LIKELY(x) __builtin_expect(!!(x), 1)
#define TAGLINE_FETCH(address) __builtin_prefetch(address)
#define TAGLINE_LOWEST(mask) ((size_t)(unsigned)__builtin_ctzll(mask))
#else
#define TAGLINE_INLINE static inline
#define TAGLINE_APART static inline
#define TAGLINE_LIKELY(x) (x)
#define TAGLINE_FETCH(address) ((void)(address))
static inline size_t tagline_lowest(uint64_t mask) {
    size_t at = 0;
    for (; !(mask & 1); mask >>= 1) at++;
    return at;
}
#define TAGLINE_LOWEST(mask) tagline_lowest(mask)
#endif

#ifdef __cplusplus
#define TAGLINE_ALIGNED(bytes) alignas(bytes)
#define TAGLINE_ALIGNMENT(type) alignof(type)
#define TAGLINE_ASSERT(truth, text) static_assert(truth, text)
#else
#define TAGLINE_ALIGNED(bytes) _Alignas(bytes)
#define TAGLINE_ALIGNMENT(type) _Alignof(type)
#define TAGLINE_ASSERT(truth, text) _Static_assert(truth, text)
#endif

enum {
    TAGLINE_SLOTS = 15, /* of a group */
    TAGLINE_BYTES = 16, /* tags of a group and its spill byte, which is the last */
    TAGLINE_FREE = 0,   /* tags */
    TAGLINE_NO_SLOT = 1,
    TAGLINE_TAG_MIN = 2,
    TAGLINE_LINE = 64, /* bytes of a cache line */
    TAGLINE_ALIGNED_MIN =
        4096, /* bytes from which entries begin on a line: in smaller arrays the spare weighs more */
};

/* A mask has one bit set for each slot that matched, TAGLINE_STRIDE bits apart. TAGLINE_PORTABLE selects
 * arithmetic on plain words, for testing. */
#if defined(__SSE2__) && !defined(TAGLINE_PORTABLE)
#include <emmintrin.h>
#define TAGLINE_KIND "SSE2"
#define TAGLINE_STRIDE 1
typedef uint32_t tagline_mask;
typedef __m128i tagline_bytes;
#define TAGLINE_ALL ((tagline_mask)0x7fff)

TAGLINE_INLINE tagline_bytes tagline_load(const unsigned char *group) {
    return _mm_load_si128((const __m128i *)(const void *)group);
}
/* The tag of a hash in every byte. */
TAGLINE_INLINE tagline_bytes tagline_tags(uint64_t hash) {
    __m128i top = _mm_set1_epi32((int)(((uint32_t)hash >> 24) * 0x01010101u));
    return _mm_max_epu8(top, _mm_set1_epi8(TAGLINE_TAG_MIN));
}
TAGLINE_INLINE unsigned char tagline_tag_of(tagline_bytes tags) {
    return (unsigned char)_mm_cvtsi128_si32(tags);
}
TAGLINE_INLINE tagline_mask tagline_match(tagline_bytes group, tagline_bytes tags) {
    return (tagline_mask)_mm_movemask_epi8(_mm_cmpeq_epi8(group, tags)) & TAGLINE_ALL;
}
TAGLINE_INLINE tagline_mask tagline_match_free(tagline_bytes group) {
    return tagline_match(group, _mm_setzero_si128());
}
/* Slots in use, and no others. */
TAGLINE_INLINE tagline_mask tagline_match_used(tagline_bytes group) {
    __m128i least = _mm_max_epu8(group, _mm_set1_epi8(TAGLINE_TAG_MIN));
    return tagline_match(group, least);
}

#elif defined(__ARM_NEON) && !defined(__ARM_BIG_ENDIAN) && !defined(TAGLINE_PORTABLE)
#include <arm_neon.h>
#define TAGLINE_KIND "NEON"
#define TAGLINE_STRIDE 4
typedef uint64_t tagline_mask;
typedef uint8x16_t tagline_bytes;
#define TAGLINE_ALL ((tagline_mask)0x0111111111111111u)

TAGLINE_INLINE tagline_bytes tagline_load(const unsigned char *group) {
    return vld1q_u8(group);
}
TAGLINE_INLINE tagline_bytes tagline_tags(uint64_t hash) {
    unsigned char tag = (unsigned char)((uint32_t)hash >> 24);
    return vdupq_n_u8(tag < TAGLINE_TAG_MIN ? (unsigned char)TAGLINE_TAG_MIN : tag);
}
TAGLINE_INLINE unsigned char tagline_tag_of(tagline_bytes tags) {
    return vgetq_lane_u8(tags, 0);
}
TAGLINE_INLINE tagline_mask tagline_narrow(uint8x16_t matched) {
    uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8(matched), 4);
    return vget_lane_u64(vreinterpret_u64_u8(halves), 0) & TAGLINE_ALL;
}
TAGLINE_INLINE tagline_mask tagline_match(tagline_bytes group, tagline_bytes tags) {
    return tagline_narrow(vceqq_u8(group, tags));
}
TAGLINE_INLINE tagline_mask tagline_match_free(tagline_bytes group) {
    return tagline_narrow(vceqq_u8(group, vdupq_n_u8(TAGLINE_FREE)));
}
TAGLINE_INLINE tagline_mask tagline_match_used(tagline_bytes group) {
    return tagline_narrow(vcgeq_u8(group, vdupq_n_u8(TAGLINE_TAG_MIN)));
}

#else
#define TAGLINE_KIND "plain words"
#define TAGLINE_STRIDE 1
typedef uint32_t tagline_mask;
typedef struct {
    uint64_t low, high;
} tagline_bytes;
#define TAGLINE_ALL ((tagline_mask)0x7fff)
#define TAGLINE_EVERY(byte) ((uint64_t)0x0101010101010101u * (uint64_t)(byte))

TAGLINE_INLINE uint64_t tagline_word(const unsigned char *at) {
    uint64_t word = 0;
    for (unsigned i = 0; i < 8; i++) word |= (uint64_t)at[i] << 8 * i;
    return word;
}
TAGLINE_INLINE tagline_bytes tagline_load(const unsigned char *group) {
    tagline_bytes bytes;
    bytes.low = tagline_word(group);
    bytes.high = tagline_word(group + 8);
    return bytes;
}
TAGLINE_INLINE tagline_bytes tagline_tags(uint64_t hash) {
    uint64_t tag = (uint32_t)hash >> 24;
    tagline_bytes bytes;
    bytes.low = bytes.high = TAGLINE_EVERY(tag < TAGLINE_TAG_MIN ? (uint64_t)TAGLINE_TAG_MIN : tag);
    return bytes;
}
TAGLINE_INLINE unsigned char tagline_tag_of(tagline_bytes tags) {
    return (unsigned char)tags.low;
}
/* A bit for each byte that is 0. Exact: no carry runs from one byte into the next. */
TAGLINE_INLINE tagline_mask tagline_zeros(uint64_t word) {
    uint64_t tops = ~(((word & TAGLINE_EVERY(0x7f)) + TAGLINE_EVERY(0x7f)) | word | TAGLINE_EVERY(0x7f));
    return (tagline_mask)(((tops >> 7) * 0x0102040810204080u) >> 56);
}
TAGLINE_INLINE tagline_mask tagline_match(tagline_bytes group, tagline_bytes tags) {
    return (tagline_zeros(group.low ^ tags.low) | tagline_zeros(group.high ^ tags.high) << 8) & TAGLINE_ALL;
}
TAGLINE_INLINE tagline_mask tagline_match_free(tagline_bytes group) {
    return (tagline_zeros(group.low) | tagline_zeros(group.high) << 8) & TAGLINE_ALL;
}
TAGLINE_INLINE tagline_mask tagline_match_used(tagline_bytes group) {
    return ~(tagline_zeros(group.low & TAGLINE_EVERY(0xfe)) | tagline_zeros(group.high & TAGLINE_EVERY(0xfe))
                                                                  << 8) &
           TAGLINE_ALL;
}
#endif

/* A mask from one with a bit a slot. */
TAGLINE_INLINE tagline_mask tagline_spread(unsigned mask) {
#if TAGLINE_STRIDE == 1
    return mask;
#else
    uint64_t bits = mask;
    bits = (bits | bits << 24) & 0x000000ff000000ffu;
    bits = (bits | bits << 12) & 0x000f000f000f000fu;
    bits = (bits | bits << 6) & 0x0303030303030303u;
    return (bits | bits << 3) & 0x1111111111111111u;
#endif
}

/* The first slot of a mask that is not 0, and the mask without it. */
TAGLINE_INLINE size_t tagline_first(tagline_mask mask) {
#if defined(__GNUC__) && TAGLINE_STRIDE == 1
    return (unsigned)__builtin_ctz(mask); /* no widening before it, none after */
#else
    return TAGLINE_LOWEST(mask) / TAGLINE_STRIDE;
#endif
}
TAGLINE_INLINE tagline_mask tagline_rest(tagline_mask mask) {
    return mask & (mask - 1);
}

/* A bit for each slot in use, side by side on every machine. */
TAGLINE_INLINE uint64_t tagline_used(const unsigned char *group) {
    tagline_mask mask = tagline_match_used(tagline_load(group));
#if TAGLINE_STRIDE == 1
    return mask;
#else
    uint64_t bits = mask; /* the reverse of tagline_spread */
    bits = (bits | bits >> 3) & 0x0303030303030303u;
    bits = (bits | bits >> 6) & 0x000f000f000f000fu;
    bits = (bits | bits >> 12) & 0x000000ff000000ffu;
    return (bits | bits >> 24) & 0x7fff;
#endif
}

/* Where the home of a hash begins in the tags: by bits from the 36th on. The lowest are those by which most
 * maps order their entries, and would fill a map in the order of another's walk group by group; of others
 * that take bits from the 32nd on, 16 neighbours make a group. */
TAGLINE_INLINE size_t tagline_home(uint64_t hash, size_t mask) {
    return (size_t)(hash >> 32) & mask;
}

/* The bit of a hash's class in a spill byte, and the slot whose line the entry would rather be in. Both are
 * parts of the tag, which is at hand; the group is not. */
TAGLINE_INLINE unsigned tagline_class(uint64_t hash) {
    return 1u << ((uint32_t)hash >> 24 & 7);
}
TAGLINE_INLINE size_t tagline_near(uint64_t hash) {
    return (size_t)((uint32_t)hash >> 28);
}
/* The slots, a bit each, of which the entry begins in the same cache line as that of slot `near`, in a group
 * whose entries begin `from` bytes into a line. */
#define TAGLINE_IN_LINE(size, from, near, slot)                                                              \
    (unsigned)(((from) + (size) * (near)) / TAGLINE_LINE == ((from) + (size) * (slot)) / TAGLINE_LINE)       \
        << (slot)
#define TAGLINE_IN_LINE4(size, from, near, slot)                                                             \
    TAGLINE_IN_LINE(size, from, near, slot) | TAGLINE_IN_LINE(size, from, near, slot + 1) |                  \
        TAGLINE_IN_LINE(size, from, near, slot + 2) | TAGLINE_IN_LINE(size, from, near, slot + 3)
#define TAGLINE_LINE_OF(size, from, near)                                                                    \
    (TAGLINE_IN_LINE4(size, from, near, 0) | TAGLINE_IN_LINE4(size, from, near, 4) |                         \
     TAGLINE_IN_LINE4(size, from, near, 8) | TAGLINE_IN_LINE4(size, from, near, 12)) &                       \
        0x7fff
#define TAGLINE_LINES4(size, from, near)                                                                     \
    TAGLINE_LINE_OF(size, from, near), TAGLINE_LINE_OF(size, from, near + 1),                                \
        TAGLINE_LINE_OF(size, from, near + 2), TAGLINE_LINE_OF(size, from, near + 3)
#define TAGLINE_LINES(size, from)                                                                            \
    {                                                                                                        \
        TAGLINE_LINES4(size, from, 0), TAGLINE_LINES4(size, from, 4), TAGLINE_LINES4(size, from, 8),         \
            TAGLINE_LINES4(size, from, 12)                                                                   \
    }
#define TAGLINE_LINES_OF_GROUP(size, group) TAGLINE_LINES(size, (group)*TAGLINE_SLOTS *(size) % TAGLINE_LINE)

/* The group of maps without arrays: it has no slots, so that nothing writes to it. */
TAGLINE_ALIGNED(16)
#if defined(__GNUC__)
__attribute__((unused))
#endif
static const unsigned char tagline_nothing[TAGLINE_BYTES] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0};

/* Slots of the smallest tables, of one group. */
enum { TAGLINE_FEW = 3, TAGLINE_SOME = 7 };

/* Entries that a table takes before it doubles. */
static inline size_t tagline_limit(size_t capacity) {
    return capacity <= TAGLINE_SLOTS ? capacity : capacity / 8 * 7 + capacity % 8 * 7 / 8;
}

/* The smallest table that takes so many entries: its slots; 0: not addressable. */
static inline size_t tagline_capacity(size_t entries) {
    if (entries <= TAGLINE_FEW) return TAGLINE_FEW;
    if (entries <= TAGLINE_SOME) return TAGLINE_SOME;
    size_t capacity = TAGLINE_SLOTS;
    while (tagline_limit(capacity) < entries) {
        if (capacity > SIZE_MAX / 4) return 0;
        capacity *= 2;
    }
    return capacity;
}

/* --- hashes to choose from --- */

/* Both halves of a product of 128 bits in one word: every bit of it depends on all bits of a and b. */
TAGLINE_INLINE uint64_t tagline_fold(uint64_t a, uint64_t b) {
#if defined(__SIZEOF_INT128__) && !defined(TAGLINE_PORTABLE)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low = a0 * b0, mid = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)mid;
    return (other << 32 | (uint32_t)low) ^ (a1 * b1 + (mid >> 32) + (other >> 32));
#endif
}

#define TAGLINE_PI 0x243f6a8885a308d3u /* bits of the fractions of pi, e and the golden ratio */
#define TAGLINE_E 0xb7e151628aed2a6bu
#define TAGLINE_PHI 0x9e3779b97f4a7c15u

/* An integer's hash. */
TAGLINE_INLINE uint64_t tagline_hash_u64(uint64_t key) {
    return tagline_fold(key ^ TAGLINE_PI, TAGLINE_PHI);
}

TAGLINE_INLINE uint64_t tagline_read64(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}
TAGLINE_INLINE uint64_t tagline_read32(const unsigned char *at) {
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* The hash of so many bytes: folds of 16 of them, the last overlapping those before, after wyhash (Wang Yi,
 * public domain). It differs between machines of either byte order: not to be stored. */
static inline uint64_t tagline_hash_bytes(const void *bytes, size_t length) {
    const unsigned char *at = (const unsigned char *)bytes;
    uint64_t state = TAGLINE_E ^ length, a = 0, b = 0;
    if (length >= 8) {
        size_t left = length;
        for (; left > 16; left -= 16, at += 16)
            state = tagline_fold(tagline_read64(at) ^ TAGLINE_PI, tagline_read64(at + 8) ^ state);
        const unsigned char *end = at + left;
        a = tagline_read64(length >= 16 ? end - 16 : at);
        b = tagline_read64(end - 8);
    } else if (length >= 4) {
        a = tagline_read32(at);
        b = tagline_read32(at + length - 4);
    } else if (length > 0) {
        a = (uint64_t)at[0] << 16 | (uint64_t)at[length / 2] << 8 | at[length - 1];
    }
    return tagline_fold(tagline_fold(a ^ TAGLINE_PI, b ^ state), TAGLINE_PHI ^ length);
}

/* The hash of a text that ends with a zero. */
TAGLINE_INLINE uint64_t tagline_hash_string(const char *text) {
    return tagline_hash_bytes(text, strlen(text));
}

/* What those who choose the keys do not know. */
struct tagline_seed {
    uint64_t low, high;
};

struct tagline_sip {
    uint64_t a, b, c, d;
};

TAGLINE_INLINE uint64_t tagline_rotate(uint64_t word, unsigned bits) {
    return word << bits | word >> (64 - bits);
}

TAGLINE_INLINE void tagline_sip_rounds(struct tagline_sip *sip, unsigned rounds) {
    for (; rounds > 0; rounds--) {
        sip->a += sip->b;
        sip->c += sip->d;
        sip->b = tagline_rotate(sip->b, 13) ^ sip->a;
        sip->d = tagline_rotate(sip->d, 16) ^ sip->c;
        sip->a = tagline_rotate(sip->a, 32) + sip->d;
        sip->c += sip->b;
        sip->b = tagline_rotate(sip->b, 17) ^ sip->c;
        sip->d = tagline_rotate(sip->d, 21) ^ sip->a;
        sip->c = tagline_rotate(sip->c, 32);
    }
}

TAGLINE_INLINE struct tagline_sip tagline_sip_begin(struct tagline_seed seed) {
    struct tagline_sip sip;
    sip.a = seed.low ^ 0x736f6d6570736575u; /* "somepseudorandomlygeneratedbytes" */
    sip.b = seed.high ^ 0x646f72616e646f6du;
    sip.c = seed.low ^ 0x6c7967656e657261u;
    sip.d = seed.high ^ 0x7465646279746573u;
    return sip;
}

TAGLINE_INLINE void tagline_sip_add(struct tagline_sip *sip, uint64_t word, unsigned rounds) {
    sip->d ^= word;
    tagline_sip_rounds(sip, rounds);
    sip->a ^= word;
}

TAGLINE_INLINE uint64_t tagline_sip_end(struct tagline_sip *sip, uint64_t word, unsigned rounds,
                                        unsigned end_rounds) {
    tagline_sip_add(sip, word, rounds);
    sip->c ^= 0xff;
    tagline_sip_rounds(sip, end_rounds);
    return sip->a ^ sip->b ^ sip->c ^ sip->d;
}

/* SipHash with so many rounds a word and at the end, the same on every machine. Source: Aumasson and
 * Bernstein, SipHash: a fast short-input PRF, 2012. */
TAGLINE_INLINE uint64_t tagline_siphash(const void *bytes, size_t length, struct tagline_seed seed,
                                        unsigned rounds, unsigned end_rounds) {
    const unsigned char *at = (const unsigned char *)bytes;
    struct tagline_sip sip = tagline_sip_begin(seed);
    uint64_t last = (uint64_t)length << 56;
    size_t left = length;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 |
                        (uint64_t)at[3] << 24 | (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 |
                        (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
        tagline_sip_add(&sip, word, rounds);
    }
    for (size_t i = 0; i < left; i++) last |= (uint64_t)at[i] << 8 * i;
    return tagline_sip_end(&sip, last, rounds, end_rounds);
}

/* Hashes for TAGLINE_SEEDED_HASH: SipHash-1-3, of which nobody knows how to find keys that collide without
 * the seed. The integer's is that of its 8 bytes, the lowest first. */
static inline uint64_t tagline_seeded_bytes(const void *bytes, size_t length, struct tagline_seed seed) {
    return tagline_siphash(bytes, length, seed, 1, 3);
}
TAGLINE_INLINE uint64_t tagline_seeded_string(const char *text, struct tagline_seed seed) {
    return tagline_seeded_bytes(text, strlen(text), seed);
}
static inline uint64_t tagline_seeded_u64(uint64_t key, struct tagline_seed seed) {
    struct tagline_sip sip = tagline_sip_begin(seed);
    tagline_sip_add(&sip, key, 1);
    return tagline_sip_end(&sip, (uint64_t)8 << 56, 1, 3);
}
#endif /* TAGLINE_H */

/* --- seeds from the system, for maps that have one --- */
#if defined(TAGLINE_SEEDED_HASH) && !defined(TAGLINE_SEEDS)
#define TAGLINE_SEEDS
#ifndef TAGLINE_RANDOM
#ifdef _WIN32
#error "define TAGLINE_RANDOM(bytes, count): fills them at random; false: it cannot. README.md shows how"
#endif
#include <stdio.h>
#ifdef __linux__
#include <errno.h>
#include <sys/random.h>
#endif
/* Random bytes of the kernel; without its call, or without a file of devices: false. */
static inline bool tagline_random(void *bytes, size_t count) {
#ifdef __linux__
    ssize_t got;
    do got = getrandom(bytes, count, 0);
    while (got < 0 && errno == EINTR);
    if (got == (ssize_t)count) return true;
#endif
    FILE *file = fopen("/dev/urandom", "rb");
    if (!file) return false;
    bool read = fread(bytes, 1, count, file) == count;
    fclose(file);
    return read;
}
#define TAGLINE_RANDOM tagline_random
#endif
#ifndef TAGLINE_NO_SEED
#define TAGLINE_NO_SEED(seed) abort() /* a seed that can be guessed protects from nothing */
#endif

/* Draws a seed that nobody can guess; false: the system gives none. */
static inline bool tagline_draw_seed(struct tagline_seed *seed) {
    return TAGLINE_RANDOM(seed, sizeof *seed);
}
#endif

/* --- settings of one map --- */
#if defined(TAGLINE_SEEDED_HASH) && !defined(TL_SEEDED)
#ifdef TAGLINE_HASH
#error "define TAGLINE_HASH(key) or TAGLINE_SEEDED_HASH(key, seed), not both"
#endif
#define TAGLINE_HASH(key) TAGLINE_SEEDED_HASH(key, map->seed) /* where it is used, `map` is the map */
#define TL_SEEDED
#elif !defined(TAGLINE_HASH) && !defined(TAGLINE_TYPES_ONLY)
#error "define TAGLINE_HASH(key): 64 bits, every one of which depends on the whole key"
#endif
#ifndef TAGLINE_EQUAL
#define TAGLINE_EQUAL(a, b) ((a) == (b))
#endif
/* Without values the map is a set: what stands for a value is the key itself. */
#ifndef TAGLINE_VALUE
#define TAGLINE_VALUE TAGLINE_KEY
#define TL_SET
#endif
/* Members of the map for what follows, each with its semicolon. */
#ifndef TAGLINE_FIELDS
#define TAGLINE_FIELDS
#elif !defined(TAGLINE_TYPES_GIVEN)
#define TL_FIELDS_GIVEN
#endif
/* Memory: NULL if there is none left, otherwise aligned as the type needs it; bytes that begin at a multiple
 * of 16. The bytes asked for are at most PTRDIFF_MAX for entries. What is given back may be NULL. */
#ifndef TAGLINE_NEW
#if defined(TAGLINE_NEW_ZEROED) || defined(TAGLINE_DELETE)
#error "define TAGLINE_NEW, TAGLINE_NEW_ZEROED and TAGLINE_DELETE, or none of them"
#endif
#define TL_MALLOC
#define TAGLINE_NEW(map, type, count) ((type *)malloc((count) * sizeof(type)))
#define TAGLINE_NEW_ZEROED(map, type, count) ((type *)calloc((count), sizeof(type)))
#define TAGLINE_DELETE(map, address) free(address)
#endif
/* Stores the address of an array in the map. */
#ifndef TAGLINE_SET
#define TAGLINE_SET(map, field, address) ((void)(*(field) = (address)))
#endif
/* 0: entries begin where their memory does, as a heap that follows pointers needs it. */
#ifndef TAGLINE_ALIGN
#define TAGLINE_ALIGN 1
#endif
/* Called for slots whose bytes mean nothing any more, so that a heap that follows pointers sees none there:
 * after a delete, for all slots of a map that is cleared, and where an entry moved away. No destructor. */
#ifndef TAGLINE_DROP
#define TAGLINE_DROP(map, entry) ((void)(entry))
#endif
/* Fetches what of a key lies elsewhere and is read to compare or hash it. */
#ifndef TAGLINE_FETCH_KEY
#define TAGLINE_FETCH_KEY(key) ((void)(key))
#endif

/* TAGLINE_BOUNDED: the map is many tables, each a map of this header under the name NAME_table. */
#ifdef TAGLINE_BOUNDED
#define TL_NAME TAGLINE_JOIN(TAGLINE_NAME, table)
#else
#define TL_NAME TAGLINE_NAME
#endif
#define TL(name) TAGLINE_JOIN(TL_NAME, name)
#define TL_MAP struct TL_NAME
#define TL_ENTRY struct TAGLINE_JOIN(TAGLINE_NAME, entry)

/* TAGLINE_TYPES_ONLY: the types, for a header of yours; the file with the functions then says
 * TAGLINE_TYPES_GIVEN. */
#ifndef TAGLINE_TYPES_GIVEN
TL_ENTRY {
#ifdef TL_SET
    union { /* two names of one thing */
        TAGLINE_KEY key;
        TAGLINE_KEY value;
    };
#else
    TAGLINE_KEY key;
    TAGLINE_VALUE value;
#endif
};

TL_MAP {
    unsigned char *tags; /* TAGLINE_BYTES of each group */
    TL_ENTRY *entries;   /* TAGLINE_SLOTS of each group */
    size_t mask;         /* TAGLINE_BYTES * (groups - 1): what tagline_home takes */
    size_t len;
    size_t limit;       /* entries at which the next insert makes room */
    size_t capacity;    /* slots; below TAGLINE_SLOTS the one group has tags TAGLINE_NO_SLOT at its end */
    size_t spilled;     /* spill bits that are set */
    size_t spill_limit; /* spill bits at which the next spill makes them anew */
    size_t deleted;     /* entries, since the spill bits were made: without deletes all of them are needed */
    size_t reserved;    /* entries that were promised not to make the table grow */
    size_t skip;        /* where walks begin: no entry is in the groups before */
    unsigned char *tags_block;
    TL_ENTRY *entries_block; /* what the arrays were allocated as */
#ifdef TAGLINE_SEEDED_HASH
    struct tagline_seed seed;
#endif
    TAGLINE_FIELDS
};
#endif

#ifndef TAGLINE_TYPES_ONLY
/* Entries in 8 bytes, if they are of whole ones: groups begin at each of these distances from a line's
 * beginning in turn. Of others some lines are guessed wrongly, which costs a line fetched in vain. Looked up:
 * which way to shift could not be predicted. */
#define TL_SIZE ((unsigned)sizeof(TL_ENTRY))
static const uint16_t TL(lines)[8][16]
#if defined(__GNUC__)
    __attribute__((unused))
#endif
    = {TAGLINE_LINES_OF_GROUP(TL_SIZE, 0u), TAGLINE_LINES_OF_GROUP(TL_SIZE, 1u),
       TAGLINE_LINES_OF_GROUP(TL_SIZE, 2u), TAGLINE_LINES_OF_GROUP(TL_SIZE, 3u),
       TAGLINE_LINES_OF_GROUP(TL_SIZE, 4u), TAGLINE_LINES_OF_GROUP(TL_SIZE, 5u),
       TAGLINE_LINES_OF_GROUP(TL_SIZE, 6u), TAGLINE_LINES_OF_GROUP(TL_SIZE, 7u)};

/* The entries of the group whose tags begin at that byte, in an array of groups. */
TAGLINE_INLINE TL_ENTRY *TL(entries_of)(TL_ENTRY *entries, size_t at) {
    /* 15/16 of the size for each byte of tags; of 8 bytes, 8 less a half. */
    size_t bytes = sizeof(TL_ENTRY) == 8 ? at * 8 - at / 2
                   : sizeof(TL_ENTRY) % TAGLINE_BYTES
                       ? at / TAGLINE_BYTES * (TAGLINE_SLOTS * sizeof(TL_ENTRY))
                       : at * (TAGLINE_SLOTS * (sizeof(TL_ENTRY) / TAGLINE_BYTES));
    return (TL_ENTRY *)(void *)((char *)entries + bytes);
}
TAGLINE_INLINE TL_ENTRY *TL(entries_at)(const TL_MAP *map, size_t at) {
    return TL(entries_of)(map->entries, at);
}

/* An entry of a group. Where no address takes the slot's number as it is, in 32 bits, as no group is larger:
 * it needs no widening. */
TAGLINE_INLINE TL_ENTRY *TL(entry_in)(TL_ENTRY *entries, size_t slot) {
    if (sizeof(TL_ENTRY) <= 8) return entries + slot;
    return (TL_ENTRY *)(void *)((char *)entries + (uint32_t)slot * (uint32_t)sizeof(TL_ENTRY));
}

/* Fetches the line of a group's entries that one with this hash is most likely in. */
TAGLINE_INLINE void TL(fetch_near)(const TL_ENTRY *entries, uint64_t hash) {
    TAGLINE_FETCH((const char *)entries +
                  (size_t)((uint32_t)hash >> 24) * sizeof(TL_ENTRY) / 16); /* in slot `near` */
}

/* One of a group's free slots for an entry with this hash: in its line, if there is one. */
TAGLINE_INLINE size_t TL(choose)(tagline_mask spare, size_t at, uint64_t hash) {
    tagline_mask near = spare & tagline_spread(TL(lines)[at / TAGLINE_BYTES % 8][tagline_near(hash)]);
    return tagline_first(near ? near : spare);
}

/* Where the next group of a probe begins; step counts bytes of tags, from 0. */
TAGLINE_INLINE size_t TL(next_group)(const TL_MAP *map, size_t at, size_t *step) {
    return (at + (*step += TAGLINE_BYTES)) & map->mask;
}

/* Says in a full group that an entry with this hash went on. */
TAGLINE_INLINE void TL(spill)(TL_MAP *map, unsigned char *tags, uint64_t hash) {
    map->spilled += !(tags[TAGLINE_SLOTS] & tagline_class(hash));
    tags[TAGLINE_SLOTS] = (unsigned char)(tags[TAGLINE_SLOTS] | tagline_class(hash));
}

/* Puts a key that is not there into the first group of its probe with a free slot; there is one. */
TAGLINE_INLINE TL_ENTRY *TL(place)(TL_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    size_t at = tagline_home(hash, map->mask), step = 0;
    for (;; at = TL(next_group)(map, at, &step)) {
        unsigned char *tags = map->tags + at;
        tagline_mask spare = tagline_match_free(tagline_load(tags));
        if (TAGLINE_LIKELY(spare != 0)) {
            size_t slot = TL(choose)(spare, at, hash);
            TL_ENTRY *entry = TL(entries_at)(map, at) + slot;
            tags[slot] = tagline_tag_of(tagline_tags(hash));
            entry->key = key;
            if (at < map->skip) map->skip = at;
            return entry;
        }
        TL(spill)(map, tags, hash);
    }
}

/* Spill bits that deletes may leave behind: a quarter of all. */
TAGLINE_INLINE size_t TL(spill_room)(const TL_MAP *map) {
    return map->mask / TAGLINE_BYTES * 2 + 8;
}

/* Sets the fields of a map without arrays. */
static inline void TL(set_empty)(TL_MAP *map) {
    map->tags = (unsigned char *)(uintptr_t)tagline_nothing;
    map->entries = (TL_ENTRY *)(uintptr_t)tagline_nothing; /* never read, but its lines are fetched */
    TAGLINE_SET(map, &map->tags_block, NULL);
    TAGLINE_SET(map, &map->entries_block, NULL);
    map->mask = map->len = map->limit = map->capacity = map->skip = 0;
    map->spilled = map->spill_limit = map->deleted = map->reserved = 0;
}

/* Gives the map new, empty arrays, and leaves it as it was (false) when memory runs out. */
TAGLINE_APART bool TL(allocate)(TL_MAP *map, size_t capacity) {
    size_t groups = capacity / TAGLINE_SLOTS + (capacity < TAGLINE_SLOTS);
    size_t spare = !TAGLINE_ALIGN || capacity * sizeof(TL_ENTRY) < TAGLINE_ALIGNED_MIN
                       ? 0
                       : (TAGLINE_LINE - 16 + sizeof(TL_ENTRY) - 1) / sizeof(TL_ENTRY);
    if (capacity == 0 || capacity > (size_t)PTRDIFF_MAX / sizeof(TL_ENTRY) - spare) return false;
    unsigned char *tags = TAGLINE_NEW_ZEROED(map, unsigned char, groups *TAGLINE_BYTES);
    TL_ENTRY *entries = tags ? TAGLINE_NEW(map, TL_ENTRY, capacity + spare) : NULL;
    if (!entries) {
        TAGLINE_DELETE(map, tags);
        return false;
    }
    TAGLINE_SET(map, &map->tags_block, tags);
    TAGLINE_SET(map, &map->entries_block, entries);
    size_t ahead = -(uintptr_t)entries & (TAGLINE_LINE - 1);
    /* Enough for memory that begins at a multiple of 16. Other memory stays where it is. */
    if (ahead <= spare * sizeof(TL_ENTRY)) entries = (TL_ENTRY *)(void *)((char *)entries + ahead);
    if (capacity < TAGLINE_SLOTS) memset(tags + capacity, TAGLINE_NO_SLOT, TAGLINE_SLOTS - capacity);
    map->tags = tags;
    map->entries = entries;
    map->mask = (groups - 1) * TAGLINE_BYTES;
    map->capacity = capacity;
    map->limit = tagline_limit(capacity);
    map->spilled = 0;
    map->spill_limit = TL(spill_room)(map);
    map->deleted = map->skip = 0;
    return true;
}

/* Fetches what the keys of a group's entries have elsewhere. */
TAGLINE_INLINE void TL(fetch_keys)(const unsigned char *tags, const TL_ENTRY *entries) {
    tagline_mask used = tagline_match_used(tagline_load(tags));
    for (; used; used = tagline_rest(used)) TAGLINE_FETCH_KEY(entries[tagline_first(used)].key);
}

/* Moves all entries to arrays of so many slots; false: out of memory, nothing changed. When the table
 * doubles, entries at home come first, and keep their slots: the two groups that take them get entries from
 * no other, so that nothing is read there, and nothing is chosen. */
TAGLINE_APART bool TL(grow)(TL_MAP *map, size_t capacity) {
    TL_MAP old = *map;
    if (!TL(allocate)(map, capacity)) return false;
    if (old.capacity == 0) return true;
    if (map->mask == old.mask * 2 + TAGLINE_BYTES)
        for (size_t at = 0; at <= old.mask; at += TAGLINE_BYTES) {
            unsigned char *tags = old.tags + at;
            const TL_ENTRY *from = TL(entries_at)(&old, at);
            TL_ENTRY *lower = TL(entries_at)(map, at),
                     *upper = TL(entries_at)(map, at + old.mask + TAGLINE_BYTES);
            tagline_mask used = tagline_match_used(tagline_load(tags));
            if (at < old.mask) TL(fetch_keys)(tags + TAGLINE_BYTES, from + TAGLINE_SLOTS);
            for (; used; used = tagline_rest(used)) {
                size_t slot = tagline_first(used), to;
                uint64_t hash = TAGLINE_HASH(from[slot].key);
                if (!TAGLINE_LIKELY(tagline_home(hash, old.mask) == at)) continue;
                to = tagline_home(hash, map->mask);
                map->tags[to + slot] = tags[slot];
                (to == at ? lower : upper)[slot] = from[slot];
                tags[slot] = TAGLINE_FREE;
            }
        }
    for (size_t at = 0; at <= old.mask; at += TAGLINE_BYTES) {
        unsigned char *tags = old.tags + at;
        const TL_ENTRY *from = TL(entries_at)(&old, at);
        tagline_mask used = tagline_match_used(tagline_load(tags));
        if (at < old.mask) TL(fetch_keys)(tags + TAGLINE_BYTES, from + TAGLINE_SLOTS);
        for (; used; used = tagline_rest(used)) {
            const TL_ENTRY *entry = &from[tagline_first(used)];
            TL(place)(map, entry->key, TAGLINE_HASH(entry->key))->value = entry->value;
        }
    }
    TAGLINE_DELETE(map, old.tags_block);
    TAGLINE_DELETE(map, old.entries_block);
    return true;
}

/* Makes the spill bits anew, none but those that are needed: entries at home stay, all others are placed
 * again. One that goes to a group further on may be placed again there. */
TAGLINE_APART void TL(respill)(TL_MAP *map) {
    for (size_t at = 0; at <= map->mask; at += TAGLINE_BYTES) map->tags[at + TAGLINE_SLOTS] = 0;
    map->spilled = 0;
    for (size_t at = 0; at <= map->mask; at += TAGLINE_BYTES) {
        TL_ENTRY *entries = TL(entries_at)(map, at);
        tagline_mask used = tagline_match_used(tagline_load(map->tags + at));
        if (at < map->mask) TL(fetch_keys)(map->tags + at + TAGLINE_BYTES, entries + TAGLINE_SLOTS);
        for (; used; used = tagline_rest(used)) {
            size_t slot = tagline_first(used);
            uint64_t hash = TAGLINE_HASH(entries[slot].key);
            if (TAGLINE_LIKELY(tagline_home(hash, map->mask) == at)) continue;
            TL_ENTRY spill = entries[slot], *placed;
            map->tags[at + slot] = TAGLINE_FREE;
            placed = TL(place)(map, spill.key, hash);
            placed->value = spill.value;
            if (placed != &entries[slot]) TAGLINE_DROP(map, &entries[slot]);
        }
    }
    map->spill_limit = map->spilled + TL(spill_room)(map);
    map->deleted = 0;
}

/* --- for everybody --- */

/* An empty map; it takes no memory until something is put into it. */
#ifdef TAGLINE_SEEDED_HASH
TAGLINE_INLINE TL_MAP TL(make_seeded)(struct tagline_seed seed) {
    TL_MAP map;
    memset(&map, 0, sizeof map);
    TL(set_empty)(&map);
    map.seed = seed;
    return map;
}

/* With a seed drawn from the system. */
TAGLINE_INLINE TL_MAP TL(make)(void) {
    struct tagline_seed seed;
    if (!tagline_draw_seed(&seed)) TAGLINE_NO_SEED(&seed);
    return TL(make_seeded)(seed);
}

/* To store, or for a second map with the same hashes. */
TAGLINE_INLINE struct tagline_seed TL(seed)(const TL_MAP *map) {
    return map->seed;
}
#else
TAGLINE_INLINE TL_MAP TL(make)(void) {
    TL_MAP map;
    memset(&map, 0, sizeof map);
    TL(set_empty)(&map);
    return map;
}
#endif

/* Frees what the map holds. It is empty afterwards and may be used again. */
TAGLINE_INLINE void TL(free)(TL_MAP *map) {
    TAGLINE_DELETE(map, map->tags_block);
    TAGLINE_DELETE(map, map->entries_block);
    TL(set_empty)(map);
}

/* Makes room, so that the map holds so many entries without growing; false: out of memory, nothing changed.
 */
TAGLINE_INLINE bool TL(reserve)(TL_MAP *map, size_t entries) {
    if (entries > map->limit) {
        size_t capacity = tagline_capacity(entries);
        if (!capacity || !TL(grow)(map, capacity)) return false;
    }
    if (entries > map->reserved) map->reserved = entries;
    return true;
}

TAGLINE_INLINE size_t TL(len)(const TL_MAP *map) {
    return map->len;
}

/* Slots of the arrays. */
TAGLINE_INLINE size_t TL(capacity)(const TL_MAP *map) {
    return map->capacity;
}

/* The entry with this key in the groups after its home, or NULL. */
TAGLINE_APART TL_ENTRY *TL(find_spill)(const TL_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    size_t at = tagline_home(hash, map->mask), step = 0;
    tagline_bytes wanted = tagline_tags(hash);
    while (step < map->mask && map->tags[at + TAGLINE_SLOTS] & tagline_class(hash)) {
        at = TL(next_group)(map, at, &step);
        tagline_mask match = tagline_match(tagline_load(map->tags + at), wanted);
        for (; match; match = tagline_rest(match)) {
            TL_ENTRY *entry = TL(entries_at)(map, at) + tagline_first(match);
            if (TAGLINE_EQUAL(entry->key, key)) return entry;
        }
    }
    return NULL;
}

/* The entry with this key, whose home has these tags and entries, or NULL. */
TAGLINE_INLINE TL_ENTRY *TL(find_at)(const TL_MAP *map, const unsigned char *tags, TL_ENTRY *entries,
                                     TAGLINE_KEY key, uint64_t hash) {
    TL(fetch_near)(entries, hash);
    tagline_mask match = tagline_match(tagline_load(tags), tagline_tags(hash));
    for (; match; match = tagline_rest(match)) {
        TL_ENTRY *entry = TL(entry_in)(entries, tagline_first(match));
        if (TAGLINE_LIKELY(TAGLINE_EQUAL(entry->key, key))) return entry;
    }
    if (TAGLINE_LIKELY(!(tags[TAGLINE_SLOTS] & tagline_class(hash)))) return NULL;
    return TL(find_spill)(map, key, hash);
}

/* The entry with this key, or NULL. */
TAGLINE_INLINE TL_ENTRY *TL(find)(const TL_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    size_t at = tagline_home(hash, map->mask);
    return TL(find_at)(map, map->tags + at, TL(entries_at)(map, at), key, hash);
}

/* The address of the key's value, until the next insert; NULL: absent. */
TAGLINE_INLINE TAGLINE_VALUE *TL(get)(const TL_MAP *map, TAGLINE_KEY key) {
    TL_ENTRY *entry = TL(find)(map, key, TAGLINE_HASH(key));
    return entry ? &entry->value : NULL;
}

/* Inserts a key that is not there and has no place in its home; NULL: out of memory, nothing changed. */
TAGLINE_APART TL_ENTRY *TL(insert)(TL_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    bool full = map->len >= map->limit;
    if (!full && map->spilled > map->spill_limit) {
        /* Deletes leave bits that are not needed any more. Without them some groups got far more than others,
         * as from the walk of another map: a table that is half full doubles early, and evens that out. */
        if (map->deleted > map->mask / TAGLINE_BYTES)
            TL(respill)(map);
        else if (map->len > map->limit / 2 && map->len >= map->reserved && !TL(grow)(map, map->capacity * 2))
            map->spill_limit = SIZE_MAX; /* not again at every spill */
    }
    if (full) {
        size_t capacity = tagline_capacity(map->limit + 1);
        if (!capacity || !TL(grow)(map, capacity)) return NULL;
    }
    map->len++;
    return TL(place)(map, key, hash);
}

/* The entry with this key, found or put into its home at `at`, whose tags and entries these are; *added says
 * whether it was absent. NULL: it was, and there is no room at home or in the table. */
TAGLINE_INLINE TL_ENTRY *TL(add_at)(TL_MAP *map, size_t at, unsigned char *tags, TL_ENTRY *entries,
                                    TAGLINE_KEY key, uint64_t hash, bool *added) {
    TL_ENTRY *entry;
    TL(fetch_near)(entries, hash);
    tagline_bytes wanted = tagline_tags(hash), bytes = tagline_load(tags);
    tagline_mask match = tagline_match(bytes, wanted), spare;
    *added = false;
    for (; match; match = tagline_rest(match)) {
        entry = TL(entry_in)(entries, tagline_first(match));
        if (TAGLINE_LIKELY(TAGLINE_EQUAL(entry->key, key))) return entry;
    }
    if (!TAGLINE_LIKELY(!(tags[TAGLINE_SLOTS] & tagline_class(hash)))) {
        entry = TL(find_spill)(map, key, hash);
        if (entry) return entry;
    }
    *added = true;
    spare = tagline_match_free(bytes);
    if (!TAGLINE_LIKELY(spare != 0 && map->len < map->limit)) return NULL;
    size_t slot = TL(choose)(spare, at, hash);
    entry = TL(entry_in)(entries, slot);
    tags[slot] = tagline_tag_of(wanted);
    entry->key = key;
    map->len++;
    if (!TAGLINE_LIKELY(at >= map->skip)) map->skip = at;
    return entry;
}

/* As put; *added says whether the key was absent. */
TAGLINE_INLINE TAGLINE_VALUE *TL(add)(TL_MAP *map, TAGLINE_KEY key, bool *added) {
    uint64_t hash = TAGLINE_HASH(key);
    size_t at = tagline_home(hash, map->mask);
    TL_ENTRY *entry = TL(add_at)(map, at, map->tags + at, TL(entries_at)(map, at), key, hash, added);
    if (!TAGLINE_LIKELY(entry != NULL)) entry = TL(insert)(map, key, hash);
    return entry ? &entry->value : NULL;
}

/* The address of the key's value, until the next insert. A key that was absent is inserted, with a value that
 * is not initialised. NULL: out of memory, and the map is what it was. */
TAGLINE_INLINE TAGLINE_VALUE *TL(put)(TL_MAP *map, TAGLINE_KEY key) {
    bool added;
    return TL(add)(map, key, &added);
}

/* A group became empty in which walks began: they begin later. In steps, so that a delete takes constant
 * time. */
TAGLINE_APART void TL(skip_empty)(TL_MAP *map) {
    for (int i = 0; i < 64 && map->skip < map->mask; i++) {
        if (tagline_match_used(tagline_load(map->tags + map->skip))) return;
        map->skip += TAGLINE_BYTES;
    }
}

/* Frees the slot of an entry. */
TAGLINE_INLINE void TL(remove)(TL_MAP *map, TL_ENTRY *entry, unsigned char *tag, size_t at) {
    *tag = TAGLINE_FREE;
    map->len--;
    map->deleted++;
    TAGLINE_DROP(map, entry);
    if (!TAGLINE_LIKELY(at != map->skip)) TL(skip_empty)(map);
}

/* Removes an entry that lies outside its home. */
TAGLINE_APART bool TL(del_spill)(TL_MAP *map, TAGLINE_KEY key, uint64_t hash) {
    TL_ENTRY *entry = TL(find_spill)(map, key, hash);
    if (!entry) return false;
    size_t index = (size_t)(entry - map->entries), group = index / TAGLINE_SLOTS;
    TL(remove)(map, entry, map->tags + index + group, group * TAGLINE_BYTES);
    return true;
}

/* Removes the key whose home at `at` has these tags and entries; false: it was absent. */
TAGLINE_INLINE bool TL(del_at)(TL_MAP *map, size_t at, unsigned char *tags, TL_ENTRY *entries,
                               TAGLINE_KEY key, uint64_t hash) {
    TL(fetch_near)(entries, hash);
    tagline_mask match = tagline_match(tagline_load(tags), tagline_tags(hash));
    for (; match; match = tagline_rest(match)) {
        size_t slot = tagline_first(match);
        if (!TAGLINE_LIKELY(TAGLINE_EQUAL(entries[slot].key, key))) continue;
        TL(remove)(map, &entries[slot], tags + slot, at);
        return true;
    }
    if (TAGLINE_LIKELY(!(tags[TAGLINE_SLOTS] & tagline_class(hash)))) return false;
    return TL(del_spill)(map, key, hash);
}

/* Removes the key; false: it was absent. Other entries stay where they are. */
TAGLINE_INLINE bool TL(del)(TL_MAP *map, TAGLINE_KEY key) {
    uint64_t hash = TAGLINE_HASH(key);
    size_t at = tagline_home(hash, map->mask);
    return TL(del_at)(map, at, map->tags + at, TL(entries_at)(map, at), key, hash);
}

/* Removes all entries. The arrays stay. */
TAGLINE_INLINE void TL(clear)(TL_MAP *map) {
    if (map->capacity == 0) return;
    for (size_t i = 0; i < map->capacity; i++) TAGLINE_DROP(map, &map->entries[i]);
    memset(map->tags, TAGLINE_FREE, map->mask + TAGLINE_BYTES);
    if (map->capacity < TAGLINE_SLOTS)
        memset(map->tags + map->capacity, TAGLINE_NO_SLOT, TAGLINE_SLOTS - map->capacity);
    map->len = map->spilled = map->deleted = map->skip = 0;
    map->spill_limit = TL(spill_room)(map);
}

/* Fills an empty map with the entries of another; false: out of memory, it is still empty. */
TAGLINE_INLINE bool TL(clone)(TL_MAP *map, const TL_MAP *from) {
#ifdef TAGLINE_SEEDED_HASH
    map->seed = from->seed; /* the entries' places are by it */
#endif
    if (from->capacity == 0) return true;
    if (!TL(allocate)(map, from->capacity)) return false;
    memcpy(map->tags, from->tags, from->mask + TAGLINE_BYTES);
    memcpy(map->entries, from->entries, from->capacity * sizeof(TL_ENTRY));
    map->len = from->len;
    map->spilled = from->spilled;
    map->spill_limit = from->spill_limit;
    map->deleted = from->deleted;
    map->skip = from->skip;
    return true;
}

/* A walk over all entries, in no order. During a walk the entry that it is at may be deleted; nothing else
 * may be inserted or deleted.
 *
 *     for (struct counts_walk walk = counts_begin(&map); counts_next(&walk);) use(walk.entry->key,
 * walk.entry->value);
 */
struct TL(walk) {
    TL_ENTRY *entry;
    const TL_MAP *map;
    TL_ENTRY *entries; /* of the groups of the mask */
    size_t next;       /* where the groups begin after these */
    uint64_t left;     /* a bit for each slot in use of one group or four that was not visited yet */
};

TAGLINE_INLINE void TL(walk_start)(const TL_MAP *map, struct TL(walk) * walk) {
    walk->entry = NULL;
    walk->map = map;
    walk->next = map->skip;
    walk->entries = NULL;
    walk->left = 0;
}

TAGLINE_INLINE struct TL(walk) TL(begin)(const TL_MAP *map) {
    struct TL(walk) walk;
    TL(walk_start)(map, &walk);
    return walk;
}

/* Moves to the next entry; false: there is none left. */
TAGLINE_INLINE bool TL(next)(struct TL(walk) * walk) {
    const TL_MAP *map = walk->map;
    while (!walk->left) {
        size_t at = walk->next;
        if (at > map->mask) return false;
        const unsigned char *tags = map->tags + at;
        walk->entries = TL(entries_at)(map, at);
        walk->left = tagline_used(tags);
        walk->next = at + TAGLINE_BYTES;
        if (TAGLINE_LIKELY(at + 3 * TAGLINE_BYTES <= map->mask)) {
            walk->left |= tagline_used(tags + TAGLINE_BYTES) << TAGLINE_SLOTS |
                          tagline_used(tags + 2 * TAGLINE_BYTES) << 2 * TAGLINE_SLOTS |
                          tagline_used(tags + 3 * TAGLINE_BYTES) << 3 * TAGLINE_SLOTS;
            walk->next = at + 4 * TAGLINE_BYTES;
        }
    }
    walk->entry = &walk->entries[TAGLINE_LOWEST(walk->left)];
    walk->left &= walk->left - 1;
    return true;
}

/* Looks up to TAGLINE_BATCH keys at once: found[i] is the address of the value of keys[i], or NULL. Out of
 * the caches this takes a fraction of the time of as many calls of get, since the lines of all keys are
 * fetched together. */
#ifndef TAGLINE_BATCH
#define TAGLINE_BATCH 32
#endif
TAGLINE_INLINE void TL(get_batch)(const TL_MAP *map, TAGLINE_KEY const *keys, size_t count,
                                  TAGLINE_VALUE **found) {
    uint64_t hashes[TAGLINE_BATCH];
    TL_ENTRY *candidates[TAGLINE_BATCH]; /* NULL: found[i] is known */
    for (size_t i = 0; i < count; i++) {
        hashes[i] = TAGLINE_HASH(keys[i]);
        size_t at = tagline_home(hashes[i], map->mask);
        TAGLINE_FETCH(map->tags + at);
        TL(fetch_near)(TL(entries_at)(map, at), hashes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = tagline_home(hashes[i], map->mask);
        const unsigned char *tags = map->tags + at;
        tagline_mask match = tagline_match(tagline_load(tags), tagline_tags(hashes[i]));
        candidates[i] = NULL;
        found[i] = NULL;
        if (match) {
            candidates[i] = TL(entries_at)(map, at) + tagline_first(match);
            TAGLINE_FETCH(candidates[i]);
        } else if (!TAGLINE_LIKELY(!(tags[TAGLINE_SLOTS] & tagline_class(hashes[i])))) {
            TL_ENTRY *entry = TL(find_spill)(map, keys[i], hashes[i]);
            if (entry) found[i] = &entry->value;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (candidates[i]) TAGLINE_FETCH_KEY(candidates[i]->key);
    for (size_t i = 0; i < count; i++) {
        TL_ENTRY *entry = candidates[i];
        if (!entry) continue;
        if (!TAGLINE_LIKELY(TAGLINE_EQUAL(entry->key, keys[i]))) entry = TL(find)(map, keys[i], hashes[i]);
        if (entry) found[i] = &entry->value;
    }
}

/* Looks up any number of keys, as get_batch does a batch. */
TAGLINE_INLINE void TL(get_many)(const TL_MAP *map, TAGLINE_KEY const *keys, size_t count,
                                 TAGLINE_VALUE **found) {
    for (size_t i = 0; i < count; i += TAGLINE_BATCH)
        TL(get_batch)(map, keys + i, count - i < TAGLINE_BATCH ? count - i : TAGLINE_BATCH, found + i);
}

/* The key's entry, with the key as it is stored, until the next insert; NULL: absent. */
TAGLINE_INLINE TL_ENTRY *TL(get_entry)(const TL_MAP *map, TAGLINE_KEY key) {
    return TL(find)(map, key, TAGLINE_HASH(key));
}

/* The entry whose value that is. Its key may be exchanged for an equal one, as for a copy of one's own. */
TAGLINE_INLINE TL_ENTRY *TL(entry_of)(TAGLINE_VALUE *value) {
    return (TL_ENTRY *)(void *)((char *)value - offsetof(TL_ENTRY, value));
}

/* Removes an entry that get_entry, entry_of or a walk gave. */
TAGLINE_INLINE void TL(del_entry)(TL_MAP *map, TL_ENTRY *entry) {
    size_t index = (size_t)(entry - map->entries), group = index / TAGLINE_SLOTS;
    TL(remove)(map, entry, map->tags + index + group, group * TAGLINE_BYTES);
}

/* Gives back the memory that the map's entries do not need, reserved or not; false: there was none to move
 * them to, nothing changed. */
TAGLINE_INLINE bool TL(shrink)(TL_MAP *map) {
    size_t capacity = tagline_capacity(map->len);
    if (map->len == 0) {
        TL(free)(map);
    } else if (capacity < map->capacity) {
        if (!TL(grow)(map, capacity)) return false;
    }
    map->reserved = 0;
    return true;
}

#ifdef TL_MALLOC
TAGLINE_ASSERT(TAGLINE_ALIGNMENT(TL_ENTRY) <= TAGLINE_ALIGNMENT(max_align_t),
               "malloc does not align such entries: define TAGLINE_NEW, TAGLINE_NEW_ZEROED, TAGLINE_DELETE");
#endif
#undef TL_SIZE
#endif
#ifdef TAGLINE_BOUNDED
#include "tagline_bounded.h"
#endif
#undef TL
#undef TL_NAME
#undef TL_MAP
#undef TL_ENTRY
/* TAGLINE_KEEP: the settings, from TAGLINE_TYPES_ONLY to TAGLINE_TYPES_GIVEN. */
#if defined(TAGLINE_TYPES_ONLY) && defined(TAGLINE_KEEP)
#undef TAGLINE_TYPES_ONLY
#else
#undef TAGLINE_TYPES_ONLY
#undef TAGLINE_TYPES_GIVEN
#undef TAGLINE_KEEP
#undef TAGLINE_BOUNDED
#undef TAGLINE_ADOPT
#undef TL_FIELDS_GIVEN
#undef TAGLINE_NAME
#undef TAGLINE_KEY
#undef TAGLINE_VALUE
#undef TAGLINE_HASH
#undef TAGLINE_SEEDED_HASH
#undef TAGLINE_EQUAL
#undef TAGLINE_FIELDS
#undef TAGLINE_NEW
#undef TAGLINE_NEW_ZEROED
#undef TAGLINE_DELETE
#undef TAGLINE_SET
#undef TAGLINE_ALIGN
#undef TAGLINE_DROP
#undef TAGLINE_FETCH_KEY
#undef TAGLINE_BATCH
#undef TL_SET
#undef TL_MALLOC
#undef TL_SEEDED
#endif
