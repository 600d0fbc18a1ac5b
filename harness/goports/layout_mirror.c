/* Go's map structs as C declares them: on a 64-bit machine the compiler must lay them out as the real
 * runtime's DWARF says (Go 1.23.5 and 1.24.4, amd64). Nothing but assertions: what the layout engine computes
 * is compared with the same numbers by tests. The ports assert the same of their own structs
 * (maps/go/hmap_buckets.h, maps/go/swiss.h). */
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX == UINT64_MAX

struct go_string {
    const char *text;
    intptr_t length;
};
struct go_slice {
    void *items;
    intptr_t length, capacity;
};
struct go_empty {};
struct go_128_bytes {
    uint8_t byte[128];
};
struct go_129_bytes {
    uint8_t byte[129];
};

enum { SLOTS = 8, INLINE_BYTES_MAX = 128 };

/* A key or value as a slot has it. */
#define CELL(type) __typeof__(*__builtin_choose_expr(sizeof(type) > INLINE_BYTES_MAX, (type **)0, (type *)0))

/* Go pads a struct that ends in a field of no size by a byte at least. */
#define LAYOUT_TYPE(name, key_text, elem_text, key_type, elem_type, elems_at, overflow_at, bucket_bytes,     \
                    elem_at, slot_bytes, group_bytes)                                                        \
    struct bucket_##name {                                                                                   \
        uint8_t tophash[SLOTS];                                                                              \
        CELL(key_type) keys[SLOTS];                                                                          \
        CELL(elem_type) elems[SLOTS];                                                                        \
        void *overflow;                                                                                      \
    };                                                                                                       \
    struct slot_##name {                                                                                     \
        CELL(key_type) key;                                                                                  \
        CELL(elem_type) elem;                                                                                \
        uint8_t padding[sizeof(elem_type) == 0];                                                             \
    };                                                                                                       \
    struct group_##name {                                                                                    \
        uint64_t ctrl;                                                                                       \
        struct slot_##name slots[SLOTS];                                                                     \
    };                                                                                                       \
    _Static_assert(offsetof(struct bucket_##name, keys) == 8 &&                                              \
                       offsetof(struct bucket_##name, elems) == (elems_at) &&                                \
                       offsetof(struct bucket_##name, overflow) == (overflow_at) &&                          \
                       sizeof(struct bucket_##name) == (bucket_bytes),                                       \
                   "the bucket of " #name " is laid out as in Go 1.23");                                     \
    _Static_assert(                                                                                          \
        offsetof(struct slot_##name, elem) == (elem_at) && sizeof(struct slot_##name) == (slot_bytes) &&     \
            offsetof(struct group_##name, slots) == 8 && sizeof(struct group_##name) == (group_bytes),       \
        "the group of " #name " is laid out as in Go 1.24");
#include "harness/goports/layout_types.def"
#undef LAYOUT_TYPE

#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define BYTES(type, size) _Static_assert(sizeof(struct type) == (size), "size of " #type)

#define HMAP_FIELDS                                                                                          \
    intptr_t count;                                                                                          \
    uint8_t flags, B;                                                                                        \
    uint16_t noverflow;                                                                                      \
    uint32_t hash0;                                                                                          \
    void *buckets, *oldbuckets;                                                                              \
    uintptr_t nevacuate;
struct hmap_1_23 {
    HMAP_FIELDS
    void *extra;
};
struct hmap_1_24 {
    HMAP_FIELDS
    uint64_t clear_seq;
    void *extra;
};
#define ASSERT_HMAP(type)                                                                                    \
    AT(type, flags, 8);                                                                                      \
    AT(type, B, 9);                                                                                          \
    AT(type, noverflow, 10);                                                                                 \
    AT(type, hash0, 12);                                                                                     \
    AT(type, buckets, 16);                                                                                   \
    AT(type, oldbuckets, 24);                                                                                \
    AT(type, nevacuate, 32)
ASSERT_HMAP(hmap_1_23);
AT(hmap_1_23, extra, 40);
BYTES(hmap_1_23, 48);
ASSERT_HMAP(hmap_1_24);
AT(hmap_1_24, clear_seq, 40);
AT(hmap_1_24, extra, 48);
BYTES(hmap_1_24, 56);

struct mapextra {
    void *overflow, *oldoverflow, *next_overflow;
};
AT(mapextra, next_overflow, 16);
BYTES(mapextra, 24);

struct hiter_1_23 {
    void *key, *elem, *t, *h, *buckets, *bptr, *overflow, *oldoverflow;
    uintptr_t start_bucket;
    uint8_t offset;
    _Bool wrapped;
    uint8_t B, i;
    uintptr_t bucket, check_bucket;
};
AT(hiter_1_23, start_bucket, 64);
AT(hiter_1_23, offset, 72);
AT(hiter_1_23, i, 75);
AT(hiter_1_23, bucket, 80);
AT(hiter_1_23, check_bucket, 88);
BYTES(hiter_1_23, 96);

struct swiss_map {
    uint64_t used;
    uintptr_t seed;
    void *dir_ptr;
    intptr_t dir_len;
    uint8_t global_depth, global_shift, writing;
    uint64_t clear_seq;
};
AT(swiss_map, seed, 8);
AT(swiss_map, dir_ptr, 16);
AT(swiss_map, dir_len, 24);
AT(swiss_map, global_depth, 32);
AT(swiss_map, global_shift, 33);
AT(swiss_map, writing, 34);
AT(swiss_map, clear_seq, 40);
BYTES(swiss_map, 48);

struct groups_reference {
    void *data;
    uint64_t length_mask;
};
struct group_reference {
    void *data;
};
struct swiss_table {
    uint16_t used, capacity, growth_left;
    uint8_t local_depth;
    intptr_t index;
    struct groups_reference groups;
};
AT(swiss_table, capacity, 2);
AT(swiss_table, growth_left, 4);
AT(swiss_table, local_depth, 6);
AT(swiss_table, index, 8);
AT(swiss_table, groups, 16);
BYTES(swiss_table, 32);
AT(groups_reference, length_mask, 8);
BYTES(groups_reference, 16);
BYTES(group_reference, 8);

struct swiss_iter {
    void *key, *elem, *typ, *m;
    uint64_t entry_offset, dir_offset, clear_seq;
    uint8_t global_depth;
    intptr_t dir_idx;
    void *tab;
    struct group_reference group;
    uint64_t entry_idx;
};
AT(swiss_iter, entry_offset, 32);
AT(swiss_iter, clear_seq, 48);
AT(swiss_iter, global_depth, 56);
AT(swiss_iter, dir_idx, 64);
AT(swiss_iter, tab, 72);
AT(swiss_iter, group, 80);
AT(swiss_iter, entry_idx, 88);
BYTES(swiss_iter, 96);

#endif
