/* Units from shared objects. */
#include "harness/unit/load.h"

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

const char *unit_name(const struct map_unit *unit, char name[UNIT_NAME_MAX]) {
    snprintf(name, UNIT_NAME_MAX, "%s-%s-%s-%s", unit->map, unit->shape, unit->hash, unit->heap);
    return name;
}

/* unit_MAP_SHAPE_HASH_HEAP of MAP-SHAPE-HASH-HEAP; only dashes separate, names contain underscores. A map may
 * be MAP@RELEASE. */
static bool symbol_of(const char *name, char *symbol, size_t size) {
    size_t dashes = 0, length = (size_t)snprintf(symbol, size, "unit_%s", name);
    if (length >= size ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@.") != strlen(name))
        return false;
    for (char *c = symbol; *c; c++) {
        dashes += *c == '-';
        if (strchr("-@.", *c)) *c = '_';
    }
    return dashes == 3;
}

/* An open file that is an ELF object of this machine's word size, with all of its sections; the loader would
 * die of one cut short. -1: `why`. */
static int open_object(const char *file, struct why *why) {
    ElfW(Ehdr) header;
    struct stat status;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        why_say(why, "cannot open %s: %s", file, strerror(errno));
        return -1;
    }
    bool elf = read(fd, &header, sizeof header) == sizeof header &&
               memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && fstat(fd, &status) == 0;
    if (elf && header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize <= (uint64_t)status.st_size)
        return fd;
    why_say(why, "%s is %s: make pair-units links such files", file,
            elf ? "incomplete" : "not a shared object");
    close(fd);
    return -1;
}

/* A copy in memory, under a path of its own for as long as the process lives. False: `why`. */
static bool copy_object(int fd, const char *file, char *path, size_t path_size, struct why *why) {
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
        why_say(why, "cannot copy %s into memory: %s", file, strerror(errno));
        if (copy >= 0) close(copy);
        return false;
    }
    snprintf(path, path_size, "/proc/self/fd/%d", copy);
    return true;
}

enum unit_load_result unit_load(struct unit_object *out, const char *file, const char *name,
                                bool private_copy, struct why *why) {
    char symbol[256], path[PATH_MAX];
    struct link_map *map;
    *out = (struct unit_object){.file = file, .name = name};
    if (!symbol_of(name, symbol, sizeof symbol)) {
        why_say(why, "'%s' is no unit: MAP-SHAPE-HASH-HEAP", name);
        return UNIT_NO_OBJECT;
    }
    int fd = open_object(file, why);
    if (fd < 0) return UNIT_NO_OBJECT;
    /* Without a slash dlopen would search its own folders. */
    snprintf(path, sizeof path, "%s%s", strchr(file, '/') ? "" : "./", file);
    bool ready = !private_copy || copy_object(fd, file, path, sizeof path, why);
    close(fd);
    if (!ready) return UNIT_UNFIT;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        why_say(why, "cannot load %s: %s", file, dlerror());
        return UNIT_UNFIT;
    }
    const struct map_unit *unit = dlsym(handle, symbol);
    if (!unit || dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
        why_say(why, "%s has no unit %s (no symbol %s)", file, name, symbol);
        return UNIT_NO_OBJECT;
    }
    /* What lies behind the first field is known only when that field says so. */
    if (unit->abi != MAP_UNIT_ABI) {
        why_say(why,
                "%s was compiled for another interface (%#llx, this program has %#llx): measure it with a "
                "program that has its harness/unit/map.h",
                file, (unsigned long long)unit->abi, (unsigned long long)MAP_UNIT_ABI);
        return UNIT_UNFIT;
    }
    out->unit = unit;
    out->build_id = dlsym(handle, "unit_build_id");
    out->load_address = map->l_addr;
    return UNIT_LOADED;
}

bool unit_object_has_id(const char *file, const char *build_id) {
    struct stat status;
    int fd = open_object(file, NULL);
    if (fd < 0) return false;
    bool found = false;
    void *image = fstat(fd, &status) == 0 ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0)
                                          : MAP_FAILED;
    close(fd);
    if (image == MAP_FAILED) return false;
    /* With the NUL that ends it: nothing else in an object is so many digits of a checksum. */
    found = memmem(image, (size_t)status.st_size, build_id, strlen(build_id) + 1) != NULL;
    munmap(image, (size_t)status.st_size);
    return found;
}
