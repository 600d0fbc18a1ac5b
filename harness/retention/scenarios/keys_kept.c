/* 3-6: what a key keeps. 3: a piece of a document; 4: the same by overwriting, where the map takes the new
 * text of an equal key (Go does, for strings); 5: a pointer; 6: a copy boxed in an interface.
 *
 * Recordings: substring, (4: none), ptrkey, ifacekey. */
#include <string.h>

#include "harness/retention/program/program.h"
#include "harness/retention/program/dead_slots.h"
#include "harness/retention/program/numbered.h"
#include "harness/retention/units.h"

enum {
    DOCUMENT_BYTES = 64 << 10,
    BUFFER_BYTES = 1 << 20,
    ID_BYTES = 8, /* what a program needs of a key that is a payload: its id */
    SHORT_KEY_BYTES = 3,
    SHORT_KEYS_MAX = 1 << 15,
};

/* string(buffer) of a buffer that begins with `text`: the buffer is garbage at once. The key is its first
 * bytes, or a copy of them. */
static struct str piece_of_document(struct retention *r, const char *text, size_t len,
                                    size_t document_bytes) {
    char *buffer = program_new(r, &type_bytes, document_bytes);
    char *document = buffer ? program_new(r, &type_bytes, document_bytes) : NULL;
    if (!document) return (struct str){NULL, 0};
    memcpy(buffer, text, len);
    memcpy(document, buffer, document_bytes);
    return case_is(r, "clone") ? program_string(r, document, len) : (struct str){document, len};
}

/* Entries of so many bytes each; `context` is not needed. */
static uint64_t live_text(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * 16;
}
static uint64_t live_ids(struct retention *r, size_t done, void *context) {
    (void)context;
    bool deleted = case_is(r, "global_delete") || case_is(r, "boxed_struct_delete");
    return deleted ? 0 : done * ID_BYTES;
}

static bool fill_and_drop(struct retention *r, struct program_map *m,
                          bool (*add)(struct retention *r, size_t i, void *context),
                          uint64_t (*live)(struct retention *r, size_t done, void *context)) {
    if (!each_with_checkpoints(r, case_n(r), add, m, "fill", live)) return false;
    program_map_nil(m);
    bool ok = checkpoint(r, "dropped", case_n(r), 0);
    program_map_drop(m);
    return ok;
}

/* --- 3: substring_key --- */

static bool add_document(struct retention *r, size_t i, void *context) {
    struct str text = program_key(r, i);
    struct str key = text.text ? piece_of_document(r, text.text, text.len, DOCUMENT_BYTES) : text;
    uint64_t line = i;
    return key.text && program_put(context, &key, &line);
}

static bool run_substring(struct retention *r) {
    struct program_map lines;
    return program_map_make(r, &lines, NULL, 0, "lines") && checkpoint(r, "base", 0, 0) &&
           fill_and_drop(r, &lines, add_document, live_text);
}

/* --- 4: key_replaced --- */

static void short_key(char text[SHORT_KEY_BYTES], size_t i) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    for (size_t at = SHORT_KEY_BYTES; at-- > 0; i /= 32) text[at] = digits[i % 32];
}

static bool count_key(struct program_map *seen, struct str key) {
    uint64_t times = 0;
    if (!key.text) return false;
    program_get(seen, &key, &times);
    times++;
    return program_put(seen, &key, &times);
}

static bool run_replaced(struct retention *r) {
    struct program_map seen;
    size_t n = case_n(r) < SHORT_KEYS_MAX ? case_n(r) : SHORT_KEYS_MAX;
    uint64_t live = n * SHORT_KEY_BYTES;
    char text[SHORT_KEY_BYTES];
    if (!program_map_make(r, &seen, NULL, 0, "seen") || !checkpoint(r, "base", 0, 0)) return false;
    for (size_t i = 0; i < n; i++) {
        short_key(text, i);
        if (!count_key(&seen, program_string(r, text, sizeof text))) return false;
    }
    if (!checkpoint(r, "small_keys", n, live)) return false;
    for (size_t i = 0; i < n; i++) {
        short_key(text, i);
        if (!count_key(&seen, piece_of_document(r, text, sizeof text, BUFFER_BYTES))) return false;
    }
    note_number(r, "len", (double)program_len(&seen));
    if (!checkpoint(r, "replaced", n, live)) return false;
    program_map_nil(&seen);
    bool ok = checkpoint(r, "dropped", n, 0);
    program_map_drop(&seen);
    return ok;
}

/* --- 5: pointer_key --- */

static bool put_flag(struct program_map *m, const void *key) {
    static const uint8_t yes = 1;
    return key && program_put(m, key, &yes);
}

static bool add_payload(struct retention *r, size_t i, void *context) {
    void *payload = program_new(r, &type_payload, 1);
    uint64_t id = i, one = 1;
    if (!payload) return false;
    if (case_is(r, "id_key")) return program_put(context, &id, &one);
    void *key = case_is(r, "weak_key") ? gosim_weak_make(case_gosim(r), payload) : payload;
    if (!key || !put_flag(context, &key)) return false;
    return !case_is(r, "global_delete") || delete_present(context, &key);
}

/* The map is a variable of a function: it ends with that. */
static bool run_local(struct retention *r) {
    struct program_map m;
    size_t n = case_n(r);
    for (int again = 0; again < 2; again++) {
        if (!program_map_make(r, &m, NULL, 0, "m")) return false;
        for (size_t i = 0; i < n; i++)
            if (!add_payload(r, i, &m)) return false;
        if (!again && !checkpoint(r, "inside_live", n, n * ID_BYTES)) return false;
        program_map_drop(&m);
    }
    return checkpoint(r, "after_return", n, 0);
}

static bool run_pointer(struct retention *r) {
    const struct map_unit *unit =
        case_is(r, "id_key") ? retention_unit(case_unit(r)->map, "u64_u64") : case_unit(r);
    struct program_map seen;
    if (!unit) return case_fail(r, "%s is not compiled for u64_u64", case_unit(r)->map);
    if (!checkpoint(r, "base", 0, 0)) return false;
    if (case_is(r, "local_as_written")) return run_local(r);
    return program_map_make(r, &seen, unit, 0, "seen") && fill_and_drop(r, &seen, add_payload, live_ids);
}

static const char *cannot_delete(const struct map_unit *unit, const char *variant) {
    return strcmp(variant, "global_delete") == 0 ? dead_slots_keep(unit, EMPTIED_BY_DELETE) : NULL;
}

/* --- 6: interface_key --- */

static const struct any_type any_words = {"[512]uint64", 512 * 8, false};
static const struct any_type any_int = {"int", 8, false};
static const struct any_type any_payload = {"*Payload", 8, true};
static const struct gosim_type type_words = {"[512]uint64", 512 * 8, NULL, 0, 0};
static const struct gosim_type type_int = {"int", 8, NULL, 0, 0};

/* NULL data: out of memory. */
static struct any boxed(struct retention *r, size_t i) {
    if (case_is(r, "pointer_leaky")) return (struct any){&any_payload, program_new(r, &type_payload, 1)};
    bool is_int = case_is(r, "int_leaky");
    uint64_t *box = program_new(r, is_int ? &type_int : &type_words, 1);
    if (box) *box = is_int ? i + 1000 : i; /* Go's runtime has the numbers up to 255 boxed already */
    return (struct any){is_int ? &any_int : &any_words, box};
}

static bool add_boxed(struct retention *r, size_t i, void *context) {
    uint64_t id = i, one = 1;
    if (case_is(r, "plain_key")) return program_put(context, &id, &one);
    struct any key = boxed(r, i);
    if (!key.data || !put_flag(context, &key)) return false;
    if (!case_is(r, "boxed_struct_delete")) return true;
    key = boxed(r, i); /* the key to delete is boxed again */
    return key.data && delete_present(context, &key);
}

static bool run_interface(struct retention *r) {
    const struct map_unit *unit =
        case_is(r, "plain_key") ? retention_unit(case_unit(r)->map, "u64_u64") : case_unit(r);
    struct program_map seen;
    if (!unit) return case_fail(r, "%s is not compiled for u64_u64", case_unit(r)->map);
    return program_map_make(r, &seen, unit, 0, "seen") && checkpoint(r, "base", 0, 0) &&
           fill_and_drop(r, &seen, add_boxed, live_ids);
}

/* --- the catalogue --- */

const struct scenario scenario_substring_key = {
    .number = 3,
    .name = "substring_key",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_u64",
    .n = 256,
    .claim = "A key that is a piece of a document keeps the whole document.",
    .fix = "Clone the piece before it becomes a key: strings.Clone.",
    .references = "cortex#4739",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "the key is 16 bytes of a document of 64 KiB"},
                        {"clone", VARIANT_FIXED, "the key is a copy"}),
    .labels = "base fill dropped",
    .verdict_label = "fill",
    .bound_factor = 6,
    .bound_bytes = 16 << 10,
    .run = run_substring,
};

const struct scenario scenario_key_replaced = {
    .number = 4,
    .name = "key_replaced",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_u64",
    .n = 1,
    .claim = "Overwriting an entry with an equal key from a large buffer makes the entry keep the buffer, "
             "where the map stores the new key.",
    .fix = "Clone the key before every store, not only before the first.",
    .references = "go#69370",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "overwrites with an equal key cut from a buffer of 1 MiB"},
                        {"clone", VARIANT_FIXED, "overwrites with a copy of the key"}),
    .labels = "base small_keys replaced dropped",
    .verdict_label = "replaced",
    .bound_factor = 64, /* a slot and 16 bytes for three bytes of text */
    .bound_bytes = 16 << 10,
    .run = run_replaced,
};

const struct scenario scenario_pointer_key = {
    .number = 5,
    .name = "pointer_key",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "ptr_bool",
    .further_shapes = "u64_u64",
    .n = 256,
    .claim = "A key that is a pointer keeps what it points to for as long as the entry is there.",
    .fix = "Use an id as the key, delete entries when done, or use a weak pointer.",
    .variant =
        VARIANTS({"global_leaky", VARIANT_LEAKY, "the keys of a global map are pointers to 64 KiB each"},
                 {"global_delete", VARIANT_FIXED, "deleted when done"},
                 {"id_key", VARIANT_FIXED, "the key is the payload's id"},
                 {"weak_key", VARIANT_FIXED, "the key is a weak pointer: the entry stays, the payload goes"},
                 {"local_as_written", VARIANT_REFERENCE,
                  "the map is a local variable: gone when the function returns"}),
    .labels = "base inside_live after_return fill dropped",
    .verdict_label = "fill",
    .bound_factor = 8,
    .bound_bytes = 16 << 10,
    .cannot = cannot_delete,
    .run = run_pointer,
};

const struct scenario scenario_interface_key = {
    .number = 6,
    .name = "interface_key",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "any_bool",
    .further_shapes = "u64_u64",
    .n = 1000,
    .claim = "A key stored as an interface is a copy on the heap, as large as the value it was made from.",
    .fix = "Use a plain key type: the id, or a struct of the few fields that identify.",
    .variant = VARIANTS({"boxed_struct_leaky", VARIANT_LEAKY,
                         "an array of 4 KiB in an interface: every key is a copy on the heap"},
                        {"pointer_leaky", VARIANT_LEAKY, "a pointer to 64 KiB in an interface"},
                        {"int_leaky", VARIANT_REFERENCE, "an int in an interface: 8 bytes on the heap"},
                        {"boxed_struct_delete", VARIANT_FIXED, "deleted when done"},
                        {"plain_key", VARIANT_FIXED, "the id itself as key"}),
    .labels = "base fill dropped",
    .verdict_label = "fill",
    .bound_factor = 8,
    .bound_bytes = 16 << 10,
    .run = run_interface,
};
