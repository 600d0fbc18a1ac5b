#include "harness/shapes/shape.h"

#include <string.h>

#define SHAPE(name, kind, key, val, summary) extern const struct shape shape_##name;
#include "harness/shapes/shapes.def"
#undef SHAPE

static const struct {
    const struct shape *shape;
    const char *summary;
} shapes[] = {
#define SHAPE(name, kind, key, val, summary) {&shape_##name, summary},
#include "harness/shapes/shapes.def"
#undef SHAPE
};

size_t shape_count(void) {
    return sizeof shapes / sizeof shapes[0];
}

const struct shape *shape_at(size_t i) {
    return shapes[i].shape;
}

const char *shape_summary(size_t i) {
    return shapes[i].summary;
}

const struct shape *shape_find(const char *name) {
    for (size_t i = 0; i < shape_count(); i++)
        if (strcmp(shapes[i].shape->name, name) == 0) return shapes[i].shape;
    return NULL;
}
