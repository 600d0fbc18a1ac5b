/* The dynamic symbol names of an ELF file. */
#ifndef MAPBENCH_DYNSYM_H
#define MAPBENCH_DYNSYM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dynsym_result {
    DYNSYM_READ,
    DYNSYM_NOT_ELF,   /* another kind of file: linker scripts are named like libraries */
    DYNSYM_MALFORMED, /* unreadable, of the other byte order, or with tables that point outside; nothing was
                         visited */
    DYNSYM_STOPPED,   /* visit returned false */
};

typedef bool dynsym_visit_fn(void *context, const char *name, size_t len);

/* Visits every non-empty name in the file's SHT_DYNSYM sections, defined and undefined, in the order of the
 * table. */
enum dynsym_result dynsym_read(const char *path, dynsym_visit_fn *visit, void *context, uint64_t *file_bytes);
/* The same on a file's image. */
enum dynsym_result dynsym_scan(const void *image, size_t size, dynsym_visit_fn *visit, void *context);

#endif
