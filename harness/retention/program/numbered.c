#include "harness/retention/program/numbered.h"

#include <string.h>

#include "harness/retention/units.h"

struct numbered_types {
    const char *name, *shape;
    bool string_key;
    uint64_t entry_bytes;
};

static const struct numbered_types all_types[] = {
    {"u64u64", "u64_u64", false, 8 + 8},     {"strstr", "str_str", true, 16 + 16},
    {"strptr", "str_ptr", true, 16 + 16},    {"u64_128", "u64_b128", false, 8 + 128},
    {"u64_129", "u64_b129", false, 8 + 129},
};

union key {
    uint64_t number;
    struct str text;
};
union value {
    uint64_t number;
    struct str text;
    void *pointer;
    uint8_t bytes[136];
};

bool delete_present(struct program_map *m, const void *key) {
    return program_del(m, key) ||
           case_fail(m->r, "%s does not find an entry that it was given", m->unit->map);
}

static const struct numbered_types *types_of(const char *name) {
    for (size_t i = 0; i < sizeof all_types / sizeof *all_types; i++)
        if (strncmp(name, all_types[i].name, strlen(all_types[i].name)) == 0) return &all_types[i];
    return NULL;
}

const struct map_unit *numbered_unit(const struct map_unit *unit, const char *types) {
    return retention_unit(unit->map, types_of(types)->shape);
}

bool numbered_make(struct retention *r, struct numbered *t, const char *types, size_t hint) {
    const struct map_unit *unit = numbered_unit(case_unit(r), types);
    *t = (struct numbered){.r = r, .types = types_of(types)};
    if (!unit) return case_fail(r, "%s is not compiled for %s", case_unit(r)->map, t->types->shape);
    return program_map_make(r, &t->map, unit, hint, "table");
}

void numbered_drop(struct numbered *t) {
    program_map_drop(&t->map);
}

bool numbered_put(struct numbered *t, size_t i) {
    union key key = {.number = i};
    union value value = {.bytes = {1}};
    if (t->types->string_key) {
        key.text = program_key(t->r, i);
        if (!key.text.text) return false;
    }
    if (strcmp(t->types->name, "strstr") == 0) value.text = key.text;
    if (strcmp(t->types->name, "strptr") == 0) {
        uint64_t *pair = program_new(t->r, &type_pair, 1);
        if (!pair) return false;
        pair[0] = pair[1] = i;
        value.pointer = pair;
    }
    return program_put(&t->map, &key, &value);
}

bool numbered_del(struct numbered *t, size_t i) {
    char text[KEY_TEXT_BYTES];
    union key key = {.number = i};
    if (t->types->string_key) key.text = key_to_find(text, i);
    return delete_present(&t->map, &key);
}

bool numbered_get(struct numbered *t, size_t i) {
    char text[KEY_TEXT_BYTES];
    union key key = {.number = i};
    if (t->types->string_key) key.text = key_to_find(text, i);
    union value value;
    return program_get(&t->map, &key, &value);
}

static bool count(void *context, const void *key, const void *val) {
    (void)key, (void)val;
    ++*(size_t *)context;
    return true;
}

size_t numbered_walk(struct numbered *t) {
    size_t met = 0;
    t->map.unit->op.each(t->map.map, count, &met);
    return met;
}

struct remaking {
    const struct map_unit *unit;
    void *to;
    bool ok;
};

static bool take_over(void *context, const void *key, const void *val) {
    struct remaking *remaking = context;
    return remaking->ok = remaking->unit->op.put(remaking->to, key, val);
}

/* Nothing collects meanwhile, so the new map need not be rooted before it is in the variable. */
bool numbered_remake(struct numbered *t) {
    struct remaking remaking = {.unit = t->map.unit, .ok = true};
    remaking.to = t->map.unit->op.create((struct heap *)case_gosim(t->r), program_len(&t->map));
    if (!remaking.to) return false;
    t->map.unit->op.each(t->map.map, take_over, &remaking);
    t->map.map = remaking.to;
    return remaking.ok;
}

bool numbered_replace(struct numbered *t) {
    t->map.map = t->map.unit->op.create((struct heap *)case_gosim(t->r), 0);
    return t->map.map != NULL;
}

uint64_t numbered_entry_bytes(const struct numbered *t) {
    return t->types->entry_bytes;
}
