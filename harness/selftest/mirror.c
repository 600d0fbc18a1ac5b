#include "harness/selftest/parts.h"

#include <stdlib.h>
#include <string.h>

void mirror_open(struct mirror *mirror, const struct map_unit *unit, const struct selftest_keys *keys,
                 struct why *why) {
    *mirror = (struct mirror){.unit = unit, .keys = keys, .why = why};
    mirror->present = selftest_alloc(keys->n, sizeof *mirror->present);
    mirror->number = selftest_alloc(keys->n, sizeof *mirror->number);
    mirror->seen = selftest_alloc(keys->n, sizeof *mirror->seen);
}

void mirror_close(struct mirror *mirror) {
    free(mirror->present);
    free(mirror->number);
    free(mirror->seen);
}

void mirror_clear(struct mirror *mirror) {
    memset(mirror->present, 0, mirror->keys->n * sizeof *mirror->present);
    mirror->len = 0;
}

bool mirror_put(struct mirror *mirror, size_t key, uint64_t number) {
    bool was = mirror->present[key];
    mirror->present[key] = true;
    mirror->number[key] = number;
    mirror->len += !was;
    return was;
}

bool mirror_del(struct mirror *mirror, size_t key) {
    bool was = mirror->present[key];
    mirror->present[key] = false;
    mirror->len -= was;
    return was;
}

bool mirror_fail(struct mirror *mirror, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    why_vsay(mirror->why, format, arguments);
    va_end(arguments);
    return false;
}

static bool value_is(const struct mirror *mirror, const void *val, size_t key) {
    _Alignas(16) unsigned char wanted[SHAPE_VAL_SIZE_MAX];
    mirror->keys->shape->val_make(mirror->number[key], wanted);
    return memcmp(val, wanted, mirror->unit->val_size) == 0;
}

bool mirror_agrees_on(struct mirror *mirror, void *map, size_t key) {
    _Alignas(16) unsigned char found[SHAPE_VAL_SIZE_MAX];
    bool is = mirror->unit->op.get(map, selftest_asked(mirror->keys, key), found);
    if (is != mirror->present[key])
        return mirror_fail(mirror, is ? "a lookup finds absent key %zu" : "a lookup does not find key %zu",
                           key);
    if (is && !value_is(mirror, found, key))
        return mirror_fail(mirror, "a lookup finds a wrong value for key %zu", key);
    return true;
}

struct scan {
    struct mirror *mirror;
    size_t met;
    bool ok;
};

static bool scan_stop(struct scan *scan, const char *fault) {
    scan->ok = mirror_fail(scan->mirror, "a scan meets %s, entry %zu", fault, scan->met);
    return false;
}

static bool scan_visit(void *context, const void *key, const void *val) {
    struct scan *scan = context;
    struct mirror *mirror = scan->mirror;
    size_t i = selftest_keys_index(mirror->keys, key);
    if (i == SIZE_MAX) return scan_stop(scan, "a key that was never stored");
    if (!mirror->present[i]) return scan_stop(scan, "an absent key");
    if (mirror->seen[i]) return scan_stop(scan, "a key twice");
    if (!value_is(mirror, val, i)) return scan_stop(scan, "a wrong value");
    mirror->seen[i] = true;
    scan->met++;
    return true;
}

static bool visit_once(void *context, const void *key, const void *val) {
    (void)key, (void)val;
    ++*(size_t *)context;
    return false;
}

static bool scan_agrees(struct mirror *mirror, void *map) {
    struct scan scan = {.mirror = mirror, .ok = true};
    size_t visits = 0;
    memset(mirror->seen, 0, mirror->keys->n * sizeof *mirror->seen);
    mirror->unit->op.each(map, scan_visit, &scan);
    if (!scan.ok) return false;
    if (scan.met != mirror->len)
        return mirror_fail(mirror, "a scan meets %zu of %zu entries", scan.met, mirror->len);
    mirror->unit->op.each(map, visit_once, &visits);
    if (visits != (mirror->len > 0))
        return mirror_fail(mirror, "a scan that is told to stop goes on for %zu entries", visits);
    return true;
}

bool mirror_agrees(struct mirror *mirror, void *map) {
    const struct map_ops *op = &mirror->unit->op;
    if (op->len(map) != mirror->len)
        return mirror_fail(mirror, "the length is %zu, expected %zu", op->len(map), mirror->len);
    for (size_t i = 0; i < mirror->keys->n; i++)
        if (!mirror_agrees_on(mirror, map, i)) return false;
    if (!scan_agrees(mirror, map)) return false;
    const char *broken = op->check(map);
    return broken ? mirror_fail(mirror, "check: %s", broken) : true;
}
