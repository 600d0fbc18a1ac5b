/* Stands in for verstable.h: a template by macros with its names, made in the simplest way: an array that is searched
 * through. Version 0.1.2 */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LIKE_JOIN_(a, b) a##_##b
#define LIKE_JOIN(a, b) LIKE_JOIN_(a, b)
#define LIKE(name) LIKE_JOIN(NAME, name)
#define LIKE_API static inline __attribute__((unused))

typedef struct {
    KEY_TY key;
    VAL_TY val;
} LIKE(bucket);
typedef struct {
    size_t len, room;
    LIKE(bucket) * buckets;
} NAME;
typedef struct {
    LIKE(bucket) * data, *end;
} LIKE(itr);

LIKE_API void LIKE(init)(NAME *t) {
    memset(t, 0, sizeof *t);
}
LIKE_API void LIKE(cleanup)(NAME *t) {
    free(t->buckets);
    memset(t, 0, sizeof *t);
}
LIKE_API void LIKE(clear)(NAME *t) {
    t->len = 0;
}
LIKE_API size_t LIKE(size)(NAME *t) {
    return t->len;
}
LIKE_API size_t LIKE(bucket_count)(NAME *t) {
    return t->room;
}
LIKE_API bool LIKE(is_end)(LIKE(itr) at) {
    return at.data == at.end;
}
LIKE_API LIKE(itr) LIKE(first)(NAME *t) {
    LIKE(itr) at = {t->buckets, t->buckets + t->len};
    return at;
}
LIKE_API LIKE(itr) LIKE(next)(LIKE(itr) at) {
    at.data++;
    return at;
}
LIKE_API bool LIKE(reserve)(NAME *t, size_t count) {
    if (count <= t->room) return true;
    void *buckets = count > PTRDIFF_MAX / sizeof *t->buckets ? NULL : realloc(t->buckets, count * sizeof *t->buckets);
    if (!buckets) return false;
    t->buckets = buckets;
    t->room = count;
    return true;
}
LIKE_API bool LIKE(init_clone)(NAME *t, NAME *source) {
    LIKE(init)(t);
    if (!LIKE(reserve)(t, source->room)) return false;
    if (source->len) memcpy(t->buckets, source->buckets, source->len * sizeof *t->buckets);
    t->len = source->len;
    return true;
}
LIKE_API LIKE(itr) LIKE(get)(NAME *t, KEY_TY key) {
    LIKE(itr) at = LIKE(first)(t);
    while (at.data != at.end && !CMPR_FN(at.data->key, key)) at.data++;
    return at;
}
LIKE_API LIKE(itr) LIKE(get_or_insert)(NAME *t, KEY_TY key, VAL_TY val) {
    LIKE(itr) at = LIKE(get)(t, key), none = {NULL, NULL};
    if (!LIKE(is_end)(at)) return at;
    if (t->len == t->room && !LIKE(reserve)(t, t->room ? 2 * t->room : 4)) return none;
    t->buckets[t->len].key = key;
    t->buckets[t->len].val = val;
    at.data = t->buckets + t->len++;
    at.end = t->buckets + t->len;
    return at;
}
LIKE_API bool LIKE(erase)(NAME *t, KEY_TY key) {
    LIKE(itr) at = LIKE(get)(t, key);
    if (LIKE(is_end)(at)) return false;
    *at.data = t->buckets[--t->len];
    return true;
}
#undef LIKE
#undef LIKE_API
#undef NAME
#undef KEY_TY
#undef VAL_TY
#undef HASH_FN
#undef CMPR_FN
