/* 23-25: slices that grow, are made per call, or are cut from a buffer. 23: a value to which the program
 * appends for ever; 24: what the fields of a log line cost per call (garbage, not retention); 25: a short
 * slice of a large buffer, believed to save a copy.
 *
 * Recordings: append_growth, logfields, prealloc_trunc. */
#include <string.h>

#include "harness/heaps/gosim/sizeclass.h"
#include "harness/retention/program/program.h"

enum {
    WINDOW = 64,         /* lines that a program needs: 23 */
    LINE_BYTES = 16,     /* of text */
    FIELDS = 6,          /* 24: three names and three values */
    POOLED_FIELDS = 16,  /* room of a slice from the pool */
    BUFFER_BYTES = 1024, /* 25 */
    KEPT_BYTES = 16,
};

/* Room for one more element, as Go's append makes it: the slice unchanged, or a larger array that the
 * elements are copied to. NULL data: out of memory. */
static struct slice grown(struct retention *r, const struct gosim_type *type, struct slice s) {
    if (s.len < s.cap) return s;
    size_t cap = gs_grown_capacity(s.cap, type->size, type->pointers == 0, true);
    void *data = program_new(r, type, cap);
    if (data && s.len) gosim_move(case_gosim(r), type, data, s.data, s.len);
    return (struct slice){data, s.len, cap};
}

/* --- 23: append_value --- */

static bool append_line(struct retention *r, struct slice *s, size_t i) {
    struct str line = program_key(r, i);
    *s = grown(r, &type_strings, *s);
    if (!line.text || !s->data) return false;
    struct str *at = (struct str *)s->data + s->len;
    gosim_store(case_gosim(r), &at->text, (void *)(uintptr_t)line.text);
    at->len = line.len;
    s->len++;
    return true;
}

static const struct str device = {"device-0", 8}; /* a constant of the program */

static bool append_one(struct retention *r, size_t i, void *context) {
    struct slice s = {NULL, 0, 0};
    program_get(context, &device, &s);
    if (case_is(r, "window_copydown") && s.len == WINDOW) {
        gosim_move(case_gosim(r), &type_strings, s.data, (struct str *)s.data + 1, WINDOW - 1);
        s.len--; /* the last line stays behind the end until it is overwritten */
    }
    if (!append_line(r, &s, i)) return false;
    if (case_is(r, "window_reslice") && s.len > WINDOW)
        s = (struct slice){(struct str *)s.data + 1, s.len - 1, s.cap - 1};
    return program_put(context, &device, &s);
}

static uint64_t live_window(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (done < WINDOW ? done : WINDOW) * LINE_BYTES;
}

static bool run_append(struct retention *r) {
    struct program_map lines;
    struct slice s = {NULL, 0, 0};
    size_t n = case_n(r);
    if (!program_map_make(r, &lines, NULL, 0, "lines") || !checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, append_one, &lines, "append", live_window))
        return false;
    program_get(&lines, &device, &s);
    note_number(r, "len", (double)s.len);
    note_number(r, "cap", (double)s.cap);
    bool ok = checkpoint(r, "end", n, live_window(r, n, NULL));
    program_map_drop(&lines);
    return ok;
}

/* --- 24: log_fields --- */

/* []interface {}: the type words point to the program's constants, and so do the values here. */
static const struct gosim_field field_pointer[] = {{"[].data", offsetof(struct any, data)}};
static const struct gosim_type type_fields = {"[]interface {}", sizeof(struct any), field_pointer, 1, 0};
static const struct gosim_field pooled_pointer[] = {{"data", 0}};
static const struct gosim_type type_pooled = {"*[]interface {}", sizeof(struct slice), pooled_pointer, 1, 0};

/* append(append(append(s, "ts", time), "trace_id", id), "span_id", id); `s` has room for all or none of the
 * pair's two elements. */
static struct slice append_fields(struct retention *r, struct slice s) {
    static const struct any_type any_string = {"string", 16, false};
    static const struct str text = {"0123456789abcdef", 16};
    for (int i = 0; i < FIELDS && (i == 0 || s.data); i++) {
        s = grown(r, &type_fields, s);
        if (!s.data) break;
        struct any *at = (struct any *)s.data + s.len++;
        at->type = &any_string;
        gosim_store(case_gosim(r), &at->data, (void *)(uintptr_t)&text);
    }
    return s;
}

struct logging {
    void *line;   /* the last call's fields: a variable of the program */
    void *pooled; /* what the pool has */
};

/* The fields of a call, in a slice of its own or the pool's. False: out of memory. */
static bool log_call(struct retention *r, struct logging *to) {
    struct slice s = {NULL, 0, 0}, *pooled = to->pooled;
    if (case_is(r, "naive")) s = (struct slice){program_new(r, &type_fields, 2), 0, 2};
    if (case_is(r, "prealloc")) s = (struct slice){program_new(r, &type_fields, FIELDS), 0, FIELDS};
    if (case_is(r, "pooled")) {
        if (!pooled) {
            pooled = program_new(r, &type_pooled, 1);
            if (!pooled) return false;
            gosim_store(case_gosim(r), &pooled->data, program_new(r, &type_fields, POOLED_FIELDS));
            pooled->cap = POOLED_FIELDS;
            to->pooled = pooled;
        }
        s = (struct slice){pooled->data, 0, pooled->cap};
    }
    s = s.data ? append_fields(r, s) : s;
    to->line = s.data;
    return s.data != NULL;
}

static bool run_log(struct retention *r) {
    struct logging logging = {NULL, NULL};
    struct gosim *heap = case_gosim(r);
    struct gosim_stats before, after;
    size_t n = case_n(r);
    gosim_root(heap, &logging.line, "line"), gosim_root(heap, &logging.pooled, "pool");
    if (!checkpoint(r, "base", 0, 0)) return false;
    gosim_stats(heap, &before);
    for (size_t i = 0; i < n; i++)
        if (!log_call(r, &logging)) return false;
    gosim_stats(heap, &after);
    note_number(r, "bytes_per_call", (double)(after.total_alloc - before.total_alloc) / (double)n);
    note_number(r, "mallocs_per_call", (double)(after.mallocs - before.mallocs) / (double)n);
    logging.line = NULL;
    logging.pooled = NULL; /* sync.Pool lets go of what two collections found unused */
    bool ok = checkpoint(r, "end", n, 0);
    gosim_unroot(heap, &logging.line), gosim_unroot(heap, &logging.pooled);
    return ok;
}

/* --- 25: prealloc_trim --- */

struct texts {
    struct program_map map;
    void *shared; /* reused_buffer: a variable of the program */
};

static bool is_wrong(void *context, const void *key, const void *val) {
    const struct str *k = key;
    const struct slice *text = val;
    *(size_t *)context += k->len != text->len || memcmp(k->text, text->data, k->len) != 0;
    return true;
}

/* Entries whose text is no longer the key's. */
static size_t wrong_values(struct program_map *m) {
    size_t wrong = 0;
    m->unit->op.each(m->map, is_wrong, &wrong);
    return wrong;
}

static bool add_text(struct retention *r, size_t i, void *context) {
    struct texts *texts = context;
    struct str key = program_key(r, i);
    bool reused = case_is(r, "reused_buffer");
    char *buffer = reused ? texts->shared : program_new(r, &type_bytes, BUFFER_BYTES);
    if (!key.text || !buffer) return false;
    memcpy(buffer, key.text, key.len);
    struct slice kept = {buffer, KEPT_BYTES, BUFFER_BYTES};
    if (case_is(r, "copy")) {
        kept = (struct slice){program_new(r, &type_bytes, KEPT_BYTES), KEPT_BYTES, KEPT_BYTES};
        if (!kept.data) return false;
        memcpy(kept.data, buffer, KEPT_BYTES);
    }
    if (!program_put(&texts->map, &key, &kept)) return false;
    if (i + 1 == case_n(r)) note_number(r, "wrong_values", (double)wrong_values(&texts->map));
    return true;
}

static uint64_t live_texts(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return done * KEPT_BYTES;
}

static bool run_trim(struct retention *r) {
    struct texts texts = {.shared = NULL};
    struct gosim *heap = case_gosim(r);
    gosim_root(heap, &texts.shared, "buffer");
    if (case_is(r, "reused_buffer") && !(texts.shared = program_new(r, &type_bytes, BUFFER_BYTES)))
        return false;
    if (!program_map_make(r, &texts.map, NULL, 0, "texts") || !checkpoint(r, "base", 0, 0)) return false;
    bool ok = each_with_checkpoints(r, case_n(r), add_text, &texts, "fill", live_texts);
    program_map_drop(&texts.map);
    gosim_unroot(heap, &texts.shared);
    return ok;
}

/* --- the catalogue --- */

const struct scenario scenario_append_value = {
    .number = 23,
    .name = "append_value",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 100000,
    .claim = "A value to which the program appends and from which it never takes grows for ever.",
    .fix = "Keep the last lines only, in a ring or a window of fixed length.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "appends to the value for ever"},
                        {"window_reslice", VARIANT_FIXED,
                         "drops the first line by slicing; append copies the rest now and then"},
                        {"window_copydown", VARIANT_FIXED, "moves 63 lines down and appends in place"}),
    .labels = "base append end",
    .verdict_label = "end",
    .bound_factor = 4,
    .bound_bytes = 8 << 10,
    .run = run_append,
};

const struct scenario scenario_log_fields = {
    .number = 24,
    .name = "log_fields",
    .about = ABOUT_COLLECTOR,
    .heaps = ON_GOSIM | ON_GO,
    .n = 100000,
    .claim = "A slice of fields built per call keeps nothing but makes 224 bytes of garbage a call "
             "(bytes_per_call).",
    .fix = "Make it with room for all fields (96 bytes a call), or take it from a pool (none).",
    .variant = VARIANTS({"naive", VARIANT_LEAKY, "the slice of fields grows by append in every call"},
                        {"prealloc", VARIANT_FIXED, "made with room for all fields"},
                        {"pooled", VARIANT_FIXED, "taken from a sync.Pool and returned"}),
    .affected = AFFECTED(NOT_IN_BYTES("naive")),
    .labels = "base end",
    .verdict_label = "end",
    .bound_factor = 1,
    .bound_bytes = 4 << 10,
    .run = run_log,
};

const struct scenario scenario_prealloc_trim = {
    .number = 25,
    .name = "prealloc_trim",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_slice",
    .n = 10000,
    .claim =
        "Sixteen bytes cut from a buffer of 1 KiB keep the buffer; one buffer used for all entries instead "
        "changes the earlier ones.",
    .fix = "Copy the bytes that are kept.",
    .variant = VARIANTS({"leaky", VARIANT_LEAKY, "stores the first 16 bytes of a buffer of 1 KiB as a slice"},
                        {"copy", VARIANT_FIXED, "copies the 16 bytes"},
                        {"reused_buffer", VARIANT_NO_FIX,
                         "one buffer for all: little is kept, and all entries show the last text"}),
    .affected = AFFECTED(NOT_IN_BYTES("reused_buffer")),
    .labels = "base fill",
    .verdict_label = "fill",
    .bound_factor = 10,
    .bound_bytes = 16 << 10,
    .run = run_trim,
};
