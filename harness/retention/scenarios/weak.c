/* 31, 32: maps with weak values, of which the entries stay, and with weak keys, to which values lead back. */
#include <stddef.h>
#include <stdint.h>

#include "harness/retention/program/program.h"

enum { USER_BYTES = 1032, NOTE_TEXT_BYTES = 64 };

static const struct gosim_field pointer_field[] = {{"", 0}};
static const struct gosim_type type_pointers = {"[]*T", sizeof(void *), pointer_field, 1, 0};

/* The map, the strong references beside it, and how both are taken down. */
struct weak_map {
    struct retention *r;
    bool (*add)(struct weak_map *w, size_t i);
    struct program_map map;
    void **strong;
};

static bool open_map(void *opaque) {
    struct weak_map *w = opaque;
    return program_map_make(w->r, &w->map, NULL, 0, "cache");
}

static bool fill(void *opaque) {
    struct weak_map *w = opaque;
    if (!(w->strong = program_new(w->r, &type_pointers, case_n(w->r)))) return false;
    for (size_t i = 0; i < case_n(w->r); i++)
        if (!w->add(w, i)) return false;
    return true;
}

static bool note_and_check(struct weak_map *w, const char *label) {
    note_number(w->r, "len", (double)program_len(&w->map));
    return checkpoint(w->r, label, case_n(w->r), 0);
}

/* After the strong references are gone: what is left when everything that can run has run. */
static bool drop_strong(struct weak_map *w) {
    enum { MORE_COLLECTIONS = 3 };
    w->strong = NULL;
    if (!program_collect(w->r) || !note_and_check(w, "strong_dropped")) return false;
    for (size_t i = 0; i < MORE_COLLECTIONS; i++)
        if (!program_collect(w->r)) return false;
    bool ok = note_and_check(w, "collected_again");
    program_map_drop(&w->map);
    program_unroot(w->r, &w->strong);
    return ok;
}

static bool tell(struct retention *r, bool (*add)(struct weak_map *w, size_t i)) {
    struct weak_map w = {.r = r, .add = add};
    size_t n = case_n(r);
    program_root(r, &w.strong, "strong");
    return program_phase(r, open_map, &w) && checkpoint(r, "base", 0, 0) && program_phase(r, fill, &w) &&
           checkpoint(r, "filled", n, (uint64_t)n * USER_BYTES) && drop_strong(&w);
}

/* --- 31 --- */

/* func(i) { delete(cache, key(i)) } with its argument. */
struct sweep {
    void *code;
    struct weak_map *from; /* outside the heap */
    size_t i;
};
static const struct gosim_type type_sweep = {"func(i)", sizeof(struct sweep), NULL, 0, 0};

static void sweep_value(void *closure) {
    const struct sweep *s = closure;
    struct str key = program_key(s->from->r, s->i);
    if (key.text) program_del(&s->from->map, &key);
}

static bool add_value(struct weak_map *w, size_t i) {
    void *user = program_new(w->r, &type_user, 1);
    void *handle = user ? program_weak_make(w->r, user) : NULL;
    struct str key = {0};
    if (!handle || !(key = program_key(w->r, i)).text || !program_put(&w->map, &key, &handle)) return false;
    program_store(w->r, &w->strong[i], user);
    if (!case_is(w->r, "cleanup")) return true;
    struct sweep *closure = program_new(w->r, &type_sweep, 1);
    if (!closure) return false;
    closure->from = w;
    closure->i = i;
    return program_add_cleanup(w->r, user, sweep_value, closure);
}

static bool run_values(struct retention *r) {
    return tell(r, add_value);
}

static const struct boehm_settings values_on_boehm = {
    .shape = "str_ptr",
    .bound_factor = 0,
    /* The map's array, up to 512 KiB; the key and the handle in each slot that a map marks deleted and does
     * not clear, 48 bytes; libgc's table for two links a value, 256 KiB; 32 strays of 1,344 bytes. */
    .bound_bytes = 1280 << 10,
};

const struct scenario scenario_weak_values = {
    .number = 31,
    .name = "weak_values",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_BOEHM | ON_GO,
    .shape = "str_ptr",
    .n = 10000,
    .claim = "A map to weak pointers lets the values go, but keeps an entry, a key and a handle for each.",
    .fix = "Give every value a cleanup that deletes its entry; what the map's arrays keep is another story.",
    .variant = VARIANTS({"unswept", VARIANT_LEAKY, "a map to weak pointers: the values go, the entries stay"},
                        {"cleanup", VARIANT_FIXED, "a cleanup on each value deletes its entry"}),
    .affected = AFFECTED(NOT_IN_BYTES("unswept")),
    .labels = "base filled strong_dropped collected_again",
    .verdict_label = "collected_again",
    .bound_factor = 0,
    /* Arrays, which no map here gives back by itself. */
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(struct str) + sizeof(void *)),
    .bound_bytes = 16 << 10,
    .on_boehm = &values_on_boehm,
    .run = run_values,
};

/* --- 32 --- */

struct note;
struct owner {
    uint64_t id;
    char data[USER_BYTES - sizeof(uint64_t)];
    struct note *note;
};
struct note {
    struct owner *strong;
    void *weak; /* a handle */
    char text[NOTE_TEXT_BYTES];
};
static const struct gosim_field owner_field[] = {{"note", offsetof(struct owner, note)}};
static const struct gosim_field note_fields[] = {{"strong", offsetof(struct note, strong)},
                                                 {"weak", offsetof(struct note, weak)}};
static const struct gosim_type type_owner = {"owner", sizeof(struct owner), owner_field, 1, 0};
static const struct gosim_type type_note = {"note", sizeof(struct note), note_fields, 2, 0};
/* Keys are interface values here: 8 bytes more a slot than a weak.Pointer takes in Go. */
static const struct any_type any_weak = {"weak.Pointer", sizeof(void *), true};

/* The key for an owner. On boehm, whose maps have no interface keys, it is the owner's address, inverted so
 * that it holds nothing; there is no other owner of that address before the entry is gone. */
static void *key_word(const struct weak_map *w, const struct owner *o, void *handle) {
    return program_on_boehm(w->r) ? (void *)~(uintptr_t)o : handle;
}

static bool put_note(struct weak_map *w, void *word, struct note *note) {
    struct any key = {&any_weak, word};
    uint64_t number = (uintptr_t)word;
    return program_put(&w->map, program_on_boehm(w->r) ? (void *)&number : (void *)&key, &note);
}

/* func(k) { delete(notes, k) } */
struct sweep_key {
    void *code;
    struct weak_map *from; /* outside the heap */
    void *word;
};
static const struct gosim_field sweep_key_field[] = {{"k", offsetof(struct sweep_key, word)}};
static const struct gosim_type type_sweep_key = {"func(k)", sizeof(struct sweep_key), sweep_key_field, 1, 0};

static void sweep_entry(void *closure) {
    const struct sweep_key *s = closure;
    struct any key = {&any_weak, s->word};
    uint64_t number = (uintptr_t)s->word;
    program_del(&s->from->map, program_on_boehm(s->from->r) ? (void *)&number : (void *)&key);
}

static bool sweep_with(struct weak_map *w, struct owner *o, void *word) {
    struct sweep_key *closure = program_new(w->r, &type_sweep_key, 1);
    if (!closure) return false;
    closure->from = w;
    program_store(w->r, &closure->word, word);
    return program_add_cleanup(w->r, o, sweep_entry, closure);
}

/* The variants differ in where the note is and in what it refers to. */
static bool add_note(struct weak_map *w, struct owner *o) {
    void *handle = program_weak_make(w->r, o), *word = key_word(w, o, handle);
    struct note *note = handle ? program_new(w->r, &type_note, 1) : NULL;
    if (!note) return false;
    if (case_is(w->r, "weak_back")) {
        program_store(w->r, &note->weak, handle);
        return put_note(w, word, note) && sweep_with(w, o, word);
    }
    program_store(w->r, &note->strong, o);
    if (case_is(w->r, "strong_back")) return put_note(w, word, note);
    if (case_is(w->r, "inside_key")) {
        program_store(w->r, &o->note, note);
        return true;
    }
    return put_note(w, word, NULL) && program_ephemeron(w->r, o, note) && sweep_with(w, o, word);
}

static bool add_owner(struct weak_map *w, size_t i) {
    struct owner *o = program_new(w->r, &type_owner, 1);
    if (!o) return false;
    program_store(w->r, &w->strong[i], o);
    o->id = i;
    return add_note(w, o);
}

static bool run_key_cycle(struct retention *r) {
    return tell(r, add_owner);
}

static const struct boehm_settings keys_on_boehm = {
    .shape = "u64_ptr",
    .bound_factor = 0,
    /* The map's array, up to 288 KiB; the note and the handle that a deleted slot leads to, 112 bytes; tables
     * for two links and a finalizer an owner, 384 KiB, or without a finalizer 256; 20 strays of 1,344 bytes.
     */
    .bound_bytes = 1664 << 10,
};

const struct scenario scenario_weak_key_cycle = {
    .number = 32,
    .name = "weak_key_cycle",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_BOEHM | ON_GO,
    .shape = "any_ptr",
    .n = 10000,
    .claim = "Weak keys do not help if a value refers to its own key: the map keeps the value, the value the "
             "key.",
    .fix = "Keep the value in the key, refer back weakly, or use an ephemeron where the collector has one.",
    .variant = VARIANTS(
        {"strong_back", VARIANT_LEAKY, "weak keys, but each value refers to its key: nothing ever goes"},
        {"weak_back", VARIANT_FIXED, "the value refers weakly; a cleanup deletes the entry"},
        {"inside_key", VARIANT_FIXED, "the value lies in its key, as an ephemeron would have it"},
        {"ephemeron", VARIANT_FIXED, "the collector ties the value's life to the key's, which Go has not"}),
    .labels = "base filled strong_dropped collected_again",
    .verdict_label = "collected_again",
    .bound_factor = 0,
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(struct any) + sizeof(void *)), /* as for weak values */
    .bound_bytes = 16 << 10,
    .on_boehm = &keys_on_boehm,
    .run = run_key_cycle,
};
