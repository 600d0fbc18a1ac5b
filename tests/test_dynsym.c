/* The reader of dynamic symbol names, against made and damaged files. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/keys/dynsym.h"
#include "harness/base/rng.h"

enum { SEED = 42 };

static bool count_name(void *context, const char *name, size_t len) {
    assert_int_equal(strlen(name), len);
    ++*(size_t *)context;
    return true;
}

/* A 32-bit file with one table of two named symbols, as no library of this machine may be. */
struct elf32 {
    Elf32_Ehdr header;
    Elf32_Shdr section[3]; /* the first is empty in every file */
    Elf32_Sym symbol[3];
    char names[8];
};

static struct elf32 make_elf32(void) {
    struct elf32 f = {.names = "\0ab\0cd"};
    memcpy(f.header.e_ident, ELFMAG, SELFMAG);
    f.header.e_ident[EI_CLASS] = ELFCLASS32;
    f.header.e_ident[EI_VERSION] = EV_CURRENT;
    f.header.e_ident[EI_DATA] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
    f.header.e_shoff = offsetof(struct elf32, section);
    f.header.e_shentsize = sizeof f.section[0];
    f.header.e_shnum = 3;
    f.section[1] = (Elf32_Shdr){.sh_type = SHT_DYNSYM,
                                .sh_offset = offsetof(struct elf32, symbol),
                                .sh_size = sizeof f.symbol,
                                .sh_link = 2,
                                .sh_entsize = sizeof f.symbol[0]};
    f.section[2] = (Elf32_Shdr){
        .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct elf32, names), .sh_size = sizeof f.names};
    f.symbol[1].st_name = 1;
    f.symbol[2].st_name = 4;
    return f;
}

static enum dynsym_result scan_elf32(struct elf32 f, size_t *names) {
    *names = 0;
    return dynsym_scan(&f, sizeof f, count_name, names);
}

static void elf32_is_read_and_checked(void **state) {
    (void)state;
    size_t names;
    struct elf32 f = make_elf32();
    assert_int_equal(scan_elf32(f, &names), DYNSYM_READ);
    assert_int_equal(names, 2);
#define DAMAGED(change)                                                                                      \
    do {                                                                                                     \
        f = make_elf32();                                                                                    \
        change;                                                                                              \
        assert_int_equal(scan_elf32(f, &names), DYNSYM_MALFORMED);                                           \
        assert_int_equal(names, 0);                                                                          \
    } while (0)
    DAMAGED(f.header.e_ident[EI_DATA] ^= 3);
    DAMAGED(f.header.e_ident[EI_CLASS] = 7);
    DAMAGED(f.header.e_shoff = sizeof f);
    DAMAGED(f.header.e_shnum = 3000);
    DAMAGED(f.header.e_shentsize = 4);
    DAMAGED(f.section[1].sh_size = 4096);
    DAMAGED(f.section[1].sh_offset = UINT32_MAX);
    DAMAGED(f.section[1].sh_entsize = 0);
    DAMAGED(f.section[1].sh_link = 3);
    DAMAGED(f.section[2].sh_size = 4096);
    DAMAGED(f.section[2].sh_type = SHT_PROGBITS);
    DAMAGED(f.symbol[2].st_name = sizeof f.names);
    DAMAGED(f.names[7] = 'x');
    f = make_elf32();
    assert_int_equal(dynsym_scan(&f, 10, count_name, &names), DYNSYM_NOT_ELF);
    assert_int_equal(dynsym_scan("GROUP ( libc.so.6 )", 19, count_name, &names), DYNSYM_NOT_ELF);
}

/* Whatever is in the tables, nothing outside the image is read (the sanitizer builds watch). */
static void damaged_elf_is_survived(void **state) {
    (void)state;
    uint64_t rng = SEED;
    size_t read = 0, names;
    for (int round = 0; round < 100000; round++) {
        struct elf32 f = make_elf32();
        for (int flips = 1 + (int)rng_below(&rng, 4); flips > 0; flips--)
            ((char *)&f)[rng_below(&rng, sizeof f)] = (char)rng_next(&rng);
        size_t size = rng_below(&rng, 4) ? sizeof f : rng_below(&rng, sizeof f);
        char *image = malloc(size + 1); /* its end is where the sanitizer looks */
        assert_non_null(image);
        memmove(image + 1, &f, size);
        names = 0;
        read += dynsym_scan(image + 1, size, count_name, &names) == DYNSYM_READ;
        free(image);
    }
    assert_in_range(read, 1000, 99000);
}

static bool stop(void *context, const char *name, size_t len) {
    (void)name;
    (void)len;
    return ++*(size_t *)context < 1;
}

static void visiting_can_stop(void **state) {
    (void)state;
    size_t names = 0;
    struct elf32 f = make_elf32();
    assert_int_equal(dynsym_scan(&f, sizeof f, stop, &names), DYNSYM_STOPPED);
    assert_int_equal(names, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elf32_is_read_and_checked),
        cmocka_unit_test(damaged_elf_is_survived),
        cmocka_unit_test(visiting_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
