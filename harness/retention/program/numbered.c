#include "harness/retention/program/numbered.h"

#include <string.h>

#include "harness/retention/program/go_syncmap_program.h"
#include "harness/retention/units.h"

enum key_kind { KEY_NUMBER, KEY_TEXT, KEY_TWO_WORDS, KEY_FLOAT, KEY_BOXED, KEY_POINTER };
enum value_kind { VALUE_PLAIN, VALUE_TEXT, VALUE_PAIR, VALUE_BYTES_129 };

struct numbered_types {
    const char *name, *shape;
    enum key_kind key;
    enum value_kind value;
    uint64_t entry_bytes;
};

static const struct numbered_types all_types[] = {
    {"u64u64", "u64_u64", KEY_NUMBER, VALUE_PLAIN, 8 + 8},
    {"strstr", "str_str", KEY_TEXT, VALUE_TEXT, 16 + 16},
    {"strptr", "str_ptr", KEY_TEXT, VALUE_PAIR, 16 + 16},
    {"u64_128", "u64_b128", KEY_NUMBER, VALUE_PLAIN, 8 + 128},
    {"u64_129", "u64_b129", KEY_NUMBER, VALUE_PLAIN, 8 + 129},
    {"u64_p129", "u64_ptr", KEY_NUMBER, VALUE_BYTES_129, 8 + 129},
    {"stru64", "str_u64", KEY_TEXT, VALUE_PLAIN, 16 + 8},
    {"structu64", "s16_u64", KEY_TWO_WORDS, VALUE_PLAIN, 16 + 8},
    {"floatu64", "f64_u64", KEY_FLOAT, VALUE_PLAIN, 8 + 8},
    {"ifaceu64", "any_u64", KEY_BOXED, VALUE_PLAIN, 8 + 8},
    {"ptru64", "ptr_u64", KEY_POINTER, VALUE_PLAIN, 8 + 8},
};

static const struct gosim_type type_bytes_129 = {"[129]byte", 129, NULL, 0, 0};

union key {
    uint64_t number;
    struct str text;
    struct {
        uint64_t first, second;
    } words;
    double real;
    struct any boxed;
    const char *pointer;
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

/* Small ints are boxed without an object: not among these. */
static uint64_t boxed_number(size_t i) {
    return i + 1000;
}

/* Makes the key of index i, to be kept. False: out of memory. */
static bool key_to_keep(struct numbered *t, size_t i, union key *key) {
    *key = (union key){.number = i};
    if (t->types->key == KEY_TEXT) key->text = program_key(t->r, i);
    if (t->types->key == KEY_TWO_WORDS) key->words.first = i, key->words.second = 1;
    if (t->types->key == KEY_FLOAT) key->real = (double)i;
    if (t->types->key == KEY_BOXED) key->boxed = program_box_int(t->r, boxed_number(i));
    if (t->types->key == KEY_POINTER) key->pointer = t->cells + i;
    return (t->types->key != KEY_TEXT || key->text.text) && (t->types->key != KEY_BOXED || key->boxed.data);
}

/* The same for lookups: what the key points to is in `room`, on the stack as in Go. */
union key_room {
    char text[KEY_TEXT_BYTES];
    uint64_t number;
};
static union key key_lent(const struct numbered *t, size_t i, union key_room *room) {
    union key key = {.number = i};
    if (t->types->key == KEY_TEXT) key.text = key_to_find(room->text, i);
    if (t->types->key == KEY_TWO_WORDS) key.words.first = i, key.words.second = 1;
    if (t->types->key == KEY_FLOAT) key.real = (double)i;
    if (t->types->key == KEY_POINTER) key.pointer = t->cells + i;
    room->number = t->types->key == KEY_BOXED ? boxed_number(i) : room->number;
    if (t->types->key == KEY_BOXED) key.boxed = program_lent_int(&room->number);
    return key;
}

bool numbered_put(struct numbered *t, size_t i) {
    union key key;
    union value value = {.bytes = {1}};
    if (!key_to_keep(t, i, &key)) return false;
    if (t->types->value == VALUE_TEXT) value.text = key.text;
    if (t->types->value == VALUE_PAIR) {
        uint64_t *pair = program_new(t->r, &type_pair, 1);
        if (!pair) return false;
        pair[0] = pair[1] = i;
        value.pointer = pair;
    }
    if (t->types->value == VALUE_BYTES_129) {
        value.pointer = program_new(t->r, &type_bytes_129, 1);
        if (!value.pointer) return false;
    }
    return program_put(&t->map, &key, &value);
}

bool numbered_del(struct numbered *t, size_t i) {
    union key_room room = {.number = 0};
    union key key = key_lent(t, i, &room);
    return delete_present(&t->map, &key);
}

bool numbered_get(struct numbered *t, size_t i) {
    union key_room room = {.number = 0};
    union key key = key_lent(t, i, &room);
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

bool numbered_copy(struct numbered *t, struct numbered *copy, enum copy_way way) {
    const struct map_unit *unit = t->map.unit;
    struct remaking remaking = {.unit = unit, .ok = true};
    size_t hint = way == COPY_BY_LOOP ? program_len(&t->map) : 0;
    remaking.to = way == COPY_WHOLE ? unit->op.copy(t->map.map)
                                    : unit->op.create((struct heap *)case_gosim(t->r), hint);
    if (!remaking.to) return false;
    if (way != COPY_WHOLE) unit->op.each(t->map.map, take_over, &remaking);
    copy->map.map = remaking.to;
    return remaking.ok;
}

bool numbered_replace(struct numbered *t) {
    t->map.map = t->map.unit->op.create((struct heap *)case_gosim(t->r), 0);
    return t->map.map != NULL;
}

uint64_t numbered_entry_bytes(const struct numbered *t) {
    return t->types->entry_bytes;
}
