/* 41: the same churn with keys and values of other types: Go's compiler chooses the assignment by the type,
 * and only some of the assignments get rid of tombstones. */

#include "harness/retention/program/numbered.h"

#include <string.h>

enum { TURNOVERS = 40, CHECKPOINTS = 20 };

/* What the variants' maps are of. */
static const struct {
    const char *variant, *types;
} kinds[] = {
    {"struct", "structu64"},   {"iface", "ifaceu64"},
    {"float", "floatu64"},     {"big", "u64_129"},
    {"ptr", "ptru64"},         {"u64", "u64u64"},
    {"float_bits", "u64u64"},  {"big_pointer", "u64_p129"},
    {"struct_text", "stru64"}, {"struct_remake", "structu64"},
};

static const char *types_of(const char *variant) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].variant, variant) == 0) return kinds[i].types;
    return NULL;
}

/* Pointer keys point into one array, one byte each, so that they keep nothing else alive. */
static bool make_cells(struct retention *r, struct numbered *table) {
    size_t n = case_n(r);
    if (!case_is(r, "ptr")) return true;
    table->cells = program_new(r, &type_bytes, n + TURNOVERS * n);
    if (table->cells) program_root(r, &table->cells, "cells");
    return table->cells != NULL;
}

static bool run(struct retention *r) {
    struct numbered table;
    size_t n = case_n(r), moves = TURNOVERS * n;
    bool remake = case_is(r, "struct_remake");
    if (!numbered_make(r, &table, types_of(case_variant(r)), 0) || !make_cells(r, &table) ||
        !checkpoint(r, "base", 0, 0))
        return false;
    uint64_t live = n * numbered_entry_bytes(&table);
    for (size_t i = 0; i < n; i++) {
        if (!numbered_put(&table, i)) return false;
        program_map_mark(&table.map, i + 1);
    }
    if (!checkpoint(r, "filled", n, live)) return false;
    for (size_t i = 0; i < moves; i++) {
        if (!numbered_del(&table, i) || !numbered_put(&table, n + i)) return false;
        program_map_mark(&table.map, i + 1);
        if (remake && (i + 1) % n == 0 && !numbered_remake(&table)) return false;
        if ((i + 1) % (moves / CHECKPOINTS) == 0 && !checkpoint(r, "churn", i + 1, live)) return false;
    }
    numbered_drop(&table);
    return true;
}

static const char *cannot(const struct map_unit *unit, const char *variant) {
    return numbered_unit(unit, types_of(variant)) ? NULL : "the map is not compiled for such keys and values";
}

const struct scenario scenario_churn_kinds = {
    .number = 41,
    .name = "churn_kinds",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "u64_u64",
    .further_shapes = "str_u64 s16_u64 f64_u64 any_u64 ptr_u64 u64_b129 u64_ptr",
    .maps = "go_hmap,go_swiss", /* the others have one insertion for all types */
    .n = 20000,
    .claim =
        "Since 1.25 Go's map gets rid of tombstones when it assigns, but not for every type: struct, array, "
        "interface and float keys and values above 128 bytes still make it double under churn.",
    .fix = "Use a key of 4 or 8 plain bytes or a string, and pointers to large values; or copy the entries "
           "to a new "
           "map once in a while.",
    .references = "go#70886",
    .variant = VARIANTS(
        {"struct", VARIANT_LEAKY, "keys are structs of 16 bytes; a window of n slides 40 n times"},
        {"iface", VARIANT_LEAKY, "keys are interface values"}, {"float", VARIANT_LEAKY, "keys are float64"},
        {"big", VARIANT_LEAKY, "uint64 keys, values of 129 bytes"},
        {"ptr", VARIANT_LEAKY, "keys are pointers"}, {"u64", VARIANT_LEAKY, "keys are uint64"},
        {"struct_text", VARIANT_FIXED, "the struct's 16 bytes as a string key"},
        {"float_bits", VARIANT_FIXED, "the number's bits as a uint64 key"},
        {"big_pointer", VARIANT_FIXED, "pointers to the 129 bytes"},
        {"struct_remake", VARIANT_FIXED, "copied to a new map after every n replacements"}),
    .affected = AFFECTED(UNTIL("ptr", 127), UNTIL("u64,struct_text,float_bits,big_pointer", 125)),
    .labels = "base filled churn",
    .verdict_label = "churn",
    .from_label = "filled",
    .bound_bytes_per_n = 10,
    .bound_bytes = 16 << 10,
    .cannot = cannot,
    .run = run,
};
