/* What the tests of key streams share; include after cmocka.h. */
#ifndef MAPBENCH_TESTS_KEYS_SUPPORT_H
#define MAPBENCH_TESTS_KEYS_SUPPORT_H

#include <math.h>
#include <string.h>

#include "harness/keys/keys.h"
#include "harness/shapes/str.h"

/* Opens a stream that must be there. */
static inline struct keys *open_keys(const char *spec, const char *shape, size_t n, uint64_t seed) {
    struct why why = {""};
    struct keys *keys = keys_open(spec, shape_find(shape), n, seed, &why);
    if (!keys) print_error("%s on %s: %s\n", spec, shape, why.text);
    assert_non_null(keys);
    return keys;
}

/* Opening must fail, with one line that contains `expected`. */
static inline void assert_refused(const char *spec, const char *shape, size_t n, const char *expected) {
    struct why why = {""};
    struct keys *keys = keys_open(spec, shape_find(shape), n, 1, &why);
    if (keys || !strstr(why.text, expected)) print_error("%s on %s, n %zu: %s\n", spec, shape, n, why.text);
    assert_null(keys);
    assert_non_null(strstr(why.text, expected));
    assert_null(strchr(why.text, '\n'));
}

static inline int compare_str(const void *a, const void *b) {
    const struct str *x = a, *y = b;
    int order = memcmp(x->text, y->text, x->len < y->len ? x->len : y->len);
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static inline int compare_u64(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* An upper bound that a chi-square variable exceeds about once in 10^6 cases (Wilson and Hilferty, z = 4.75).
 */
static inline double chi_square_bound(double freedom) {
    double a = 2 / (9 * freedom), root = 1 - a + 4.75 * sqrt(a);
    return freedom * root * root * root;
}

#endif
