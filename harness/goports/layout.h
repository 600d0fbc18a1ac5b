/* How Go lays out types: sizes, offsets, alignment and padding, for 64-bit and 32-bit machines, computed from
 * the text of a type; and the report on the maps of its runtime that `mapbench explain MAP --layout` prints.
 *
 * Source: Go 1.24, cmd/compile/internal/types/size.go (CalcSize, CalcStructSize). A type is aligned to its
 * widest part, but to no more than a register: 4 bytes on 386 and arm, also for uint64. A struct that ends in
 * a field of no size is padded by at least a byte, so that the field's address is not that of the next
 * object.
 */
#ifndef MAPBENCH_LAYOUT_H
#define MAPBENCH_LAYOUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "harness/base/why.h"

struct layout_target {
    const char *name; /* "64-bit" */
    size_t pointer_bytes, align_max_bytes;
};

enum { LAYOUT_64, LAYOUT_32, LAYOUT_TARGETS };
extern const struct layout_target layout_targets[LAYOUT_TARGETS];

enum {
    LAYOUT_TEXT_MAX = 256,  /* of a type a user names, with its final 0 */
    LAYOUT_FIELDS_MAX = 16, /* of a struct whose fields are wanted */
    LAYOUT_SIZE_MAX = 0x7fffffff,
};

/* A type as the compiler knows it. The flags matter for keys. */
struct layout_type {
    size_t size_bytes, align_bytes;
    size_t pointer_prefix_bytes; /* Go's PtrBytes: no pointer from here on; 0: the collector need not look */
    const char *incomparable;    /* NULL, or what is in it that keeps it from being a key: "a slice" */
    bool reflexive;              /* each value equals itself: no float, no interface */
    bool needs_key_update;       /* equal values may differ: strings, floats, interfaces */
    bool hash_may_panic;         /* an interface may hold what has no hash */
    bool plain;                  /* compared as so many bytes: no string, float, interface or padding in it */
    bool string;                 /* compared as a string: one, or an array or struct of just one */
};

struct layout_field {
    char name[24], type[LAYOUT_TEXT_MAX + 32];
    size_t offset_bytes, size_bytes, align_bytes;
};

struct layout {
    struct layout_type whole;
    size_t fields; /* 0 unless the text is a struct */
    struct layout_field field[LAYOUT_FIELDS_MAX];
};

/* Lays out a type written as in Go: numbers, bool, string, *T, []T, [N]T, struct { name, name T; ... },
 * interface
 * {}, map, chan, func, unsafe.Pointer. `out` may be NULL. False: `why` says what is wrong with the text. */
bool layout_compute(const char *text, const struct layout_target *target, struct layout *out,
                    struct why *why);

/* Bytes between this field and the next, or the end. */
size_t layout_padding_after(const struct layout *layout, size_t field);

/* Splits "map[K]V" into the texts of K and V. */
bool layout_split_map(const char *text, char key[LAYOUT_TEXT_MAX], char elem[LAYOUT_TEXT_MAX],
                      struct why *why);

/* The report on a port of a Go map, for a map type ("map[string]int") or, if it is NULL, for the seven types
 * of harness/goports/layout_types.def. NULL: `why` says what is wrong, and which maps have a layout. */
json_t *layout_json(const char *map, const char *type, struct why *why);

/* Prints the report; an exit code. */
int layout_command(const char *map, const char *type, bool json);

#endif
