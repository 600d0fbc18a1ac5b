#include "harness/retention/program/program.h"

#include <string.h>

#include "harness/heaps/boehm_heap.h"
#include "harness/heaps/boehm_special.h"

static const struct gosim_field string_field[] = {{"", 0}};

const struct gosim_type type_bytes = {"[]byte", 1, NULL, 0, 0};
const struct gosim_type type_strings = {"[]string", sizeof(struct str), string_field, 1, 0};
const struct gosim_type type_pair = {"struct {a, b int}", 16, NULL, 0, 0};
const struct gosim_type type_user = {"User", 1032, NULL, 0, 0};
const struct gosim_type type_payload = {"Payload", 64 << 10, NULL, 0, 0};

/* --- the heap below --- */

bool program_on_boehm(const struct retention *r) {
    return case_gosim(r) == NULL;
}

void program_root(struct retention *r, void *slot, const char *name) {
    if (program_on_boehm(r))
        boehm_root(slot, sizeof(void *));
    else
        gosim_root(case_gosim(r), slot, name);
}

void program_unroot(struct retention *r, void *slot) {
    if (program_on_boehm(r))
        boehm_unroot(slot, sizeof(void *));
    else
        gosim_unroot(case_gosim(r), slot);
}

void program_store(struct retention *r, void *slot, void *value) {
    if (program_on_boehm(r))
        *(void **)slot = value;
    else
        gosim_store(case_gosim(r), slot, value);
}

bool program_collect(struct retention *r) {
    if (program_on_boehm(r)) return boehm_collect_and_run() || case_fail(r, "no thread can be started");
    gosim_collect(case_gosim(r));
    return true;
}

struct phase {
    bool (*f)(void *context);
    void *context;
    bool ok;
};

static void run_phase(void *opaque) {
    struct phase *phase = opaque;
    boehm_enable(false);
    phase->ok = phase->f(phase->context);
    boehm_enable(true);
}

bool program_phase(struct retention *r, bool (*f)(void *context), void *context) {
    struct phase phase = {f, context, false};
    if (!program_on_boehm(r)) return f(context);
    if (!boehm_thread(run_phase, &phase)) return case_fail(r, "no thread can be started");
    return phase.ok;
}

bool program_set_finalizer(struct retention *r, void *object, void (*f)(void *object)) {
    return program_on_boehm(r) ? boehm_set_finalizer(object, BOEHM_ORDERED, f)
                               : gosim_set_finalizer(case_gosim(r), object, f);
}

bool program_add_cleanup(struct retention *r, void *object, void (*f)(void *argument), void *argument) {
    return program_on_boehm(r) ? boehm_add_cleanup(object, f, argument)
                               : gosim_add_cleanup(case_gosim(r), object, f, argument) != 0;
}

void *program_weak_make(struct retention *r, void *object) {
    return program_on_boehm(r) ? (void *)boehm_weak_make(object)
                               : (void *)gosim_weak_make(case_gosim(r), object);
}

bool program_ephemeron(struct retention *r, void *key, void *value) {
    return program_on_boehm(r) ? boehm_ephemeron(key, value) : gosim_ephemeron(case_gosim(r), key, value);
}

/* --- objects and maps --- */

void *program_new(struct retention *r, const struct gosim_type *type, size_t count) {
    if (!program_on_boehm(r)) return gosim_new(case_gosim(r), type, count);
    void *object =
        boehm_new(type->pointers ? BOEHM_SCANNED : BOEHM_ATOMIC, count, type->size + type->hidden_bytes);
    if (!object) case_fail(r, "out of memory: %zu of %s on boehm", count, type->name);
    return object;
}

struct str program_string(struct retention *r, const char *text, size_t len) {
    char *bytes = program_new(r, &type_bytes, len);
    if (bytes) memcpy(bytes, text, len);
    return (struct str){bytes, bytes ? len : 0};
}

struct str program_key(struct retention *r, size_t i) {
    char text[16] = "key-";
    for (size_t at = sizeof text; at-- > 4; i /= 10) text[at] = (char)('0' + i % 10);
    return program_string(r, text, sizeof text);
}

bool program_map_make(struct retention *r, struct program_map *m, const struct map_unit *unit, size_t hint,
                      const char *name) {
    *m = (struct program_map){.r = r, .unit = unit ? unit : case_unit(r)};
    program_root(r, &m->map, name);
    m->map = m->unit->op.create((struct heap *)case_gosim(r), hint);
    if (m->map) program_map_seen(m);
    return m->map != NULL;
}

void program_map_nil(struct program_map *m) {
    /* On boehm the map's struct is a root by itself. */
    if (program_on_boehm(m->r)) m->unit->op.destroy(m->map);
    m->map = NULL;
}

void program_map_seen(struct program_map *m) {
    const struct map_ops *op = &m->unit->op;
    m->capacity = op->capacity(m->map);
    m->old_capacity = op->old_capacity ? op->old_capacity(m->map) : 0;
}

void program_map_mark(struct program_map *m, size_t step) {
    size_t capacity = m->capacity, old_capacity = m->old_capacity;
    program_map_seen(m);
    if (m->old_capacity != old_capacity && old_capacity) mark_event(m->r, "evacuated", step);
    if (m->capacity != capacity) mark_event(m->r, "grow", step);
    if (m->old_capacity != old_capacity && m->old_capacity) mark_event(m->r, "evacuate", step);
}

void program_map_drop(struct program_map *m) {
    program_map_nil(m);
    program_unroot(m->r, &m->map);
}

bool program_put(struct program_map *m, const void *key, const void *val) {
    return m->unit->op.put(m->map, key, val);
}
bool program_get(struct program_map *m, const void *key, void *val) {
    return m->unit->op.get(m->map, key, val);
}
bool program_del(struct program_map *m, const void *key) {
    return m->unit->op.del(m->map, key);
}
size_t program_len(const struct program_map *m) {
    return m->unit->op.len(m->map);
}
void program_clear(struct program_map *m) {
    m->unit->op.clear(m->map);
}
