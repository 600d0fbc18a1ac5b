/* Control words of Go's Swiss map: eight control bytes, compared all at once.
 *
 *             1000 0000   GO_CTRL_EMPTY: free, and a probe may stop here
 *             1111 1110   GO_CTRL_DELETED: free, but a probe must go on (a tombstone)
 *             0hhh hhhh   full; h are the lowest 7 bits of the entry's hash, H2
 *
 * A go_bitset has one bit for each slot that matched, GO_BITSET_STRIDE bits apart. With SSE2 it is packed, as
 * the compiler's intrinsics make it on amd64; elsewhere a matching slot is 0x80 in its byte.
 * GO_SWISS_PORTABLE selects the latter on every machine, for testing.
 *
 * Source:     Go 1.24.4, internal/runtime/maps/group.go; the SSE2 forms:
 * cmd/compile/internal/ssagen/intrinsics.go (ctrlGroupMatchH2 and its neighbours).
 */
#ifndef MAPBENCH_MAPS_GO_SWISS_GROUP_H
#define MAPBENCH_MAPS_GO_SWISS_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { GO_GROUP_SLOTS = 8, GO_CTRL_EMPTY = 0x80, GO_CTRL_DELETED = 0xfe };

#define GO_CTRL_INLINE static inline __attribute__((always_inline))
#define GO_EVERY_BYTE(value) (0x0101010101010101u * (uint64_t)(value))

typedef uint64_t go_bitset;

#if defined(__SSE2__) && !defined(GO_SWISS_PORTABLE)
#include <emmintrin.h>

#define GO_GROUP_KIND "SSE2"
enum { GO_BITSET_STRIDE = 1 };

/* Half of the register is no control byte: its bits are cut off. */
GO_CTRL_INLINE go_bitset go_match_byte(const uint8_t *ctrl, uint8_t value) {
    __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)ctrl);
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)value))) & 0xff;
}
/* group.go: ctrlGroupMatchH2. */
GO_CTRL_INLINE go_bitset go_match_h2(const uint8_t *ctrl, uint8_t h2) {
    return go_match_byte(ctrl, h2);
}
/* group.go: ctrlGroupMatchEmpty. */
GO_CTRL_INLINE go_bitset go_match_empty(const uint8_t *ctrl) {
    return go_match_byte(ctrl, GO_CTRL_EMPTY);
}
GO_CTRL_INLINE go_bitset go_match_deleted(const uint8_t *ctrl) {
    return go_match_byte(ctrl, GO_CTRL_DELETED);
}
/* group.go: ctrlGroupMatchEmptyOrDeleted. */
GO_CTRL_INLINE go_bitset go_match_empty_or_deleted(const uint8_t *ctrl) {
    return (unsigned)_mm_movemask_epi8(_mm_loadl_epi64((const __m128i *)(const void *)ctrl)) & 0xff;
}
/* group.go: ctrlGroupMatchFull. */
GO_CTRL_INLINE go_bitset go_match_full(const uint8_t *ctrl) {
    return go_match_empty_or_deleted(ctrl) ^ 0xff;
}

#else

#define GO_GROUP_KIND "plain words"
enum { GO_BITSET_STRIDE = 8 };

GO_CTRL_INLINE uint64_t go_ctrl_word(const uint8_t *ctrl) {
    uint64_t word;
    memcpy(&word, ctrl, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}
/* May report a slot too many after one that matches; comparing keys sorts it out. */
GO_CTRL_INLINE go_bitset go_match_h2(const uint8_t *ctrl, uint8_t h2) {
    uint64_t differs = go_ctrl_word(ctrl) ^ GO_EVERY_BYTE(h2);
    return (differs - GO_EVERY_BYTE(1)) & ~differs & GO_EVERY_BYTE(0x80);
}
/* Two kinds of bytes have the highest bit set; only empty lacks bit 1. */
GO_CTRL_INLINE go_bitset go_match_empty(const uint8_t *ctrl) {
    uint64_t word = go_ctrl_word(ctrl);
    return word & ~(word << 6) & GO_EVERY_BYTE(0x80);
}
GO_CTRL_INLINE go_bitset go_match_deleted(const uint8_t *ctrl) {
    uint64_t word = go_ctrl_word(ctrl);
    return word & (word << 6) & GO_EVERY_BYTE(0x80);
}
GO_CTRL_INLINE go_bitset go_match_empty_or_deleted(const uint8_t *ctrl) {
    return go_ctrl_word(ctrl) & GO_EVERY_BYTE(0x80);
}
GO_CTRL_INLINE go_bitset go_match_full(const uint8_t *ctrl) {
    return go_match_empty_or_deleted(ctrl) ^ GO_EVERY_BYTE(0x80);
}

#endif

/* group.go: bitset.first, removeFirst, removeBelow. The first needs a set that is not empty. maps/group.h
 * ends with the same functions; these stay apart, as the port follows Go's file and not another map's. */
GO_CTRL_INLINE size_t go_bitset_first(go_bitset set) {
    return (size_t)__builtin_ctzll(set) / GO_BITSET_STRIDE;
}
GO_CTRL_INLINE go_bitset go_bitset_rest(go_bitset set) {
    return set & (set - 1);
}
GO_CTRL_INLINE go_bitset go_bitset_from(go_bitset set, size_t slot) {
    return set & ~(((uint64_t)1 << (slot * GO_BITSET_STRIDE)) - 1);
}

#endif
