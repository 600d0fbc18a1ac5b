/* 18, 19: what Go's sync.Map keeps after deletes, and what overwriting costs.
 *
 * With go_hmap the sync.Map is that of Go 1.23, whose read and dirty maps are such maps; with go_swiss it is
 * that of Go 1.24, a hash trie, which contains no map at all. The variants rwmutex* are plain maps of either
 * kind behind a lock.
 */
#include <stdio.h>
#include <string.h>

#include "harness/heaps/gosim/gosim.h"
#include "harness/retention/program/go_hashtrie_program.h"
#include "harness/retention/program/go_syncmap_program.h"
#include "harness/retention/program/program.h"
#include "harness/retention/units.h"

enum { OVERWRITTEN_KEYS = 100, TEXT_BYTES = 16, USER_BYTES = 1032, INT_BYTES = 8 };

/* One of the three. */
struct shared_map {
    enum { SYNC_MAP, SYNC_TRIE, PLAIN_MAP } kind;
    struct go_syncmap map;
    struct go_hashtrie trie;
    struct program_map plain;
};

static bool open_sync(struct retention *r, struct shared_map *m) {
    bool is_trie = strncmp(case_unit(r)->map, "go_swiss", strlen("go_swiss")) == 0;
    const struct map_unit *inner = retention_unit("go_hmap", "any_ptr");
    m->kind = is_trie ? SYNC_TRIE : SYNC_MAP;
    if (is_trie)
        go_hashtrie_open(&m->trie, r);
    else if (inner)
        go_syncmap_open(&m->map, r, inner);
    else
        return case_fail(r, "go_hmap is not compiled for keys of type any");
    return true;
}

static bool open_plain(struct retention *r, struct shared_map *m, const char *shape) {
    const struct map_unit *unit = retention_unit(case_unit(r)->map, shape);
    m->kind = PLAIN_MAP;
    if (!unit) return case_fail(r, "%s is not compiled for %s", case_unit(r)->map, shape);
    return program_map_make(r, &m->plain, unit, 0, "map");
}

static void shut(struct shared_map *m) {
    if (m->kind == SYNC_MAP) go_syncmap_close(&m->map);
    if (m->kind == SYNC_TRIE) go_hashtrie_close(&m->trie);
    if (m->kind == PLAIN_MAP) program_map_drop(&m->plain);
}

static bool store_any(struct shared_map *m, struct any key, struct any value) {
    return m->kind == SYNC_MAP ? go_syncmap_store(&m->map, key, value)
                               : go_hashtrie_store(&m->trie, key, value);
}

/* --- 18: deletes --- */

static uint64_t users_live(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (uint64_t)done * (TEXT_BYTES + USER_BYTES);
}

static bool add_user(struct retention *r, size_t i, void *context) {
    struct shared_map *m = context;
    struct str key = program_key(r, i);
    if (!key.text) return false;
    if (m->kind == PLAIN_MAP) {
        void *user = program_new(r, &type_user, 1);
        return user && program_put(&m->plain, &key, &user);
    }
    struct any boxed = program_box_string(r, key), user = program_box_pointer(program_new(r, &type_user, 1));
    return boxed.data && user.data && store_any(m, boxed, user);
}

/* The box of a key that is only looked for stays on the stack. */
static bool delete_user(struct retention *r, struct shared_map *m, size_t i) {
    struct str key = program_key(r, i);
    if (!key.text) return false;
    struct any boxed = program_lent_string(&key);
    if (m->kind == SYNC_MAP) return go_syncmap_delete(&m->map, boxed);
    if (m->kind == SYNC_TRIE) return go_hashtrie_delete(&m->trie, boxed);
    program_del(&m->plain, &key);
    return true;
}

/* A key and a value that are constants of the program. */
static bool store_constant(struct retention *r, struct shared_map *m) {
    static const struct str x = {"x", 1};
    void *none = NULL;
    if (m->kind == PLAIN_MAP) return program_put(&m->plain, &x, &none);
    return store_any(m, program_lent_string(&x), program_box_int(r, 1));
}

/* Misses, as many as dirty has keys: the next promotion. */
static bool load_constant(struct shared_map *m) {
    static const struct str x = {"x", 1};
    bool found = false;
    void *none;
    if (m->kind == SYNC_MAP) return go_syncmap_load(&m->map, program_lent_string(&x), &found) && found;
    if (m->kind == SYNC_TRIE) return go_hashtrie_load(&m->trie, program_lent_string(&x), &found) && found;
    return program_get(&m->plain, &x, &none);
}

static bool run_deleted(struct retention *r) {
    struct shared_map m = {0};
    size_t n = case_n(r);
    if (!(case_is(r, "rwmutex") ? open_plain(r, &m, "str_ptr") : open_sync(r, &m))) return false;
    if (!checkpoint(r, "base", 0, 0) || !each_with_checkpoints(r, n, add_user, &m, "fill", users_live))
        return false;
    if (case_is(r, "syncmap_promoted") && m.kind == SYNC_MAP && !go_syncmap_range_begin(&m.map)) return false;
    if (!checkpoint(r, "filled", n, users_live(r, n, NULL))) return false;
    for (size_t i = 0; i < n; i++)
        if (!delete_user(r, &m, i)) return false;
    if (!checkpoint(r, "deleted_all", n, 0) || !store_constant(r, &m) ||
        !checkpoint(r, "one_store_after", n, 0) || !load_constant(&m) || !load_constant(&m))
        return false;
    bool ok = checkpoint(r, "promoted", n, 0);
    shut(&m);
    return ok;
}

const struct scenario scenario_syncmap_deleted = {
    .number = 18,
    .name = "syncmap_deleted",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_ptr",
    .maps = "go_hmap,go_swiss",
    .n = 50000,
    .claim = "Until Go 1.23, a key deleted from a sync.Map's read map stays there, with its entry, until a "
             "promotion replaces that map.",
    .fix = "Use a plain map behind a mutex where keys come and go, or Go 1.24, whose sync.Map is a trie that "
           "lets go of them.",
    .references = "go#40999",
    .variant = VARIANTS(
        {"syncmap_promoted", VARIANT_LEAKY, "a Range first, which promotes all keys to the read map"},
        {"syncmap", VARIANT_LEAKY, "sync.Map, everything deleted"},
        {"rwmutex", VARIANT_FIXED, "a map behind a mutex"}),
    .affected = AFFECTED(UNTIL("syncmap_promoted", 124), IN_NONE("syncmap")),
    .labels = "base fill filled deleted_all one_store_after promoted",
    .verdict_label = "deleted_all",
    .release_label = "promoted",
    /* The buckets of the plain map stay: 208 bytes for 8 slots, doubled at 6 entries each (6.5 since 1.22),
     * and a sixteenth more for overflow. What a sync.Map keeps is not far above: no room for a rounder
     * number. */
    .bound_factor = 0,
    .bound_bytes_per_n = 2 * 208 * 17 / (6 * 16),
    .bound_bytes = 16 << 10,
    .run = run_deleted,
};

/* --- 19: overwriting --- */

static uint64_t numbers_live(struct retention *r, size_t done, void *context) {
    (void)r, (void)context;
    return (uint64_t)(done < OVERWRITTEN_KEYS ? done : OVERWRITTEN_KEYS) * (TEXT_BYTES + INT_BYTES);
}

/* map[string]any has the layout of map[string]string: values of two words, one of them a pointer. */
static bool put_boxed(struct shared_map *m, struct str key, struct any value) {
    struct str words = {value.data, (uintptr_t)value.type};
    return program_put(&m->plain, &key, &words);
}

static bool overwrite(struct retention *r, size_t i, void *context) {
    struct shared_map *m = context;
    struct str key = program_key(r, i % OVERWRITTEN_KEYS);
    uint64_t number = i;
    if (!key.text) return false;
    if (case_is(r, "rwmutex_int")) return program_put(&m->plain, &key, &number);
    struct any boxed_key = m->kind == PLAIN_MAP ? program_lent_string(&key) : program_box_string(r, key);
    struct any value = program_box_int(r, number);
    if (!boxed_key.data || !value.data) return false;
    return m->kind == PLAIN_MAP ? put_boxed(m, key, value) : store_any(m, boxed_key, value);
}

static size_t shared_len(struct shared_map *m) {
    return m->kind == SYNC_MAP    ? go_syncmap_len(&m->map)
           : m->kind == SYNC_TRIE ? go_hashtrie_len(&m->trie)
                                  : program_len(&m->plain);
}

static bool run_overwrite(struct retention *r) {
    struct shared_map m = {0};
    size_t n = case_n(r);
    bool plain = !case_is(r, "syncmap");
    if (!(plain ? open_plain(r, &m, case_is(r, "rwmutex_int") ? "str_u64" : "str_str") : open_sync(r, &m)))
        return false;
    if (!checkpoint(r, "base", 0, 0) ||
        !each_with_checkpoints(r, n, overwrite, &m, "overwrite", numbers_live))
        return false;
    /* Counting is a Range, which promotes. */
    if (m.kind == SYNC_MAP && !go_syncmap_range_begin(&m.map)) return false;
    note_number(r, "len", (double)shared_len(&m));
    bool ok = checkpoint(r, "end", n, numbers_live(r, n, NULL));
    shut(&m);
    return ok;
}

/* --- 19: overwriting, collected as real Go is: when as much again is allocated, from 4 MiB on --- */

static struct str short_key(struct retention *r, size_t i) {
    char text[8];
    int len = snprintf(text, sizeof text, "key_%zu", i % OVERWRITTEN_KEYS);
    return program_string(r, text, (size_t)len);
}

/* The key and value that a store is about to put in: roots, since any allocation may collect. */
struct pending {
    struct str key;
    struct any boxed_key, value;
};

/* A store's own new objects are in variables of C until it is done. */
static bool overwrite_uncollected(struct retention *r, struct shared_map *m, struct pending *p, size_t i) {
    struct gosim *heap = case_gosim(r);
    p->key = short_key(r, i);
    if (!p->key.text) return false;
    p->boxed_key = m->kind == PLAIN_MAP ? program_lent_string(&p->key) : program_box_string(r, p->key);
    p->value = program_box_int(r, i);
    if (!p->boxed_key.data || !p->value.data) return false;
    gosim_hold(heap);
    bool ok = m->kind == PLAIN_MAP ? put_boxed(m, p->key, p->value) : store_any(m, p->boxed_key, p->value);
    gosim_release(heap);
    return ok;
}

static bool run_overwrite_uncollected(struct retention *r) {
    struct shared_map m = {0};
    struct gosim *heap = case_gosim(r);
    size_t n = case_n(r);
    uint64_t live = numbers_live(r, n, NULL);
    if (!(case_is(r, "rwmutex") ? open_plain(r, &m, "str_str") : open_sync(r, &m))) return false;
    if (!checkpoint(r, "base", 0, 0)) return false;
    struct pending p = {0};
    void *const slots[] = {&p.key.text, &p.boxed_key.data, &p.value.data};
    for (size_t i = 0; i < 3; i++) gosim_root(heap, slots[i], "store's arguments");
    gosim_set_gogc(heap, 100);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) ok = overwrite_uncollected(r, &m, &p, i);
    gosim_set_gogc(heap, -1);
    for (size_t i = 0; i < 3; i++) gosim_unroot(heap, slots[i]);
    ok = ok && checkpoint_raw(r, "end_no_forced_gc", n, live) && checkpoint(r, "end_after_gc", n, live);
    shut(&m);
    return ok;
}

const struct scenario scenario_syncmap_overwrite = {
    .number = 19,
    .name = "syncmap_overwrite",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_str",
    .maps = "go_hmap,go_swiss",
    .n = 100000,
    .claim = "A sync.Map whose keys are overwritten keeps next to nothing; what it costs is garbage, several "
             "objects a store.",
    .fix = "Nothing leaks: for less garbage use a typed map behind a mutex.",
    .variant =
        VARIANTS({"syncmap", VARIANT_LEAKY, "100 keys stored over and over: garbage, not retention"},
                 {"rwmutex", VARIANT_FIXED, "a map to any behind a mutex"},
                 {"rwmutex_int", VARIANT_FIXED, "a map to int behind a mutex: no garbage but the keys"}),
    .affected = AFFECTED(NOT_IN_BYTES("syncmap")),
    .labels = "base overwrite end",
    .verdict_label = "end",
    .bound_factor = 4,
    .bound_bytes = 16 << 10,
    .run = run_overwrite,
};

const struct scenario scenario_syncmap_overwrite_nogc = {
    .number = 19,
    .name = "syncmap_overwrite_nogc",
    .about = ABOUT_MAP,
    .heaps = ON_GOSIM | ON_GO,
    .shape = "str_str",
    .maps = "go_hmap,go_swiss",
    .n = 100000,
    .claim = "Read without a collection, the garbage of an overwritten sync.Map looks like a leak: as many "
             "megabytes as have come since the last collection by itself.",
    .fix = "Collect before the heap is read; what is there after it is what the program keeps.",
    .variant = VARIANTS({"syncmap", VARIANT_LEAKY, "read before a collection: what looks like a leak"},
                        {"rwmutex", VARIANT_FIXED, "a map to any behind a mutex"}),
    .affected = AFFECTED(NOT_IN_BYTES("syncmap")),
    .labels = "base end_no_forced_gc end_after_gc",
    .verdict_label = "end_after_gc",
    .bound_factor = 4,
    .bound_bytes = 16 << 10,
    .run = run_overwrite_uncollected,
};
