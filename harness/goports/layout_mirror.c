/* Go's map structs as C declares them: on a 64-bit machine the compiler must lay them out as the real
 * runtime's DWARF says (Go 1.23.5, and 1.24.4 to 1.27.4, amd64). Nothing but assertions: what the layout
 * engine computes is compared with the same numbers by tests. The ports assert the same of their own structs
 * (maps/go/hmap_buckets.h, maps/go/swiss_layout.h). */
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

/* A struct is a list of FIELD(type, name, offset in bytes), expanded twice: into its members, and into the
 * assertions that each lies where Go has it. */
#define MEMBER(struct_name, type, name, offset) type name;
#define CHECK(struct_name, type, name, offset)                                                               \
    _Static_assert(offsetof(struct struct_name, name) == (offset), #struct_name "." #name);
#define MIRROR(name, FIELDS, bytes)                                                                          \
    struct name {                                                                                            \
        FIELDS(MEMBER, name)                                                                                 \
    };                                                                                                       \
    FIELDS(CHECK, name) _Static_assert(sizeof(struct name) == (bytes), "size of " #name)

#define HMAP_FIELDS(FIELD, of)                                                                               \
    FIELD(of, intptr_t, count, 0)                                                                            \
    FIELD(of, uint8_t, flags, 8)                                                                             \
    FIELD(of, uint8_t, B, 9)                                                                                 \
    FIELD(of, uint16_t, noverflow, 10)                                                                       \
    FIELD(of, uint32_t, hash0, 12)                                                                           \
    FIELD(of, void *, buckets, 16)                                                                           \
    FIELD(of, void *, oldbuckets, 24)                                                                        \
    FIELD(of, uintptr_t, nevacuate, 32)
#define HMAP_1_23_FIELDS(FIELD, of)                                                                          \
    HMAP_FIELDS(FIELD, of)                                                                                   \
    FIELD(of, void *, extra, 40)
#define HMAP_1_24_FIELDS(FIELD, of)                                                                          \
    HMAP_FIELDS(FIELD, of)                                                                                   \
    FIELD(of, uint64_t, clear_seq, 40)                                                                       \
    FIELD(of, void *, extra, 48)
MIRROR(hmap_1_23, HMAP_1_23_FIELDS, 48);
MIRROR(hmap_1_24, HMAP_1_24_FIELDS, 56);

#define MAPEXTRA_FIELDS(FIELD, of)                                                                           \
    FIELD(of, void *, overflow, 0)                                                                           \
    FIELD(of, void *, oldoverflow, 8)                                                                        \
    FIELD(of, void *, next_overflow, 16)
MIRROR(mapextra, MAPEXTRA_FIELDS, 24);

#define HITER_1_23_FIELDS(FIELD, of)                                                                         \
    FIELD(of, void *, key, 0)                                                                                \
    FIELD(of, void *, elem, 8)                                                                               \
    FIELD(of, void *, t, 16)                                                                                 \
    FIELD(of, void *, h, 24)                                                                                 \
    FIELD(of, void *, buckets, 32)                                                                           \
    FIELD(of, void *, bptr, 40)                                                                              \
    FIELD(of, void *, overflow, 48)                                                                          \
    FIELD(of, void *, oldoverflow, 56)                                                                       \
    FIELD(of, uintptr_t, start_bucket, 64)                                                                   \
    FIELD(of, uint8_t, offset, 72)                                                                           \
    FIELD(of, _Bool, wrapped, 73)                                                                            \
    FIELD(of, uint8_t, B, 74)                                                                                \
    FIELD(of, uint8_t, i, 75)                                                                                \
    FIELD(of, uintptr_t, bucket, 80)                                                                         \
    FIELD(of, uintptr_t, check_bucket, 88)
MIRROR(hiter_1_23, HITER_1_23_FIELDS, 96);

#define SWISS_MAP_FIELDS(FIELD, of)                                                                          \
    FIELD(of, uint64_t, used, 0)                                                                             \
    FIELD(of, uintptr_t, seed, 8)                                                                            \
    FIELD(of, void *, dir_ptr, 16)                                                                           \
    FIELD(of, intptr_t, dir_len, 24)                                                                         \
    FIELD(of, uint8_t, global_depth, 32)                                                                     \
    FIELD(of, uint8_t, global_shift, 33)                                                                     \
    FIELD(of, uint8_t, writing, 34)
#define SWISS_MAP_1_24_FIELDS(FIELD, of) SWISS_MAP_FIELDS(FIELD, of) FIELD(of, uint64_t, clear_seq, 40)
#define SWISS_MAP_1_25_FIELDS(FIELD, of)                                                                     \
    SWISS_MAP_FIELDS(FIELD, of)                                                                              \
    FIELD(of, _Bool, tombstone_possible, 35)                                                                 \
    FIELD(of, uint64_t, clear_seq, 40)
MIRROR(swiss_map_1_24, SWISS_MAP_1_24_FIELDS, 48);
MIRROR(swiss_map_1_25, SWISS_MAP_1_25_FIELDS, 48);

struct abi_type {
    uintptr_t bytes, pointer_bytes;
    uint32_t hash;
    uint8_t flags, align, field_align, kind;
    void *equal, *gc_data;
    int32_t name, pointer_to_this;
};
#define MAP_TYPE_FIELDS(FIELD, of)                                                                           \
    FIELD(of, struct abi_type, type, 0)                                                                      \
    FIELD(of, void *, key, 48)                                                                               \
    FIELD(of, void *, elem, 56)                                                                              \
    FIELD(of, void *, group, 64)                                                                             \
    FIELD(of, void *, hasher, 72)                                                                            \
    FIELD(of, uintptr_t, group_size, 80)
#define MAP_TYPE_1_24_FIELDS(FIELD, of)                                                                      \
    MAP_TYPE_FIELDS(FIELD, of)                                                                               \
    FIELD(of, uintptr_t, slot_size, 88)                                                                      \
    FIELD(of, uintptr_t, elem_off, 96)                                                                       \
    FIELD(of, uint32_t, flags, 104)
#define MAP_TYPE_1_27_FIELDS(FIELD, of)                                                                      \
    MAP_TYPE_FIELDS(FIELD, of)                                                                               \
    FIELD(of, uintptr_t, keys_off, 88)                                                                       \
    FIELD(of, uintptr_t, key_stride, 96)                                                                     \
    FIELD(of, uintptr_t, elems_off, 104)                                                                     \
    FIELD(of, uintptr_t, elem_stride, 112)                                                                   \
    FIELD(of, uintptr_t, elem_off, 120)                                                                      \
    FIELD(of, uint32_t, flags, 128)
MIRROR(map_type_1_24, MAP_TYPE_1_24_FIELDS, 112);
MIRROR(map_type_1_27, MAP_TYPE_1_27_FIELDS, 136);

#define GROUPS_REFERENCE_FIELDS(FIELD, of)                                                                   \
    FIELD(of, void *, data, 0)                                                                               \
    FIELD(of, uint64_t, length_mask, 8)
MIRROR(groups_reference, GROUPS_REFERENCE_FIELDS, 16);

#define GROUP_REFERENCE_FIELDS(FIELD, of) FIELD(of, void *, data, 0)
MIRROR(group_reference, GROUP_REFERENCE_FIELDS, 8);

#define SWISS_TABLE_FIELDS(FIELD, of)                                                                        \
    FIELD(of, uint16_t, used, 0)                                                                             \
    FIELD(of, uint16_t, capacity, 2)                                                                         \
    FIELD(of, uint16_t, growth_left, 4)                                                                      \
    FIELD(of, uint8_t, local_depth, 6)                                                                       \
    FIELD(of, intptr_t, index, 8)                                                                            \
    FIELD(of, struct groups_reference, groups, 16)
MIRROR(swiss_table, SWISS_TABLE_FIELDS, 32);

#define SWISS_ITER_FIELDS(FIELD, of)                                                                         \
    FIELD(of, void *, key, 0)                                                                                \
    FIELD(of, void *, elem, 8)                                                                               \
    FIELD(of, void *, typ, 16)                                                                               \
    FIELD(of, void *, m, 24)                                                                                 \
    FIELD(of, uint64_t, entry_offset, 32)                                                                    \
    FIELD(of, uint64_t, dir_offset, 40)                                                                      \
    FIELD(of, uint64_t, clear_seq, 48)                                                                       \
    FIELD(of, uint8_t, global_depth, 56)                                                                     \
    FIELD(of, intptr_t, dir_idx, 64)                                                                         \
    FIELD(of, void *, tab, 72)                                                                               \
    FIELD(of, struct group_reference, group, 80)                                                             \
    FIELD(of, uint64_t, entry_idx, 88)
MIRROR(swiss_iter, SWISS_ITER_FIELDS, 96);

#endif
