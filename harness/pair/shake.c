#include "harness/pair/shake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "harness/base/rng.h"

enum { PAGE_BYTES = 4096 };

/* Sizes of every magnitude are as likely. */
static size_t any_size(uint64_t *rng, unsigned bits_least, unsigned bits_most) {
    size_t least = (size_t)1 << (bits_least + rng_below(rng, bits_most - bits_least));
    return least + rng_below(rng, least);
}

bool pair_shake_begin(struct pair_shake *shake, uint64_t *rng) {
    size_t blocks = 1 + rng_below(rng, PAIR_SHAKE_BLOCKS_MAX),
           pages = 1 + rng_below(rng, PAIR_SHAKE_PAGES_MAX);
    for (size_t i = 0; i < blocks; i++) {
        size_t bytes = any_size(rng, 5, 17); /* 32 bytes to 128 KiB */
        if (!(shake->block[i] = malloc(bytes))) return false;
        memset(shake->block[i], 1, bytes);
    }
    for (size_t i = 0; i < pages; i++) {
        size_t bytes = PAGE_BYTES * any_size(rng, 0, 7); /* 1 to 127 pages */
        void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (start == MAP_FAILED) return false;
        shake->pages[i].start = start, shake->pages[i].bytes = bytes;
        memset(start, 1, bytes);
    }
    return true;
}

void pair_shake_end(struct pair_shake *shake) {
    for (size_t i = 0; i < PAIR_SHAKE_BLOCKS_MAX; i++) free(shake->block[i]);
    for (size_t i = 0; i < PAIR_SHAKE_PAGES_MAX; i++)
        if (shake->pages[i].start) munmap(shake->pages[i].start, shake->pages[i].bytes);
    memset(shake, 0, sizeof *shake);
}
