/* Stands in for klib's khashl.h where the tests need a header of that kind: the same names, made in the simplest way. */
#ifndef KHASHL_LIKE_H
#define KHASHL_LIKE_H

#define AC_VERSION_KHASHL_H "like-1"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t khint32_t, khint_t;
#define KH_LOCAL static inline __attribute__((unused))
#define kh_size(h) ((h)->count)
#define kh_capacity(h) ((h)->buckets)
#define kh_end(h) kh_capacity(h)
#define kh_key(h, x) ((h)->keys[x].key)
#define kh_exist(h, x) ((h)->full[x])

/* Linear probing; a delete takes all that follow out and puts them again. */
#define KHASHL_MAP_INIT(SCOPE, HType, prefix, key_t, val_t, hash_fn, eq_fn)                                  \
    typedef struct {                                                                                         \
        key_t key;                                                                                           \
        val_t val;                                                                                           \
    } HType##_m_bucket_t;                                                                                    \
    typedef struct {                                                                                         \
        khint32_t buckets, count;                                                                            \
        unsigned char *full;                                                                                 \
        HType##_m_bucket_t *keys;                                                                            \
    } HType;                                                                                                 \
    SCOPE HType *prefix##_init(void) { return (HType *)calloc(1, sizeof(HType)); }                           \
    SCOPE void prefix##_destroy(HType *h) {                                                                  \
        if (!h) return;                                                                                      \
        free(h->keys), free(h->full), free(h);                                                               \
    }                                                                                                        \
    SCOPE void prefix##_m_clear(HType *h) {                                                                  \
        if (h->full) memset(h->full, 0, h->buckets);                                                         \
        h->count = 0;                                                                                        \
    }                                                                                                        \
    SCOPE khint_t prefix##_place(const HType *h, key_t key) {                                                \
        khint_t at = hash_fn(key) & (h->buckets - 1);                                                        \
        while (h->full[at] && !eq_fn(h->keys[at].key, key)) at = (at + 1) & (h->buckets - 1);                \
        return at;                                                                                           \
    }                                                                                                        \
    SCOPE khint_t prefix##_get(const HType *h, key_t key) {                                                  \
        khint_t at = h->buckets ? prefix##_place(h, key) : 0;                                                \
        return h->buckets && h->full[at] ? at : h->buckets;                                                  \
    }                                                                                                        \
    SCOPE int prefix##_m_resize(HType *h, khint_t wanted) {                                                  \
        HType old = *h;                                                                                      \
        khint_t buckets = 4;                                                                                 \
        while (buckets < wanted) buckets *= 2;                                                               \
        HType grown = {buckets, 0, (unsigned char *)calloc(buckets, 1),                                      \
                       (HType##_m_bucket_t *)malloc(buckets * sizeof(HType##_m_bucket_t))};                  \
        if (!grown.full || !grown.keys) return free(grown.full), free(grown.keys), -1;                       \
        for (khint_t i = 0; i < old.buckets; i++) {                                                          \
            if (!old.full[i]) continue;                                                                      \
            khint_t at = prefix##_place(&grown, old.keys[i].key);                                            \
            grown.keys[at] = old.keys[i], grown.full[at] = 1, grown.count++;                                 \
        }                                                                                                    \
        free(old.full), free(old.keys);                                                                      \
        *h = grown;                                                                                          \
        return 0;                                                                                            \
    }                                                                                                        \
    SCOPE khint_t prefix##_put(HType *h, key_t key, int *absent) {                                           \
        *absent = -1;                                                                                        \
        if (h->count >= h->buckets / 4 * 3 && prefix##_m_resize(h, h->buckets + 1) < 0) return h->buckets;   \
        khint_t at = prefix##_place(h, key);                                                                 \
        *absent = !h->full[at];                                                                              \
        if (*absent) h->keys[at].key = key, h->full[at] = 1, h->count++;                                     \
        return at;                                                                                           \
    }                                                                                                        \
    SCOPE int prefix##_del(HType *h, khint_t at) {                                                           \
        h->full[at] = 0, h->count--;                                                                         \
        for (at = (at + 1) & (h->buckets - 1); h->full[at]; at = (at + 1) & (h->buckets - 1)) {              \
            h->full[at] = 0;                                                                                 \
            khint_t to = prefix##_place(h, h->keys[at].key);                                                 \
            h->keys[to] = h->keys[at], h->full[to] = 1;                                                      \
        }                                                                                                    \
        return 1;                                                                                            \
    }

#endif
