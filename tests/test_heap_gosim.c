/* The collecting heap under measured loops: units whose heap collects every mebibyte, looks itself over each
 * time and poisons what is gone must lose nothing that is live, and keep nothing that is dead. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "harness/heaps/gosim_own.h"
#include "harness/plan/registry.h"
#include "harness/selftest/parts.h"

enum { ENTRIES = 40000, COPIES = 6, SMALL_MAPS = 6000, SMALL_ENTRIES = 20, MODEL_OPERATIONS = 2000 };

/* One unit with its keys, as the loops take them. */
struct scene {
    const struct map_unit *unit;
    const struct shape *shape;
    struct gosim_own *own;
    struct selftest_keys keys;
    unsigned char *loop_keys;
};

static struct gosim_stats stats_of(const struct scene *scene) {
    struct gosim_stats stats;
    gosim_stats(scene->own->heap, &stats);
    return stats;
}

static uint64_t collections(const struct scene *scene) {
    return scene->own->heap ? stats_of(scene).num_gc : 0;
}

static bool is_map(const struct scene *scene) {
    return !(scene->unit->facts->traits & TRAIT_BASELINE);
}

static void must(const struct scene *scene, bool ok, const char *what) {
    if (!ok) fail_msg("%s/%s: %s", scene->unit->map, scene->unit->shape, what);
}

static void heap_is_sound(const struct scene *scene) {
    const char *fault = gosim_verify(scene->own->heap);
    must(scene, !fault, fault);
}

static void open_scene(struct scene *scene, const struct map_unit *unit) {
    *scene = (struct scene){
        .unit = unit, .shape = shape_find(unit->shape), .own = (struct gosim_own *)unit->own_heap};
    assert_non_null(scene->own);
    if (!scene->own->heap) scene->own->options = (struct gosim_options){.gogc = 1, .check = true};
    selftest_keys_make(&scene->keys, scene->shape, SELFTEST_KEYS_RANDOM, 2 * ENTRIES, 11);
    size_t size = scene->shape->key_size;
    scene->loop_keys = selftest_alloc(2 * ENTRIES, size);
    for (size_t i = 0; i < 2 * ENTRIES; i++)
        memcpy(scene->loop_keys + i * size, selftest_stored(&scene->keys, i), size);
}

/* No map is left: neither is an object. */
static void close_scene(struct scene *scene) {
    must(scene, stats_of(scene).heap_objects == 0, "objects are left when the last map is gone");
    heap_is_sound(scene);
    selftest_keys_free(&scene->keys);
    free(scene->loop_keys);
}

static void each_unit(void (*test)(struct scene *scene)) {
    size_t units = 0;
    for (size_t i = 0; i < registry_count(); i++) {
        struct scene scene;
        const struct map_unit *unit = registry_at(i);
        if (strcmp(unit->heap, "gosim") != 0 || registry_prepare(&unit, 1) > 0) continue;
        open_scene(&scene, unit);
        test(&scene);
        close_scene(&scene);
        units++;
    }
    assert_in_range(units, 16, 64);
}

/* Every entry [first, first + n) with the value made from its number, and no other. */
static void holds(const struct scene *scene, void *map, size_t first, size_t n) {
    const char *fault = scene->unit->op.check(map);
    _Alignas(16) unsigned char found[SHAPE_VAL_SIZE_MAX], wanted[SHAPE_VAL_SIZE_MAX];
    if (!is_map(scene)) return;
    must(scene, !fault, fault);
    must(scene, scene->unit->op.len(map) == n, "a wrong length");
    for (size_t i = first; i < first + n; i++) {
        scene->shape->val_make(i, wanted);
        must(scene, scene->unit->op.get(map, selftest_asked(&scene->keys, i), found), "an entry is lost");
        must(scene, memcmp(found, wanted, scene->unit->val_size) == 0, "an entry has another value");
    }
}

static void *full_map(const struct scene *scene) {
    struct run_args args = {.keys = scene->loop_keys, .n = ENTRIES};
    void *map = scene->unit->op.create(scene->unit->own_heap, 0);
    assert_non_null(map);
    assert_int_equal(scene->unit->run.put(map, &args), ENTRIES);
    return map;
}

static void put_and_churn(struct scene *scene) {
    uint64_t before = collections(scene);
    void *map = full_map(scene);
    must(scene, !is_map(scene) || collections(scene) > before, "growing collects nothing");
    holds(scene, map, 0, ENTRIES);

    /* Every victim with its newcomer: the map then holds the second half of the keys. */
    size_t size = scene->shape->key_size;
    unsigned char *pairs = selftest_alloc(2 * ENTRIES, size);
    for (size_t i = 0; i < ENTRIES; i++) {
        memcpy(pairs + 2 * i * size, selftest_stored(&scene->keys, i), size);
        memcpy(pairs + (2 * i + 1) * size, selftest_stored(&scene->keys, ENTRIES + i), size);
    }
    struct run_args churn = {.keys = pairs, .n = ENTRIES, .first_value = ENTRIES};
    must(scene, scene->unit->run.churn(map, &churn) == 2 * ENTRIES || !is_map(scene), "a wrong checksum");
    holds(scene, map, ENTRIES, ENTRIES);
    scene->unit->op.destroy(map);
    free(pairs);
}

/* The copies of the loop are kept, and so is their original. */
static void copies(struct scene *scene) {
    void *map = full_map(scene), *copy[COPIES] = {0};
    uint64_t before = collections(scene);
    struct run_args args = {.n = COPIES, .maps = copy};
    must(scene, scene->unit->run.copy(map, &args) == (uint64_t)COPIES * ENTRIES || !is_map(scene),
         "a wrong checksum");
    must(scene, !is_map(scene) || collections(scene) > before, "copying collects nothing");
    for (size_t i = 0; i < COPIES; i++) holds(scene, copy[i], 0, ENTRIES);
    scene->unit->op.destroy(map);
    gosim_collect(scene->own->heap);
    for (size_t i = COPIES; i-- > 0;) {
        holds(scene, copy[i], 0, ENTRIES);
        scene->unit->op.destroy(copy[i]);
    }
}

/* A map that is gone is garbage though others live, whatever the order in which they go. */
static void small_maps(struct scene *scene) {
    static void *map[SMALL_MAPS];
    static uint32_t entries[SMALL_MAPS];
    uint64_t before = collections(scene), objects = 0;
    for (size_t i = 0; i < SMALL_MAPS; i++) entries[i] = 1;
    for (size_t i = 0; i < SMALL_MAPS; i += 7) entries[i] = SMALL_ENTRIES;
    struct run_args args = {
        .keys = scene->loop_keys, .n = SMALL_MAPS, .maps = map, .entries_of_map = entries};
    scene->unit->run.small_put(scene->unit->own_heap, &args);
    must(scene, !is_map(scene) || collections(scene) > before, "making small maps collects nothing");
    for (size_t i = 0, first = 0; i < SMALL_MAPS; first += entries[i++])
        holds(scene, map[i], first, entries[i]);
    gosim_collect(scene->own->heap);
    objects = stats_of(scene).heap_objects;
    for (size_t i = 0; i < SMALL_MAPS; i += 2) scene->unit->op.destroy(map[i]);
    gosim_collect(scene->own->heap);
    must(scene, stats_of(scene).heap_objects < objects * 6 / 10, "maps that are gone are kept");
    /* As many again: the table of maps closes its gaps. */
    struct run_args again = {
        .keys = scene->loop_keys, .n = SMALL_MAPS / 2, .maps = map, .entries_of_map = entries};
    void *left = map[SMALL_MAPS - 1];
    for (size_t i = 1; i + 1 < SMALL_MAPS; i += 2) scene->unit->op.destroy(map[i]);
    scene->unit->run.small_put(scene->unit->own_heap, &again);
    for (size_t i = 0, first = 0; i < SMALL_MAPS / 2; first += entries[i++])
        holds(scene, map[i], first, entries[i]);
    for (size_t i = SMALL_MAPS / 2; i-- > 0;) scene->unit->op.destroy(map[i]);
    scene->unit->op.destroy(left);
}

static void model(struct scene *scene) {
    struct selftest_options options = {.seed = 5, .operations = MODEL_OPERATIONS};
    struct why why = {""};
    must(scene, selftest_unit(scene->unit, &options, &why), why.text);
}

/* A scenario's heap is its own: no map there becomes a root, and unrooted it goes with a collection. */
static void another_heap(struct scene *scene) {
    struct gosim *heap = gosim_open(NULL);
    struct gosim_stats stats;
    void *own = scene->unit->op.create(scene->unit->own_heap, 0);
    void *map = scene->unit->op.create((struct heap *)heap, 0);
    assert_non_null(map);
    gosim_collect(heap);
    gosim_stats(heap, &stats);
    must(scene, stats.heap_objects == 0, "a map of another heap is a root");
    scene->unit->op.destroy(own);
    gosim_close(heap);
}

#define TEST_OF_EACH(name)                                                                                   \
    static void test_##name(void **state) {                                                                  \
        (void)state;                                                                                         \
        each_unit(name);                                                                                     \
    }
TEST_OF_EACH(put_and_churn)
TEST_OF_EACH(copies)
TEST_OF_EACH(small_maps)
TEST_OF_EACH(model)
TEST_OF_EACH(another_heap)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_and_churn), cmocka_unit_test(test_copies),
        cmocka_unit_test(test_small_maps),    cmocka_unit_test(test_model),
        cmocka_unit_test(test_another_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
