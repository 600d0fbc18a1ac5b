#include "harness/retention/program/go_syncmap_program.h"

#include <stddef.h>

/* --- interface values --- */

static const struct any_type any_string = {"string", 0, false}; /* 0 bytes: the text counts */
static const struct any_type any_int = {"int", 8, false};
static const struct any_type any_pointer = {"pointer", sizeof(void *), true};

static const struct gosim_field text_field[] = {{"text", offsetof(struct str, text)}};
static const struct gosim_type type_string = {"string", sizeof(struct str), text_field, 1, 0};
static const struct gosim_type type_int = {"int", 8, NULL, 0, 0};

struct any program_box_string(struct retention *r, struct str s) {
    struct str *box = program_new(r, &type_string, 1);
    if (box) {
        gosim_store(case_gosim(r), &box->text, (void *)(uintptr_t)s.text);
        box->len = s.len;
    }
    return (struct any){&any_string, box};
}

struct any program_lent_string(const struct str *s) {
    return (struct any){&any_string, (void *)(uintptr_t)s};
}

/* runtime.convT64: numbers of one byte are in a table of the program (runtime/iface.go, staticuint64s). */
#define NUMBERS_4(n) (n), (n) + 1, (n) + 2, (n) + 3
#define NUMBERS_16(n) NUMBERS_4(n), NUMBERS_4((n) + 4), NUMBERS_4((n) + 8), NUMBERS_4((n) + 12)
#define NUMBERS_64(n) NUMBERS_16(n), NUMBERS_16((n) + 16), NUMBERS_16((n) + 32), NUMBERS_16((n) + 48)
static const uint64_t static_numbers[] = {NUMBERS_64(0), NUMBERS_64(64), NUMBERS_64(128), NUMBERS_64(192)};

struct any program_box_int(struct retention *r, uint64_t number) {
    if (number < sizeof static_numbers / sizeof *static_numbers)
        return (struct any){&any_int, (void *)(uintptr_t)&static_numbers[number]};
    uint64_t *box = program_new(r, &type_int, 1);
    if (box) *box = number;
    return (struct any){&any_int, box};
}

struct any program_lent_int(const uint64_t *number) {
    return (struct any){&any_int, (void *)(uintptr_t)number};
}

struct any program_box_pointer(void *pointer) {
    return (struct any){&any_pointer, pointer};
}

/* --- the objects of a sync.Map --- */

struct go_entry {  /* entry */
    struct any *p; /* NULL: deleted; the expunged mark: deleted, and not in dirty */
};
struct go_read_only { /* readOnly */
    void *m;          /* NULL: no map */
    bool amended;
};

static const struct gosim_field entry_field[] = {{"p", offsetof(struct go_entry, p)}};
static const struct gosim_field read_only_field[] = {{"m", offsetof(struct go_read_only, m)}};
static const struct gosim_field any_field[] = {{"data", offsetof(struct any, data)}};
static const struct gosim_type type_entry = {"sync.entry", sizeof(struct go_entry), entry_field, 1, 0};
static const struct gosim_type type_read_only = {"sync.readOnly", sizeof(struct go_read_only),
                                                 read_only_field, 1, 0};
static const struct gosim_type type_any = {"any", sizeof(struct any), any_field, 1, 0};

static struct any expunged_mark;
static struct any *const expunged = &expunged_mark;

static bool holds_value(const struct go_entry *e) {
    return e->p && e->p != expunged;
}

static struct any *new_any(struct go_syncmap *m, struct any value) {
    struct any *box = program_new(m->r, &type_any, 1);
    if (!box) return NULL;
    box->type = value.type;
    gosim_store(case_gosim(m->r), &box->data, value.data);
    return box;
}

/* newEntry */
static struct go_entry *new_entry(struct go_syncmap *m, struct any value) {
    struct any *box = new_any(m, value);
    struct go_entry *e = box ? program_new(m->r, &type_entry, 1) : NULL;
    if (e) gosim_store(case_gosim(m->r), &e->p, box);
    return e;
}

static bool set_read(struct go_syncmap *m, void *map, bool amended) {
    struct go_read_only *read = program_new(m->r, &type_read_only, 1);
    if (!read) return false;
    gosim_store(case_gosim(m->r), &read->m, map);
    read->amended = amended;
    m->read = read;
    return true;
}

static struct go_entry *find_in(const struct go_syncmap *m, void *map, struct any key) {
    struct go_entry *e = NULL;
    return map && m->unit->op.get(map, &key, &e) ? e : NULL;
}

static struct go_entry *find_in_read(const struct go_syncmap *m, struct any key) {
    return m->read ? find_in(m, m->read->m, key) : NULL;
}

static bool amended(const struct go_syncmap *m) {
    return m->read && m->read->amended;
}

/* --- what happens under the lock --- */

static bool promote(struct go_syncmap *m) {
    if (!set_read(m, m->dirty, false)) return false;
    m->dirty = NULL;
    m->misses = 0;
    return true;
}

/* missLocked */
static bool miss(struct go_syncmap *m) {
    m->misses++;
    return m->misses < (m->dirty ? m->unit->op.len(m->dirty) : 0) || promote(m);
}

struct copying {
    struct go_syncmap *m;
    bool ok;
};

/* entry.tryExpungeLocked, and the copy of what is not expunged. */
static bool copy_unless_deleted(void *context, const void *key, const void *val) {
    struct copying *copying = context;
    struct go_syncmap *m = copying->m;
    struct go_entry *e = *(struct go_entry *const *)val;
    if (!e->p) gosim_store(case_gosim(m->r), &e->p, expunged);
    if (e->p != expunged) copying->ok = m->unit->op.put(m->dirty, key, &e);
    return copying->ok;
}

/* dirtyLocked */
static bool make_dirty(struct go_syncmap *m) {
    if (m->dirty) return true;
    void *read = m->read ? m->read->m : NULL;
    struct copying copying = {m, true};
    m->dirty = m->unit->op.create((struct heap *)case_gosim(m->r), read ? m->unit->op.len(read) : 0);
    if (m->dirty && read) m->unit->op.each(read, copy_unless_deleted, &copying);
    return m->dirty && copying.ok;
}

/* --- methods --- */

void go_syncmap_open(struct go_syncmap *m, struct retention *r, const struct map_unit *unit) {
    *m = (struct go_syncmap){.r = r, .unit = unit};
    gosim_root(case_gosim(r), &m->read, "sync.Map.read");
    gosim_root(case_gosim(r), &m->dirty, "sync.Map.dirty");
}

void go_syncmap_close(struct go_syncmap *m) {
    gosim_unroot(case_gosim(m->r), &m->read);
    gosim_unroot(case_gosim(m->r), &m->dirty);
}

/* Map.Swap. Its parameter `value` escapes, so that every call allocates a box, also where newEntry makes its
 * own. */
bool go_syncmap_store(struct go_syncmap *m, struct any key, struct any value) {
    struct gosim *heap = case_gosim(m->r);
    struct any *box = new_any(m, value);
    struct go_entry *e = find_in_read(m, key);
    if (!box) return false;
    if (e) {
        bool was_expunged = e->p == expunged; /* trySwap fails: unexpungeLocked, back into dirty */
        if (was_expunged && !m->unit->op.put(m->dirty, &key, &e)) return false;
        gosim_store(heap, &e->p, box);
        return true;
    }
    if ((e = find_in(m, m->dirty, key)) != NULL) {
        gosim_store(heap, &e->p, box);
        return true;
    }
    if (!amended(m)) {
        if (!make_dirty(m) || !set_read(m, m->read ? m->read->m : NULL, true)) return false;
    }
    e = new_entry(m, value);
    return e && m->unit->op.put(m->dirty, &key, &e);
}

/* Map.Load */
bool go_syncmap_load(struct go_syncmap *m, struct any key, bool *found) {
    struct go_entry *e = find_in_read(m, key);
    bool ok = true;
    if (!e && amended(m)) {
        e = find_in(m, m->dirty, key);
        ok = miss(m);
    }
    *found = e && holds_value(e);
    return ok;
}

/* Map.LoadAndDelete */
bool go_syncmap_delete(struct go_syncmap *m, struct any key) {
    struct go_entry *e = find_in_read(m, key);
    bool ok = true;
    if (!e && amended(m)) {
        e = find_in(m, m->dirty, key);
        m->unit->op.del(m->dirty, &key);
        ok = miss(m);
    }
    if (e && holds_value(e)) gosim_store(case_gosim(m->r), &e->p, NULL);
    return ok;
}

/* Map.Range, before its walk */
bool go_syncmap_range_begin(struct go_syncmap *m) {
    return !amended(m) || promote(m);
}

static bool count_live(void *context, const void *key, const void *val) {
    (void)key;
    *(size_t *)context += holds_value(*(struct go_entry *const *)val);
    return true;
}

/* Counts what Range would meet after its promotion: dirty, if there is one, holds all live entries. */
size_t go_syncmap_len(const struct go_syncmap *m) {
    void *all = m->dirty ? m->dirty : m->read ? m->read->m : NULL;
    size_t live = 0;
    if (all) m->unit->op.each(all, count_live, &live);
    return live;
}
