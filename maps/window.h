/* Windows of eight Robin Hood metas, compared all at once (maps/robin_hood.h says what for).
 *
 * A META is a slot's distance, in its high byte, and 8 bits of its key's hash, in the low one; 0 is a free
 * slot. A key with hash bits h that is not in the first slot of a window, at distance d, may be in the next
 * with meta (d+1, h), and so on: a WANT is those eight metas. A window_mask has WINDOW_STRIDE bits set for
 * each slot that matched, in slot order. ROBIN_PORTABLE selects the plain code, which does the same, on every
 * machine, for testing.
 */
#ifndef MAPBENCH_MAPS_WINDOW_H
#define MAPBENCH_MAPS_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_SLOTS = 8,
    WINDOW_SCAN_SLOTS = 16, /* slots that window_in_use looks at */
};

#define WINDOW_INLINE static inline __attribute__((always_inline))

typedef uint32_t window_mask;

#if defined(__SSE2__) && !defined(ROBIN_PORTABLE)
#include <emmintrin.h>

#define WINDOW_KIND "SSE2"
enum { WINDOW_STRIDE = 2 };
typedef __m128i window_want;

WINDOW_INLINE __m128i window_load(const uint16_t *meta) {
    return _mm_loadu_si128((const __m128i *)(const void *)meta);
}

/* The metas of a key from its home on. */
WINDOW_INLINE window_want window_first(uint16_t bits) {
    return _mm_add_epi16(_mm_set1_epi16((short)bits),
                         _mm_set_epi16(0x800, 0x700, 0x600, 0x500, 0x400, 0x300, 0x200, 0x100));
}
/* The metas of the same key in the next window. */
WINDOW_INLINE window_want window_next(window_want want) {
    return _mm_add_epi16(want, _mm_set1_epi16(WINDOW_SLOTS << 8));
}
WINDOW_INLINE window_mask window_equal(const uint16_t *meta, window_want want) {
    return (window_mask)_mm_movemask_epi8(_mm_cmpeq_epi16(window_load(meta), want));
}
/* Slots that are free or whose entry is nearer its home than the key would be: where the distance wanted less
 * the slot's, cut off at 0, is not 0. */
WINDOW_INLINE window_mask window_richer(const uint16_t *meta, window_want want) {
    __m128i distances = _mm_and_si128(want, _mm_set1_epi16((short)0xff00));
    __m128i lead = _mm_subs_epu16(distances, window_load(meta));
    return (window_mask)_mm_movemask_epi8(_mm_cmpeq_epi16(lead, _mm_setzero_si128())) ^ 0xffff;
}
/* One bit for each of WINDOW_SCAN_SLOTS slots. */
WINDOW_INLINE uint32_t window_in_use(const uint16_t *meta) {
    __m128i zero = _mm_setzero_si128();
    __m128i unused = _mm_packs_epi16(_mm_cmpeq_epi16(window_load(meta), zero),
                                     _mm_cmpeq_epi16(window_load(meta + WINDOW_SLOTS), zero));
    return (uint32_t)_mm_movemask_epi8(unused) ^ 0xffff;
}

#else

#define WINDOW_KIND "plain code"
enum { WINDOW_STRIDE = 1 };
typedef uint32_t window_want; /* the first of the eight */

WINDOW_INLINE window_want window_first(uint16_t bits) {
    return 0x100u | bits;
}
WINDOW_INLINE window_want window_next(window_want want) {
    return want + (WINDOW_SLOTS << 8);
}
WINDOW_INLINE window_mask window_equal(const uint16_t *meta, window_want want) {
    window_mask mask = 0;
    for (uint32_t i = 0; i < WINDOW_SLOTS; i++) mask |= (uint32_t)(meta[i] == want + (i << 8)) << i;
    return mask;
}
WINDOW_INLINE window_mask window_richer(const uint16_t *meta, window_want want) {
    window_mask mask = 0;
    for (uint32_t i = 0; i < WINDOW_SLOTS; i++)
        mask |= (uint32_t)((uint32_t)meta[i] >> 8 < (want >> 8) + i) << i;
    return mask;
}
WINDOW_INLINE uint32_t window_in_use(const uint16_t *meta) {
    uint32_t mask = 0;
    for (uint32_t i = 0; i < WINDOW_SCAN_SLOTS; i++) mask |= (uint32_t)(meta[i] != 0) << i;
    return mask;
}

#endif

/* The first slot of a mask that is not 0, and the mask without it. */
WINDOW_INLINE size_t window_lane(window_mask mask) {
    return (size_t)__builtin_ctz(mask) / WINDOW_STRIDE;
}
WINDOW_INLINE window_mask window_rest(window_mask mask) {
    for (int bit = 0; bit < WINDOW_STRIDE; bit++) mask &= mask - 1;
    return mask;
}

#endif
