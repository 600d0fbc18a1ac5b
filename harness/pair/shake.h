/* Memory taken for nothing but that what is built next lies elsewhere: blocks of the C library move
 * addresses, pages of the system change which of the machine's pages the maps get, and with them the sets of
 * the caches. */
#ifndef MAPBENCH_PAIR_SHAKE_H
#define MAPBENCH_PAIR_SHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAIR_SHAKE_BLOCKS_MAX = 64, PAIR_SHAKE_PAGES_MAX = 16 };

/* All zero: nothing is taken. */
struct pair_shake {
    void *block[PAIR_SHAKE_BLOCKS_MAX];
    struct {
        void *start;
        size_t bytes;
    } pages[PAIR_SHAKE_PAGES_MAX];
};

/* Takes and touches a random number of both, of random sizes, at most 24 MiB. False: out of memory. */
bool pair_shake_begin(struct pair_shake *shake, uint64_t *rng);
/* Gives everything back. */
void pair_shake_end(struct pair_shake *shake);

#endif
