/* Units from shared objects. */
#include "harness/pair/pair.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "harness/base/count_of.h"
#include "harness/base/rng.h"
#include "harness/shapes/shape.h"

static const char *const placement_names[] = {
    [PAIR_FREE] = "free", [PAIR_SHAKE] = "shake", [PAIR_REBUILD] = "rebuild"};

const char *pair_placement_name(enum pair_placement placement) {
    return placement_names[placement];
}

bool pair_placement_find(const char *name, enum pair_placement *out) {
    for (size_t i = 0; i < COUNT_OF(placement_names); i++)
        if (strcmp(name, placement_names[i]) == 0) return *out = (enum pair_placement)i, true;
    return false;
}

bool pair_same_file(const char *a, const char *b) {
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* EXIT_CANNOT: `why`, if this program cannot measure the unit. */
static enum exit_code check_unit(const struct map_unit *unit, const struct unit_object *object,
                                 struct why *why) {
    const struct shape *shape;
    if (unit->unavailable) {
        why_say(why, "%s in %s is unavailable: %s", object->name, object->file, unit->unavailable);
        return EXIT_CANNOT;
    }
    if (!(shape = shape_find(unit->shape)) || unit->key_size != shape->key_size ||
        unit->val_size != shape->val_size) {
        why_say(why, "%s in %s has a shape %s that this program does not have", object->name, object->file,
                unit->shape);
        return EXIT_CANNOT;
    }
    if (!unit->run.put || !unit->run.get) {
        why_say(why, "%s in %s has operations, but no loops to measure", object->name, object->file);
        return EXIT_CANNOT;
    }
    return EXIT_OK;
}

enum exit_code pair_load(struct unit_object *out, const char *file, const char *name, bool private_copy,
                         struct why *why) {
    enum unit_load_result loaded = unit_load(out, file, name, private_copy, why);
    if (loaded != UNIT_LOADED) return loaded == UNIT_NO_OBJECT ? EXIT_USAGE : EXIT_CANNOT;
    return check_unit(out->unit, out, why);
}

enum { PAGE_BYTES = 4096, GAP_PAGES_MAX = 4096, HOLES_MAX = 32 };

/* The kernel maps below what is mapped, or into a hole that is large enough: copies fill the holes until one
 * comes to lie below a reserved stretch of random length. Elsewhere than before it lies in any case. */
enum exit_code pair_move(struct unit_object *object, const char *file, uint64_t *rng, struct why *why) {
    size_t bytes = PAGE_BYTES * (1 + rng_below(rng, GAP_PAGES_MAX));
    void *gap = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (gap == MAP_FAILED) {
        why_say(why, "cannot move %s: %s", file, strerror(errno));
        return EXIT_CANNOT;
    }
    enum exit_code code;
    unsigned tries = 0;
    do code = pair_load(object, file, object->name, true, why);
    while (code == EXIT_OK && object->load_address > (uintptr_t)gap && ++tries < HOLES_MAX);
    return code;
}
