/* Shapes as the harness sees them: a table of functions per shape. Never used inside a measured loop. */
#ifndef MAPBENCH_SHAPE_H
#define MAPBENCH_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHAPE_KEY_SIZE_MAX = 16, SHAPE_VAL_SIZE_MAX = 136, SHAPE_KEY_ROOM_MAX = 8 };

struct shape {
    const char *name;
    unsigned key_bits; /* of the number that a key is made from; 0: the key is a struct str */
    size_t key_size, val_size;
    bool key_is_number; /* the key is that number */
    size_t key_room;    /* bytes that a key points to, and owns not */
    /* Makes a key from a number of key_bits, no two alike. room: key_room bytes; NULL for a struct str */
    void (*key_make)(uint64_t number, void *room, void *out);
    uint64_t (*key_word)(
        const void *key); /* what a scan adds up of a key; of one made from a number its own */
    uint64_t (*key_hash)(const void *key); /* the common hash */
    bool (*key_equal)(const void *a, const void *b);
    void (*val_make)(uint64_t number, void *out);
    uint64_t (*val_word)(const void *val); /* what a loop adds up of a value */
};

/* By name; NULL: no such shape. */
const struct shape *shape_find(const char *name);
/* All shapes in the order of shapes.def. */
size_t shape_count(void);
const struct shape *shape_at(size_t i);
const char *shape_summary(size_t i);

#endif
