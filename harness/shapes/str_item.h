/* Shape str_item: strings to a struct of a slice and two pointers. */
#include "harness/shapes/key_str.h"

#define SHAPE_NAME "str_item"
#define SHAPE_VAL_POINTERS(POINTER, base)                                                                    \
    POINTER("value.data", base)                                                                              \
    POINTER("value.config", (base) + offsetof(struct item, config))                                          \
    POINTER("value.channel", (base) + offsetof(struct item, channel))
#define SHAPE_HAS_POINTERS 1
#define SHAPE_VAL_WORD 0

typedef struct item {
    void *data;
    size_t len, cap;
    void *config, *channel;
} map_val;

static inline map_val val_make(uint64_t number) {
    return (map_val){NULL, number, number, NULL, NULL};
}
static inline uint64_t val_word(const map_val *val) {
    return val->len;
}
