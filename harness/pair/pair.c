/* Units from shared objects. */
#include "harness/pair/pair.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/base/rng.h"
#include "harness/shapes/shape.h"

static const char *const placement_names[] = {
    [PAIR_FREE] = "free", [PAIR_SHAKE] = "shake", [PAIR_REBUILD] = "rebuild"};

const char *pair_placement_name(enum pair_placement placement) {
    return placement_names[placement];
}

bool pair_placement_find(const char *name, enum pair_placement *out) {
    for (size_t i = 0; i < sizeof placement_names / sizeof *placement_names; i++)
        if (strcmp(name, placement_names[i]) == 0) return *out = (enum pair_placement)i, true;
    return false;
}

bool pair_same_file(const char *a, const char *b) {
    struct stat of_a, of_b;
    return stat(a, &of_a) == 0 && stat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
           of_a.st_ino == of_b.st_ino;
}

/* unit_MAP_SHAPE_HASH_HEAP of MAP-SHAPE-HASH-HEAP; only dashes separate, names contain underscores. */
static bool symbol_of(const char *name, char *symbol, size_t size) {
    size_t dashes = 0, length = (size_t)snprintf(symbol, size, "unit_%s", name);
    if (length >= size ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
        return false;
    for (char *c = symbol; *c; c++)
        if (*c == '-') *c = '_', dashes++;
    return dashes == 3;
}

/* An open file that is an ELF object of this machine's word size, with all of its sections; the loader would
 * die of one cut short. -1: `why`. */
static int open_object(const char *file, char *why, size_t why_size) {
    ElfW(Ehdr) header;
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, why_size, "cannot open %s: %s", file, strerror(errno));
        return -1;
    }
    bool elf = read(fd, &header, sizeof header) == sizeof header &&
               memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && fstat(fd, &status) == 0;
    if (elf && header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize <= (uint64_t)status.st_size)
        return fd;
    snprintf(why, why_size, "%s is %s: make pair-units links such files", file,
             elf ? "incomplete" : "not a shared object");
    close(fd);
    return -1;
}

/* A copy in memory, under a path of its own for as long as the process lives. False: `why`. */
static bool copy_object(int fd, const char *file, char *path, size_t path_size, char *why, size_t why_size) {
    struct stat status;
    int copy = memfd_create("mapbench-unit", MFD_CLOEXEC);
    bool done = copy >= 0 && fstat(fd, &status) == 0 && lseek(fd, 0, SEEK_SET) == 0;
    for (ssize_t left = done ? (ssize_t)status.st_size : 0; done && left > 0;) {
        char block[1 << 16];
        ssize_t got = read(fd, block, sizeof block);
        done = got > 0 && write(copy, block, (size_t)got) == got;
        left -= got;
    }
    if (!done) {
        snprintf(why, why_size, "cannot copy %s into memory: %s", file, strerror(errno));
        if (copy >= 0) close(copy);
        return false;
    }
    snprintf(path, path_size, "/proc/self/fd/%d", copy);
    return true;
}

/* What lies behind the first field is known only when that field says so. */
static enum exit_code check_unit(const struct map_unit *unit, const struct pair_object *object, char *why,
                                 size_t why_size) {
    const struct shape *shape;
    if (unit->abi != MAP_UNIT_ABI) {
        snprintf(why, why_size,
                 "%s was compiled for another interface (%#llx, this program has %#llx): measure it with a "
                 "program that has its harness/unit/map.h",
                 object->file, (unsigned long long)unit->abi, (unsigned long long)MAP_UNIT_ABI);
        return EXIT_CANNOT;
    }
    if (unit->unavailable) {
        snprintf(why, why_size, "%s in %s is unavailable: %s", object->name, object->file, unit->unavailable);
        return EXIT_CANNOT;
    }
    if (!(shape = shape_find(unit->shape)) || unit->key_size != shape->key_size ||
        unit->val_size != shape->val_size) {
        snprintf(why, why_size, "%s in %s has a shape %s that this program does not have", object->name,
                 object->file, unit->shape);
        return EXIT_CANNOT;
    }
    if (!unit->run.put || !unit->run.get) {
        snprintf(why, why_size, "%s in %s has operations, but no loops to measure", object->name,
                 object->file);
        return EXIT_CANNOT;
    }
    return EXIT_OK;
}

enum exit_code pair_load(struct pair_object *out, const char *file, const char *name, bool private_copy,
                         char *why, size_t why_size) {
    char symbol[256], path[PATH_MAX];
    struct link_map *map;
    *out = (struct pair_object){.file = file, .name = name};
    if (!symbol_of(name, symbol, sizeof symbol)) {
        snprintf(why, why_size, "'%s' is no unit: MAP-SHAPE-HASH-HEAP", name);
        return EXIT_USAGE;
    }
    int fd = open_object(file, why, why_size);
    if (fd < 0) return EXIT_USAGE;
    /* Without a slash dlopen would search its own folders. */
    snprintf(path, sizeof path, "%s%s", strchr(file, '/') ? "" : "./", file);
    bool ready = !private_copy || copy_object(fd, file, path, sizeof path, why, why_size);
    close(fd);
    if (!ready) return EXIT_CANNOT;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(why, why_size, "cannot load %s: %s", file, dlerror());
        return EXIT_CANNOT;
    }
    const struct map_unit *unit = dlsym(handle, symbol);
    if (!unit || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
        snprintf(why, why_size, "%s has no unit %s (no symbol %s)", file, name, symbol);
        return EXIT_USAGE;
    }
    out->unit = unit;
    out->load_address = map->l_addr;
    return check_unit(unit, out, why, why_size);
}

enum { PAGE_BYTES = 4096, GAP_PAGES_MAX = 4096, HOLES_MAX = 32 };

/* The kernel maps below what is mapped, or into a hole that is large enough: copies fill the holes until one
 * comes to lie below a reserved stretch of random length. Elsewhere than before it lies in any case. */
enum exit_code pair_move(struct pair_object *object, const char *file, uint64_t *rng, char *why,
                         size_t why_size) {
    size_t bytes = PAGE_BYTES * (1 + rng_below(rng, GAP_PAGES_MAX));
    void *gap = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (gap == MAP_FAILED) {
        snprintf(why, why_size, "cannot move %s: %s", file, strerror(errno));
        return EXIT_CANNOT;
    }
    enum exit_code code;
    unsigned tries = 0;
    do code = pair_load(object, file, object->name, true, why, why_size);
    while (code == EXIT_OK && object->load_address > (uintptr_t)gap && ++tries < HOLES_MAX);
    return code;
}
