/* An interface value, as Go's `any`: what it is, and the pointer itself or one to a boxed copy. */
#ifndef MAPBENCH_ANY_H
#define MAPBENCH_ANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/shapes/hash.h"
#include "harness/shapes/str.h"

struct any_type {
    const char *name;
    size_t bytes;    /* of the boxed copy; 0: a string, whose box is a struct str and whose text counts */
    bool is_pointer; /* the data word is the value */
};

struct any {
    const struct any_type *type;
    void *data;
};

static inline uint64_t any_hash(struct any a) {
    const struct str *s = (const struct str *)a.data;
    if (a.type->is_pointer) return hash_u64((uintptr_t)a.data);
    return a.type->bytes ? hash_bytes((const char *)a.data, a.type->bytes) : hash_bytes(s->text, s->len);
}
static inline bool any_equal(struct any a, struct any b) {
    const struct str *s = (const struct str *)a.data, *t = (const struct str *)b.data;
    if (a.type != b.type) return false;
    if (a.data == b.data) return true;
    if (a.type->is_pointer) return false;
    if (a.type->bytes) return memcmp(a.data, b.data, a.type->bytes) == 0;
    return s->len == t->len && memcmp(s->text, t->text, s->len) == 0;
}

#endif
