#include "harness/keys/dynsym.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file's image with what is needed of its header; the 32- and 64-bit formats differ in nothing else here.
 */
struct image {
    const char *base;
    size_t size;
    bool wide; /* ELF64 */
    uint64_t sections_at, section_bytes, section_count;
};

struct section {
    uint64_t type, offset, size, link, entry_bytes;
};

static bool inside(const struct image *image, uint64_t offset, uint64_t bytes) {
    return offset <= image->size && bytes <= image->size - offset;
}

static bool section_read(const struct image *image, uint64_t i, struct section *out) {
    uint64_t header_bytes = image->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
    uint64_t room = image->sections_at <= image->size ? image->size - image->sections_at : 0;
    if (image->section_bytes < header_bytes || i >= room / image->section_bytes) return false;
    const char *at = image->base + image->sections_at + i * image->section_bytes;
    if (image->wide) {
        Elf64_Shdr s;
        memcpy(&s, at, sizeof s);
        *out = (struct section){s.sh_type, s.sh_offset, s.sh_size, s.sh_link, s.sh_entsize};
    } else {
        Elf32_Shdr s;
        memcpy(&s, at, sizeof s);
        *out = (struct section){s.sh_type, s.sh_offset, s.sh_size, s.sh_link, s.sh_entsize};
    }
    return true;
}

static bool header_read(struct image *image) {
    const unsigned char *ident = (const unsigned char *)image->base;
    unsigned char native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (ident[EI_DATA] != native) return false;
    image->wide = ident[EI_CLASS] == ELFCLASS64;
    if (image->wide && image->size >= sizeof(Elf64_Ehdr)) {
        Elf64_Ehdr h;
        memcpy(&h, image->base, sizeof h);
        image->sections_at = h.e_shoff;
        image->section_bytes = h.e_shentsize;
        image->section_count = h.e_shnum;
    } else if (ident[EI_CLASS] == ELFCLASS32 && image->size >= sizeof(Elf32_Ehdr)) {
        Elf32_Ehdr h;
        memcpy(&h, image->base, sizeof h);
        image->sections_at = h.e_shoff;
        image->section_bytes = h.e_shentsize;
        image->section_count = h.e_shnum;
    } else {
        return false;
    }
    struct section first;
    if (image->section_count == 0 &&
        image->sections_at != 0) { /* too many for the header: the first section tells */
        if (!section_read(image, 0, &first)) return false;
        image->section_count = first.size;
    }
    return true;
}

static uint32_t name_offset(const struct image *image, const struct section *symbols, uint64_t i) {
    uint32_t offset; /* st_name, the first field in both formats */
    memcpy(&offset, image->base + symbols->offset + i * symbols->entry_bytes, sizeof offset);
    return offset;
}

/* True if every name of the table lies within its string table, which ends with a NUL. */
static bool symbols_check(const struct image *image, const struct section *symbols, struct section *names) {
    uint64_t entry_min = image->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    if (symbols->entry_bytes < entry_min || !inside(image, symbols->offset, symbols->size)) return false;
    if (symbols->link >= image->section_count || !section_read(image, symbols->link, names)) return false;
    if (names->type != SHT_STRTAB || names->size == 0 || !inside(image, names->offset, names->size))
        return false;
    if (image->base[names->offset + names->size - 1] != '\0') return false;
    for (uint64_t i = 0; i < symbols->size / symbols->entry_bytes; i++)
        if (name_offset(image, symbols, i) >= names->size) return false;
    return true;
}

static bool symbols_visit(const struct image *image, const struct section *symbols,
                          const struct section *names, dynsym_visit_fn *visit, void *context) {
    for (uint64_t i = 0; i < symbols->size / symbols->entry_bytes; i++) {
        const char *name = image->base + names->offset + name_offset(image, symbols, i);
        if (*name && !visit(context, name, strlen(name))) return false;
    }
    return true;
}

enum dynsym_result dynsym_scan(const void *base, size_t size, dynsym_visit_fn *visit, void *context) {
    struct image image = {.base = base, .size = size};
    if (size < EI_NIDENT || memcmp(base, ELFMAG, SELFMAG) != 0) return DYNSYM_NOT_ELF;
    if (!header_read(&image)) return DYNSYM_MALFORMED;
    struct section section, names;
    for (uint64_t i = 0; i < image.section_count; i++) {
        if (!section_read(&image, i, &section)) return DYNSYM_MALFORMED;
        if (section.type == SHT_DYNSYM && !symbols_check(&image, &section, &names)) return DYNSYM_MALFORMED;
    }
    for (uint64_t i = 0; i < image.section_count; i++) {
        if (!section_read(&image, i, &section) || section.type != SHT_DYNSYM) continue;
        section_read(&image, section.link, &names);
        if (!symbols_visit(&image, &section, &names, visit, context)) return DYNSYM_STOPPED;
    }
    return DYNSYM_READ;
}

enum dynsym_result dynsym_read(const char *path, dynsym_visit_fn *visit, void *context,
                               uint64_t *file_bytes) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return DYNSYM_MALFORMED;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return DYNSYM_MALFORMED;
    }
    *file_bytes = (uint64_t)st.st_size;
    if (st.st_size == 0) {
        close(fd);
        return DYNSYM_NOT_ELF;
    }
    void *base = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (base == MAP_FAILED) return DYNSYM_MALFORMED;
    enum dynsym_result result = dynsym_scan(base, (size_t)st.st_size, visit, context);
    munmap(base, (size_t)st.st_size);
    return result;
}
