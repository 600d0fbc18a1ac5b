#include "harness/keys/keygen.h"

#include <string.h>

#if __has_include(<htslib/khash.h>)
#include <htslib/khash.h>
#endif

#include "harness/base/rng.h"

/* A step between the numbers that are mixed into uniform keys; odd, and unrelated to the constants of the
 * common hash (shapes/hash.h), so that keys and hashes share no structure. A multiplier of G. Steele and S.
 * Vigna
 * ("Computationally easy, spectrally good multipliers for congruential pseudorandom number generators",
 * 2021). */
static const uint64_t uniform_step = 0xd1342543de82ef95u;
static const uint64_t reverse_top = UINT32_MAX; /* the first key of reverse: fits every shape */
enum { ATTACK_U32_SHARED_BITS = 20, ATTACK_BASE32_CHARS = 13, ATTACK_X31_CHARS = 7 };
enum { ATTACK_FNV_BLOCKS = 4, ATTACK_FNV_BLOCK_BITS = 6, ATTACK_FNV_CHARS = 7 };

static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567"; /* RFC 4648, lower case */

static void make_runs(struct keygen *gen, uint64_t mask) {
    unsigned taken = 0;
    while (mask) {
        unsigned shift = (unsigned)__builtin_ctzll(mask);
        uint64_t ones = ~(mask >> shift);
        unsigned length = ones ? (unsigned)__builtin_ctzll(ones) : 64;
        uint64_t bits = length == 64 ? UINT64_MAX : ((uint64_t)1 << length) - 1;
        gen->run[gen->runs++] = (struct keygen_run){taken, shift, bits};
        taken += length;
        mask &= ~(bits << shift);
    }
}

struct keygen keygen_make(const struct keyspec *spec, unsigned key_bits, uint64_t seed) {
    struct keygen gen = {
        .kind = spec->kind, .key_bits = key_bits ? key_bits : 64, .seed = seed, .stride = spec->stride};
    if (spec->kind == KEYSPEC_MASKED) make_runs(&gen, spec->mask);
    gen.target = (uint32_t)(rng_derive(seed, 1) >> 32);
    gen.khash_text = keygen_khash_text();
    return gen;
}

static size_t mask_limit(const struct keygen *gen) {
    const struct keygen_run *last = &gen->run[gen->runs - 1];
    unsigned bits = last->index_shift + (unsigned)__builtin_popcountll(last->bits);
    return bits >= 64 ? SIZE_MAX : (size_t)1 << bits;
}

static size_t power_of_two_below(uint64_t x) {
    return (size_t)1 << (63 - __builtin_clzll(x));
}

size_t keygen_limit(const struct keygen *gen, unsigned shape_key_bits) {
    size_t width_limit = gen->key_bits == 32 ? (size_t)1 << 32 : SIZE_MAX;
    switch (gen->kind) {
    case KEYSPEC_STRIDED:
        if (gen->stride == 1) return width_limit;
        return power_of_two_below((gen->key_bits == 32 ? UINT32_MAX : UINT64_MAX) / gen->stride + 1);
    case KEYSPEC_MASKED:
        return mask_limit(gen);
    case KEYSPEC_ATTACK:
        if (shape_key_bits == 0)
            return gen->khash_text == KHASH_X31 ? SIZE_MAX
                                                : (size_t)1 << ATTACK_FNV_BLOCKS * ATTACK_FNV_BLOCK_BITS;
        return shape_key_bits == 32 ? (size_t)1 << (32 - ATTACK_U32_SHARED_BITS) : (size_t)1 << 32;
    default:
        return width_limit;
    }
}

/* A bijection on 32 bits; multipliers and shifts of C. Wellons' lowbias32 (public domain). */
static uint32_t mix32(uint32_t x) {
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

static uint64_t uniform(const struct keygen *gen, uint64_t index) {
    if (gen->key_bits == 32)
        return mix32(mix32((uint32_t)index + (uint32_t)gen->seed) ^ (uint32_t)(gen->seed >> 32));
    return rng_mix(index * uniform_step + gen->seed);
}

static uint64_t masked(const struct keygen *gen, uint64_t index) {
    uint64_t key = 0;
    for (unsigned i = 0; i < gen->runs; i++)
        key |= (index >> gen->run[i].index_shift & gen->run[i].bits) << gen->run[i].key_shift;
    return key;
}

static uint64_t attack(const struct keygen *gen, uint64_t index) {
    if (gen->key_bits == 64) return keygen_attack_u64(mix32((uint32_t)(index ^ gen->seed)), gen->target);
    uint32_t low = gen->target & ((1u << ATTACK_U32_SHARED_BITS) - 1);
    return (uint32_t)index << ATTACK_U32_SHARED_BITS | low;
}

uint64_t keygen_number(const struct keygen *gen, uint64_t index) {
    uint64_t key;
    switch (gen->kind) {
    case KEYSPEC_SEQUENTIAL:
        key = index + 1;
        break;
    case KEYSPEC_REVERSE:
        key = reverse_top - index;
        break;
    case KEYSPEC_STRIDED:
        key = index * gen->stride;
        break;
    case KEYSPEC_MASKED:
        return masked(gen, index);
    case KEYSPEC_ATTACK:
        return attack(gen, index);
    default:
        return uniform(gen, index);
    }
    return gen->key_bits == 32 ? (uint32_t)key : key;
}

static size_t text_base32(uint64_t number, char *text) {
    for (unsigned i = 0; i < ATTACK_BASE32_CHARS; i++, number >>= 5) text[i] = base32[number & 31];
    return ATTACK_BASE32_CHARS;
}

/* 13 characters that are the number, then 0 to 15 that follow from it. */
static size_t text_random(uint64_t number, char *text) {
    size_t len = text_base32(number, text);
    uint64_t more = rng_mix(number + uniform_step);
    size_t end = len + (more & 15);
    while (len < end) text[len++] = base32[(more >>= 4) & 15];
    return end;
}

/* "key-" and at least twelve digits. */
static size_t text_decimal(uint64_t number, char *text) {
    char digits[20];
    unsigned count = 0;
    for (; number || count < 12; number /= 10) digits[count++] = (char)('0' + number % 10);
    memcpy(text, "key-", 4);
    for (unsigned i = 0; i < count; i++) text[4 + i] = digits[count - 1 - i];
    return 4 + count;
}

static size_t text_hex(uint64_t number, char *text) {
    for (unsigned i = 0; i < 16; i++) text[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    return 16;
}

size_t keygen_text(const struct keygen *gen, uint64_t index, char *text) {
    switch (gen->kind) {
    case KEYSPEC_SEQUENTIAL:
    case KEYSPEC_REVERSE:
    case KEYSPEC_STRIDED:
        return text_decimal(keygen_number(gen, index), text);
    case KEYSPEC_MASKED:
        return text_hex(masked(gen, index), text);
    case KEYSPEC_ATTACK:
        if (gen->khash_text == KHASH_X31) return keygen_attack_x31(uniform(gen, index), gen->target, text);
        return keygen_attack_fnv1a((uint32_t)(index * uniform_step + gen->seed), text);
    default:
        return text_random(uniform(gen, index), text);
    }
}

/* The hash is the low half of key >> 33 ^ key ^ key << 11. With the key's halves high and low it is high >> 1
 * ^ f(low), f(x) = x ^ x << 11 on 32 bits; f is undone by x ^ x << 11 ^ x << 22, as a third shift leaves
 * nothing. */
uint64_t keygen_attack_u64(uint32_t number, uint32_t target) {
    uint32_t want = target ^ number >> 1;
    uint32_t low = want ^ want << 11 ^ want << 22;
    return (uint64_t)number << 32 | low;
}

/* The hash is the text read as a number in base 31, modulo 2^32. Whatever precedes, seven more digits of
 * 0..30 reach every value, as 31^7 > 2^32; they are written as '0' + digit. */
size_t keygen_attack_x31(uint64_t number, uint32_t target, char *text) {
    size_t len = text_base32(number, text);
    uint32_t hash = 0;
    for (size_t i = 0; i < len; i++) hash = hash * 31 + (unsigned char)text[i];
    for (unsigned i = 0; i < ATTACK_X31_CHARS; i++) hash = hash * 31 + '0';
    uint32_t rest = target - hash;
    for (size_t i = len + ATTACK_X31_CHARS; i-- > len; rest /= 31) text[i] = (char)('0' + rest % 31);
    return len + ATTACK_X31_CHARS;
}

enum khash_text keygen_khash_text(void) {
#ifdef kh_kstr_hash_func
    char a[] = "a";
    return kh_kstr_hash_func(((kstring_t){.l = 1, .m = sizeof a, .s = a})) == 'a' ? KHASH_X31 : KHASH_FNV1A;
#else
    return KHASH_X31;
#endif
}

/* FNV-1a's state is its hash so far, and each of these texts leads from the first state back to it: any row
 * of them hashes as nothing does. Found by meeting in the middle: the states that three of the 64 characters
 * A-Z a-z 0-9 - _ lead to, and those from which four lead back, as the hash's multiplier has an inverse. */
static const char fnv_circles[1 << ATTACK_FNV_BLOCK_BITS][ATTACK_FNV_CHARS + 1] = {
    "0H8n0vR", "2sKVtci", "2zXaZve", "3RhWZ0X", "4CpGga2", "4EH7T_a", "6XoRuxp", "7TPjjFW",
    "7rt6-Zz", "8HVGIDh", "9Je4ajk", "9aloTXI", "ARtW5aR", "B1KjyoN", "D3jhA84", "DcrfKXL",
    "EPRqFka", "FIpIc1l", "FS3WDgv", "IC9yrtV", "IQfxjoe", "J93a-1I", "JVbwrHW", "Jsi3bxC",
    "LBRsn9F", "LIIAoaG", "NvZ66Oi", "Op3jT7a", "Pi03km4", "QBTYNll", "QGhTMKv", "QIdCoUm",
    "RhrRgP7", "V6ANV6-", "VBuf5aw", "XefTOSi", "YQinEUu", "bq87iuP", "dLknbXi", "fayphcw",
    "hBfz5u2", "hVH8_Lg", "hoSRlcS", "hss-tlw", "kR_M_Rb", "kXuzi6u", "lDMez5i", "lmZGz44",
    "oZ0w7vs", "obLzRb-", "pQE1qnd", "pnjVlvr", "r3_FmL5", "rb4URVe", "svIFC1l", "t6xQaYM",
    "tbCkiD3", "u91P-Nf", "upug4_f", "wHML9Tq", "wI6Ckdn", "xZ6nDZN", "yFKTRky", "yL1v7LC",
};

size_t keygen_attack_fnv1a(uint32_t number, char *text) {
    for (unsigned i = 0; i < ATTACK_FNV_BLOCKS; i++, number >>= ATTACK_FNV_BLOCK_BITS)
        memcpy(text + i * ATTACK_FNV_CHARS, fnv_circles[number & ((1u << ATTACK_FNV_BLOCK_BITS) - 1)],
               ATTACK_FNV_CHARS);
    return ATTACK_FNV_BLOCKS * ATTACK_FNV_CHARS;
}
