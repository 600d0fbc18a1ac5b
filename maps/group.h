/* Groups of control bytes, compared all at once: what a Swiss table probes with.
 *
 * A GROUP is GROUP_SLOTS control bytes that belong together, aligned to that many bytes, one for each slot:
 *
 *             0       CTRL_EMPTY: free, and a probe may stop here
 *             1       CTRL_DELETED: free, but a probe must go on (a tombstone)
 *             2..255  the tag of the entry in the slot: 8 bits of its hash
 *
 * Empty is 0 so that zeroed memory is an empty table. Swiss tables usually tell free from full by the
 * byte's highest bit, which leaves 7 bits of tag; here 254 tags halve the lookups that read a wrong slot
 * (at 14 entries a group from 11 % to 6 %) for one more vector instruction where free slots are looked for.
 *
 * A group_mask has one bit set for each slot that matched, GROUP_STRIDE bits apart, in slot order: SSE2
 * yields one bit a byte, NEON's narrowing shift four, and arithmetic on a plain word eight. SWISS_PORTABLE
 * selects the last, which has 8 slots a group, on every machine, for testing.
 *
 * Source:     absl/container/internal/raw_hash_set.h (Google, 2017); Go, internal/runtime/maps/group.go.
 *             The NEON narrowing shift: Danila Kutenin, "Porting x86 vector bitmask optimizations to Arm
 *             NEON" (2022). The exact zero-byte test: Warren, Hacker's Delight, 6-1.
 */
#ifndef MAPBENCH_MAPS_GROUP_H
#define MAPBENCH_MAPS_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CTRL_EMPTY = 0, CTRL_DELETED = 1, CTRL_TAG_MIN = 2 };

#define GROUP_INLINE static inline __attribute__((always_inline))

/* The tag comes from the highest bits of the hash, the group from the lowest. */
GROUP_INLINE uint8_t group_tag(uint64_t hash) {
    uint8_t tag = (uint8_t)(hash >> 56);
    return tag < CTRL_TAG_MIN ? CTRL_TAG_MIN : tag;
}

#if defined(__SSE2__) && !defined(SWISS_PORTABLE)
#include <emmintrin.h>

#define GROUP_KIND "SSE2, 16 slots"
enum { GROUP_SLOTS = 16, GROUP_STRIDE = 1 };
typedef uint32_t group_mask;
typedef __m128i group_bytes;

GROUP_INLINE group_bytes group_load(const uint8_t *ctrl) {
    return _mm_load_si128((const __m128i *)(const void *)ctrl);
}
/* The hash's tag in every byte. Multiplying spreads a byte over a word in one instruction; SSE2 has no byte
 * shuffle to do it in the vector. There the least tag is one instruction instead of three. */
GROUP_INLINE group_bytes group_tags(uint64_t hash) {
    __m128i top = _mm_set1_epi32((int)((uint32_t)(hash >> 56) * 0x01010101u));
    return _mm_max_epu8(top, _mm_set1_epi8(CTRL_TAG_MIN));
}
GROUP_INLINE uint8_t group_tag_of(group_bytes tags) {
    return (uint8_t)_mm_cvtsi128_si32(tags);
}
GROUP_INLINE group_mask group_match(group_bytes group, group_bytes tags) {
    return (group_mask)_mm_movemask_epi8(_mm_cmpeq_epi8(group, tags));
}
GROUP_INLINE group_mask group_match_empty(group_bytes group) {
    return group_match(group, _mm_setzero_si128());
}
GROUP_INLINE group_mask group_match_free(group_bytes group) {
    return (group_mask)_mm_movemask_epi8(
        _mm_cmpeq_epi8(_mm_min_epu8(group, _mm_set1_epi8(CTRL_DELETED)), group));
}
GROUP_INLINE group_mask group_match_full(group_bytes group) {
    return group_match_free(group) ^ 0xffff;
}

#elif defined(__ARM_NEON) && !defined(SWISS_PORTABLE)
#include <arm_neon.h>

#define GROUP_KIND "NEON, 16 slots"
enum { GROUP_SLOTS = 16, GROUP_STRIDE = 4 };
typedef uint64_t group_mask;
typedef uint8x16_t group_bytes;

GROUP_INLINE group_bytes group_load(const uint8_t *ctrl) {
    return vld1q_u8(ctrl);
}
GROUP_INLINE group_mask group_narrow(uint8x16_t matched) {
    uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8(matched), 4);
    return vget_lane_u64(vreinterpret_u64_u8(halves), 0) & 0x1111111111111111u;
}
GROUP_INLINE group_bytes group_tags(uint64_t hash) {
    return vdupq_n_u8(group_tag(hash));
}
GROUP_INLINE uint8_t group_tag_of(group_bytes tags) {
    return vgetq_lane_u8(tags, 0);
}
GROUP_INLINE group_mask group_match(group_bytes group, group_bytes tags) {
    return group_narrow(vceqq_u8(group, tags));
}
GROUP_INLINE group_mask group_match_empty(group_bytes group) {
    return group_match(group, vdupq_n_u8(CTRL_EMPTY));
}
GROUP_INLINE group_mask group_match_free(group_bytes group) {
    return group_narrow(vcleq_u8(group, vdupq_n_u8(CTRL_DELETED)));
}
GROUP_INLINE group_mask group_match_full(group_bytes group) {
    return group_narrow(vcgtq_u8(group, vdupq_n_u8(CTRL_DELETED)));
}

#else

#define GROUP_KIND "plain words, 8 slots"
enum { GROUP_SLOTS = 8, GROUP_STRIDE = 8 };
typedef uint64_t group_mask;
typedef uint64_t group_bytes;

#define GROUP_EVERY_BYTE(value) (0x0101010101010101u * (uint64_t)(value))

GROUP_INLINE group_bytes group_load(const uint8_t *ctrl) {
    uint64_t bytes;
    memcpy(&bytes, ctrl, sizeof bytes);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    return bytes;
}
/* Exact: unlike the shorter tests no carry runs from one byte into the next. */
GROUP_INLINE group_mask group_match_empty(group_bytes group) {
    return ~(((group & GROUP_EVERY_BYTE(0x7f)) + GROUP_EVERY_BYTE(0x7f)) | group | GROUP_EVERY_BYTE(0x7f));
}
GROUP_INLINE group_bytes group_tags(uint64_t hash) {
    return GROUP_EVERY_BYTE(group_tag(hash));
}
GROUP_INLINE uint8_t group_tag_of(group_bytes tags) {
    return (uint8_t)tags;
}
GROUP_INLINE group_mask group_match(group_bytes group, group_bytes tags) {
    return group_match_empty(group ^ tags);
}
GROUP_INLINE group_mask group_match_free(group_bytes group) {
    return group_match_empty(group & GROUP_EVERY_BYTE(0xff ^ CTRL_DELETED));
}
GROUP_INLINE group_mask group_match_full(group_bytes group) {
    return group_match_free(group) ^ GROUP_EVERY_BYTE(0x80);
}

#endif

/* The first slot of a mask that is not 0, and the mask without it. */
GROUP_INLINE size_t group_first(group_mask mask) {
    return (size_t)__builtin_ctzll(mask) / GROUP_STRIDE;
}
GROUP_INLINE group_mask group_rest(group_mask mask) {
    return mask & (mask - 1);
}

#endif
