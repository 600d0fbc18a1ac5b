/* The wire between the runner and an engine, besides lines of text: one block of shared memory, laid out
 * as in harness/engines/go/block.go.
 *
 * Commands and answers are lines: "run put 3 32768 1 32768 0 0" is answered by "ok 32768 812345 ..." or
 * "error ...". The engine begins with "mapbench-engine 1 VERSION MAP_DESIGN SYNC_DESIGN". */
#ifndef MAPBENCH_ENGINE_WIRE_H
#define MAPBENCH_ENGINE_WIRE_H

#include <stdint.h>

enum {
    ENGINE_PROTOCOL = 1,
    WIRE_KEYS = 65536, /* most keys of a block */
    WIRE_CHUNK = 8192, /* most entries of a chunk */
    WIRE_KEY_BYTES = 16,
    WIRE_VAL_BYTES = 64,
    WIRE_TEXT_BYTES = 64 << 20,
};

/* A string key: in the runner its address; coming back, its offset in `text`. The text itself follows those
 * of the keys before it. */
struct wire_text {
    uint64_t address, length;
};

struct wire_block {
    union {
        unsigned char key[WIRE_KEYS * WIRE_KEY_BYTES]; /* keys of the shape, without gaps */
        struct wire_text text_key[WIRE_KEYS];
    };
    unsigned char val[WIRE_CHUNK * WIRE_VAL_BYTES]; /* values of the shape, without gaps */
    uint32_t of[WIRE_KEYS];                         /* small maps: entries, or maps */
    uint32_t id[WIRE_KEYS];                         /* maps */
    uint64_t ticks[WIRE_KEYS];                      /* timed loops: of every operation */
    uint64_t capacity[WIRE_KEYS];                   /* and the map's capacity after it */
    char text[WIRE_TEXT_BYTES];
};

/* Tells which keys of a block a map keeps. */
enum wire_storing { WIRE_STORES_NONE, WIRE_STORES_ALL, WIRE_STORES_ODD };

#endif
