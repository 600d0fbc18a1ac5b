/* 29: headers of messages as net/textproto reads them, and a cache that keeps one header of each message. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/retention/program/program.h"

enum {
    NAMES = 32,
    TEXT_BYTES = 128, /* a value */
    WANTED = 7,       /* the header that is kept */
};

struct headers {
    struct program_map cache; /* message to the list of its header's values */
    struct program_map back;  /* what comes back from an encoding */
    size_t changed;
};

/* --- a message: one text behind all values, one array behind all lists --- */

static const char *name_of(size_t i, char *out, size_t size) {
    snprintf(out, size, "Header-%zu", i);
    return out;
}

/* The header map of a message; false: out of memory. */
static bool read_message(struct retention *r, size_t message, struct program_map *header) {
    struct gosim *heap = case_gosim(r);
    char *text = program_new(r, &type_bytes, NAMES * TEXT_BYTES), digits[TEXT_BYTES + 1], name[24];
    struct str *values = text ? program_new(r, &type_strings, NAMES) : NULL;
    if (!values || !program_map_make(r, header, NULL, NAMES, "header")) return false;
    snprintf(digits, sizeof digits, "%0*zu", TEXT_BYTES, message);
    for (size_t i = 0; i < NAMES; i++) {
        memcpy(text + i * TEXT_BYTES, digits, TEXT_BYTES);
        gosim_store(heap, &values[i].text, text + i * TEXT_BYTES);
        values[i].len = TEXT_BYTES;
        name_of(i, name, sizeof name);
        struct str key = program_string(r, name, strlen(name));
        struct slice list = {&values[i], 1, 1};
        if (!key.text || !program_put(header, &key, &list)) return false;
    }
    return true;
}

static bool clone_text(struct retention *r, struct str *value) {
    struct str clone = program_string(r, value->text, value->len);
    gosim_store(case_gosim(r), &value->text, (void *)(uintptr_t)clone.text);
    return clone.text != NULL;
}

/* A list of one, with a text of its own. */
static bool clone_list(struct retention *r, struct slice *list) {
    struct str *value = program_new(r, &type_strings, 1);
    if (!value) return false;
    gosim_move(case_gosim(r), &type_strings, value, list->data, 1);
    *list = (struct slice){value, 1, 1};
    return clone_text(r, value);
}

static bool keep(struct retention *r, size_t i, void *context) {
    struct headers *h = context;
    struct program_map header;
    struct slice list;
    char name[24];
    struct str wanted = {name_of(WANTED, name, sizeof name), 0}, key;
    wanted.len = strlen(name);
    if (!read_message(r, i, &header) || !program_get(&header, &wanted, &list)) return false;
    program_map_drop(&header);
    bool shared = case_is(r, "shared_backing"), text_only = case_is(r, "clone_text");
    if (text_only && !clone_text(r, list.data)) return false;
    if (!shared && !text_only && !clone_list(r, &list)) return false;
    key = program_key(r, i);
    return key.text && program_put(&h->cache, &key, &list);
}

/* --- through an encoding and back: lists of which every fourth is nil and every fourth empty --- */

/* The address of what has no bytes: not nil (runtime.zerobase). */
static struct slice empty_list(struct retention *r) {
    return (struct slice){program_new(r, &type_strings, 0), 0, 0};
}

static bool add_empty_lists(struct retention *r, struct headers *h) {
    for (size_t i = 0; i < case_n(r); i++) {
        struct slice none = {NULL, 0, 0}, empty = empty_list(r);
        struct str key = program_key(r, i);
        if (!key.text || !empty.data) return false;
        if (i % 4 == 1 && !program_put(&h->cache, &key, &none)) return false;
        if (i % 4 == 3 && !program_put(&h->cache, &key, &empty)) return false;
    }
    return true;
}

static struct str copy_string(struct retention *r, const struct str *s) {
    return program_string(r, s->text, s->len);
}

/* A list of a map that comes back: NULL values is a nil list. */
static bool put_back(struct headers *h, const struct str *key, const struct str *values, size_t count,
                     bool nil) {
    struct retention *r = h->cache.r;
    struct slice list = nil ? (struct slice){NULL, 0, 0} : empty_list(r);
    struct str own_key = copy_string(r, key);
    if (!own_key.text) return false;
    if (count) list = (struct slice){program_new(r, &type_strings, count), count, count};
    if (!list.data && !nil) return false;
    for (size_t i = 0; i < count; i++) {
        struct str value = copy_string(r, &values[i]), *to = (struct str *)list.data + i;
        if (!value.text) return false;
        gosim_store(case_gosim(r), &to->text, (void *)(uintptr_t)value.text);
        to->len = value.len;
    }
    return program_put(&h->back, &own_key, &list);
}

/* JSON: null for nil, [] for empty. */
static bool send_json(void *context, const void *key, const void *val) {
    const struct slice *list = val;
    const struct str *name = key, *values = list->data;
    json_t *object = context, *array = list->data ? json_array() : json_null();
    for (size_t i = 0; i < list->len; i++)
        json_array_append_new(array, json_stringn(values[i].text, values[i].len));
    return json_object_setn_new(object, name->text, name->len, array) == 0;
}

static bool through_json(struct headers *h) {
    json_t *sent = json_object(), *lists = NULL, *list;
    h->cache.unit->op.each(h->cache.map, send_json, sent);
    char *wire = json_dumps(sent, JSON_COMPACT);
    const char *name;
    bool ok = wire && (lists = json_loads(wire, 0, NULL)) != NULL;
    json_object_foreach(lists, name, list) {
        struct str key = {name, strlen(name)}, value = {"", 0};
        const json_t *first = json_array_get(list, 0);
        if (first) value = (struct str){json_string_value(first), json_string_length(first)};
        ok = ok && put_back(h, &key, &value, json_array_size(list), json_is_null(list));
    }
    json_decref(sent);
    json_decref(lists);
    free(wire);
    return ok;
}

/* gob sends a list as its length and elements, of which nil has as many as an empty one; where nothing is to
 * be put the receiver makes no list (encoding/gob: decodeSlice). One entry passes at a time. */
static bool send_lengths(void *context, const void *key, const void *val) {
    const struct slice *list = val;
    uint64_t sent_length = list->len;
    return put_back(context, key, list->data, (size_t)sent_length, sent_length == 0);
}

static bool through_gob(struct headers *h) {
    h->cache.unit->op.each(h->cache.map, send_lengths, h);
    return true;
}

/* Lists that are not as they were: another length, or nil for empty. */
static bool count_changed(void *context, const void *key, const void *val) {
    struct headers *h = context;
    const struct slice *sent = val;
    struct slice got;
    if (!program_get(&h->back, key, &got) || got.len != sent->len || !got.data != !sent->data) h->changed++;
    return true;
}

static bool pass(struct retention *r, struct headers *h) {
    if (!add_empty_lists(r, h) || !program_map_make(r, &h->back, NULL, 0, "returned")) return false;
    if (!(case_is(r, "json_round_trip") ? through_json(h) : through_gob(h))) return false;
    if (program_len(&h->back) != program_len(&h->cache)) return false;
    h->cache.unit->op.each(h->cache.map, count_changed, h);
    note_number(r, "values_changed", (double)h->changed);
    h->cache.map = h->back.map;
    program_map_drop(&h->back);
    return true;
}

static uint64_t live(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (uint64_t)done * TEXT_BYTES;
}

static bool run(struct retention *r) {
    struct headers h = {.changed = 0};
    size_t n = case_n(r);
    if (!program_map_make(r, &h.cache, NULL, 0, "cache") || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, keep, &h, "fill", live))
        return false;
    bool round_trip = case_is(r, "json_round_trip") || case_is(r, "gob_round_trip");
    if (round_trip && !pass(r, &h)) return false;
    bool ok = checkpoint(r, "end", n, live(r, n, NULL));
    program_map_drop(&h.cache);
    return ok;
}

const struct scenario scenario_header_cache = {
    .number = 29,
    .name = "header_cache",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 2000,
    .claim = "One header's list keeps the array and the text that all headers of its message share.",
    .fix = "Clone both, the list and the text; a round trip through an encoding does it too, but gob turns "
           "empty lists into nil.",
    .variant =
        VARIANTS({"shared_backing", VARIANT_LEAKY,
                  "keeps the list of one header: its array and text are those of all 32"},
                 {"clone_text", VARIANT_NO_FIX, "clones the text in place; the array still holds the others"},
                 {"clone", VARIANT_FIXED, "a list and a text of its own"},
                 {"json_round_trip", VARIANT_REFERENCE, "through JSON: nil and empty lists stay apart"},
                 {"gob_round_trip", VARIANT_NO_FIX, "through gob: empty lists come back as nil"}),
    .affected = AFFECTED(NOT_IN_BYTES("gob_round_trip")),
    .labels = "base fill end",
    .verdict_label = "end",
    .bound_factor = 3,
    .bound_bytes = 64 << 10,
    .run = run,
};
