#include "harness/retention/program.h"

#include <string.h>

static const struct gosim_field string_field[] = {{"", 0}};

const struct gosim_type type_bytes = {"[]byte", 1, NULL, 0, 0};
const struct gosim_type type_strings = {"[]string", sizeof(struct str), string_field, 1, 0};
const struct gosim_type type_pair = {"struct {a, b int}", 16, NULL, 0, 0};
const struct gosim_type type_user = {"User", 1032, NULL, 0, 0};
const struct gosim_type type_payload = {"Payload", 64 << 10, NULL, 0, 0};

void *program_new(struct retention *r, const struct gosim_type *type, size_t count) {
    return gosim_new(case_gosim(r), type, count);
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
    gosim_root(case_gosim(r), &m->map, name);
    m->map = m->unit->op.create((struct heap *)case_gosim(r), hint);
    return m->map != NULL;
}

void program_map_nil(struct program_map *m) {
    m->map = NULL;
}

void program_map_drop(struct program_map *m) {
    m->map = NULL;
    gosim_unroot(case_gosim(m->r), &m->map);
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
