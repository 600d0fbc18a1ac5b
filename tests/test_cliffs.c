/* No walk of another map is an order in which a map of ours turns slow. Counts steps, not time: how far
 * entries lie from their homes while the map grows, at sizes 16 times apart. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "harness/base/count_of.h"
#include "harness/base/rng.h"
#include "harness/shapes/shape.h"
#include "tests/support/ready_unit.h"

/* Just above half of the maximum load of a source of 2^k slots, where its walk crowds a table of half the
 * slots most, and further up. */
static const double loads[] = {0.51, 0.6, 0.7};
enum { SLOTS_FIRST = 1 << 13, SLOTS_LAST = 1 << 17 };

/* Looks of a lookup that finds its key, on average, at the worst moment of filling the map in the source's
 * order. Keys are drawn at random, or 1, 2, 3 ..., which libraries' own hashes often keep in order. */
static double worst_probe(const struct map_unit *unit, const struct map_unit *source_unit, size_t n,
                          bool drawn) {
    uint64_t rng = rng_derive(1, n), key, val;
    void *source = source_unit->op.create(source_unit->own_heap, 0);
    void *map = unit->op.create(unit->own_heap, 0);
    double worst = 0;
    assert_true(source && map);
    for (val = 0; val < n; val++) {
        key = drawn ? rng_next(&rng) : val + 1;
        assert_true(source_unit->op.put(source, &key, &val));
    }
    void *walk = source_unit->op.walk_begin(source);
    assert_non_null(walk);
    for (size_t stored = 1; source_unit->op.walk_next(walk, &key, &val); stored++) {
        struct map_structure structure;
        assert_true(unit->op.put(map, &key, &val));
        if (stored < 64 || stored % (unit->op.capacity(map) / 32 + 1) != 0) continue;
        unit->op.structure(map, &structure);
        worst = fmax(worst, structure.probe_mean);
    }
    source_unit->op.walk_end(walk);
    assert_int_equal(unit->op.len(map), n);
    assert_null(unit->op.check(map));
    source_unit->op.destroy(source);
    unit->op.destroy(map);
    return worst;
}

/* Fills every map of ours in the walk order of the source. */
static void walk_of(const struct map_unit *source, bool drawn) {
    static const char *const maps[] = {"linear",          "robin_hood", "chained", "tagline",
                                       "tagline_bounded", "swiss_flat", "dense"};
    for (size_t m = 0; m < COUNT_OF(maps); m++)
        for (size_t l = 0; l < COUNT_OF(loads); l++) {
            const struct map_unit *unit = ready_unit(maps[m], "u64_u64", "common", "malloc");
            double few = worst_probe(unit, source, (size_t)(loads[l] * SLOTS_FIRST), drawn);
            double many = worst_probe(unit, source, (size_t)(loads[l] * SLOTS_LAST), drawn);
            double exponent = log(many / few) / log((double)SLOTS_LAST / SLOTS_FIRST);
            if (many > 24 || (many > 8 && exponent > 0.15))
                fail_msg(
                    "%s filled as %s is walked, %s hash, %s keys, load %.2f: %.2f looks, then %.2f: n^%.2f",
                    maps[m], source->map, source->hash, drawn ? "random" : "sequential", loads[l], few, many,
                    exponent);
        }
}

static void test_walks(void **state) {
    static const char *const sources[] = {"linear", "robin_hood", "chained",  "tagline",    "swiss_flat",
                                          "dense",  "go_hmap",    "go_swiss", "go_syncmap", "khash"};
    (void)state;
    for (size_t s = 0; s < COUNT_OF(sources); s++) {
        const struct map_unit *source = ready_unit(sources[s], "u64_u64", "common", "malloc");
        if (!source->unavailable) walk_of(source, true); /* not a library that is missing */
    }
}

/* The orders of libraries' and Go's own hashes. */
static void test_walks_by_native_hashes(void **state) {
    static const char *const sources[] = {"go_hmap",  "go_swiss",  "khash",      "ghash",
                                          "std_umap", "absl_flat", "boost_flat", "tsl_robin"};
    (void)state;
    for (size_t s = 0; s < COUNT_OF(sources); s++) {
        const struct map_unit *source = ready_unit(sources[s], "u64_u64", "native", "malloc");
        if (source->unavailable) continue;
        assert_string_equal(source->hash, "native");
        walk_of(source, true);
        walk_of(source, false);
    }
}

/* Looks as above, at the worst moment of two generations in which each entry goes as a walk meets it, and a
 * new one comes. */
static double worst_churn(const struct map_unit *unit, size_t n) {
    uint64_t rng = rng_derive(4, n), key, val = 0;
    void *map = unit->op.create(unit->own_heap, 0);
    double worst = 0;
    assert_non_null(map);
    for (size_t i = 0; i < n; i++) {
        key = rng_next(&rng);
        assert_true(unit->op.put(map, &key, &val));
    }
    for (unsigned generation = 0; generation < 2; generation++) {
        void *met = unit->op.copy(map), *walk = met ? unit->op.walk_begin(met) : NULL;
        assert_non_null(walk);
        for (size_t done = 0; unit->op.walk_next(walk, &key, &val); done++) {
            struct map_structure structure;
            assert_true(unit->op.del(map, &key));
            key = rng_next(&rng);
            assert_true(unit->op.put(map, &key, &val));
            if (done % (n / 16) != 0) continue;
            unit->op.structure(map, &structure);
            worst = fmax(worst, structure.probe_mean);
        }
        unit->op.walk_end(walk);
        unit->op.destroy(met);
    }
    assert_int_equal(unit->op.len(map), n);
    assert_null(unit->op.check(map));
    unit->op.destroy(map);
    return worst;
}

static void test_churn_in_walk_order(void **state) {
    static const char *const maps[] = {"linear",          "robin_hood", "chained", "tagline",
                                       "tagline_bounded", "swiss_flat", "dense"};
    (void)state;
    for (size_t m = 0; m < COUNT_OF(maps); m++)
        for (size_t l = 0; l < COUNT_OF(loads); l++) {
            const struct map_unit *unit = ready_unit(maps[m], "u64_u64", "common", "malloc");
            double few = worst_churn(unit, (size_t)(loads[l] * SLOTS_FIRST));
            double many = worst_churn(unit, (size_t)(loads[l] * SLOTS_LAST));
            double exponent = log(many / few) / log((double)SLOTS_LAST / SLOTS_FIRST);
            if (many > 24 || (many > 8 && exponent > 0.15))
                fail_msg("%s churned as it is walked, load %.2f: %.2f looks, then %.2f: n^%.2f", maps[m],
                         loads[l], few, many, exponent);
        }
}

/* Chance alone never makes a table double early: as many slots as the load says, at every size. */
static void test_chance(void **state) {
    static const struct {
        const char *map;
        double most, least; /* load right before and right after the table has doubled */
    } maps[] = {{"linear", 0.75, 0.375},
                {"robin_hood", 0.75, 0.375},
                {"tagline", 0.875, 0.4375},
                {"swiss_flat", 0.875, 0.4375},
                {"dense", 1, 0.5}};
    (void)state;
    for (size_t m = 0; m < COUNT_OF(maps); m++) {
        const struct map_unit *unit = ready_unit(maps[m].map, "u64_u64", "common", "malloc");
        void *map = unit->op.create(unit->own_heap, 0);
        uint64_t rng = rng_derive(2, m), key, val;
        assert_non_null(map);
        for (val = 0; val < 800000; val++) {
            size_t before = unit->op.capacity(map);
            key = rng_next(&rng);
            assert_true(unit->op.put(map, &key, &val));
            size_t after = unit->op.capacity(map);
            if (val < 1000 || after == before) continue;
            if ((double)val < maps[m].most * (double)before * 0.999)
                fail_msg("%s doubled %zu slots at %zu entries", maps[m].map, before, (size_t)val);
        }
        unit->op.destroy(map);
    }
}

/* Keys that all want the same home double the table early, but never below half of the entries that it takes.
 */
static void test_attack(void **state) {
    static const char *const maps[] = {"linear", "robin_hood", "tagline", "swiss_flat", "dense"};
    (void)state;
    for (size_t m = 0; m < COUNT_OF(maps); m++) {
        const struct map_unit *unit = ready_unit(maps[m], "u64_u64", "common", "malloc");
        const struct shape *shape = shape_find("u64_u64");
        void *map = unit->op.create(unit->own_heap, 0);
        uint64_t rng = rng_derive(3, m), key, val = 0;
        size_t n = 0;
        assert_non_null(map);
        for (; n < 3000; n++) {
            do key = rng_next(&rng);
            while ((shape->key_hash(&key) >> 32 & 0xfff) != 0); /* one home of 4096 */
            assert_true(unit->op.put(map, &key, &val));
        }
        assert_null(unit->op.check(map));
        assert_int_equal(unit->op.len(map), n);
        if (unit->op.capacity(map) > 16384)
            fail_msg("%s has %zu slots for %zu entries", maps[m], unit->op.capacity(map), n);
        unit->op.destroy(map);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_walks),
                                       cmocka_unit_test(test_walks_by_native_hashes),
                                       cmocka_unit_test(test_churn_in_walk_order),
                                       cmocka_unit_test(test_chance), cmocka_unit_test(test_attack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
