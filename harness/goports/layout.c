/* The layout engine: a reader of Go types that adds up sizes as Go's compiler does. */
#include "harness/goports/layout.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/count_of.h"

const struct layout_target layout_targets[LAYOUT_TARGETS] = {
    [LAYOUT_64] = {"64-bit", 8, 8},
    [LAYOUT_32] = {"32-bit", 4, 4},
};

struct reader {
    const char *at;
    const struct layout_target *target;
    unsigned behind_pointer; /* above 0: sizes do not matter, so names need not be known */
    struct why *why;
};

static bool read_type(struct reader *r, struct layout_type *out, struct layout *fields);

static void skip_blanks(struct reader *r) {
    while (isspace((unsigned char)*r->at)) r->at++;
}

static bool take(struct reader *r, char expected) {
    skip_blanks(r);
    if (*r->at != expected) return false;
    r->at++;
    return true;
}

static bool expect(struct reader *r, char expected) {
    if (take(r, expected)) return true;
    if (*r->at)
        why_say(r->why, "a '%c' is missing in the type before '%s'", expected, r->at);
    else
        why_say(r->why, "the type ends without a '%c'", expected);
    return false;
}

/* A name, which may be qualified: unsafe.Pointer. */
static bool read_word(struct reader *r, char *word, size_t word_size) {
    size_t length = 0;
    skip_blanks(r);
    while (isalnum((unsigned char)r->at[length]) ||
           (length > 0 && r->at[length] != '\0' && strchr("./", r->at[length])) || r->at[length] == '_')
        length++;
    if (length == 0 || length >= word_size || isdigit((unsigned char)r->at[0]))
        return why_say(r->why, *r->at ? "a type or field name is expected at '%s'" : "the type ends too soon",
                       r->at);
    snprintf(word, word_size, "%.*s", (int)length, r->at);
    r->at += length;
    return true;
}

static bool too_large(struct reader *r) {
    return why_say(r->why, "the type is larger than %d bytes", LAYOUT_SIZE_MAX);
}

static size_t round_up(size_t bytes, size_t align_bytes) {
    return (bytes + align_bytes - 1) / align_bytes * align_bytes;
}

/* --- types of known size --- */

/* `words` of a pointer's size, of which the first `pointers` are pointers. */
static struct layout_type words_type(const struct reader *r, size_t words, size_t pointers) {
    size_t word_bytes = r->target->pointer_bytes;
    return (struct layout_type){.size_bytes = words * word_bytes,
                                .align_bytes = word_bytes,
                                .pointer_prefix_bytes = pointers * word_bytes,
                                .reflexive = true,
                                .plain = words == 1};
}

static struct layout_type interface_type(const struct reader *r) {
    struct layout_type type = words_type(r, 2, 2);
    type.reflexive = false;
    type.needs_key_update = type.hash_may_panic = true;
    return type;
}

static bool number_type(const struct reader *r, const char *word, struct layout_type *out) {
    static const struct {
        const char *name;
        unsigned char size_bytes, part_bytes; /* of a complex number: its halves */
        bool floating;
    } numbers[] = {
        {"bool", 1, 1, false},   {"int8", 1, 1, false},     {"uint8", 1, 1, false},
        {"byte", 1, 1, false},   {"int16", 2, 2, false},    {"uint16", 2, 2, false},
        {"int32", 4, 4, false},  {"uint32", 4, 4, false},   {"rune", 4, 4, false},
        {"int64", 8, 8, false},  {"uint64", 8, 8, false},   {"float32", 4, 4, true},
        {"float64", 8, 8, true}, {"complex64", 8, 4, true}, {"complex128", 16, 8, true},
    };
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        if (strcmp(word, numbers[i].name) != 0) continue;
        size_t align = numbers[i].part_bytes, most = r->target->align_max_bytes;
        *out = (struct layout_type){.size_bytes = numbers[i].size_bytes,
                                    .align_bytes = align < most ? align : most,
                                    .reflexive = !numbers[i].floating,
                                    .plain = !numbers[i].floating,
                                    .needs_key_update = numbers[i].floating};
        return true;
    }
    return false;
}

static bool named_type(struct reader *r, const char *word, struct layout_type *out) {
    if (number_type(r, word, out)) return true;
    if (strcmp(word, "int") == 0 || strcmp(word, "uint") == 0 || strcmp(word, "uintptr") == 0)
        return *out = words_type(r, 1, 0), true;
    if (strcmp(word, "unsafe.Pointer") == 0) return *out = words_type(r, 1, 1), true;
    if (strcmp(word, "any") == 0 || strcmp(word, "error") == 0) return *out = interface_type(r), true;
    if (strcmp(word, "string") == 0) {
        *out = words_type(r, 2, 1);
        out->needs_key_update = out->string = true;
        return true;
    }
    if (r->behind_pointer) return *out = words_type(r, 1, 0), true;
    return why_say(r->why, "unknown type '%s': write it out, as in struct { name string; number uint32 }",
                   word);
}

/* --- types made of others --- */

static bool read_behind_pointer(struct reader *r) {
    struct layout_type unused;
    r->behind_pointer++;
    bool ok = read_type(r, &unused, NULL);
    r->behind_pointer--;
    return ok;
}

/* What is left of a type that cannot be a key. */
static struct layout_type incomparable_type(const struct reader *r, size_t words, const char *what) {
    struct layout_type type = words_type(r, words, 1);
    type.incomparable = what;
    type.plain = false;
    return type;
}

/* Refuses a key as the compiler does. */
static bool check_key(struct reader *r, const char *text, size_t length, const struct layout_type *key) {
    while (length && isspace((unsigned char)text[length - 1])) length--;
    while (length && isspace((unsigned char)*text)) text++, length--;
    if (!key->incomparable) return true;
    bool within = strncmp(text, "struct", 6) == 0 || (*text == '[' && text[1] != ']');
    return why_say(r->why,
                   within ? "'%.*s' cannot be a key: it holds %s, which cannot be compared"
                          : "'%.*s' cannot be a key: %s cannot be compared",
                   (int)length, text, key->incomparable);
}

/* map[K]V, after the word. A map within another type is refused for its key, too. */
static bool read_map(struct reader *r, struct layout_type *out) {
    struct layout_type key;
    *out = incomparable_type(r, 1, "a map");
    if (!expect(r, '[')) return false;
    const char *text = r->at;
    r->behind_pointer++;
    bool ok = read_type(r, &key, NULL) && check_key(r, text, (size_t)(r->at - text), &key);
    r->behind_pointer--;
    return ok && expect(r, ']') && read_behind_pointer(r);
}

/* Parameters or results after the bracket: types, each of which may have a name before and dots. */
static bool read_parameters(struct reader *r) {
    struct layout_type unused;
    while (!take(r, ')')) {
        char word[64];
        const char *begin = r->at;
        bool named = false;
        skip_blanks(r);
        if (isalpha((unsigned char)*r->at) || *r->at == '_') {
            if (!read_word(r, word, sizeof word)) return false;
            skip_blanks(r);
            named = *r->at && !strchr(",){[(", *r->at) && strcmp(word, "chan") != 0;
        }
        if (!named) r->at = begin;
        skip_blanks(r);
        if (strncmp(r->at, "...", 3) == 0) r->at += 3;
        if (!read_type(r, &unused, NULL)) return false;
        skip_blanks(r);
        if (*r->at != ')' && !expect(r, ',')) return false;
    }
    return true;
}

/* func(T, ...) T, after the word. */
static bool read_func(struct reader *r, struct layout_type *out) {
    struct layout_type unused;
    *out = incomparable_type(r, 1, "a func");
    r->behind_pointer++;
    bool ok = expect(r, '(') && read_parameters(r);
    skip_blanks(r);
    if (ok && *r->at == '(')
        ok = take(r, '(') && read_parameters(r);
    else if (ok && *r->at && !strchr(",;)]}", *r->at))
        ok = read_type(r, &unused, NULL);
    r->behind_pointer--;
    return ok;
}

/* interface { ... }, after the word; its methods are passed over. */
static bool read_interface(struct reader *r, struct layout_type *out) {
    *out = interface_type(r);
    if (!expect(r, '{')) return false;
    for (size_t open = 1; open; r->at++) {
        if (!*r->at) return why_say(r->why, "the type ends without a '}'");
        open += *r->at == '{';
        open -= *r->at == '}';
    }
    return true;
}

/* [N]T and []T, after the bracket. */
static bool read_array(struct reader *r, struct layout_type *out) {
    if (take(r, ']')) {
        *out = incomparable_type(r, 3, "a slice");
        return read_behind_pointer(r);
    }
    skip_blanks(r);
    size_t count = 0;
    const char *digits = r->at;
    for (; isdigit((unsigned char)*r->at); r->at++)
        if ((count = count * 10 + (size_t)(*r->at - '0')) > LAYOUT_SIZE_MAX) return too_large(r);
    if (r->at == digits) return why_say(r->why, "the length of an array is missing before '%s'", r->at);
    if (!expect(r, ']') || !read_type(r, out, NULL)) return false;
    size_t part = out->size_bytes;
    if (part && count > LAYOUT_SIZE_MAX / part) return too_large(r);
    out->size_bytes = count * part;
    out->string &= count == 1;
    out->plain |= count == 0 && !out->incomparable; /* nothing to compare */
    if (out->pointer_prefix_bytes)
        out->pointer_prefix_bytes = count ? (count - 1) * part + out->pointer_prefix_bytes : 0;
    return true;
}

static bool add_field(struct reader *r, struct layout_type *whole, const struct layout_type *part,
                      size_t *offset) {
    *offset = round_up(whole->size_bytes, part->align_bytes);
    if (*offset + part->size_bytes > LAYOUT_SIZE_MAX) return too_large(r);
    whole->plain &= part->plain && *offset == whole->size_bytes;
    whole->size_bytes = *offset + part->size_bytes;
    if (part->align_bytes > whole->align_bytes) whole->align_bytes = part->align_bytes;
    if (part->pointer_prefix_bytes) whole->pointer_prefix_bytes = *offset + part->pointer_prefix_bytes;
    if (!whole->incomparable) whole->incomparable = part->incomparable;
    whole->reflexive &= part->reflexive;
    whole->needs_key_update |= part->needs_key_update;
    whole->hash_may_panic |= part->hash_may_panic;
    return true;
}

static bool record_field(struct reader *r, struct layout *fields, const char *name, const char *type,
                         const struct layout_type *part, size_t offset) {
    if (fields->fields == LAYOUT_FIELDS_MAX)
        return why_say(r->why, "a struct of more than %d fields", LAYOUT_FIELDS_MAX);
    struct layout_field *field = &fields->field[fields->fields++];
    while (isspace((unsigned char)*type)) type++;
    *field = (struct layout_field){
        .offset_bytes = offset, .size_bytes = part->size_bytes, .align_bytes = part->align_bytes};
    snprintf(field->name, sizeof field->name, "%s", name);
    snprintf(field->type, sizeof field->type, "%.*s", (int)(r->at - type), type);
    return true;
}

/* struct { name T; ... }, after the word. */
static bool read_struct(struct reader *r, struct layout_type *out, struct layout *fields) {
    struct layout_type part = {.size_bytes = 1};
    *out = (struct layout_type){.align_bytes = 1, .reflexive = true, .plain = true};
    if (!expect(r, '{')) return false;
    size_t parts = 0;
    while (!take(r, '}')) {
        char name[LAYOUT_FIELDS_MAX][64];
        size_t offset, names = 0;
        do {
            if (names == LAYOUT_FIELDS_MAX)
                return why_say(r->why, "a field list of more than %d names", LAYOUT_FIELDS_MAX);
            if (!read_word(r, name[names++], sizeof name[0])) return false;
        } while (take(r, ','));
        const char *type = r->at;
        if (!read_type(r, &part, NULL)) return false;
        for (size_t i = 0; i < names; i++) {
            /* A field that cannot be named is left out of comparisons. */
            bool blank = strcmp(name[i], "_") == 0;
            if (!add_field(r, out, &part, &offset)) return false;
            out->string = parts++ == 0 && part.string && !blank;
            out->plain &= !blank;
            if (fields && !record_field(r, fields, name[i], type, &part, offset)) return false;
        }
        skip_blanks(r);
        if (*r->at != '}' && !expect(r, ';')) return false;
    }
    if (out->size_bytes > 0 && part.size_bytes == 0) {
        out->size_bytes++;
        out->plain = false; /* the byte is padding */
    }
    out->plain &= out->size_bytes % out->align_bytes == 0;
    out->size_bytes = round_up(out->size_bytes, out->align_bytes);
    return true;
}

/* chan T, chan<- T and <-chan T, after the word. */
static bool read_channel(struct reader *r, struct layout_type *out) {
    *out = words_type(r, 1, 1);
    skip_blanks(r);
    if (strncmp(r->at, "<-", 2) == 0) r->at += 2;
    return read_behind_pointer(r);
}

static bool read_type(struct reader *r, struct layout_type *out, struct layout *fields) {
    char word[64];
    skip_blanks(r);
    if (strncmp(r->at, "<-", 2) == 0) r->at += 2;
    if (take(r, '*')) return *out = words_type(r, 1, 1), read_behind_pointer(r);
    if (take(r, '[')) return read_array(r, out);
    if (!read_word(r, word, sizeof word)) return false;
    if (strcmp(word, "struct") == 0) return read_struct(r, out, fields);
    if (strcmp(word, "interface") == 0) return read_interface(r, out);
    if (strcmp(word, "chan") == 0) return read_channel(r, out);
    if (strcmp(word, "map") == 0) return read_map(r, out);
    if (strcmp(word, "func") == 0) return read_func(r, out);
    return named_type(r, word, out);
}

/* --- what others call --- */

static bool at_end(struct reader *r) {
    skip_blanks(r);
    if (*r->at) why_say(r->why, "the type goes on after its end: '%s'", r->at);
    return !*r->at;
}

bool layout_compute(const char *text, const struct layout_target *target, struct layout *out,
                    struct why *why) {
    struct layout unused, *to = out ? out : &unused;
    struct reader r = {.at = text, .target = target, .why = why};
    *to = (struct layout){.fields = 0};
    return read_type(&r, &to->whole, to) && at_end(&r);
}

size_t layout_padding_after(const struct layout *layout, size_t field) {
    const struct layout_field *f = &layout->field[field];
    size_t end = field + 1 < layout->fields ? f[1].offset_bytes : layout->whole.size_bytes;
    return end - f->offset_bytes - f->size_bytes;
}

/* The text of one of a map type's parts, which the reader must accept, and as a key if it is one. */
static bool copy_part(struct reader *r, char part[LAYOUT_TEXT_MAX], bool is_key) {
    struct layout_type type;
    skip_blanks(r);
    const char *begin = r->at;
    r->behind_pointer++;
    bool ok = read_type(r, &type, NULL) && (!is_key || check_key(r, begin, (size_t)(r->at - begin), &type));
    r->behind_pointer--;
    if (!ok) return false;
    size_t length = (size_t)(r->at - begin);
    while (length && isspace((unsigned char)begin[length - 1])) length--;
    snprintf(part, LAYOUT_TEXT_MAX, "%.*s", (int)length, begin);
    return true;
}

bool layout_split_map(const char *text, char key[LAYOUT_TEXT_MAX], char elem[LAYOUT_TEXT_MAX],
                      struct why *why) {
    struct reader r = {.at = text, .target = layout_targets, .why = why};
    if (strlen(text) >= LAYOUT_TEXT_MAX)
        return why_say(why, "a type of more than %d characters", LAYOUT_TEXT_MAX - 1);
    if (strncmp(text, "map[", 4) != 0)
        return why_say(why, "'%s' is no map type: write it as in map[string]int", text);
    r.at += 4;
    return copy_part(&r, key, true) && expect(&r, ']') && copy_part(&r, elem, false) && at_end(&r);
}
