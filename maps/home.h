/* Where the homes of open addressing come from, so that no map's walk is the worst order to fill another in.
 *
 * A table that is walked slot by slot hands its entries out in the order of its homes: of the lowest bits of
 * the hash in most libraries and in Go's old map, of the highest in some and in Go's Swiss map. A table by
 * the same bits that is smaller, as a table that grows is, meets in that order one home after the other: it
 * is filled in one corner, or, if it is half as large, in a second pass over its slots, until the corner has
 * more entries than slots. From there on an insert walks over a cluster that grows with the map. Merging two
 * maps does just that.
 *
 * Against maps of other kinds homes come from the middle of the hash: bits 32 and up. Against maps of our own
 * kind, walked in that very order, a table that finds itself CROWDED doubles early: where a new entry is
 * pushed farther from its home than chance does in any table of this world. It asks once in ASK_STEP inserts,
 * in place of asking whether it is full, so that asking costs nothing; and only from half of its maximum load
 * on, which is where walks of our own crowd it. A delete brings the next asking nearer by one, or a map of
 * constant size would never ask: where entries go in the order of a walk, and new ones come anywhere, what
 * the walk has not met yet gets twice its share. So whatever the keys, a table has at least a quarter of its
 * maximum load after an insert.
 */
#ifndef MAPBENCH_MAPS_HOME_H
#define MAPBENCH_MAPS_HOME_H

#include <stddef.h>
#include <stdint.h>

/* A hash with its middle bits first. */
static inline uint64_t hash_turned(uint64_t hash) {
    return hash >> 32 | hash << 32;
}

MAP_INLINE uint64_t home_hash(map_key key) {
    return hash_turned(key_hash(key));
}

enum {
    ASK_STEP = 128,
    ASK_LEAST = 512, /* entries; a smaller table cannot get slow */
};

/* The number of entries at which an insert next asks whether the table, which takes `limit`, is full or
 * crowded. */
static inline size_t next_ask(size_t len, size_t limit) {
    if (limit < ASK_LEAST || limit - limit / 2 <= ASK_STEP) return limit;
    if (len < limit / 2) return limit / 2;
    return limit - len > ASK_STEP ? len + ASK_STEP : limit;
}

#endif
