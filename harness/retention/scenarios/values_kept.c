/* 7-9: what values keep. 7: pointers in a cache that is never cleared, and four ways to clear it; 8: values
 * in slots that are no longer in use; 9: pointers to nothing.
 *
 * Recordings: ptrvalue, delete_structval, structptr. What a pointer to nothing costs the collector (9) is
 * gc_work's variant zero_size beside pointer_free. */
#include <string.h>

#include "harness/retention/program/program.h"
#include "harness/retention/program/dead_slots.h"
#include "harness/retention/program/numbered.h"
#include "harness/retention/units.h"

enum {
    USER_BYTES = 1032,
    ITEM_DATA_BYTES = 1024,
    KEY_BYTES = 16,
};

static bool end_here(struct retention *r, struct program_map *m, const char *label, uint64_t live_bytes) {
    bool ok = checkpoint(r, label, case_n(r), live_bytes);
    program_map_drop(m);
    return ok;
}

/* Deletes the keys 0..n-1. */
static bool delete_all(struct retention *r, struct program_map *m) {
    char text[KEY_TEXT_BYTES];
    for (size_t i = 0; i < case_n(r); i++) {
        struct str key = key_to_find(text, i);
        if (!delete_present(m, &key)) return false;
    }
    return true;
}

/* --- 7: pointer_value --- */

static uint64_t live_users(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * USER_BYTES;
}

static bool add_user(struct retention *r, size_t i, void *context) {
    struct str key = program_key(r, i);
    uint64_t *user = key.text ? program_new(r, &type_user, 1) : NULL;
    if (!user) return false;
    *user = i;
    return program_put(context, &key, &user);
}

static bool run_pointer_value(struct retention *r) {
    struct program_map users;
    if (!program_map_make(r, &users, NULL, 0, "users") || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, case_n(r), add_user, &users, "fill", live_users))
        return false;
    if (case_is(r, "delete_all") && !delete_all(r, &users)) return false;
    if (case_is(r, "clear")) program_clear(&users);
    if (case_is(r, "set_nil")) program_map_nil(&users);
    if (case_is(r, "remake")) {
        program_map_drop(&users);
        if (!program_map_make(r, &users, NULL, 0, "users")) return false;
    }
    return end_here(r, &users, "after", 0);
}

static const char *cannot_empty(const struct map_unit *unit, const char *variant) {
    if (strcmp(variant, "delete_all") == 0) return dead_slots_keep(unit, EMPTIED_BY_DELETE);
    if (strcmp(variant, "clear") == 0) return dead_slots_keep(unit, EMPTIED_BY_CLEAR);
    return NULL;
}

/* --- 8: delete_leaves_value --- */

/* struct { Data []byte; Config map[string]string; LogCh chan string } */
struct cache_item {
    void *data;
    size_t len, cap;
    void *config, *channel;
};

static bool make_item(struct retention *r, struct cache_item *item) {
    static const struct str mode = {"mode", 4}, fast = {"fast", 4}; /* constants of the program */
    const struct map_unit *config = retention_unit(case_unit(r)->map, "str_str");
    if (!config) return case_fail(r, "%s is not compiled for str_str", case_unit(r)->map);
    *item = (struct cache_item){.data = program_new(r, &type_bytes, ITEM_DATA_BYTES),
                                .len = ITEM_DATA_BYTES,
                                .cap = ITEM_DATA_BYTES,
                                .config = config->op.create((struct heap *)case_gosim(r), 0),
                                .channel = gosim_make_channel(case_gosim(r), &type_strings, 1)};
    if (!item->data || !item->config || !item->channel) return false;
    return config->op.put(item->config, &mode, &fast);
}

struct items {
    struct program_map map;
    struct cache_item last; /* a variable of the program */
};

static uint64_t live_items(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * ITEM_DATA_BYTES;
}

static bool add_item(struct retention *r, size_t i, void *context) {
    struct items *items = context;
    struct cache_item item;
    if (!make_item(r, &item)) return false;
    struct str key = program_key(r, i);
    if (case_is(r, "local_var_alive")) items->last = item;
    return key.text && program_put(&items->map, &key, &item);
}

/* Stores nothing in every entry, all before the first is deleted: a map that closes gaps by moving entries
 * leaves copies of them behind. What dead slots then refer to is no more than keys. */
static bool clear_values(struct retention *r, struct program_map *m) {
    static const struct cache_item nothing;
    for (size_t i = 0; i < case_n(r); i++) {
        struct str key = program_key(r, i); /* a map may keep the key of the last store: no stack text here */
        if (!key.text || !program_put(m, &key, &nothing)) return false;
    }
    return true;
}

static bool run_delete(struct retention *r) {
    struct items items = {.last = {0}};
    struct gosim *heap = case_gosim(r);
    void *const slots[] = {&items.last.data, &items.last.config, &items.last.channel};
    if (!program_map_make(r, &items.map, NULL, 0, "items")) return false;
    for (size_t i = 0; i < 3; i++) gosim_root(heap, slots[i], "last");
    if (!checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, case_n(r), add_item, &items, "fill", live_items))
        return false;
    if (case_is(r, "cleared_first") && !clear_values(r, &items.map)) return false;
    if (!delete_all(r, &items.map)) return false;
    bool ok = end_here(r, &items.map, "deleted", case_is(r, "local_var_alive") ? ITEM_DATA_BYTES : 0);
    for (size_t i = 0; i < 3; i++) gosim_unroot(heap, slots[i]);
    return ok;
}

static const char *cannot_mark_only(const struct map_unit *unit, const char *variant) {
    (void)unit;
    return strcmp(variant, "marked_only") == 0
               ? "a table written by hand, of the real Go program: here the maps themselves show it"
               : NULL;
}

/* --- 9: zero_size_value --- */

static const struct gosim_type type_empty = {"struct {}", 0, NULL, 0, 0};

static uint64_t live_keys(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * KEY_BYTES;
}

static bool add_member(struct retention *r, size_t i, void *context) {
    struct str key = program_key(r, i);
    void *value = NULL;
    if (!key.text) return false;
    if (case_is(r, "empty")) return program_put(context, &key, &(struct { char none[0]; }){});
    value = program_new(r, case_is(r, "ptr_byte") ? &type_bytes : &type_empty, 1);
    return value && program_put(context, &key, &value);
}

static bool run_zero_size(struct retention *r) {
    const struct map_unit *unit =
        case_is(r, "empty") ? case_unit(r) : retention_unit(case_unit(r)->map, "str_ptr");
    struct program_map set;
    if (!unit) return case_fail(r, "%s is not compiled for str_ptr", case_unit(r)->map);
    if (!checkpoint(r, "base", 0, 0) || !program_map_make(r, &set, unit, 0, "set")) return false;
    bool ok = each_with_checkpoints(r, case_n(r), add_member, &set, "fill", live_keys);
    program_map_drop(&set);
    return ok;
}

/* --- the catalogue --- */

const struct scenario scenario_pointer_value = {
    .number = 7,
    .name = "pointer_value",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .n = 10000,
    .claim =
        "A cache that is never cleared keeps every value; deleting or clearing leaves the map's table, a "
        "new map leaves nothing.",
    .fix =
        "Delete what is done with; where the table is to go too, take a new map or set the variable to nil.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "never cleared"},
                        {"delete_all", VARIANT_FIXED, "every key deleted: the values go, the table stays"},
                        {"clear", VARIANT_FIXED, "clear(m): the same"},
                        {"set_nil", VARIANT_FIXED, "the variable set to nil: all goes"},
                        {"remake", VARIANT_FIXED, "a new map in its place"}),
    .labels = "base fill after",
    .verdict_label = "after",
    .bound_factor = 1,
    .bound_bytes_per_n = TABLE_BYTES_PER_N(KEY_BYTES + sizeof(void *)),
    .bound_bytes = 16 << 10,
    .cannot = cannot_empty,
    .run = run_pointer_value,
};

const struct scenario scenario_delete_leaves_value = {
    .number = 8,
    .name = "delete_leaves_value",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_item",
    .further_shapes = "str_str",
    .n = 2000,
    .claim = "A map whose delete only marks the slot keeps what the value in it refers to until the slot is "
             "used again; Go's maps clear the slot.",
    .fix = "Clear the slot on deletion, in the map or by storing an empty value first.",
    .variant = VARIANTS(
        {"marked_only", VARIANT_LEAKY, "a table written by hand, whose delete only marks the slot"},
        {"plain", VARIANT_LEAKY, "every key deleted: what the slots still refer to stays"},
        {"cleared_first", VARIANT_FIXED, "empty values stored in all entries before the first is deleted"},
        {"local_var_alive", VARIANT_REFERENCE, "the last value is still in a variable"}),
    .affected = AFFECTED(IN_NONE("plain")),
    .labels = "base fill deleted",
    .verdict_label = "deleted",
    .bound_factor = 1,
    /* Dead slots refer to the keys of the last stores. */
    .bound_bytes_per_n = TABLE_BYTES_PER_N(KEY_BYTES + sizeof(struct cache_item)) + KEY_BYTES,
    .bound_bytes = 16 << 10,
    .cannot = cannot_mark_only,
    .run = run_delete,
};

const struct scenario scenario_zero_size_value = {
    .number = 9,
    .name = "zero_size_value",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_unit",
    .further_shapes = "str_ptr",
    .n = 1000,
    .claim = "A pointer to an empty struct allocates nothing, but every slot is 8 bytes wider and must be "
             "scanned.",
    .fix = "Use the empty struct itself as the value of a set.",
    .variant = VARIANTS(
        {"ptr_empty", VARIANT_LEAKY, "a pointer to an empty struct: 8 bytes a slot, nothing behind it"},
        {"empty", VARIANT_FIXED, "the empty struct itself"},
        {"ptr_byte", VARIANT_REFERENCE, "a pointer to one byte"}),
    .affected = AFFECTED(NOT_IN_BYTES("ptr_empty")),
    .labels = "base fill",
    .verdict_label = "fill",
    .bound_factor = 5.5, /* slots at half load beside keys of 16 bytes */
    .bound_bytes = 4 << 10,
    .timed = true,
    .run = run_zero_size,
};
