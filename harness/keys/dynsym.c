#include "harness/keys/dynsym.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* One SHT_DYNSYM section, of either class. */
struct symbols {
    Elf *elf;
    Elf_Data *data;
    size_t count, names; /* names: the section of its strings */
};

/* Checks what libelf does not: that the string table ends with a NUL and sh_entsize fits the class. */
static bool symbols_open(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, struct symbols *out) {
    GElf_Shdr strings_header;
    Elf_Scn *strings = elf_getscn(elf, header->sh_link);
    Elf_Data *names = strings ? elf_getdata(strings, NULL) : NULL;
    if (!names || !gelf_getshdr(strings, &strings_header) || strings_header.sh_type != SHT_STRTAB ||
        names->d_size == 0 || ((const char *)names->d_buf)[names->d_size - 1] != '\0')
        return false;
    size_t entry_bytes = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (header->sh_entsize != entry_bytes) return false;
    *out = (struct symbols){elf, elf_getdata(section, NULL), header->sh_size / entry_bytes, header->sh_link};
    return out->data != NULL;
}

/* NULL: the name lies outside the string table. */
static const char *symbols_name(const struct symbols *symbols, size_t i) {
    GElf_Sym symbol;
    return gelf_getsym(symbols->data, (int)i, &symbol)
               ? elf_strptr(symbols->elf, symbols->names, symbol.st_name)
               : NULL;
}

/* Visits all names, or with a NULL visitor only looks whether all can be visited. */
static enum dynsym_result each_name(Elf *elf, dynsym_visit_fn *visit, void *context) {
    size_t sections;
    GElf_Ehdr file;
    if (!gelf_getehdr(elf, &file) || elf_getshdrnum(elf, &sections) != 0) return DYNSYM_MALFORMED;
    /* libelf reports no sections where the table lies outside the file, and ignores e_shentsize. */
    if (file.e_shoff && (!sections || file.e_shentsize != gelf_fsize(elf, ELF_T_SHDR, 1, EV_CURRENT)))
        return DYNSYM_MALFORMED;
    for (size_t s = 0; s < sections; s++) {
        Elf_Scn *section = elf_getscn(elf, s);
        GElf_Shdr header;
        struct symbols symbols;
        if (!section || !gelf_getshdr(section, &header)) return DYNSYM_MALFORMED;
        if (header.sh_type != SHT_DYNSYM) continue;
        if (!symbols_open(elf, section, &header, &symbols)) return DYNSYM_MALFORMED;
        for (size_t i = 0; i < symbols.count; i++) {
            const char *name = symbols_name(&symbols, i);
            if (!name) return DYNSYM_MALFORMED;
            if (visit && *name && !visit(context, name, strlen(name))) return DYNSYM_STOPPED;
        }
    }
    return DYNSYM_READ;
}

enum dynsym_result dynsym_scan(const void *image, size_t size, dynsym_visit_fn *visit, void *context) {
    static const unsigned char native = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    if (size < EI_NIDENT || memcmp(image, ELFMAG, SELFMAG) != 0) return DYNSYM_NOT_ELF;
    if (((const unsigned char *)image)[EI_DATA] != native) return DYNSYM_MALFORMED;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)image, size);
    enum dynsym_result result = DYNSYM_MALFORMED;
    if (elf && elf_kind(elf) == ELF_K_ELF) result = each_name(elf, NULL, NULL);
    if (result == DYNSYM_READ) result = each_name(elf, visit, context);
    elf_end(elf);
    return result;
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
