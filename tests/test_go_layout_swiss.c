/* The structs of go_swiss against the layout report on it: see tests/test_go_layout.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "harness/unit/map.h"
#include "harness/heaps/malloc.h"
#include "harness/shapes/u64_u64.h"
#include "tests/support/go_layout_port.h"

#define UNIT_HASH_native 1
#define MAP_INLINE static inline __attribute__((always_inline))
#pragma GCC diagnostic ignored "-Wunused-function"
#include "maps/go/swiss.h"

static const struct port_field map_fields[] = {
    PORT_FIELD(map, used, "used"),
    PORT_FIELD(map, seed, "seed"),
    PORT_FIELD(map, dir_ptr, "dirPtr"),
    PORT_FIELD(map, dir_len, "dirLen"),
    PORT_FIELD(map, global_depth, "globalDepth"),
    PORT_FIELD(map, global_shift, "globalShift"),
    PORT_FIELD(map, writing, "writing"),
    PORT_FIELD(map, tombstone_possible, "tombstonePossible"),
    PORT_FIELD(map, clear_seq, "clearSeq"),
};
/* groups is the whole groupsReference, which the port has as two fields. */
static const struct port_field table_fields[] = {
    PORT_FIELD(go_table, used, "used"),
    PORT_FIELD(go_table, capacity, "capacity"),
    PORT_FIELD(go_table, growth_left, "growthLeft"),
    PORT_FIELD(go_table, local_depth, "localDepth"),
    PORT_FIELD(go_table, index, "index"),
    {"groups", offsetof(struct go_table, groups),
     sizeof(struct go_table) - offsetof(struct go_table, groups)},
};
static const struct port_field groups_fields[] = {
    {"data", 0, sizeof(((struct go_table *)0)->groups)},
    {"lengthMask", offsetof(struct go_table, length_mask) - offsetof(struct go_table, groups),
     sizeof(((struct go_table *)0)->length_mask)},
};
static const struct port_field slot_fields[] = {PORT_FIELD(go_slot, key, "key"),
                                                PORT_FIELD(go_slot, elem, "elem")};
static const struct port_field group_fields[] = {
    PORT_FIELD(go_group, ctrl, "ctrl"),
    PORT_FIELD(go_group, slots, "slots"),
};

static void test_port(void **state) {
    (void)state;
    if (sizeof(void *) != 8) return; /* the port is laid out as on amd64 wherever it is compiled */
    assert_port("go_swiss@1.27", "internal/runtime/maps.Map", map_fields, sizeof map_fields / sizeof *map_fields,
                0);
    assert_port("go_swiss@1.27", "internal/runtime/maps.table", table_fields,
                sizeof table_fields / sizeof *table_fields, sizeof(struct go_table));
    assert_port("go_swiss@1.27", "internal/runtime/maps.groupsReference", groups_fields,
                sizeof groups_fields / sizeof *groups_fields, 0);
    assert_port("go_swiss@1.27", "slot", slot_fields, sizeof slot_fields / sizeof *slot_fields,
                sizeof(struct go_slot));
    assert_port("go_swiss@1.27", "group", group_fields, sizeof group_fields / sizeof *group_fields,
                sizeof(struct go_group));
}

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct go_slot) == 16 && sizeof(struct go_group) == 136 &&
                   offsetof(struct go_group, slots) == 8,
               "the port's group of map[uint64]uint64 is Go's");
_Static_assert(offsetof(struct map, used) == 0 && offsetof(struct map, seed) == 8 &&
                   offsetof(struct map, dir_len) == 24 && offsetof(struct map, global_shift) == 33,
               "the port's map begins with Go's Map");
#endif

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_port)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
