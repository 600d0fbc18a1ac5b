/* What the harness itself must know of a shape: one table per shape, from the same file the units include. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/shapes/shape.h"
#include SHAPE_FILE

static uint64_t shape_key_word(const void *key) {
    return key_word(*(const map_key *)key);
}
static uint64_t shape_key_hash(const void *key) {
    return key_hash(*(const map_key *)key);
}
static bool shape_key_equal(const void *a, const void *b) {
    return key_equal(*(const map_key *)a, *(const map_key *)b);
}
#ifdef SHAPE_KEY_FROM_BITS
static void shape_key_make(uint64_t number, void *room, void *out) {
    *(map_key *)out = key_from(number, room);
}
#endif
static void shape_val_make(uint64_t number, void *out) {
    *(map_val *)out = val_make(number);
}
static uint64_t shape_val_word(const void *val) {
    return val_word((const map_val *)val);
}

const struct shape SHAPE_SYMBOL = {
    .name = SHAPE_NAME,
#ifdef SHAPE_KEY_FROM_BITS
    .key_bits = SHAPE_KEY_FROM_BITS,
    .key_make = shape_key_make,
#endif
#ifdef SHAPE_KEY_INT
    .key_is_number = true,
#endif
#ifdef SHAPE_KEY_ROOM
    .key_room = SHAPE_KEY_ROOM,
#endif
    .key_size = sizeof(map_key),
    .val_size = sizeof(map_val),
    .key_word = shape_key_word,
    .key_hash = shape_key_hash,
    .key_equal = shape_key_equal,
    .val_make = shape_val_make,
    .val_word = shape_val_word,
};
