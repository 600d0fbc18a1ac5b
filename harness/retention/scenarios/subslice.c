/* 1, 2: a map keeps a short slice of a large array, and with it the array: to the collector a pointer to the
 * first element is one to all of it. Cutting the capacity does not change where the slice points.
 *
 * Recordings: subslice and subslice_capped are its "subslice3", subslice_many its "subslice". */
#include "harness/retention/program/program.h"

enum { STRINGS_EACH = 10000 }; /* subslice_many */

/* Returns what the variant keeps of `data`. NULL data: out of memory. */
static struct slice first_of(struct retention *r, void *data, size_t strings) {
    struct slice kept = {data, 1, case_is(r, "capped") ? 1 : strings};
    if (!case_is(r, "append_copy") && !case_is(r, "make_copy")) return kept;
    kept = (struct slice){program_new(r, &type_strings, 1), 1, 1};
    if (kept.data) gosim_move(case_gosim(r), &type_strings, kept.data, data, 1);
    return kept;
}

/* --- one array of n strings --- */

static bool fill_strings(struct retention *r, struct str *data, size_t n) {
    for (size_t i = 0; i < n; i++) {
        struct str text = program_key(r, i);
        if (!text.text) return false;
        gosim_store(case_gosim(r), &data[i].text, (void *)(uintptr_t)text.text);
        data[i].len = text.len;
    }
    return true;
}

static bool keep_one(struct retention *r, struct program_map *cache) {
    static const struct str key = {"key", 3}; /* a constant of the program: not on its heap */
    struct str *data = program_new(r, &type_strings, case_n(r));
    if (!data) return false;
    if (case_is(r, "strings_filled_leaky") && !fill_strings(r, data, case_n(r))) return false;
    struct slice kept = first_of(r, data, case_n(r));
    return kept.data && program_put(cache, &key, &kept);
}

static bool run_one(struct retention *r) {
    struct program_map cache;
    size_t n = case_n(r);
    if (!program_map_make(r, &cache, NULL, 0, "cache") || !checkpoint(r, "base", 0, 0)) return false;
    if (!keep_one(r, &cache) || !checkpoint(r, "after", n, sizeof(struct str))) return false;
    program_map_nil(&cache);
    bool ok = checkpoint(r, "dropped", n, 0);
    program_map_drop(&cache);
    return ok;
}

/* --- n arrays --- */

static uint64_t live_many(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * sizeof(struct str);
}

static bool add(struct retention *r, size_t i, void *context) {
    struct program_map *cache = context;
    void *data = program_new(r, &type_strings, STRINGS_EACH);
    if (!data) return false;
    struct str key = program_key(r, i);
    struct slice kept = first_of(r, data, STRINGS_EACH);
    return key.text && kept.data && program_put(cache, &key, &kept);
}

static bool run_many(struct retention *r) {
    struct program_map cache;
    size_t n = case_n(r);
    if (!program_map_make(r, &cache, NULL, 0, "cache") || !checkpoint(r, "base", 0, 0)) return false;
    if (!each_with_checkpoints(r, n, add, &cache, "fill", live_many)) return false;
    program_map_nil(&cache);
    bool ok = checkpoint(r, "dropped", n, 0);
    program_map_drop(&cache);
    return ok;
}

/* --- the catalogue --- */

#define APPEND_COPY                                                                                          \
    { "append_copy", VARIANT_FIXED, "appends the element to an empty slice" }
#define MAKE_COPY                                                                                            \
    { "make_copy", VARIANT_FIXED, "makes a slice and copies the element" }

const struct scenario scenario_subslice = {
    .number = 1,
    .name = "subslice",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 1000000,
    .claim = "A slice of one element keeps the whole array that it was cut from.",
    .fix = "Copy what is kept: append([]T(nil), s...) or make and copy.",
    .variant = VARIANTS(
        {"leaky", VARIANT_LEAKY, "keeps data[:1] of an array of n strings"},
        {"capped", VARIANT_NO_FIX, "keeps data[:1:1]: the capacity does not matter to the collector"},
        APPEND_COPY, MAKE_COPY,
        {"strings_filled_leaky", VARIANT_LEAKY, "as leaky, with a text of 16 bytes in every string"}),
    .labels = "base after dropped",
    .verdict_label = "after",
    .bound_factor = 1,
    .bound_bytes = 16 << 10, /* a small map */
    .run = run_one,
};

const struct scenario scenario_subslice_capped = {
    .number = 2,
    .name = "subslice_capped",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 1000000,
    .claim = "A full slice expression, data[:1:1], cuts the capacity and keeps the whole array all the same.",
    .fix = "Copy what is kept: append([]T(nil), s...) or make and copy.",
    .variant = VARIANTS({"capped", VARIANT_LEAKY, "keeps data[:1:1], believed to let go of the rest"},
                        APPEND_COPY, MAKE_COPY),
    .labels = "base after dropped",
    .verdict_label = "after",
    .bound_factor = 1,
    .bound_bytes = 16 << 10,
    .run = run_one,
};

const struct scenario scenario_subslice_many = {
    .number = 1,
    .name = "subslice_many",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 64,
    .claim =
        "Many slices of one element each keep as many whole arrays: the heap grows by an array an entry.",
    .fix = "Copy what is kept: append([]T(nil), s...) or make and copy.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "keeps data[:1] of each of n arrays of 10,000 strings"},
                        {"capped", VARIANT_NO_FIX, "keeps data[:1:1]"}, APPEND_COPY, MAKE_COPY),
    .labels = "base fill dropped",
    .verdict_label = "fill",
    .bound_factor = 12, /* slots at half load and keys of 16 bytes for a header of 16 */
    .bound_bytes = 16 << 10,
    .run = run_many,
};
