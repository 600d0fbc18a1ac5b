#include "harness/retention/program/dead_slots.h"

#include <string.h>

#include "harness/retention/program/program.h"

enum { TRIED = 6, ROOM_BYTES = 256 };

static const struct gosim_type tried_type = {"object of a dead slot", 64, NULL, 0, 0};

struct trial {
    struct gosim *heap;
    const struct map_unit *unit;
    void *map;
    struct gosim_weak *seen[TRIED];
};

/* Entry i, which refers to `object` by its value or, where the key is a pointer, by that. */
static void entry(const struct map_unit *unit, size_t i, void *object, void *key, void *value) {
    static const char *const names[TRIED] = {"a", "b", "c", "d", "e", "f"};
    memset(key, 0, ROOM_BYTES), memset(value, 0, ROOM_BYTES);
    if (strncmp(unit->shape, "str_", 4) == 0) {
        *(struct str *)key = (struct str){names[i], 1};
        *(void **)value = object;
    } else {
        *(void **)key = object;
    }
}

static bool fill(struct trial *t) {
    uint64_t key[ROOM_BYTES / 8], value[ROOM_BYTES / 8];
    for (size_t i = 0; i < TRIED; i++) {
        void *object = gosim_new(t->heap, &tried_type, 1);
        if (!object || !(t->seen[i] = gosim_weak_make(t->heap, object))) return false;
        entry(t->unit, i, object, key, value);
        if (!t->unit->op.put(t->map, key, value)) return false;
    }
    return true;
}

static void empty(struct trial *t, enum emptied_by how) {
    uint64_t key[ROOM_BYTES / 8], value[ROOM_BYTES / 8];
    if (how == EMPTIED_BY_CLEAR) {
        t->unit->op.clear(t->map);
        return;
    }
    for (size_t i = 0; i < TRIED; i++) {
        entry(t->unit, i, gosim_weak_value(t->heap, t->seen[i]), key, value);
        t->unit->op.del(t->map, key);
    }
}

static const char *judge(struct trial *t, enum emptied_by how) {
    t->map = t->unit->op.create((struct heap *)t->heap, 0);
    if (!t->map || !fill(t)) return "out of memory";
    empty(t, how);
    gosim_collect(t->heap);
    gosim_collect(t->heap);
    for (size_t i = 0; i < TRIED; i++)
        if (gosim_weak_value(t->heap, t->seen[i]))
            return how == EMPTIED_BY_DELETE
                       ? "its delete leaves key and value in the dead slot (see delete_leaves_value)"
                       : "its clear leaves keys and values in the dead slots (see delete_leaves_value)";
    return NULL;
}

const char *dead_slots_keep(const struct map_unit *unit, enum emptied_by how) {
    struct gosim_options options = {.gogc = -1};
    struct trial trial = {.heap = gosim_open(&options), .unit = unit};
    if (!trial.heap) return "out of memory";
    gosim_root(trial.heap, &trial.map, "map");
    for (size_t i = 0; i < TRIED; i++) gosim_root(trial.heap, &trial.seen[i], "weak");
    const char *why = judge(&trial, how);
    gosim_close(trial.heap);
    return why;
}
