/* 31, 32: maps with weak values, of which the entries stay, and with weak keys, to which values lead back. */
#include <stddef.h>

#include "harness/retention/program.h"

enum { USER_BYTES = 1032, NOTE_TEXT_BYTES = 64 };

static const struct gosim_field pointer_field[] = {{"", 0}};
static const struct gosim_type type_pointers = {"[]*T", sizeof(void *), pointer_field, 1, 0};

/* The map, the strong references beside it, and how both are taken down. */
struct weak_map {
    struct retention *r;
    struct program_map map;
    void **strong;
};

static bool open_weak(struct weak_map *w, struct retention *r) {
    *w = (struct weak_map){.r = r};
    gosim_root(case_gosim(r), &w->strong, "strong");
    return program_map_make(r, &w->map, NULL, 0, "cache") && checkpoint(r, "base", 0, 0) &&
           (w->strong = program_new(r, &type_pointers, case_n(r))) != NULL;
}

static bool note_and_check(struct weak_map *w, const char *label) {
    note_number(w->r, "len", (double)program_len(&w->map));
    return checkpoint(w->r, label, case_n(w->r), 0);
}

/* After the strong references are gone: what is left when everything that can run has run. */
static bool drop_strong(struct weak_map *w) {
    enum { MORE_COLLECTIONS = 3 };
    struct gosim *heap = case_gosim(w->r);
    w->strong = NULL;
    gosim_collect(heap);
    if (!note_and_check(w, "strong_dropped")) return false;
    for (size_t i = 0; i < MORE_COLLECTIONS; i++) gosim_collect(heap);
    bool ok = note_and_check(w, "collected_again");
    program_map_drop(&w->map);
    gosim_unroot(heap, &w->strong);
    return ok;
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
    struct gosim *heap = case_gosim(w->r);
    void *user = program_new(w->r, &type_user, 1);
    struct gosim_weak *handle = user ? gosim_weak_make(heap, user) : NULL;
    struct str key = {0};
    if (!handle || !(key = program_key(w->r, i)).text || !program_put(&w->map, &key, &handle)) return false;
    gosim_store(heap, &w->strong[i], user);
    if (!case_is(w->r, "cleanup")) return true;
    struct sweep *closure = program_new(w->r, &type_sweep, 1);
    if (!closure) return false;
    closure->from = w;
    closure->i = i;
    return gosim_add_cleanup(heap, user, sweep_value, closure) != 0;
}

static bool run_values(struct retention *r) {
    struct weak_map w;
    size_t n = case_n(r);
    if (!open_weak(&w, r)) return false;
    for (size_t i = 0; i < n; i++)
        if (!add_value(&w, i)) return false;
    return checkpoint(r, "filled", n, (uint64_t)n * USER_BYTES) && drop_strong(&w);
}

static const struct variant values_variants[] = {
    {"unswept", VARIANT_LEAKY, "a map to weak pointers: the values go, the entries stay"},
    {"cleanup", VARIANT_FIXED, "a cleanup on each value deletes its entry"},
    {NULL, VARIANT_REFERENCE, NULL},
};

const struct scenario scenario_weak_values = {
    .number = 31,
    .name = "weak_values",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .maps = "",
    .n = 10000,
    .claim = "A map to weak pointers lets the values go, but keeps an entry, a key and a handle for each.",
    .fix = "Give every value a cleanup that deletes its entry; what the map's arrays keep is another story.",
    .references = "",
    .variant = values_variants,
    .labels = "base filled strong_dropped collected_again",
    .verdict_label = "collected_again",
    .release_label = NULL,
    .bound_factor = 0,
    /* Arrays, which no map here gives back by itself. */
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(struct str) + sizeof(void *)),
    .bound_bytes = 16 << 10,
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
    struct gosim_weak *weak;
    char text[NOTE_TEXT_BYTES];
};
static const struct gosim_field owner_field[] = {{"note", offsetof(struct owner, note)}};
static const struct gosim_field note_fields[] = {{"strong", offsetof(struct note, strong)},
                                                 {"weak", offsetof(struct note, weak)}};
static const struct gosim_type type_owner = {"owner", sizeof(struct owner), owner_field, 1, 0};
static const struct gosim_type type_note = {"note", sizeof(struct note), note_fields, 2, 0};
/* Keys are interface values here: 8 bytes more a slot than a weak.Pointer takes in Go. */
static const struct any_type any_weak = {"weak.Pointer", sizeof(void *), true};

/* func(k) { delete(notes, k) }: the handle is the key. */
struct sweep_key {
    void *code;
    struct weak_map *from; /* outside the heap */
    struct gosim_weak *handle;
};
static const struct gosim_field sweep_key_field[] = {{"k", offsetof(struct sweep_key, handle)}};
static const struct gosim_type type_sweep_key = {"func(k)", sizeof(struct sweep_key), sweep_key_field, 1, 0};

static void sweep_entry(void *closure) {
    const struct sweep_key *s = closure;
    struct any key = {&any_weak, s->handle};
    program_del(&s->from->map, &key);
}

static bool sweep_with(struct weak_map *w, struct owner *o, struct gosim_weak *handle) {
    struct sweep_key *closure = program_new(w->r, &type_sweep_key, 1);
    if (!closure) return false;
    closure->from = w;
    gosim_store(case_gosim(w->r), &closure->handle, handle);
    return gosim_add_cleanup(case_gosim(w->r), o, sweep_entry, closure) != 0;
}

/* The variants differ in where the note is and in what it refers to. */
static bool add_note(struct weak_map *w, struct owner *o) {
    struct gosim *heap = case_gosim(w->r);
    struct gosim_weak *handle = gosim_weak_make(heap, o);
    struct note *note = handle ? program_new(w->r, &type_note, 1) : NULL;
    struct any key = {&any_weak, handle};
    void *none = NULL;
    if (!note) return false;
    if (case_is(w->r, "weak_back")) {
        gosim_store(heap, &note->weak, handle);
        return program_put(&w->map, &key, &note) && sweep_with(w, o, handle);
    }
    gosim_store(heap, &note->strong, o);
    if (case_is(w->r, "strong_back")) return program_put(&w->map, &key, &note);
    if (case_is(w->r, "inside_key")) {
        gosim_store(heap, &o->note, note);
        return true;
    }
    return program_put(&w->map, &key, &none) && gosim_ephemeron(heap, o, note) && sweep_with(w, o, handle);
}

static bool run_key_cycle(struct retention *r) {
    struct weak_map w;
    size_t n = case_n(r);
    if (!open_weak(&w, r)) return false;
    for (size_t i = 0; i < n; i++) {
        struct owner *o = program_new(r, &type_owner, 1);
        if (!o) return false;
        gosim_store(case_gosim(r), &w.strong[i], o);
        o->id = i;
        if (!add_note(&w, o)) return false;
    }
    return checkpoint(r, "filled", n, (uint64_t)n * USER_BYTES) && drop_strong(&w);
}

static const struct variant key_variants[] = {
    {"strong_back", VARIANT_LEAKY, "weak keys, but each value refers to its key: nothing ever goes"},
    {"weak_back", VARIANT_FIXED, "the value refers weakly; a cleanup deletes the entry"},
    {"inside_key", VARIANT_FIXED, "the value lies in its key, as an ephemeron would have it"},
    {"ephemeron", VARIANT_FIXED, "the collector ties the value's life to the key's, which Go has not"},
    {NULL, VARIANT_REFERENCE, NULL},
};

const struct scenario scenario_weak_key_cycle = {
    .number = 32,
    .name = "weak_key_cycle",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "any_ptr",
    .maps = "",
    .n = 10000,
    .claim = "Weak keys do not help if a value refers to its own key: the map keeps the value, the value the "
             "key.",
    .fix = "Keep the value in the key, refer back weakly, or use an ephemeron where the collector has one.",
    .references = "",
    .variant = key_variants,
    .labels = "base filled strong_dropped collected_again",
    .verdict_label = "collected_again",
    .release_label = NULL,
    .bound_factor = 0,
    .bound_bytes_per_n = TABLE_BYTES_PER_N(sizeof(struct any) + sizeof(void *)), /* as for weak values */
    .bound_bytes = 16 << 10,
    .run = run_key_cycle,
};
